//! One key, one effect.
//!
//! Guards: a-key-has-one-effect

use banking::domain::BankingRejection;
use ledgerfold::command::CommandError;

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

#[tokio::test]
async fn a_repeated_transfer_gets_the_first_answer_and_moves_nothing() {
    let bank = bank().await;
    let first = bank.transfer("t1", ["a", "b"], amount(10, "EUR")).await.expect("a transfer");
    let commits = bank.log.commits().len();
    for _ in 0..64 {
        let again = bank.transfer("t1", ["a", "b"], amount(10, "EUR")).await;
        assert_eq!(again.expect("the first answer"), first);
    }
    assert_eq!(bank.log.commits().len(), commits);
    assert_eq!(bank.balances("a"), [90, 0, 90]);
    assert_eq!(bank.balances("b"), [10, 0, 10]);
}

#[tokio::test]
async fn a_key_with_another_amount_or_account_is_another_request() {
    let bank = bank().await;
    bank.open("c", currency("EUR"), 0).await;
    bank.transfer("t1", ["a", "b"], amount(10, "EUR")).await.expect("a transfer");
    for (legs, sum) in [(["a", "b"], 11), (["a", "c"], 10), (["c", "b"], 10)] {
        let other = bank.transfer("t1", legs, amount(sum, "EUR")).await;
        assert!(matches!(other, Err(CommandError::Reused)), "{other:?}");
    }
    let other = bank.deposit("d1", "a", amount(101, "EUR")).await;
    assert!(matches!(other, Err(CommandError::Reused)), "{other:?}");
    assert_eq!(bank.balances("a"), [90, 0, 90]);
}

#[tokio::test]
async fn a_lost_answer_does_not_move_money_twice() {
    let bank = bank().await;
    bank.log.lose_answers(1);
    let lost = bank.transfer("t1", ["a", "b"], amount(10, "EUR")).await;
    assert!(matches!(lost, Err(CommandError::Store(_))), "{lost:?}");
    bank.transfer("t1", ["a", "b"], amount(10, "EUR")).await.expect("the first answer");
    assert_eq!(bank.balances("a"), [90, 0, 90]);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let bank = bank().await;
    for _ in 0..32 {
        let refused = bank.transfer("t1", ["b", "a"], amount(10, "EUR")).await;
        assert_eq!(refusal(refused), BankingRejection::InsufficientFunds { available: 0 });
    }
    bank.deposit("d2", "b", amount(10, "EUR")).await.expect("a deposit");
    bank.transfer("t1", ["b", "a"], amount(10, "EUR")).await.expect("the money is there now");
    assert_eq!(bank.balances("a"), [110, 0, 110]);
}

#[tokio::test]
async fn the_money_commands_are_recognised_after_a_thousand_others() {
    let bank = bank().await;
    bank.limit("l1", "a", Some(amount(90, "EUR"))).await.expect("a limit");
    bank.hold("h1", "a", amount(50, "EUR"), 3_600).await.expect("a hold");
    bank.capture("c1", ["a", "h1", "b"], Some(amount(1, "EUR"))).await.expect("a capture");
    bank.withdraw("w1", "a", amount(1, "EUR")).await.expect("a withdrawal");
    bank.transfer("t1", ["a", "b"], amount(1, "EUR")).await.expect("a transfer");
    bank.reverse("u1", "t1").await.expect("a reversal");
    for number in 0..1_000 {
        let key = format!("d-{number}");
        bank.deposit(&key, "a", amount(1, "EUR")).await.expect("a deposit");
    }
    let before = bank.log.commits().len();
    bank.deposit("d1", "a", amount(100, "EUR")).await.expect("a repetition");
    bank.hold("h1", "a", amount(50, "EUR"), 3_600).await.expect("a repetition");
    let part = Some(amount(1, "EUR"));
    bank.capture("c1", ["a", "h1", "b"], part).await.expect("a repetition");
    bank.withdraw("w1", "a", amount(1, "EUR")).await.expect("a repetition");
    bank.transfer("t1", ["a", "b"], amount(1, "EUR")).await.expect("a repetition");
    bank.reverse("u1", "t1").await.expect("a repetition");
    assert_eq!(bank.log.commits().len(), before);
}

#[tokio::test]
async fn a_hold_is_recognised_after_many_captures() {
    let bank = bank().await;
    bank.deposit("d2", "a", amount(400, "EUR")).await.expect("a deposit");
    bank.hold("h1", "a", amount(500, "EUR"), 3_600).await.expect("a hold");
    for number in 0..400 {
        let key = format!("c-{number}");
        let part = Some(amount(1, "EUR"));
        bank.capture(&key, ["a", "h1", "b"], part).await.expect("a capture");
    }
    let before = bank.log.commits().len();
    bank.hold("h1", "a", amount(500, "EUR"), 3_600).await.expect("a repetition");
    assert_eq!(bank.log.commits().len(), before);
}
