//! Tests of the comparison of stored deadlines with the log.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    ProcessName, Recorded, StreamId,
    ports::{Clock, Deadline, DeadlineKey, DeadlineStore},
    process::{
        DeadlineCheck, DeadlineFault, OnRefusal, ProcessManager, ProcessSchedule, Reaction,
        WrongDeadline,
    },
};
use ledgerfold_testkit::bank::{AccountCommand, AccountEvent, Accounts, Plain};

use crate::lending::{Bank, LOAN, Lending, REPAYMENT, account};

async fn lent(bank: &Bank, name: &str) {
    bank.ask(&account(name), AccountCommand::Borrow(100)).await;
}

/// Delivers all events to the process.
async fn deliver_all(bank: &Bank) {
    assert_eq!(bank.process().handle(bank.messages()).await, []);
}

async fn begun(bank: &Bank, loan: Duration) -> DeadlineCheck {
    let scheduling = Arc::new(ProcessSchedule::<Lending>::new(loan));
    DeadlineCheck::begin(scheduling, bank.deadlines.clone(), bank.log.clone())
        .await
        .expect("deadlines can be listed")
}

async fn examined(bank: &Bank, loan: Duration, accounts: &[&str]) -> Vec<WrongDeadline> {
    let mut audit = begun(bank, loan).await;
    let now = bank.clock.now();
    let mut wrong = Vec::new();
    for name in accounts {
        let found = audit.examine(&account(name), now, now).await;
        wrong.extend(found.expect("the log can be read"));
    }
    wrong.extend(audit.superfluous());
    wrong.retain(|wrong| wrong.deadline.key.name == REPAYMENT);
    wrong
}

fn faults(wrong: &[WrongDeadline]) -> Vec<(StreamId, DeadlineFault)> {
    wrong.iter().map(|wrong| (wrong.deadline.key.stream.clone(), wrong.fault)).collect()
}

fn stored(bank: &Bank, name: &str) -> Deadline {
    let waiting = bank.deadlines.waiting();
    let is_it = |deadline: &Deadline| {
        deadline.key.name == REPAYMENT && deadline.key.stream == account(name)
    };
    let mut deadlines = waiting.into_iter().map(|pending| pending.deadline);
    deadlines.find(is_it).expect("the deadline is stored")
}

#[tokio::test]
async fn a_deadline_that_the_log_requests_is_not_a_fault() {
    let bank = Bank::new();
    for name in ["a", "b"] {
        lent(&bank, name).await;
    }
    deliver_all(&bank).await;
    assert_eq!(examined(&bank, LOAN, &["a", "b"]).await, []);
    bank.pass(LOAN);
    bank.fire().await;
    assert_eq!(examined(&bank, LOAN, &["a", "b"]).await, [], "the deadlines are done");
}

// Guards: a-lost-deadline-is-scheduled-again
#[tokio::test]
async fn a_deadline_whose_message_was_purged_is_missing_then_missed_and_can_be_scheduled() {
    let bank = Bank::new();
    for name in ["a", "b"] {
        lent(&bank, name).await;
    }
    let missing = examined(&bank, LOAN, &["a", "b"]).await;
    let expected = [(account("a"), DeadlineFault::Missing), (account("b"), DeadlineFault::Missing)];
    assert_eq!(faults(&missing), expected);

    bank.ask(&account("b"), AccountCommand::Repay).await;
    bank.pass(LOAN);
    let missed = examined(&bank, LOAN, &["a", "b"]).await;
    assert_eq!(faults(&missed), [(account("a"), DeadlineFault::Missed)], "account b was returned");

    begun(&bank, LOAN).await.schedule(&missed[0]).await.expect("the write succeeds");
    bank.fire().await;
    assert_eq!(bank.history(&account("a")).last().map(String::as_str), Some("LoanCalled"));
    assert_eq!(examined(&bank, LOAN, &["a", "b"]).await, []);
}

#[tokio::test]
async fn a_recent_event_may_still_be_in_transit() {
    let bank = Bank::new();
    lent(&bank, "a").await;
    let now = bank.clock.now();
    let settled = now - Duration::from_secs(1);
    let found = begun(&bank, LOAN).await.examine(&account("a"), settled, now).await;
    assert_eq!(found.expect("the log can be read"), []);
}

// Guards: a-lost-deadline-is-scheduled-again
#[tokio::test]
async fn a_wrong_due_time_and_a_superfluous_deadline_are_reported() {
    let bank = Bank::new();
    lent(&bank, "a").await;
    deliver_all(&bank).await;
    let deadline = stored(&bank, "a");
    let longer = LOAN + Duration::from_secs(5);
    let wrong = examined(&bank, longer, &["a"]).await;
    let fault = DeadlineFault::WrongDue { stands: deadline.due };
    assert_eq!(faults(&wrong), [(account("a"), fault)]);
    assert_eq!(wrong[0].deadline.due, deadline.due + Duration::from_secs(5));

    let mut forged = deadline.clone();
    forged.key.stream = account("never-lent");
    bank.deadlines.schedule(&forged).await.expect("the write succeeds");
    let wrong = examined(&bank, LOAN, &["a", "never-lent"]).await;
    assert_eq!(faults(&wrong), [(account("never-lent"), DeadlineFault::Superfluous)]);
}

#[tokio::test]
async fn of_two_deadlines_under_one_key_the_first_stays_until_it_is_due() {
    let bank = Bank::new();
    lent(&bank, "a").await;
    deliver_all(&bank).await;
    let first = stored(&bank, "a");
    bank.pass(LOAN / 2);
    bank.ask(&account("a"), AccountCommand::Repay).await;
    lent(&bank, "a").await;
    deliver_all(&bank).await;
    assert_eq!(stored(&bank, "a"), first, "the second deadline has no effect");
    assert_eq!(examined(&bank, LOAN, &["a"]).await, []);

    bank.deadlines.done(&first).await.expect("the removal succeeds");
    let wrong = examined(&bank, LOAN, &["a"]).await;
    assert_eq!(faults(&wrong), [(account("a"), DeadlineFault::Missing)]);
    assert_eq!(wrong[0].deadline, first);
}

/// A process that panics on account "a".
struct Fragile;

impl ProcessManager for Fragile {
    type Event = AccountEvent;
    type Target = Accounts<Plain>;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("fragile");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;

    fn react(event: &Recorded<AccountEvent>, (): &()) -> Vec<Reaction<AccountCommand>> {
        assert_ne!(event.stream, account("a"), "this account panics");
        let due = event.recorded_at + LOAN;
        vec![Reaction::Schedule { stream: event.stream.clone(), name: REPAYMENT, due }]
    }

    fn expire(_: &DeadlineKey) -> Option<AccountCommand> {
        None
    }
}

#[tokio::test]
async fn a_stream_on_which_the_process_panics_stops_no_other() {
    let bank = Bank::new();
    for name in ["a", "b"] {
        lent(&bank, name).await;
    }
    let scheduling = Arc::new(ProcessSchedule::<Fragile>::new(()));
    let audit = DeadlineCheck::begin(scheduling, bank.deadlines.clone(), bank.log.clone()).await;
    let mut audit = audit.expect("deadlines can be listed");
    let now = bank.clock.now();
    let error = audit.examine(&account("a"), now, now).await.expect_err("account a panics");
    assert!(error.is_of_the_stream(), "{error}");
    let found = audit.examine(&account("b"), now, now).await.expect("account b does not panic");
    assert_eq!(faults(&found), [(account("b"), DeadlineFault::Missing)]);
}
