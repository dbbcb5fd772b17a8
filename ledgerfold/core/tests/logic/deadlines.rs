use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::join_all;
use ledgerfold::{
    ProcessName, Timestamp,
    ports::{Clock, Deadline},
    process::{DeadlineSweep, Expiry, MAX_ATTEMPTS, Swept, Unfulfilled},
};
use ledgerfold_testkit::ManualClock;

use crate::lending::{BookCommand, LOAN, Library, NEVER, RETURN, UNREACHABLE, book};

/// A library with these lent books. The process has handled their events.
async fn lent(books: &[&str]) -> Library {
    let library = Library::new();
    for name in books {
        library.ask(&book(name), BookCommand::Lend).await;
    }
    assert_eq!(library.process().handle(library.messages()).await, []);
    library
}

async fn sweep(library: &Library) -> Swept {
    library.sweep().sweep(NEVER).await.expect("deadlines can be listed")
}

/// The due time of the only deadline with this name.
fn due(library: &Library) -> Option<Timestamp> {
    let waiting = library.deadlines.waiting();
    let pending = waiting.iter().find(|pending| pending.deadline.key.name == RETURN);
    pending.map(|pending| pending.deadline.due)
}

const LENT: [&str; 2] = ["Stamped", "Lent"];
const RECALLED: [&str; 3] = ["Stamped", "Lent", "Recalled"];

#[tokio::test]
async fn a_deadline_fires_once_it_is_due_and_once() {
    let library = lent(&["a"]).await;
    library.pass(LOAN - Duration::from_millis(1));
    assert_eq!(sweep(&library).await, Swept::default());
    assert_eq!(library.history(&book("a")), LENT);
    library.pass(Duration::from_millis(1));
    assert_eq!(sweep(&library).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(sweep(&library).await, Swept::default());
    assert_eq!(library.history(&book("a")), RECALLED);
}

#[tokio::test]
async fn the_command_of_a_deadline_names_its_cause() {
    let library = lent(&["a"]).await;
    let lent = library.log.commits()[0].events().last().map(|(_, event)| event.id.to_string());
    library.pass(LOAN);
    sweep(&library).await;
    let commits = library.log.commits();
    let metadata = commits[1].metadata();
    assert_eq!(metadata.actor.as_str(), "lending");
    assert_eq!(Some(metadata.causation_id.to_string()), lent);
    assert_eq!(metadata.correlation_id.as_str(), "conversation-1");
}

#[tokio::test]
async fn a_book_that_is_returned_in_time_is_not_recalled() {
    let library = lent(&["a"]).await;
    library.ask(&book("a"), BookCommand::Return).await;
    library.pass(LOAN);
    assert_eq!(sweep(&library).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(library.history(&book("a")), ["Stamped", "Lent", "Returned"]);
}

#[tokio::test]
async fn an_event_that_is_delivered_again_after_its_deadline_changes_nothing() {
    let library = lent(&["a"]).await;
    library.pass(LOAN);
    sweep(&library).await;
    assert_eq!(library.process().handle(library.messages()).await, []);
    assert_eq!(sweep(&library).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(library.history(&book("a")), RECALLED);
}

#[tokio::test]
async fn a_sweep_that_is_interrupted_after_its_command_does_no_harm() {
    let library = lent(&["a"]).await;
    library.pass(LOAN);
    library.deadlines.fail_writes(1);
    let cut = sweep(&library).await;
    assert_eq!(cut, Swept { unnoted: 1, overdue_since: due(&library), ..Swept::default() });
    assert!(cut.needs_attention());
    assert_eq!(library.history(&book("a")), RECALLED);
    assert_eq!(sweep(&library).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(library.history(&book("a")), RECALLED);
}

#[tokio::test]
async fn sweeps_at_the_same_time_fire_once() {
    let books: Vec<_> = (0..20).map(|book| format!("b{book}")).collect();
    let library = lent(&books.iter().map(String::as_str).collect::<Vec<_>>()).await;
    library.pass(LOAN);
    let sweeps: Vec<_> = (0..4).map(|_| library.sweep()).collect();
    for swept in join_all(sweeps.iter().map(|each| each.sweep(NEVER))).await {
        assert!(!swept.expect("deadlines can be listed").needs_attention());
    }
    for name in &books {
        assert_eq!(library.history(&book(name)), RECALLED);
    }
    let left = library.deadlines.waiting();
    assert!(left.iter().all(|pending| pending.deadline.key.name != RETURN), "{left:?}");
}

#[tokio::test]
async fn a_failed_deadline_is_retried_later_and_stops_no_other() {
    let library = lent(&[UNREACHABLE, "a", "b"]).await;
    library.pass(LOAN);
    library.broken.amendment().set(true);
    let swept = sweep(&library).await;
    let overdue_since = due(&library);
    assert!(overdue_since.is_some());
    assert_eq!(swept, Swept { done: 2, postponed: 1, overdue_since, ..Swept::default() });
    assert_eq!(sweep(&library).await, Swept::default(), "the deadline waits");
    library.broken.amendment().set(false);
    library.pass(Duration::from_secs(60));
    assert_eq!(sweep(&library).await, Swept { done: 1, ..Swept::default() });
    assert_eq!(library.history(&book(UNREACHABLE)), RECALLED);
}

#[tokio::test]
async fn a_deadline_that_keeps_failing_is_given_up_until_it_is_retried() {
    let library = lent(&[UNREACHABLE]).await;
    library.pass(LOAN);
    library.broken.amendment().set(true);
    let first_try = library.clock.now();
    let was_due = due(&library);
    for attempt in 1..MAX_ATTEMPTS {
        let swept = sweep(&library).await;
        let expected = Swept { postponed: 1, overdue_since: was_due, ..Swept::default() };
        assert_eq!(swept, expected, "attempt {attempt}");
        let waiting = library.deadlines.waiting();
        let next = waiting.iter().find(|pending| pending.deadline.key.name == RETURN);
        library.clock.set(next.expect("the deadline is stored").next);
    }
    assert_eq!((library.clock.now() - first_try).get_seconds(), 60 * (63 + 3 * 60));
    let last = sweep(&library).await;
    assert_eq!((last.given_up, last.failed, last.failed_since), (1, 1, was_due));
    for _ in 0..2 {
        library.pass(Duration::from_secs(3_600));
        let swept = sweep(&library).await;
        assert_eq!(
            (swept.postponed, swept.failed),
            (0, 1),
            "the deadline is neither tried nor lost"
        );
        assert_eq!((swept.overdue_since, swept.failed_since), (None, was_due));
        assert!(swept.needs_attention());
    }
    library.broken.amendment().set(false);
    assert_eq!(library.sweep().retry().await.expect("the write succeeds"), 1);
    assert!(!sweep(&library).await.needs_attention());
    assert_eq!(library.history(&book(UNREACHABLE)), RECALLED);
}

#[tokio::test]
async fn a_deadline_that_the_process_does_not_need_is_removed() {
    let library = lent(&["a"]).await;
    library.pass(LOAN * 1_001);
    assert_eq!(sweep(&library).await, Swept { done: 2, ..Swept::default() });
    assert_eq!(library.deadlines.waiting(), []);
    assert_eq!(library.history(&book("a")), RECALLED);
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
    let books: Vec<_> = (0..12).map(|book| format!("b{book}")).collect();
    let library = lent(&books.iter().map(String::as_str).collect::<Vec<_>>()).await;
    library.pass(LOAN);
    let slow = Slow { inner: library.expiry(), clock: library.clock.clone() };
    let (store, clock) = (library.deadlines.clone(), library.clock.clone());
    let slow = DeadlineSweep::new(store, clock, vec![Arc::new(slow)]);
    let mut done = 0;
    for _ in 0..12 {
        let end = library.clock.now() + Duration::from_secs(15);
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
