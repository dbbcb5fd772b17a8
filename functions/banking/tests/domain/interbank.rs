//! Transfers between banks, which are tenants. Messages arrive in any order and any number of times, and money is never
//! made or lost.
//!
//! Guards: money-between-banks-moves-once

use banking::{
    commands::received_as,
    domain::{BankingRejection, Progress, Settlements, Transfers},
};
use banking_events::{Kind, SettlementEvent};
use ledgerfold::{
    TenantId,
    command::CommandError,
    vocabulary::{Content, Delivery, Receipt, ReplayName},
};
use ledgerfold_testkit::SeededRandom;

use crate::{
    bank::{Bank, Outcome, refusal},
    setup::{amount, currency, id},
};

const OTHER: &str = "bank-2";

/// The default bank, whose account `a` has 100, and another one with an empty account `b`.
async fn banks() -> (Bank, Bank) {
    let bank = Bank::new();
    let other = bank.other(OTHER);
    bank.open("a", currency("EUR"), 0).await;
    other.open("b", currency("EUR"), 0).await;
    bank.deposit("d1", "a", amount(100, "EUR")).await.expect("a deposit");
    (bank, other)
}

async fn send(bank: &Bank, key: &str, sum: i64) -> Outcome {
    bank.send(key, "a", (OTHER, "b"), amount(sum, "EUR")).await
}

/// One message for each event of a transfer, of all banks.
fn messages(banks: [&Bank; 2]) -> Vec<Delivery> {
    let commits = banks.into_iter().flat_map(Bank::commits::<Transfers>);
    let envelopes = commits.flat_map(|commit| commit.envelopes().collect::<Vec<_>>());
    let messages = envelopes.enumerate().map(|(number, envelope)| Delivery {
        receipt: Receipt(format!("m{number}")),
        content: Ok(Content::Event(Box::new(envelope))),
        replay: None,
    });
    messages.collect()
}

/// Delivers all messages, with those of the events that follow, until nothing changes any more.
async fn deliver(bank: &Bank, other: &Bank) {
    loop {
        let before = bank.log.commits().len();
        assert_eq!(bank.interbank().handle(messages([bank, other])).await, []);
        if bank.log.commits().len() == before {
            return;
        }
    }
}

fn progress(bank: &Bank, transfer: &str) -> Progress {
    bank.transfer_record(transfer).expect("the transfer exists").progress()
}

/// The sum of all settlement accounts of transfers between banks.
fn between(bank: &Bank) -> i64 {
    let legs = bank.events::<Settlements>().into_iter();
    let legs = legs.filter(|leg| leg.stream.id().as_str().starts_with("interbank."));
    let amounts = legs.map(|leg| match &leg.event {
        SettlementEvent::SettlementCredited(it) => it.0.amount,
        SettlementEvent::SettlementDebited(it) => -it.0.amount,
    });
    amounts.sum()
}

#[tokio::test]
async fn money_is_reserved_at_first_and_moves_when_the_other_bank_has_it() {
    let (bank, other) = banks().await;
    send(&bank, "t1", 30).await.expect("a transfer");
    assert_eq!(bank.balances("a"), [100, 30, 70]);
    assert_eq!(progress(&bank, "t1"), Progress::Pending);
    deliver(&bank, &other).await;
    assert_eq!(bank.balances("a"), [70, 0, 70]);
    assert_eq!(other.balances("b"), [30, 0, 30]);
    assert_eq!(progress(&bank, "t1"), Progress::Settled);
    assert_eq!((between(&bank), between(&other)), (30, -30));
    let received = received_as(&TenantId::default_tenant(), &id("t1"));
    let record = other.transfer_record(received.as_str()).expect("it was received");
    let made = record.made.expect("it has legs");
    assert_eq!((made.kind, made.amount.amount), (Kind::Transfer, 30));
    assert_eq!(record.received.expect("from the other bank").transfer, id("t1"));
}

#[tokio::test]
async fn a_transfer_that_the_other_bank_declines_gives_the_money_back_with_the_rule() {
    let (bank, other) = banks().await;
    other.open("closed", currency("EUR"), 0).await;
    other.close("c1", "closed").await.expect("it is empty");
    other.open("yen", currency("JPY"), 0).await;
    let cases =
        [("nobody", "not-found"), ("closed", "account-closed"), ("yen", "currency-mismatch")];
    for (account, rule) in cases {
        let key = format!("t-{account}");
        bank.send(&key, "a", (OTHER, account), amount(30, "EUR")).await.expect("it is reserved");
        deliver(&bank, &other).await;
        let record = bank.transfer_record(&key).expect("the transfer exists");
        assert_eq!(record.refused_by.as_deref(), Some(rule));
        assert_eq!(progress(&bank, &key), Progress::Refused);
        assert_eq!(bank.balances("a"), [100, 0, 100]);
    }
    assert_eq!((between(&bank), between(&other)), (0, 0));
    // The decision is stored, so a message that comes again after the account was opened changes nothing.
    other.open("nobody", currency("EUR"), 0).await;
    deliver(&bank, &other).await;
    assert_eq!(other.balances("nobody"), [0, 0, 0]);
    assert_eq!(bank.balances("a"), [100, 0, 100]);
}

#[tokio::test]
async fn messages_in_any_order_and_number_move_the_money_once() {
    for seed in 0..40 {
        let (bank, other) = banks().await;
        let random = SeededRandom::new(seed);
        for number in 0..4 {
            let account = if number == 3 { "nobody" } else { "b" };
            let key = format!("t{number}");
            let sent = bank.send(&key, "a", (OTHER, account), amount(10, "EUR")).await;
            sent.expect("it is reserved");
        }
        for _ in 0..60 {
            let messages = messages([&bank, &other]);
            let place = usize::try_from(random.next()).unwrap_or_default() % messages.len();
            if random.next().is_multiple_of(8) {
                bank.log.lose_answers(1);
            }
            // A failed message comes again later.
            bank.interbank().handle(vec![messages[place].clone()]).await;
        }
        bank.log.lose_answers(0);
        deliver(&bank, &other).await;
        assert_eq!(bank.balances("a"), [70, 0, 70], "seed {seed}");
        assert_eq!(other.balances("b"), [30, 0, 30], "seed {seed}");
        assert_eq!((between(&bank), between(&other)), (30, -30), "seed {seed}");
    }
}

#[tokio::test]
async fn a_step_meets_itself_under_another_command_id_and_after_many_others() {
    let (bank, other) = banks().await;
    send(&bank, "t1", 30).await.expect("a transfer");
    deliver(&bank, &other).await;
    let old = messages([&bank, &other]);
    for number in 0..300 {
        other.deposit(&format!("d-{number}"), "b", amount(1, "EUR")).await.expect("a deposit");
    }
    let before = bank.log.commits().len();
    assert_eq!(bank.interbank().handle(old.clone()).await, []);
    // The same event under another id leads to another command id.
    let renamed = old.into_iter().map(|mut delivery| {
        let Ok(Content::Event(envelope)) = &mut delivery.content else { return delivery };
        let id = "018bcfe5-6800-7000-8000-000000000001";
        envelope.event.id = id.parse().expect("a UUID");
        delivery
    });
    assert_eq!(bank.interbank().handle(renamed.collect()).await, []);
    assert_eq!(bank.log.commits().len(), before);
}

#[tokio::test]
async fn a_replay_sends_no_money() {
    let (bank, other) = banks().await;
    send(&bank, "t1", 30).await.expect("a transfer");
    let replay = |it: Delivery| Delivery { replay: Some(ReplayName("again".to_owned())), ..it };
    let replayed = messages([&bank, &other]).into_iter().map(replay).collect();
    assert_eq!(bank.interbank().handle(replayed).await, []);
    assert_eq!(other.balances("b"), [0, 0, 0]);
}

#[tokio::test]
async fn a_freeze_does_not_stop_a_transfer_that_is_under_way() {
    let (bank, other) = banks().await;
    send(&bank, "t1", 30).await.expect("a transfer");
    bank.freeze("f1", "a").await.expect("it is open");
    deliver(&bank, &other).await;
    assert_eq!(bank.balances("a"), [70, 0, 70]);
    assert_eq!(other.balances("b"), [30, 0, 30]);
}

#[tokio::test]
async fn the_money_of_a_pending_transfer_can_neither_be_spent_nor_expire_nor_be_released() {
    let (bank, other) = banks().await;
    send(&bank, "t1", 90).await.expect("a transfer");
    bank.at("2030-01-01T00:00:00Z");
    bank.sweep("s1", "a").await.expect("nothing to do");
    let refused = refusal(bank.withdraw("w1", "a", amount(20, "EUR")).await);
    assert_eq!(refused, BankingRejection::InsufficientFunds { available: 10 });
    assert_eq!(refusal(bank.release("r1", "a", "t1").await), BankingRejection::NoHold);
    let captured = bank.capture("c1", ["a", "t1", "a2"], None).await;
    assert_eq!(refusal(captured), BankingRejection::NoHold);
    let closed = refusal(bank.close("x1", "a").await);
    assert_eq!(closed, BankingRejection::AccountNotEmpty { posted: 100, held: 90 });
    deliver(&bank, &other).await;
    assert_eq!(other.balances("b"), [90, 0, 90]);
}

#[tokio::test]
async fn the_receiver_returns_the_money_and_nobody_else_can_reverse() {
    let (bank, other) = banks().await;
    send(&bank, "t1", 30).await.expect("a transfer");
    let reversed = bank.reverse("u0", "t1").await;
    assert_eq!(refusal(reversed), BankingRejection::SentToAnotherBank, "while it is pending");
    deliver(&bank, &other).await;
    let reversed = bank.reverse("u0", "t1").await;
    assert_eq!(refusal(reversed), BankingRejection::SentToAnotherBank);
    let received = received_as(&TenantId::default_tenant(), &id("t1"));
    other.reverse("u1", received.as_str()).await.expect("the receiver has the money");
    assert_eq!(other.balances("b"), [30, 30, 0]);
    deliver(&bank, &other).await;
    assert_eq!(bank.balances("a"), [100, 0, 100]);
    assert_eq!(other.balances("b"), [0, 0, 0]);
    assert_eq!((between(&bank), between(&other)), (0, 0));
    let again = refusal(other.reverse("u2", received.as_str()).await);
    assert_eq!(again, BankingRejection::AlreadyReversed);
    let returned = other.transfer_record("u1").expect("a transfer").made.expect("it is settled");
    assert_eq!((returned.kind, returned.reverses), (Kind::Reversal, Some(received)));
}

#[tokio::test]
async fn a_repeated_request_and_its_key_mean_one_transfer() {
    let (bank, other) = banks().await;
    let first = send(&bank, "t1", 30).await.expect("a transfer");
    deliver(&bank, &other).await;
    for _ in 0..64 {
        assert_eq!(send(&bank, "t1", 30).await.expect("the first answer"), first);
    }
    let reused = send(&bank, "t1", 31).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    bank.open("b", currency("EUR"), 0).await;
    let within = bank.transfer("t1", ["a", "b"], amount(30, "EUR")).await;
    assert!(matches!(within, Err(CommandError::Reused)), "{within:?}");
    deliver(&bank, &other).await;
    assert_eq!(other.balances("b"), [30, 0, 30]);
}

#[tokio::test]
async fn a_pending_transfer_uses_the_daily_limit_and_a_refusal_gives_it_back() {
    let (bank, other) = banks().await;
    bank.limit("l1", "a", Some(amount(50, "EUR"))).await.expect("a limit");
    bank.send("t1", "a", (OTHER, "nobody"), amount(40, "EUR")).await.expect("within the limit");
    let over = refusal(send(&bank, "t2", 20).await);
    assert_eq!(over, BankingRejection::DailyLimitExceeded { left: 10 });
    deliver(&bank, &other).await;
    send(&bank, "t2", 20).await.expect("the limit is free again");
    deliver(&bank, &other).await;
    assert_eq!(bank.balances("a"), [80, 0, 80]);
}
