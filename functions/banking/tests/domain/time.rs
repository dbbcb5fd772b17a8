//! Expiry and booking dates, with clocks that jump and run backwards.

use banking::domain::{Accounts, BankingRejection, Transfers};
use banking_events::{AccountEvent, TransferEvent};
use jiff::civil::date;

use crate::{
    bank::{Bank, refusal},
    setup::{amount, currency},
};

async fn bank() -> Bank {
    let bank = Bank::new();
    bank.open("a", currency("EUR"), 0).await;
    bank.open("b", currency("EUR"), 0).await;
    bank.deposit("d1", "a", amount(100, "EUR")).await.expect("a deposit");
    bank
}

// Guards: a-hold-expires-exactly-at-its-time
#[tokio::test]
async fn expiry_needs_no_deadline() {
    let bank = bank().await;
    bank.hold("h1", "a", amount(100, "EUR"), 1).await.expect("a hold");
    bank.at("2026-11-28T09:00:00.999999999Z");
    assert_eq!(bank.balances("a"), [100, 100, 0]);
    let early = bank.transfer("t1", ["a", "b"], amount(1, "EUR")).await;
    assert_eq!(refusal(early), BankingRejection::InsufficientFunds { available: 0 });
    bank.at("2026-11-28T09:00:01Z");
    assert_eq!(bank.balances("a"), [100, 0, 100]);
    bank.transfer("t1", ["a", "b"], amount(100, "EUR")).await.expect("the hold has expired");
}

// Guards: a-hold-expires-exactly-at-its-time
#[tokio::test]
async fn a_deadline_changes_no_balance() {
    let bank = bank().await;
    bank.hold("h1", "a", amount(60, "EUR"), 1).await.expect("a hold");
    bank.at("2026-11-28T09:00:00.999999999Z");
    let early = bank.sweep("s1", "a").await.expect("nothing to do");
    assert!(early.is_empty(), "{early:?}");
    assert_eq!(bank.balances("a"), [100, 60, 40]);
    bank.at("2026-11-28T09:00:01Z");
    let before = bank.balances("a");
    let due = bank.sweep("s2", "a").await.expect("the hold has expired");
    assert_eq!(due.len(), 1);
    assert_eq!(bank.balances("a"), before);
    assert!(bank.account("a").reserved.is_empty());
    let again = bank.sweep("s3", "a").await.expect("nothing to do");
    assert!(again.is_empty(), "{again:?}");
}

// Guards: a-hold-expires-exactly-at-its-time
#[tokio::test]
async fn a_released_hold_stays_released_if_the_clock_runs_back() {
    let bank = bank().await;
    bank.hold("h1", "a", amount(60, "EUR"), 1).await.expect("a hold");
    bank.at("2026-11-28T09:00:01Z");
    bank.sweep("s1", "a").await.expect("the hold has expired");
    bank.at("2026-11-28T09:00:00.5Z");
    assert_eq!(bank.balances("a"), [100, 0, 100]);
    let capture = bank.capture("c1", ["a", "h1", "b"], None).await;
    assert_eq!(refusal(capture), BankingRejection::HoldNotOpen);
    bank.transfer("t1", ["a", "b"], amount(100, "EUR")).await.expect("all is available");
    assert_eq!(bank.balances("a"), [0, 0, 0]);
}

// Guards: a-hold-expires-exactly-at-its-time, available-is-never-overdrawn
#[tokio::test]
async fn a_hold_that_nobody_released_counts_again_if_the_clock_runs_back() {
    let bank = bank().await;
    bank.hold("h1", "a", amount(60, "EUR"), 1).await.expect("a hold");
    bank.at("2026-11-28T09:00:01Z");
    assert_eq!(bank.balances("a"), [100, 0, 100]);
    bank.at("2026-11-28T09:00:00.5Z");
    assert_eq!(bank.balances("a"), [100, 60, 40]);
    let transfer = bank.transfer("t1", ["a", "b"], amount(41, "EUR")).await;
    assert_eq!(refusal(transfer), BankingRejection::InsufficientFunds { available: 40 });
}

// Guards: booking-dates-never-go-back
#[tokio::test]
async fn booking_dates_never_go_back_although_the_clock_does() {
    let bank = bank().await;
    bank.at("2026-12-02T00:00:00Z");
    bank.deposit("d2", "a", amount(1, "EUR")).await.expect("a deposit");
    bank.at("2026-11-30T23:59:59.999999999Z");
    bank.transfer("t1", ["a", "b"], amount(1, "EUR")).await.expect("a transfer");
    bank.hold("h1", "a", amount(1, "EUR"), 1).await.expect("a hold");
    bank.release("r1", "a", "h1").await.expect("a release");
    bank.limit("l1", "a", Some(amount(50, "EUR"))).await.expect("a limit");
    bank.freeze("f1", "a").await.expect("an open account");
    bank.unfreeze("u1", "a").await.expect("a frozen account");
    let events = bank.events::<Accounts>().into_iter();
    let (a, b): (Vec<_>, Vec<_>) = events.partition(|event| event.stream.id().as_str() == "a");
    let dates: Vec<_> = a.iter().map(|event| event.event.booked_on()).collect();
    assert!(dates.is_sorted(), "{dates:?}");
    assert_eq!(dates.last(), Some(&date(2026, 12, 2)));
    assert_eq!(b.last().map(|event| event.event.booked_on()), Some(date(2026, 11, 30)));
}

// Guards: booking-dates-never-go-back
#[tokio::test]
async fn a_transfer_names_the_booking_date_of_each_leg() {
    let bank = bank().await;
    bank.at("2026-12-02T00:00:00Z");
    bank.deposit("d2", "a", amount(1, "EUR")).await.expect("a deposit");
    bank.at("2026-11-30T12:00:00Z");
    bank.transfer("t1", ["a", "b"], amount(1, "EUR")).await.expect("a transfer");
    let record = bank.transfer_record("t1").expect("the transfer");
    let made = record.made.expect("it is settled");
    assert_eq!(made.from_booked_on, date(2026, 12, 2));
    assert_eq!(made.to_booked_on, date(2026, 11, 30));
    assert_eq!(made.booked_on(), date(2026, 12, 2));
    bank.reverse("u1", "t1").await.expect("a reversal");
    let reversals = bank.events::<Transfers>();
    let original = reversals.iter().find_map(|it| match &it.event {
        TransferEvent::TransferMade(made) => made.originally_booked_on,
        _ => None,
    });
    assert_eq!(original, Some(date(2026, 12, 2)));
}

// Guards: a-hold-expires-exactly-at-its-time
#[tokio::test]
async fn every_decision_shows_expired_holds() {
    let bank = bank().await;
    bank.hold("h1", "a", amount(60, "EUR"), 1).await.expect("a hold");
    bank.at("2026-11-28T09:00:01Z");
    bank.deposit("d2", "a", amount(1, "EUR")).await.expect("a deposit");
    let events = bank.events::<Accounts>();
    let released = |event: &AccountEvent| matches!(event, AccountEvent::ReservationReleased(_));
    assert_eq!(events.iter().filter(|it| released(&it.event)).count(), 1);
    assert!(bank.account("a").reserved.is_empty());
}
