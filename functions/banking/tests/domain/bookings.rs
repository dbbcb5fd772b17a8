//! Legs and balances in the stored events of a whole bank.

use std::collections::BTreeMap;

use banking::{
    domain::{Accounts, BankingRejection, Settlements, Transfers},
    read_models::AccountViews,
};
use banking_events::{
    AccountEvent, Credited, Currency, Debited, LegAccount, SettlementEvent, TransferEvent,
};
use ledgerfold::{EntityId, Recorded, project::Projection};

use crate::{
    bank::{Bank, refusal},
    setup::{amount, currency, euro},
};

/// A change of a balance.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) transaction: EntityId,
    pub(crate) account: LegAccount,
    pub(crate) counterparty: LegAccount,
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) balance_after: i64,
}

/// All legs, by stream and version.
pub(crate) fn legs(bank: &Bank) -> Vec<Leg> {
    let mut currencies = BTreeMap::new();
    let mut found = Vec::new();
    for event in bank.events::<Accounts>() {
        let id = event.stream.id().clone();
        if let AccountEvent::AccountOpened(opened) = &event.event {
            currencies.insert(id.clone(), opened.currency);
        }
        found.extend(account_leg(&event, currencies[&id]));
    }
    let banks = bank.events::<Settlements>();
    found.extend(banks.iter().map(settlement_leg));
    found
}

fn account_leg(event: &Recorded<AccountEvent>, currency: Currency) -> Option<Leg> {
    let account = LegAccount::Customer(event.stream.id().clone());
    match event.event.clone() {
        AccountEvent::Credited(Credited {
            transaction,
            amount,
            balance_after,
            counterparty,
            ..
        }) => Some(Leg { transaction, account, counterparty, currency, amount, balance_after }),
        AccountEvent::Debited(Debited {
            transaction, amount, balance_after, counterparty, ..
        }) => {
            let amount = -amount;
            Some(Leg { transaction, account, counterparty, currency, amount, balance_after })
        }
        _ => None,
    }
}

fn settlement_leg(event: &Recorded<SettlementEvent>) -> Leg {
    let leg = event.event.leg().clone();
    let sign = match &event.event {
        SettlementEvent::SettlementCredited(_) => 1,
        SettlementEvent::SettlementDebited(_) => -1,
    };
    Leg {
        transaction: leg.transaction,
        account: LegAccount::Settlement(event.stream.id().clone()),
        counterparty: LegAccount::Customer(leg.account),
        currency: leg.currency,
        amount: sign * leg.amount,
        balance_after: leg.balance_after,
    }
}

/// Checks that each transaction has two legs, with the same currency, the sum of zero, and each other's account. Checks
/// that its record says the same.
pub(crate) fn check_legs(bank: &Bank) {
    let mut by_transaction: BTreeMap<EntityId, Vec<Leg>> = BTreeMap::new();
    for leg in legs(bank) {
        by_transaction.entry(leg.transaction.clone()).or_default().push(leg);
    }
    let records = bank.events::<Transfers>();
    let made: BTreeMap<_, _> = records
        .iter()
        .filter_map(|event| match &event.event {
            TransferEvent::TransferMade(made) => Some((event.stream.id(), made)),
            _ => None,
        })
        .collect();
    assert_eq!(made.len(), by_transaction.len(), "each record has legs");
    for (transaction, legs) in &by_transaction {
        let [one, other] = &legs[..] else { unreachable!("{transaction} has {legs:?}") };
        assert_eq!(one.currency, other.currency, "{transaction}");
        assert_eq!(one.amount + other.amount, 0, "{transaction}");
        assert_eq!(one.counterparty, other.account, "{transaction}");
        assert_eq!(other.counterparty, one.account, "{transaction}");
        let (from, to) = if one.amount < 0 { (one, other) } else { (other, one) };
        let record = made[transaction];
        assert_eq!((&record.from, &record.to), (&from.account, &to.account), "{transaction}");
        assert_eq!(record.amount.amount, to.amount, "{transaction}");
        assert_eq!(record.amount.currency, to.currency, "{transaction}");
    }
}

/// Checks that the sum of the newest balances of all streams is zero in each currency, and returns the currencies.
pub(crate) fn check_sums(bank: &Bank) -> Vec<Currency> {
    let mut balances = BTreeMap::new();
    for leg in legs(bank) {
        balances.insert((leg.currency, leg.account.to_string()), leg.balance_after);
    }
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for ((currency, _), balance) in balances {
        *sums.entry(currency).or_default() += balance;
    }
    assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
    sums.into_keys().collect()
}

/// Checks that each entry's balance follows from the entry before it.
pub(crate) fn check_chains(bank: &Bank) {
    let mut balances: BTreeMap<String, i64> = BTreeMap::new();
    for leg in legs(bank) {
        let balance = balances.entry(leg.account.to_string()).or_default();
        *balance += leg.amount;
        assert_eq!(*balance, leg.balance_after, "{leg:?}");
    }
}

async fn bank() -> Bank {
    let bank = Bank::new();
    bank.open("a", currency("EUR"), 0).await;
    bank.open("b", currency("EUR"), 50).await;
    bank.open("y", currency("JPY"), 0).await;
    let euro = |sum| amount(sum, "EUR");
    bank.deposit("d1", "a", euro(900)).await.expect("a deposit");
    bank.deposit("d2", "y", amount(7, "JPY")).await.expect("a deposit");
    bank.transfer("t1", ["a", "b"], euro(300)).await.expect("a transfer");
    bank.hold("h1", "a", euro(100), 60).await.expect("a hold");
    bank.capture("c1", ["a", "h1", "b"], Some(euro(40))).await.expect("a capture");
    bank.withdraw("w1", "b", euro(380)).await.expect("a withdrawal");
    bank.reverse("u1", "t1").await.expect_err("the money is gone");
    bank.reverse("u2", "c1").await.expect_err("the money is gone");
    bank.reverse("u3", "w1").await.expect("a reversal");
    bank.reverse("u4", "t1").await.expect("a reversal");
    bank
}

// Guards: legs-sum-to-zero
#[tokio::test]
async fn the_legs_of_every_transaction_sum_to_zero() {
    let bank = bank().await;
    check_legs(&bank);
    assert_eq!(legs(&bank).len(), 14, "seven transactions");
}

// Guards: the-books-sum-to-zero
#[tokio::test]
async fn the_balances_of_all_streams_sum_to_zero() {
    assert_eq!(check_sums(&bank().await).len(), 2);
}

// Guards: legs-sum-to-zero
#[tokio::test]
async fn two_currencies_never_balance_each_other() {
    let bank = bank().await;
    let mismatch = |account: Currency, offered: Currency| BankingRejection::CurrencyMismatch {
        account,
        offered,
    };
    let yen: Currency = currency("JPY").into();
    let to_yen = bank.transfer("t2", ["a", "y"], amount(1, "EUR")).await;
    assert_eq!(refusal(to_yen), mismatch(yen, euro()));
    let from_yen = bank.transfer("t3", ["y", "a"], amount(1, "EUR")).await;
    assert_eq!(refusal(from_yen), mismatch(yen, euro()));
    let deposit = bank.deposit("d3", "y", amount(1, "EUR")).await;
    assert_eq!(refusal(deposit), mismatch(yen, euro()));
    let withdrawal = bank.withdraw("w3", "a", amount(1, "JPY")).await;
    assert_eq!(refusal(withdrawal), mismatch(euro(), yen));
    let hold = bank.hold("h3", "a", amount(1, "JPY"), 60).await;
    assert_eq!(refusal(hold), mismatch(euro(), yen));
    let capture = bank.capture("c3", ["a", "h1", "b"], Some(amount(1, "JPY"))).await;
    assert_eq!(refusal(capture), mismatch(euro(), yen));
    let limit = bank.limit("l3", "a", Some(amount(1, "JPY"))).await;
    assert_eq!(refusal(limit), mismatch(euro(), yen));
}

// Guards: statements-follow-from-their-entries
#[tokio::test]
async fn every_balance_follows_from_the_entry_before() {
    check_chains(&bank().await);
}

// Guards: statements-follow-from-their-entries
#[tokio::test]
async fn a_month_opens_with_the_balance_of_the_month_before() {
    let bank = bank().await;
    bank.at("2026-11-30T23:59:59.999999999Z");
    bank.deposit("d3", "a", amount(5, "EUR")).await.expect("a deposit");
    let november = bank.balances("a")[0];
    bank.at("2026-12-01T00:00:00Z");
    bank.deposit("d4", "a", amount(7, "EUR")).await.expect("a deposit");
    // A clock that runs back cannot add to the closed month.
    bank.at("2026-11-30T12:00:00Z");
    bank.withdraw("w4", "a", amount(2, "EUR")).await.expect("a withdrawal");
    let events = bank.events::<Accounts>().into_iter();
    let own = events.filter(|event| event.stream.id().as_str() == "a");
    let row = own.fold(None, |row, event| AccountViews::evolve(row, &event).expect("in order"));
    let month = row.expect("an account").month;
    assert_eq!(month.opening, november);
    assert_eq!(month.first_day.to_string(), "2026-12-01");
    let december: i64 = [7, -2].iter().sum();
    assert_eq!(month.opening + december, bank.balances("a")[0]);
}
