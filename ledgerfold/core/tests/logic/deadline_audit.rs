//! Tests of the comparison of stored deadlines with the log.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    ProcessName, Recorded, StreamId,
    ports::{Clock, Deadline, DeadlineKey, DeadlineStore},
    process::{
        DeadlineCheck, DeadlineFault, ProcessManager, ProcessSchedule, Reaction, WrongDeadline,
    },
};

use crate::lending::{BookCommand, BookEvent, Books, LOAN, Lending, Library, NEVER, RETURN, book};

async fn lent(library: &Library, name: &str) {
    library.ask(&book(name), BookCommand::Lend).await;
}

/// Delivers all events to the process.
async fn deliver_all(library: &Library) {
    assert_eq!(library.process().handle(library.messages()).await, []);
}

async fn begun(library: &Library, loan: Duration) -> DeadlineCheck {
    let scheduling = Arc::new(ProcessSchedule::<Lending>::new(loan));
    DeadlineCheck::begin(scheduling, library.deadlines.clone(), library.log.clone())
        .await
        .expect("deadlines can be listed")
}

async fn examined(library: &Library, loan: Duration, books: &[&str]) -> Vec<WrongDeadline> {
    let mut audit = begun(library, loan).await;
    let now = library.clock.now();
    let mut wrong = Vec::new();
    for name in books {
        let found = audit.examine(&book(name), now, now).await;
        wrong.extend(found.expect("the log can be read"));
    }
    wrong.extend(audit.superfluous());
    wrong.retain(|wrong| wrong.deadline.key.name == RETURN);
    wrong
}

fn faults(wrong: &[WrongDeadline]) -> Vec<(StreamId, DeadlineFault)> {
    wrong.iter().map(|wrong| (wrong.deadline.key.stream.clone(), wrong.fault)).collect()
}

fn stored(library: &Library, name: &str) -> Deadline {
    let waiting = library.deadlines.waiting();
    let is_it =
        |deadline: &Deadline| deadline.key.name == RETURN && deadline.key.stream == book(name);
    let mut deadlines = waiting.into_iter().map(|pending| pending.deadline);
    deadlines.find(is_it).expect("the deadline is stored")
}

#[tokio::test]
async fn a_deadline_that_the_log_requests_is_not_a_fault() {
    let library = Library::new();
    for name in ["a", "b"] {
        lent(&library, name).await;
    }
    deliver_all(&library).await;
    assert_eq!(examined(&library, LOAN, &["a", "b"]).await, []);
    library.pass(LOAN);
    library.sweep().sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(examined(&library, LOAN, &["a", "b"]).await, [], "the deadlines are done");
}

#[tokio::test]
async fn a_deadline_whose_message_was_purged_is_missing_then_missed_and_can_be_scheduled() {
    let library = Library::new();
    for name in ["a", "b"] {
        lent(&library, name).await;
    }
    let missing = examined(&library, LOAN, &["a", "b"]).await;
    let expected = [(book("a"), DeadlineFault::Missing), (book("b"), DeadlineFault::Missing)];
    assert_eq!(faults(&missing), expected);

    library.ask(&book("b"), BookCommand::Return).await;
    library.pass(LOAN);
    let missed = examined(&library, LOAN, &["a", "b"]).await;
    assert_eq!(faults(&missed), [(book("a"), DeadlineFault::Missed)], "book b was returned");

    begun(&library, LOAN).await.schedule(&missed[0]).await.expect("the write succeeds");
    library.sweep().sweep(NEVER).await.expect("deadlines can be listed");
    assert_eq!(library.history(&book("a")).last().map(String::as_str), Some("Recalled"));
    assert_eq!(examined(&library, LOAN, &["a", "b"]).await, []);
}

#[tokio::test]
async fn a_recent_event_may_still_be_in_transit() {
    let library = Library::new();
    lent(&library, "a").await;
    let now = library.clock.now();
    let settled = now - Duration::from_secs(1);
    let found = begun(&library, LOAN).await.examine(&book("a"), settled, now).await;
    assert_eq!(found.expect("the log can be read"), []);
}

#[tokio::test]
async fn a_wrong_due_time_and_a_superfluous_deadline_are_reported() {
    let library = Library::new();
    lent(&library, "a").await;
    deliver_all(&library).await;
    let deadline = stored(&library, "a");
    let longer = LOAN + Duration::from_secs(5);
    let wrong = examined(&library, longer, &["a"]).await;
    let fault = DeadlineFault::WrongDue { stands: deadline.due };
    assert_eq!(faults(&wrong), [(book("a"), fault)]);
    assert_eq!(wrong[0].deadline.due, deadline.due + Duration::from_secs(5));

    let mut forged = deadline.clone();
    forged.key.stream = book("never-lent");
    library.deadlines.schedule(&forged).await.expect("the write succeeds");
    let wrong = examined(&library, LOAN, &["a", "never-lent"]).await;
    assert_eq!(faults(&wrong), [(book("never-lent"), DeadlineFault::Superfluous)]);
}

#[tokio::test]
async fn of_two_deadlines_under_one_key_the_first_stays_until_it_is_due() {
    let library = Library::new();
    lent(&library, "a").await;
    deliver_all(&library).await;
    let first = stored(&library, "a");
    library.pass(LOAN / 2);
    library.ask(&book("a"), BookCommand::Return).await;
    lent(&library, "a").await;
    deliver_all(&library).await;
    assert_eq!(stored(&library, "a"), first, "the second deadline has no effect");
    assert_eq!(examined(&library, LOAN, &["a"]).await, []);

    library.deadlines.done(&first).await.expect("the removal succeeds");
    let wrong = examined(&library, LOAN, &["a"]).await;
    assert_eq!(faults(&wrong), [(book("a"), DeadlineFault::Missing)]);
    assert_eq!(wrong[0].deadline, first);
}

/// A process that panics on book "a".
struct Fragile;

impl ProcessManager for Fragile {
    type Event = BookEvent;
    type Target = Books;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("fragile");

    fn react(event: &Recorded<BookEvent>, (): &()) -> Vec<Reaction<BookCommand>> {
        assert_ne!(event.stream, book("a"), "this book panics");
        let due = event.recorded_at + LOAN;
        vec![Reaction::Schedule { stream: event.stream.clone(), name: RETURN, due }]
    }

    fn expire(_: &DeadlineKey) -> Option<BookCommand> {
        None
    }
}

#[tokio::test]
async fn a_stream_on_which_the_process_panics_stops_no_other() {
    let library = Library::new();
    for name in ["a", "b"] {
        lent(&library, name).await;
    }
    let scheduling = Arc::new(ProcessSchedule::<Fragile>::new(()));
    let audit =
        DeadlineCheck::begin(scheduling, library.deadlines.clone(), library.log.clone()).await;
    let mut audit = audit.expect("deadlines can be listed");
    let now = library.clock.now();
    let error = audit.examine(&book("a"), now, now).await.expect_err("book a panics");
    assert!(error.is_of_the_stream(), "{error}");
    let found = audit.examine(&book("b"), now, now).await.expect("book b does not panic");
    assert_eq!(faults(&found), [(book("b"), DeadlineFault::Missing)]);
}
