//! Many requests at once, on several threads: the scenarios that published conformance kits for ledgers ask for.

use std::{future::Future, sync::Arc};

use banking::domain::BankingRejection;
use ledgerfold::command::CommandError;
use tokio::task::JoinSet;

use crate::{
    bank::{Bank, Outcome},
    bookings::{check_chains, check_legs, check_sums},
    setup::{amount, currency},
};

async fn bank() -> Arc<Bank> {
    let bank = Bank::new();
    for account in ["a", "b", "c"] {
        bank.open(account, currency("EUR"), 0).await;
    }
    bank.deposit("d1", "a", amount(100, "EUR")).await.expect("a deposit");
    Arc::new(bank)
}

/// The outcomes of many requests at once. Like a client, each tries again while other requests are faster.
async fn at_once<F>(
    requests: usize,
    request: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Vec<Outcome>
where
    F: Future<Output = Outcome> + Send,
{
    let mut tasks = JoinSet::new();
    for number in 0..requests {
        let request = request.clone();
        tasks.spawn(async move {
            loop {
                match request(number).await {
                    Err(CommandError::Contention { .. }) => {}
                    outcome => return outcome,
                }
            }
        });
    }
    tasks.join_all().await
}

fn check_books(bank: &Bank) {
    check_legs(bank);
    check_sums(bank);
    check_chains(bank);
}

// Guards: a-key-has-one-effect
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_that_is_sent_64_times_at_once_has_one_effect() {
    let bank = bank().await;
    let sent = bank.clone();
    let outcomes = at_once(64, move |_| {
        let bank = sent.clone();
        async move { bank.transfer("t1", ["a", "b"], amount(10, "EUR")).await }
    });
    let mut answers =
        outcomes.await.into_iter().map(|outcome| outcome.expect("one answer for all"));
    let first = answers.next().expect("64 answers");
    assert!(answers.all(|answer| answer == first));
    assert_eq!(bank.balances("a"), [90, 0, 90]);
    assert_eq!(bank.balances("b"), [10, 0, 10]);
    check_books(&bank);
}

// Guards: available-is-never-overdrawn
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_20_withdrawals_at_once_only_the_covered_ones_succeed() {
    let bank = bank().await;
    let sent = bank.clone();
    let outcomes = at_once(20, move |number| {
        let bank = sent.clone();
        async move { bank.withdraw(&format!("w{number}"), "a", amount(10, "EUR")).await }
    });
    let (paid, refused): (Vec<_>, Vec<_>) = outcomes.await.into_iter().partition(Result::is_ok);
    assert_eq!(paid.len(), 10);
    for outcome in refused {
        let missing = BankingRejection::InsufficientFunds { available: 0 };
        assert!(
            matches!(&outcome, Err(CommandError::Rejected(it)) if *it == missing),
            "{outcome:?}"
        );
    }
    assert_eq!(bank.balances("a"), [0, 0, 0]);
    check_books(&bank);
}

// Guards: the-books-sum-to-zero, available-is-never-overdrawn
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transfers_in_a_circle_at_once_lose_nothing() {
    let bank = bank().await;
    let sent = bank.clone();
    let circle = [["a", "b"], ["b", "c"], ["c", "a"]];
    let outcomes = at_once(300, move |number| {
        let bank = sent.clone();
        let legs = circle[number % circle.len()];
        async move { bank.transfer(&format!("t{number}"), legs, amount(1, "EUR")).await }
    });
    for outcome in outcomes.await {
        assert!(matches!(outcome, Ok(_) | Err(CommandError::Rejected(_))), "{outcome:?}");
    }
    let total: i64 = ["a", "b", "c"].iter().map(|account| bank.balances(account)[0]).sum();
    assert_eq!(total, 100);
    check_books(&bank);
}
