//! Deadlines from their sweep to their command.

use std::time::Duration;

use futures::future::join_all;
use ledgerfold::{
    Timestamp,
    ports::{Clock, DeadlineStore, Pending, Written},
    process::{DueMessage, Fired, MAX_ATTEMPTS, Swept},
    vocabulary::{FailedReceipt, Receipt},
};
use ledgerfold_testkit::bank::AccountCommand;

use crate::lending::{Bank, LOAN, NEVER, REPAYMENT, UNREACHABLE, account};

/// A bank with these lent accounts. The process has handled their events.
pub(crate) async fn lent(accounts: &[&str]) -> Bank {
    let bank = Bank::new();
    for name in accounts {
        bank.ask(&account(name), AccountCommand::Borrow(100)).await;
    }
    assert_eq!(bank.process().handle(bank.messages()).await, []);
    bank
}

/// A bank with accounts whose deadlines are due.
pub(crate) async fn overdue(accounts: &[&str]) -> Bank {
    let bank = lent(accounts).await;
    bank.pass(LOAN);
    bank
}

/// The only deadline with this name.
pub(crate) fn repayment(bank: &Bank) -> Option<Pending> {
    let waiting = bank.deadlines.waiting();
    waiting.into_iter().find(|pending| pending.deadline.key.name == REPAYMENT)
}

fn due(bank: &Bank) -> Option<Timestamp> {
    repayment(bank).map(|pending| pending.deadline.due)
}

async fn receive(bank: &Bank) -> Vec<DueMessage> {
    bank.sweep().sweep(NEVER).await.expect("deadlines can be listed");
    bank.due.receive()
}

fn done(deadlines: usize) -> Fired {
    Fired { done: deadlines, ..Fired::default() }
}

fn outdated(messages: usize) -> Fired {
    Fired { outdated: messages, ..Fired::default() }
}

const LENT: [&str; 2] = ["NoteWritten", "LoanGranted"];
const CALLED: [&str; 3] = ["NoteWritten", "LoanGranted", "LoanCalled"];

#[tokio::test]
async fn a_deadline_fires_once_it_is_due_and_once() {
    let bank = lent(&["a"]).await;
    bank.pass(LOAN - Duration::from_millis(1));
    assert_eq!(bank.fire().await, (Swept::default(), Fired::default()));
    assert_eq!(bank.history(&account("a")), LENT);
    bank.pass(Duration::from_millis(1));
    let swept = Swept { sent: 1, overdue_since: due(&bank), ..Swept::default() };
    assert_eq!(bank.fire().await, (swept, done(1)));
    assert_eq!(bank.fire().await, (Swept::default(), Fired::default()));
    assert_eq!(bank.history(&account("a")), CALLED);
}

#[tokio::test]
async fn the_command_of_a_deadline_names_its_cause() {
    let bank = overdue(&["a"]).await;
    let lent = bank.log.commits()[0].events().last().map(|(_, event)| event.id.to_string());
    bank.fire().await;
    let commits = bank.log.commits();
    let metadata = commits[1].metadata();
    assert_eq!(metadata.actor.as_str(), "lending");
    assert_eq!(Some(metadata.causation_id.to_string()), lent);
    assert_eq!(metadata.correlation_id.as_str(), "conversation-1");
}

#[tokio::test]
async fn a_loan_that_is_repaid_in_time_is_not_called() {
    let bank = lent(&["a"]).await;
    bank.ask(&account("a"), AccountCommand::Repay).await;
    bank.pass(LOAN);
    assert_eq!(bank.fire().await.1, done(1));
    assert_eq!(bank.history(&account("a")), ["NoteWritten", "LoanGranted", "LoanRepaid"]);
}

#[tokio::test]
async fn an_event_that_is_delivered_again_after_its_deadline_changes_nothing() {
    let bank = overdue(&["a"]).await;
    bank.fire().await;
    assert_eq!(bank.process().handle(bank.messages()).await, []);
    assert_eq!(bank.fire().await.1, done(1));
    assert_eq!(bank.history(&account("a")), CALLED);
}

// Guards: a-reaction-takes-effect-once
#[tokio::test]
async fn a_worker_that_is_interrupted_after_its_command_does_no_harm() {
    let bank = overdue(&["a"]).await;
    let messages = receive(&bank).await;
    bank.deadlines.fail_writes(1);
    let cut = bank.worker().handle(messages.clone()).await;
    assert_eq!((cut.done, cut.failed.len()), (0, 1), "the message is delivered again");
    assert_eq!(bank.history(&account("a")), CALLED);
    assert_eq!(bank.worker().handle(messages).await, done(1));
    assert_eq!(bank.history(&account("a")), CALLED);
}

// Guards: a-reaction-takes-effect-once
#[tokio::test]
async fn workers_with_the_same_messages_fire_once() {
    let accounts: Vec<_> = (0..20).map(|account| format!("b{account}")).collect();
    let bank = overdue(&accounts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let messages = receive(&bank).await;
    assert_eq!(messages.len(), 20);
    let workers: Vec<_> = (0..4).map(|_| bank.worker()).collect();
    let work = workers.iter().map(|worker| worker.handle(messages.clone()));
    for fired in join_all(work).await {
        assert_eq!(fired.failed, [], "{fired:?}");
    }
    for name in &accounts {
        assert_eq!(bank.history(&account(name)), CALLED);
    }
    assert_eq!(due(&bank), None);
}

#[tokio::test]
async fn a_failed_deadline_is_retried_later_and_stops_no_other() {
    let bank = overdue(&[UNREACHABLE, "a", "b"]).await;
    bank.broken.amendment().set(true);
    assert_eq!(bank.fire().await.1, Fired { postponed: 1, ..done(2) });
    assert!(due(&bank).is_some());
    assert_eq!(bank.fire().await.0, Swept::default(), "the deadline waits");
    bank.broken.amendment().set(false);
    bank.pass(Duration::from_secs(60));
    assert_eq!(bank.fire().await.1, done(1));
    assert_eq!(bank.history(&account(UNREACHABLE)), CALLED);
}

// Guards: every-backlog-has-an-alarm-on-its-age, a-deadline-fires-in-time
#[tokio::test]
async fn a_deadline_that_keeps_failing_is_given_up_until_it_is_retried() {
    let bank = overdue(&[UNREACHABLE]).await;
    bank.broken.amendment().set(true);
    let first_try = bank.clock.now();
    let was_due = due(&bank);
    for attempt in 1..MAX_ATTEMPTS {
        let (swept, fired) = bank.fire().await;
        assert_eq!(swept.overdue_since, was_due, "attempt {attempt}");
        assert_eq!(fired, Fired { postponed: 1, ..Fired::default() }, "attempt {attempt}");
        bank.clock.set(repayment(&bank).expect("the deadline is stored").next);
    }
    assert_eq!((bank.clock.now() - first_try).get_seconds(), 60 * (63 + 3 * 60));
    assert_eq!(bank.fire().await.1, Fired { given_up: 1, ..Fired::default() });
    for _ in 0..2 {
        bank.pass(Duration::from_secs(3_600));
        let (swept, fired) = bank.fire().await;
        let expected = Swept { failed: 1, failed_since: was_due, ..Swept::default() };
        assert_eq!((swept, fired), (expected, Fired::default()), "it is neither tried nor lost");
        assert!(swept.needs_attention());
    }
    bank.broken.amendment().set(false);
    assert_eq!(bank.sweep().retry().await.expect("the write succeeds"), 1);
    let (swept, fired) = bank.fire().await;
    assert_eq!((swept.needs_attention(), fired), (false, done(1)));
    assert_eq!(bank.history(&account(UNREACHABLE)), CALLED);
}

#[tokio::test]
async fn a_deadline_that_the_process_does_not_need_is_removed() {
    let bank = lent(&["a"]).await;
    bank.pass(LOAN * 1_001);
    assert_eq!(bank.fire().await.1, done(2));
    assert_eq!(bank.deadlines.waiting(), []);
    assert_eq!(bank.history(&account("a")), CALLED);
}

// Guards: a-deadline-fires-in-time
#[tokio::test]
async fn an_old_message_does_nothing() {
    let bank = overdue(&[UNREACHABLE]).await;
    let messages = receive(&bank).await;
    let old = repayment(&bank).expect("the deadline is stored");
    bank.broken.amendment().set(true);
    let handle = async || bank.worker().handle(messages.clone()).await;
    assert_eq!(handle().await.postponed, 1);
    assert_eq!(handle().await, outdated(1), "it is not due yet");
    assert_eq!(repayment(&bank).map(|pending| pending.attempts), Some(1));

    let tried = repayment(&bank).expect("the deadline is stored");
    bank.deadlines.give_up(&tried).await.expect("the write succeeds");
    bank.pass(Duration::from_secs(3_600));
    bank.broken.amendment().set(false);
    assert_eq!(handle().await, outdated(1), "it was given up");

    bank.deadlines.done(&old.deadline).await.expect("the write succeeds");
    assert_eq!(handle().await, outdated(1), "it is gone");

    let mut other = old.deadline.clone();
    other.cause.event = "018bcfe5-6800-7000-8000-000000000000".parse().expect("a UUID");
    let written = bank.deadlines.schedule(&other).await.expect("the write succeeds");
    assert_eq!(written, Written::Done);
    assert_eq!(handle().await, outdated(1), "another deadline has its key");
    assert_eq!(bank.history(&account(UNREACHABLE)), LENT);
}

// Guards: a-deadline-fires-in-time
#[tokio::test]
async fn a_worker_waits_for_a_deadline_that_the_sweep_saw_a_moment_early() {
    let bank = overdue(&["a"]).await;
    let messages = receive(&bank).await;
    let due = due(&bank).expect("the deadline is stored");
    bank.clock.set(due - Duration::from_millis(700));
    assert_eq!(bank.worker().handle(messages).await, done(1));
    let commits = bank.log.commits();
    let called = commits.last().expect("the loan was called");
    assert_eq!(called.metadata().recorded_at, due);
}

#[tokio::test]
async fn a_message_that_cannot_be_used_fails_and_stops_no_other() {
    let bank = overdue(&["a"]).await;
    let mut messages = receive(&bank).await;
    let mut foreign = messages[0].clone();
    foreign.receipt = Receipt("foreign".to_owned());
    let due = foreign.content.as_mut().expect("it can be read");
    due.key.process = "billing".parse().expect("a name");
    let content = Err("no JSON".to_owned());
    messages.insert(0, DueMessage { receipt: Receipt("garbage".to_owned()), content });
    messages.insert(0, foreign);
    let Fired { done, failed, .. } = bank.worker().handle(messages).await;
    let failed = failed.into_iter().map(|FailedReceipt { receipt, reason }| (receipt.0, reason));
    let reason = "the deadline belongs to the process billing, which has another queue";
    let expected = [("foreign", reason), ("garbage", "no JSON")];
    let expected = expected.map(|(receipt, reason)| (receipt.to_owned(), reason.to_owned()));
    assert_eq!((done, failed.collect::<Vec<_>>()), (1, expected.to_vec()));
    assert_eq!(bank.history(&account("a")), CALLED);
}

// Guards: a-deadline-fires-in-time
#[tokio::test]
async fn a_failure_in_two_workers_counts_as_one_attempt() {
    let bank = overdue(&[UNREACHABLE]).await;
    let messages = receive(&bank).await;
    bank.broken.amendment().set(true);
    let workers: Vec<_> = (0..3).map(|_| bank.worker()).collect();
    join_all(workers.iter().map(|worker| worker.handle(messages.clone()))).await;
    assert_eq!(repayment(&bank).map(|pending| pending.attempts), Some(1));
}

#[tokio::test]
async fn messages_of_one_batch_about_one_deadline_fire_it_once() {
    let bank = overdue(&["a"]).await;
    let mut messages = receive(&bank).await;
    messages.extend(receive(&bank).await);
    assert_eq!(messages.len(), 2);
    let fired = bank.worker().handle(messages).await;
    assert_eq!((fired.done + fired.outdated, fired.failed), (2, Vec::new()));
    assert_eq!(bank.history(&account("a")), CALLED);
}

#[tokio::test]
async fn a_store_that_is_down_gives_the_message_back() {
    let bank = overdue(&[UNREACHABLE]).await;
    let messages = receive(&bank).await;
    bank.broken.amendment().set(true);
    bank.deadlines.fail_writes(1);
    let fired = bank.worker().handle(messages.clone()).await;
    assert_eq!((fired.postponed, fired.failed.len()), (0, 1));
    assert_eq!(repayment(&bank).map(|pending| pending.attempts), Some(0));
    assert_eq!(bank.worker().handle(messages).await.postponed, 1);
}
