//! The sweep of deadlines: what it sends, and what it remembers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ledgerfold::{
    ProcessName,
    ports::{Clock, DeadlineQueue, DeadlineQueueError, DeadlineStore, DueDeadline},
    process::{ProcessManager, RESEND_AFTER, Swept, SweptProcess},
};
use ledgerfold_testkit::{ManualClock, MemoryDeadlineQueue};

use crate::{
    deadlines::{lent, overdue, repayment},
    lending::{Bank, LOAN, Lending, NEVER},
};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|account| format!("b{account}")).collect()
}

async fn many_overdue(count: usize) -> Bank {
    overdue(&names(count).iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// How many deadlines were sent, were already sent, and were not taken.
fn counts(swept: &Swept) -> (usize, usize, usize) {
    (swept.sent, swept.already_sent, swept.unsent)
}

#[tokio::test]
async fn a_deadline_that_still_waits_is_not_sent_again_each_minute() {
    let bank = many_overdue(12).await;
    let sweep = bank.sweep();
    let minutes = RESEND_AFTER.as_secs() / 60;
    for minute in 0..minutes {
        let swept = sweep.clone().sweep(NEVER).await.expect("deadlines can be listed");
        let expected = if minute == 0 { (12, 0, 0) } else { (0, 12, 0) };
        assert_eq!(counts(&swept), expected, "minute {minute}");
        assert!(swept.overdue_since.is_some(), "they still wait");
        bank.pass(Duration::from_secs(60));
    }
    let swept = sweep.sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(counts(&swept), (12, 0, 0), "their messages may be lost");
    assert_eq!(bank.due.receive().len(), 24);
}

#[tokio::test]
async fn another_attempt_of_a_deadline_is_sent_at_its_time() {
    let bank = many_overdue(1).await;
    let sweep = bank.sweep();
    sweep.sweep(NEVER).await.expect("deadlines can be listed");
    let pending = repayment(&bank).expect("the deadline is stored");
    let next = bank.clock.now() + Duration::from_secs(60);
    bank.deadlines.postpone(&pending, next).await.expect("the write succeeds");
    bank.clock.set(next);
    let swept = sweep.sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(counts(&swept), (1, 0, 0));
}

#[tokio::test]
async fn a_retried_deadline_is_sent_at_once() {
    let bank = many_overdue(1).await;
    let sweep = bank.sweep();
    sweep.sweep(NEVER).await.expect("deadlines can be listed");
    let pending = repayment(&bank).expect("the deadline is stored");
    bank.deadlines.give_up(&pending).await.expect("the write succeeds");
    bank.pass(Duration::from_secs(1));
    assert_eq!(sweep.retry().await.expect("the write succeeds"), 1);
    let swept = sweep.sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(counts(&swept), (1, 0, 0));
}

#[tokio::test]
async fn deadlines_that_the_queue_did_not_take_are_sent_again() {
    let bank = many_overdue(9).await;
    bank.due.fail_entries(2);
    let swept = bank.sweep().sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(counts(&swept), (9, 0, 0));
    assert!(!swept.needs_attention());
    assert_eq!(bank.due.receive().len(), 9);
}

// Guards: a-deadline-fires-in-time
#[tokio::test]
async fn a_deadline_that_the_queue_never_took_is_reported_and_not_remembered() {
    let bank = many_overdue(1).await;
    let sweep = bank.sweep();
    bank.due.fail_entries(3);
    let swept = sweep.sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(counts(&swept), (0, 0, 1));
    assert!(swept.needs_attention());
    bank.due.fail_calls(3);
    let swept = sweep.sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(counts(&swept), (0, 0, 1));
    let swept = sweep.sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(counts(&swept), (1, 0, 0));
}

/// A queue that is down for one process. A sweep stops after its first failed call.
#[tokio::test]
async fn a_queue_that_is_down_stops_no_other_process_and_gets_little_load() {
    let bank = many_overdue(40).await;
    let down = Arc::<MemoryDeadlineQueue>::default();
    down.fail_calls(usize::MAX);
    let other = ProcessName::from_static("other");
    for pending in bank.deadlines.waiting() {
        let mut foreign = pending.deadline.clone();
        foreign.key.process = other.clone();
        bank.deadlines.schedule(&foreign).await.expect("the write succeeds");
    }
    let sweep = bank.sweep_of(vec![
        SweptProcess { name: other, queue: down.clone() },
        SweptProcess { name: Lending::NAME, queue: bank.due.clone() },
    ]);
    let swept = sweep.sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(swept.sent, 40);
    assert!(swept.unsent > 0 && swept.needs_attention());
    assert!(down.calls().len() <= 2 * 2 * 3, "{:?}", down.calls());
    assert!(bank.due.calls().iter().all(|deadlines| *deadlines <= 10));
}

/// A queue whose calls take ten seconds.
struct Slow {
    inner: Arc<MemoryDeadlineQueue>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl DeadlineQueue for Slow {
    async fn send(
        &self,
        batch: &[DueDeadline],
    ) -> Result<Vec<Result<(), DeadlineQueueError>>, DeadlineQueueError> {
        self.clock.sleep(Duration::from_secs(10)).await;
        self.inner.send(batch).await
    }
}

#[tokio::test]
async fn a_sweep_sends_nothing_after_its_end_and_reports_it() {
    let bank = many_overdue(20).await;
    let slow = Slow { inner: bank.due.clone(), clock: bank.clock.clone() };
    let sweep = bank.sweep_of(vec![SweptProcess { name: Lending::NAME, queue: Arc::new(slow) }]);
    let mut sent = 0;
    for _ in 0..20 {
        let end = bank.clock.now() + Duration::from_secs(15);
        let swept = sweep.sweep(end).await.expect("deadlines can be listed");
        assert!(swept.sent <= 12, "{swept:?}");
        assert!(!swept.needs_attention(), "time is no fault: {swept:?}");
        sent += swept.sent;
        if !swept.cut_short {
            assert_eq!(sent, 20);
            return;
        }
    }
    panic!("{sent} of 20 were sent");
}

#[tokio::test]
async fn a_deadline_that_is_not_due_is_not_sent() {
    let bank = lent(&["a"]).await;
    bank.pass(LOAN - Duration::from_millis(1));
    let swept = bank.sweep().sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(swept, Swept::default());
    assert_eq!(bank.due.calls(), Vec::<usize>::new());
}
