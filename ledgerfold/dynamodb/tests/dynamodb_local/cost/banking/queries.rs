//! The cost of banking's queries, of read models that have every event.

use ledgerfold::{Timestamp, ports::Clock};
use serde_json::json;

use super::bank::{Bank, euros, stream_of};
use crate::cost::{fixture::Fixture, meter::Cost};

/// An account with 20 entries, in all read models.
async fn of_20_entries(fixture: &Fixture) -> (Bank<'_>, String) {
    let bank = Bank::open(fixture).await;
    let account = bank.empty_account().await;
    for _ in 0..20 {
        bank.deposit(&account).await;
    }
    let streams = bank.newest_streams(&account).await;
    bank.project(&streams).await;
    (bank, account)
}

pub(super) async fn account(fixture: &Fixture) -> Cost {
    let (bank, account) = of_20_entries(fixture).await;
    bank.get(&format!("/accounts/{account}")).await
}

pub(super) async fn account_as_of(fixture: &Fixture) -> Cost {
    let (bank, account) = of_20_entries(fixture).await;
    bank.get(&format!("/accounts/{account}?version=10")).await
}

pub(super) async fn accounts_of_owner(fixture: &Fixture) -> Cost {
    let (bank, _) = of_20_entries(fixture).await;
    bank.get("/owners/o-1/accounts").await
}

pub(super) async fn entries(fixture: &Fixture) -> Cost {
    let (bank, account) = of_20_entries(fixture).await;
    bank.get(&format!("/accounts/{account}/entries")).await
}

pub(super) async fn this_month(fixture: &Fixture) -> Cost {
    let (bank, account) = of_20_entries(fixture).await;
    let month = fixture.clock.now().strftime("%Y-%m").to_string();
    bank.get(&format!("/accounts/{account}/statements/{month}")).await
}

/// The month of 20 entries, with an entry in the month before and in the one after.
pub(super) async fn last_month(fixture: &Fixture) -> Cost {
    let at = |time: &str| fixture.clock.set(time.parse::<Timestamp>().expect("a time"));
    let bank = Bank::open(fixture).await;
    at("2026-09-30T00:00:00Z");
    let account = bank.account().await;
    at("2026-10-01T00:00:00Z");
    for _ in 0..20 {
        bank.deposit(&account).await;
    }
    at("2026-11-01T00:00:00Z");
    bank.deposit(&account).await;
    bank.project(&[stream_of(&account)]).await;
    bank.get(&format!("/accounts/{account}/statements/2026-10")).await
}

/// An account with a hold, and the hold.
async fn with_a_hold(fixture: &Fixture) -> (Bank<'_>, String, String) {
    let bank = Bank::open(fixture).await;
    let account = bank.account().await;
    let body = json!({"amount": euros(900), "reference": "Hotel", "expiresIn": 60});
    let hold = bank.accepted(&format!("/accounts/{account}/holds"), body).await.1;
    let streams = bank.newest_streams(&account).await;
    bank.project(&streams).await;
    (bank, account, hold)
}

pub(super) async fn hold(fixture: &Fixture) -> Cost {
    let (bank, account, hold) = with_a_hold(fixture).await;
    bank.get(&format!("/accounts/{account}/holds/{hold}")).await
}

pub(super) async fn holds(fixture: &Fixture) -> Cost {
    let (bank, account, _) = with_a_hold(fixture).await;
    bank.get(&format!("/accounts/{account}/holds")).await
}

pub(super) async fn transfer(fixture: &Fixture) -> Cost {
    let (bank, account) = of_20_entries(fixture).await;
    let transfer = bank.newest_transfer(&account).await;
    bank.get(&format!("/transfers/{transfer}")).await
}

pub(super) async fn trial_balance(fixture: &Fixture) -> Cost {
    let (bank, _) = of_20_entries(fixture).await;
    bank.get("/trial-balance").await
}

/// The rows of both accounts, with their places in the list of their owner, the row of the transfer, and the totals.
pub(super) async fn projected(fixture: &Fixture) -> Cost {
    let bank = Bank::open(fixture).await;
    let from = bank.account().await;
    let to = bank.account().await;
    bank.project(&[stream_of(&from), stream_of(&to)]).await;
    let body = json!({"from": from, "to": to, "amount": euros(900), "reference": "Rent"});
    bank.accepted("/transfers", body).await;
    bank.project(&bank.newest_streams(&from).await).await
}
