//! The cost of banking's commands.

use std::time::Duration;

use banking::{
    commands::{AccountCommand, ReleaseExpiredHolds},
    domain::Accounts,
};
use ledgerfold::{Caller, CommandId, command::CommandRequest, ports::Clock};
use serde_json::{Value, json};

use super::bank::{Bank, euros, stream_of};
use crate::cost::{fixture::Fixture, meter::Cost};

/// The events of a long account, of which each 20th has a snapshot. A snapshot also contains the ids of the newest 100
/// commands.
const LONG: usize = 120;

fn opening() -> Value {
    json!({"ownerId": "o-1", "currency": "EUR"})
}

fn movement(cents: i64) -> Value {
    json!({"amount": euros(cents), "reference": "Cash"})
}

fn between(from: &str, to: &str, cents: i64) -> Value {
    json!({"from": from, "to": to, "amount": euros(cents), "reference": "Rent"})
}

fn reason() -> Value {
    json!({"reason": "Sent twice"})
}

pub(super) async fn open(fixture: &Fixture) -> Cost {
    Bank::open(fixture).await.accepted("/accounts", opening()).await.0
}

pub(super) async fn open_again(fixture: &Fixture) -> Cost {
    Bank::open(fixture).await.repeated("/accounts", opening()).await
}

pub(super) async fn deposit(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    bank.deposit(&account).await
}

/// An account with this many events.
async fn long_account(bank: &Bank<'_>, events: usize) -> String {
    let account = bank.empty_account().await;
    for _ in 1..events {
        bank.deposit(&account).await;
    }
    account
}

pub(super) async fn deposit_to_a_long_account(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = long_account(&bank, LONG - 10).await;
    bank.deposit(&account).await
}

pub(super) async fn deposit_with_a_snapshot(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = long_account(&bank, LONG - 1).await;
    let cost = bank.deposit(&account).await;
    assert!(bank.newest_commit(&account).await.snapshot().is_some());
    cost
}

pub(super) async fn deposit_again(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.empty_account().await;
    bank.repeated(&format!("/accounts/{account}/deposit"), movement(900)).await
}

pub(super) async fn withdraw(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    bank.accepted(&format!("/accounts/{account}/withdraw"), movement(900)).await.0
}

pub(super) async fn withdraw_too_much(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    bank.refused(&format!("/accounts/{account}/withdraw"), movement(1_001)).await
}

pub(super) async fn transfer(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let from = bank.account().await;
    let to = bank.account().await;
    bank.accepted("/transfers", between(&from, &to, 900)).await.0
}

pub(super) async fn transfer_with_many_words(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let from = bank.account().await;
    let to = bank.account().await;
    let mut body = between(&from, &to, 900);
    body["reference"] = json!("r".repeat(200));
    bank.accepted("/transfers", body).await.0
}

pub(super) async fn transfer_again(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let from = bank.account().await;
    let to = bank.account().await;
    bank.repeated("/transfers", between(&from, &to, 900)).await
}

pub(super) async fn transfer_too_much(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let from = bank.account().await;
    let to = bank.account().await;
    bank.refused("/transfers", between(&from, &to, 1_001)).await
}

pub(super) async fn reverse(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let from = bank.account().await;
    let to = bank.account().await;
    let transfer = bank.accepted("/transfers", between(&from, &to, 900)).await.1;
    bank.accepted(&format!("/transfers/{transfer}/reverse"), reason()).await.0
}

/// A withdrawal is reversed in the same way.
pub(super) async fn reverse_a_deposit(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    let transfer = bank.newest_transfer(&account).await;
    bank.accepted(&format!("/transfers/{transfer}/reverse"), reason()).await.0
}

async fn held(bank: &Bank<'_>, account: &str) -> (Cost, String) {
    let body = json!({"amount": euros(900), "reference": "Hotel", "expiresIn": 60});
    bank.accepted(&format!("/accounts/{account}/holds"), body).await
}

pub(super) async fn hold(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    held(&bank, &account).await.0
}

pub(super) async fn capture(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    let to = bank.account().await;
    let hold = held(&bank, &account).await.1;
    bank.accepted(&format!("/accounts/{account}/holds/{hold}/capture"), json!({"to": to})).await.0
}

pub(super) async fn release(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    let hold = held(&bank, &account).await.1;
    bank.accepted(&format!("/accounts/{account}/holds/{hold}/release"), json!({})).await.0
}

/// The command of the deadline.
pub(super) async fn expire(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    held(&bank, &account).await;
    let later = fixture.clock.now().checked_add(Duration::from_secs(60));
    fixture.clock.set(later.expect("a time"));
    let stream = stream_of(&account);
    let command = AccountCommand::from(ReleaseExpiredHolds {});
    let key = CommandId::new("expiry").expect("visible ASCII");
    let request = CommandRequest::new(Caller::anonymous(), stream, command, key);
    fixture.accepted(&bank.ports().handler::<Accounts>(), &request).await
}

pub(super) async fn limit(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    let body = json!({"daily": euros(500)});
    bank.accepted(&format!("/accounts/{account}/limits"), body).await.0
}

pub(super) async fn freeze(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    bank.accepted(&format!("/accounts/{account}/freeze"), reason()).await.0
}

pub(super) async fn freeze_again(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    bank.repeated(&format!("/accounts/{account}/freeze"), reason()).await
}

pub(super) async fn freeze_refused(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    let path = format!("/accounts/{account}/freeze");
    bank.accepted(&path, reason()).await;
    bank.refused(&path, reason()).await
}
