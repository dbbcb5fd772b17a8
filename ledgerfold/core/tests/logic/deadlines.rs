use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::join_all;
use ledgerfold::{
    ProcessName, Timestamp,
    ports::{Clock, Deadline},
    process::{DeadlineSweep, Expiry, MAX_ATTEMPTS, Swept, Unfulfilled},
};
use ledgerfold_testkit::ManualClock;
use ledgerfold_testkit::bank::AccountCommand;

use crate::lending::{Bank, LOAN, NEVER, REPAYMENT, UNREACHABLE, account};

/// A bank with these lent accounts. The process has handled their events.
async fn lent(accounts: &[&str]) -> Bank {
    let bank = Bank::new();
    for name in accounts {
        bank.ask(&account(name), AccountCommand::Borrow(100)).await;
    }
    assert_eq!(bank.process().handle(bank.messages()).await, []);
    bank
}

async fn sweep(bank: &Bank) -> Swept {
    bank.sweep().sweep(NEVER).await.expect("deadlines can be listed")
}

/// The due time of the only deadline with this name.
fn due(bank: &Bank) -> Option<Timestamp> {
    let waiting = bank.deadlines.waiting();
    let pending = waiting.iter().find(|pending| pending.deadline.key.name == REPAYMENT);
    pending.map(|pending| pending.deadline.due)
}

const LENT: [&str; 2] = ["NoteWritten", "LoanGranted"];
const CALLED: [&str; 3] = ["NoteWritten", "LoanGranted", "LoanCalled"];

#[tokio::test]
async fn a_deadline_fires_once_it_is_due_and_once() {
    let bank = lent(&["a"]).await;
    bank.pass(LOAN - Duration::from_millis(1));
    assert_eq!(sweep(&bank).await, Swept::default());
    assert_eq!(bank.history(&account("a")), LENT);
    bank.pass(Duration::from_millis(1));
    assert_eq!(sweep(&bank).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(sweep(&bank).await, Swept::default());
    assert_eq!(bank.history(&account("a")), CALLED);
}

#[tokio::test]
async fn the_command_of_a_deadline_names_its_cause() {
    let bank = lent(&["a"]).await;
    let lent = bank.log.commits()[0].events().last().map(|(_, event)| event.id.to_string());
    bank.pass(LOAN);
    sweep(&bank).await;
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
    assert_eq!(sweep(&bank).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(bank.history(&account("a")), ["NoteWritten", "LoanGranted", "LoanRepaid"]);
}

#[tokio::test]
async fn an_event_that_is_delivered_again_after_its_deadline_changes_nothing() {
    let bank = lent(&["a"]).await;
    bank.pass(LOAN);
    sweep(&bank).await;
    assert_eq!(bank.process().handle(bank.messages()).await, []);
    assert_eq!(sweep(&bank).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(bank.history(&account("a")), CALLED);
}

// Guards: a-reaction-takes-effect-once
#[tokio::test]
async fn a_sweep_that_is_interrupted_after_its_command_does_no_harm() {
    let bank = lent(&["a"]).await;
    bank.pass(LOAN);
    bank.deadlines.fail_writes(1);
    let cut = sweep(&bank).await;
    assert_eq!(cut, Swept { unnoted: 1, overdue_since: due(&bank), ..Swept::default() });
    assert!(cut.needs_attention());
    assert_eq!(bank.history(&account("a")), CALLED);
    assert_eq!(sweep(&bank).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(bank.history(&account("a")), CALLED);
}

// Guards: a-reaction-takes-effect-once
#[tokio::test]
async fn sweeps_at_the_same_time_fire_once() {
    let accounts: Vec<_> = (0..20).map(|account| format!("b{account}")).collect();
    let bank = lent(&accounts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    bank.pass(LOAN);
    let sweeps: Vec<_> = (0..4).map(|_| bank.sweep()).collect();
    for swept in join_all(sweeps.iter().map(|each| each.sweep(NEVER))).await {
        assert!(!swept.expect("deadlines can be listed").needs_attention());
    }
    for name in &accounts {
        assert_eq!(bank.history(&account(name)), CALLED);
    }
    let left = bank.deadlines.waiting();
    assert!(left.iter().all(|pending| pending.deadline.key.name != REPAYMENT), "{left:?}");
}

#[tokio::test]
async fn a_failed_deadline_is_retried_later_and_stops_no_other() {
    let bank = lent(&[UNREACHABLE, "a", "b"]).await;
    bank.pass(LOAN);
    bank.broken.amendment().set(true);
    let swept = sweep(&bank).await;
    let overdue_since = due(&bank);
    assert!(overdue_since.is_some());
    assert_eq!(swept, Swept { done: 2, postponed: 1, overdue_since, ..Swept::default() });
    assert_eq!(sweep(&bank).await, Swept::default(), "the deadline waits");
    bank.broken.amendment().set(false);
    bank.pass(Duration::from_secs(60));
    assert_eq!(sweep(&bank).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(bank.history(&account(UNREACHABLE)), CALLED);
}

// Guards: every-backlog-has-an-alarm-on-its-age, a-deadline-fires-in-time
#[tokio::test]
async fn a_deadline_that_keeps_failing_is_given_up_until_it_is_retried() {
    let bank = lent(&[UNREACHABLE]).await;
    bank.pass(LOAN);
    bank.broken.amendment().set(true);
    let first_try = bank.clock.now();
    let was_due = due(&bank);
    for attempt in 1..MAX_ATTEMPTS {
        let swept = sweep(&bank).await;
        let expected = Swept { postponed: 1, overdue_since: was_due, ..Swept::default() };
        assert_eq!(swept, expected, "attempt {attempt}");
        let waiting = bank.deadlines.waiting();
        let next = waiting.iter().find(|pending| pending.deadline.key.name == REPAYMENT);
        bank.clock.set(next.expect("the deadline is stored").next);
    }
    assert_eq!((bank.clock.now() - first_try).get_seconds(), 60 * (63 + 3 * 60));
    let last = sweep(&bank).await;
    assert_eq!((last.given_up, last.failed, last.failed_since), (1, 1, was_due));
    for _ in 0..2 {
        bank.pass(Duration::from_secs(3_600));
        let swept = sweep(&bank).await;
        assert_eq!(
            (swept.postponed, swept.failed),
            (0, 1),
            "the deadline is neither tried nor lost"
        );
        assert_eq!((swept.overdue_since, swept.failed_since), (None, was_due));
        assert!(swept.needs_attention());
    }
    bank.broken.amendment().set(false);
    assert_eq!(bank.sweep().retry().await.expect("the write succeeds"), 1);
    assert!(!sweep(&bank).await.needs_attention());
    assert_eq!(bank.history(&account(UNREACHABLE)), CALLED);
}

#[tokio::test]
async fn a_deadline_that_the_process_does_not_need_is_removed() {
    let bank = lent(&["a"]).await;
    bank.pass(LOAN * 1_001);
    assert_eq!(sweep(&bank).await, Swept { done: 2, ..Swept::default() });
    assert_eq!(bank.deadlines.waiting(), []);
    assert_eq!(bank.history(&account("a")), CALLED);
}

/// A process with commands of ten seconds each.
struct Slow {
    inner: Arc<dyn Expiry>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Expiry for Slow {
    fn process(&self) -> &ProcessName {
        self.inner.process()
    }

    async fn expire(&self, deadline: &Deadline) -> Result<(), Unfulfilled> {
        self.clock.sleep(Duration::from_secs(10)).await;
        self.inner.expire(deadline).await
    }
}

#[tokio::test]
async fn a_sweep_starts_nothing_after_its_end_and_reports_it() {
    let accounts: Vec<_> = (0..12).map(|account| format!("b{account}")).collect();
    let bank = lent(&accounts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    bank.pass(LOAN);
    let slow = Slow { inner: bank.expiry(), clock: bank.clock.clone() };
    let (store, clock) = (bank.deadlines.clone(), bank.clock.clone());
    let slow = DeadlineSweep::new(store, clock, vec![Arc::new(slow)]);
    let mut done = 0;
    for _ in 0..12 {
        let end = bank.clock.now() + Duration::from_secs(15);
        let swept = slow.sweep(end).await.expect("deadlines can be listed");
        assert!(swept.done <= 4, "{swept:?}");
        assert!(!swept.needs_attention());
        done += swept.done;
        assert_eq!(swept.cut_short, done < 12, "after {done}: {swept:?}");
        assert_eq!(swept.overdue_since.is_some(), swept.cut_short, "the others still wait");
        if done == 12 {
            return;
        }
    }
    panic!("{done} of 12 were fired");
}
