//! Available money, daily limits, the state of an account, and the bounds of numbers.

use banking::domain::{BankingRejection, MAX_BALANCE, MAX_HOLDS};

use crate::{
    bank::{Bank, refusal},
    setup::{amount, at, currency},
};

async fn bank_of(sum: i64) -> Bank {
    let bank = Bank::new();
    bank.open("a", currency("EUR"), 0).await;
    bank.open("b", currency("EUR"), 0).await;
    bank.deposit("d1", "a", amount(sum, "EUR")).await.expect("a deposit");
    bank
}

// Guards: available-is-never-overdrawn
#[tokio::test]
async fn an_account_is_debited_down_to_its_overdraft_limit_and_no_further() {
    let bank = bank_of(100).await;
    bank.open("c", currency("EUR"), 30).await;
    bank.withdraw("w1", "c", amount(30, "EUR")).await.expect("within the overdraft");
    assert_eq!(bank.balances("c"), [-30, 0, 0]);
    let more = bank.withdraw("w2", "c", amount(1, "EUR")).await;
    assert_eq!(refusal(more), BankingRejection::InsufficientFunds { available: 0 });
    let hold = bank.hold("h1", "c", amount(1, "EUR"), 60).await;
    assert_eq!(refusal(hold), BankingRejection::InsufficientFunds { available: 0 });
}

fn left(left: i64) -> BankingRejection {
    BankingRejection::DailyLimitExceeded { left }
}

// Guards: a-daily-limit-is-used-once
#[tokio::test]
async fn a_hold_uses_the_limit_and_its_capture_does_not_use_it_again() {
    let bank = bank_of(1_000).await;
    bank.limit("l1", "a", Some(amount(100, "EUR"))).await.expect("a limit");
    bank.hold("h1", "a", amount(70, "EUR"), 60).await.expect("a hold");
    assert_eq!(refusal(bank.withdraw("w1", "a", amount(31, "EUR")).await), left(30));
    bank.capture("c1", ["a", "h1", "b"], Some(amount(50, "EUR"))).await.expect("a capture");
    assert_eq!(refusal(bank.withdraw("w1", "a", amount(31, "EUR")).await), left(30));
    bank.release("r1", "a", "h1").await.expect("a release");
    assert_eq!(refusal(bank.withdraw("w1", "a", amount(51, "EUR")).await), left(50));
    bank.withdraw("w1", "a", amount(50, "EUR")).await.expect("the rest of the limit");
    assert_eq!(refusal(bank.withdraw("w2", "a", amount(1, "EUR")).await), left(0));
}

// Guards: a-daily-limit-is-used-once
#[tokio::test]
async fn an_expired_hold_gives_its_limit_back_once() {
    let bank = bank_of(1_000).await;
    bank.limit("l1", "a", Some(amount(100, "EUR"))).await.expect("a limit");
    bank.hold("h1", "a", amount(70, "EUR"), 60).await.expect("a hold");
    bank.at("2026-11-28T09:01:00Z");
    assert_eq!(refusal(bank.withdraw("w1", "a", amount(101, "EUR")).await), left(100));
    bank.sweep("s1", "a").await.expect("the hold has expired");
    bank.sweep("s2", "a").await.expect("nothing to do");
    assert_eq!(refusal(bank.withdraw("w1", "a", amount(101, "EUR")).await), left(100));
}

// Guards: a-daily-limit-is-used-once
#[tokio::test]
async fn a_hold_gives_nothing_back_to_another_day() {
    let bank = bank_of(1_000).await;
    bank.limit("l1", "a", Some(amount(100, "EUR"))).await.expect("a limit");
    bank.hold("h1", "a", amount(70, "EUR"), 100_000).await.expect("a hold");
    bank.at("2026-11-29T00:00:00Z");
    bank.withdraw("w1", "a", amount(100, "EUR")).await.expect("the limit of the next day");
    bank.release("r1", "a", "h1").await.expect("a release");
    assert_eq!(refusal(bank.withdraw("w2", "a", amount(1, "EUR")).await), left(0));
}

// Guards: a-daily-limit-is-used-once
#[tokio::test]
async fn a_lower_limit_and_a_clock_that_runs_back_allow_nothing_more() {
    let bank = bank_of(1_000).await;
    bank.withdraw("w1", "a", amount(80, "EUR")).await.expect("no limit yet");
    bank.limit("l1", "a", Some(amount(50, "EUR"))).await.expect("a limit");
    assert_eq!(refusal(bank.withdraw("w2", "a", amount(1, "EUR")).await), left(0));
    bank.at("2026-11-29T00:00:00Z");
    bank.withdraw("w3", "a", amount(50, "EUR")).await.expect("the limit of the next day");
    bank.at("2026-11-28T10:00:00Z");
    assert_eq!(refusal(bank.withdraw("w4", "a", amount(1, "EUR")).await), left(0));
    bank.limit("l2", "a", None).await.expect("no limit");
    bank.withdraw("w5", "a", amount(800, "EUR")).await.expect("no limit");
}

// Guards: a-frozen-account-pays-nothing-and-a-closed-one-takes-nothing
#[tokio::test]
async fn a_closed_account_is_empty() {
    let bank = bank_of(10).await;
    bank.hold("h1", "a", amount(10, "EUR"), 60).await.expect("a hold");
    let full = bank.close("x1", "a").await;
    assert_eq!(refusal(full), BankingRejection::AccountNotEmpty { posted: 10, held: 10 });
    bank.clock.set(at("2026-11-28T09:01:00Z"));
    let full = bank.close("x2", "a").await;
    assert_eq!(refusal(full), BankingRejection::AccountNotEmpty { posted: 10, held: 0 });
    bank.withdraw("w1", "a", amount(10, "EUR")).await.expect("the hold has expired");
    bank.close("x3", "a").await.expect("the account is empty");
    let late = bank.deposit("d2", "a", amount(1, "EUR")).await;
    assert_eq!(refusal(late), BankingRejection::AccountClosed);
}

// Guards: a-frozen-account-pays-nothing-and-a-closed-one-takes-nothing
#[tokio::test]
async fn an_overdrawn_account_stays_open() {
    let bank = bank_of(10).await;
    bank.open("c", currency("EUR"), 30).await;
    bank.withdraw("w1", "c", amount(5, "EUR")).await.expect("within the overdraft");
    let close = bank.close("x1", "c").await;
    assert_eq!(refusal(close), BankingRejection::AccountNotEmpty { posted: -5, held: 0 });
}

// Guards: a-frozen-account-pays-nothing-and-a-closed-one-takes-nothing
#[tokio::test]
async fn a_frozen_account_takes_credits_and_pays_nothing() {
    let bank = bank_of(10).await;
    bank.hold("h1", "a", amount(5, "EUR"), 60).await.expect("a hold");
    bank.freeze("f1", "a").await.expect("an open account");
    let one = || amount(1, "EUR");
    let frozen = BankingRejection::AccountFrozen;
    assert_eq!(refusal(bank.withdraw("w1", "a", one()).await), frozen);
    assert_eq!(refusal(bank.transfer("t1", ["a", "b"], one()).await), frozen);
    assert_eq!(refusal(bank.hold("h2", "a", one(), 60).await), frozen);
    assert_eq!(refusal(bank.capture("c1", ["a", "h1", "b"], None).await), frozen);
    assert_eq!(refusal(bank.reverse("u1", "d1").await), frozen);
    bank.deposit("d2", "a", one()).await.expect("a credit");
}

// Guards: sums-of-money-are-exact
#[tokio::test]
async fn no_balance_leaves_the_exact_numbers() {
    let most = amount(1_000_000_000_000_000, "EUR");
    let bank = bank_of(most.amount).await;
    for key in ["d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9"] {
        bank.deposit(key, "a", most).await.expect("a deposit");
    }
    assert_eq!(bank.balances("a"), [MAX_BALANCE, 0, MAX_BALANCE]);
    let more = bank.deposit("d10", "a", amount(1, "EUR")).await;
    assert_eq!(refusal(more), BankingRejection::BalanceTooLarge);
    // The check of a body does not apply to a caller inside the program.
    let overflow = bank.deposit("d11", "a", amount(i64::MAX, "EUR")).await;
    assert_eq!(refusal(overflow), BankingRejection::BalanceTooLarge);
}

// Guards: sums-of-money-are-exact
#[tokio::test]
async fn no_settlement_account_leaves_the_exact_numbers() {
    let bank = bank_of(1).await;
    let too_much = bank.deposit("d2", "b", amount(MAX_BALANCE, "EUR")).await;
    too_much.expect("the largest balance");
    // The same shard of the bank, because the choice follows from the id.
    let shard = |key: &str| {
        banking::domain::settlement::settlement_of(&crate::setup::id(key), crate::setup::euro())
    };
    let same = (0..).map(|n| format!("x{n}")).find(|key| shard(key) == shard("d2"));
    let same = same.expect("some id has the same shard");
    let more = bank.deposit(&same, "a", amount(1, "EUR")).await;
    assert_eq!(refusal(more), BankingRejection::BalanceTooLarge);
}

// Guards: sums-of-money-are-exact
#[test]
fn the_sum_of_a_day_cannot_overflow() {
    use banking::domain::Accounts;
    use banking_events::{AccountEvent, Debited};
    use ledgerfold::Decider;

    let debit = |amount: i64| {
        AccountEvent::from(Debited {
            transaction: crate::setup::id("t-1"),
            amount,
            balance_after: 0,
            counterparty: banking_events::LegAccount::Customer(crate::setup::id("b")),
            reference: "Rent".to_owned(),
            booked_on: crate::setup::DAY,
            hold: None,
        })
    };
    let events = [crate::setup::opened(), debit(i64::MAX), debit(1)];
    let state = events.iter().fold(None, Accounts::evolve).expect("an account");
    assert_eq!(state.spent_on(crate::setup::DAY), i64::MAX);
}

// Guards: sums-of-money-are-exact
#[tokio::test]
async fn an_account_has_a_bounded_number_of_holds_and_one_commit_releases_all() {
    let bank = bank_of(1_000).await;
    for number in 0..MAX_HOLDS {
        bank.hold(&format!("h{number}"), "a", amount(1, "EUR"), 60).await.expect("a hold");
    }
    let more = bank.hold("more", "a", amount(1, "EUR"), 60).await;
    assert_eq!(refusal(more), BankingRejection::TooManyHolds);
    bank.at("2026-11-28T09:01:00Z");
    let swept = bank.sweep("s1", "a").await.expect("all holds have expired");
    assert_eq!(swept[0].events.len(), MAX_HOLDS);
    bank.hold("more", "a", amount(1, "EUR"), 60).await.expect("a hold");
}
