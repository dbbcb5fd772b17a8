//! The rules of a deadline store.
//!
//! Guards: a-deadline-fires-in-time

use std::collections::BTreeSet;

use futures::future::join_all;
use ledgerfold::{
    CorrelationId, DeadlineName, EventId, ProcessName, Timestamp, Traceparent,
    ports::{
        Cause, Deadline, DeadlineKey, DeadlineStore, PageWalk, Pending, UnreadableDeadline, Written,
    },
};
use uuid::Uuid;

use super::requests::{fresh, twin};

/// A new process.
pub fn fresh_process() -> ProcessName {
    let name = format!("p{}", Uuid::new_v4().simple());
    name[..32].parse().expect("letters and digits")
}

/// An instant of 1970.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a second of our era")
}

/// A deadline of a new stream.
fn deadline(process: &ProcessName, due: i64) -> Deadline {
    let name = DeadlineName::from_static("return");
    let key = DeadlineKey { process: process.clone(), stream: fresh(), name };
    Deadline { key, due: at(due), cause: cause() }
}

/// A new cause, with every field in use.
fn cause() -> Cause {
    let event: EventId = Uuid::new_v4().to_string().parse().expect("a UUID");
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Cause {
        event,
        correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
        traceparent: Some(Traceparent::new(trace).expect("the example of W3C Trace Context")),
    }
}

fn untried(deadline: &Deadline) -> Pending {
    Pending { deadline: deadline.clone(), attempts: 0, next: deadline.due }
}

async fn schedule(store: &dyn DeadlineStore, deadline: &Deadline) -> Written {
    store.schedule(deadline).await.expect("the deadline can be stored")
}

async fn done(store: &dyn DeadlineStore, deadline: &Deadline) -> Written {
    store.done(deadline).await.expect("the deadline can be removed")
}

async fn postpone(store: &dyn DeadlineStore, seen: &Pending, next: i64) -> Written {
    store.postpone(seen, at(next)).await.expect("the deadline can be postponed")
}

/// All deadlines that are due at this second, part by part and page by page.
async fn due(store: &dyn DeadlineStore, process: &ProcessName, now: i64) -> Vec<Pending> {
    let mut all = Vec::new();
    for part in 0..store.parts() {
        all.extend(due_in(store, process, part, now).await);
    }
    all
}

async fn due_in(
    store: &dyn DeadlineStore,
    process: &ProcessName,
    part: u32,
    now: i64,
) -> Vec<Pending> {
    let mut all = Vec::new();
    let mut walk = PageWalk::start();
    while let Some(from) = walk.next_place() {
        let page = store.due(process, part, at(now), from.as_ref()).await.expect("it can be read");
        all.extend(walk.turn(page));
    }
    readable(all)
}

async fn failed(store: &dyn DeadlineStore, process: &ProcessName) -> Vec<Pending> {
    let page = store.failed(process, None).await.expect("it can be read");
    readable(page.items)
}

fn readable(listed: Vec<Result<Pending, UnreadableDeadline>>) -> Vec<Pending> {
    listed.into_iter().collect::<Result<_, _>>().expect("every deadline can be read")
}

async fn get(store: &dyn DeadlineStore, key: &DeadlineKey) -> Option<Pending> {
    store.get(key).await.expect("it can be read")
}

/// Reading or removing a missing deadline is not an error.
pub async fn what_was_never_scheduled_is_not_due(store: &dyn DeadlineStore) {
    let process = fresh_process();
    assert_eq!(get(store, &deadline(&process, 1).key).await, None);
    assert_eq!(due(store, &process, 1_000).await, []);
    assert_eq!(failed(store, &process).await, []);
    assert_eq!(done(store, &deadline(&process, 1)).await, Written::Superseded);
}

/// A deadline is returned unchanged, with its cause. The cause may have no trace.
pub async fn a_deadline_comes_back_as_it_was_scheduled(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let mut deadline = deadline(&process, 100);
    assert_eq!(schedule(store, &deadline).await, Written::Done);
    assert_eq!(due(store, &process, 100).await, [untried(&deadline)]);
    assert_eq!(done(store, &deadline).await, Written::Done);
    deadline.cause.traceparent = None;
    assert_eq!(schedule(store, &deadline).await, Written::Done);
    assert_eq!(due(store, &process, 100).await, [untried(&deadline)]);
}

/// A deadline is due exactly at its instant, to the nanosecond.
pub async fn a_deadline_is_due_from_its_instant_on(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let instant = Timestamp::from_nanosecond(100_000_000_001).expect("an instant of our era");
    let exact = Deadline { due: instant, ..deadline(&process, 0) };
    schedule(store, &exact).await;
    assert_eq!(due(store, &process, 100).await, []);
    assert_eq!(due(store, &process, 101).await, [untried(&exact)]);
    let past = deadline(&process, -100);
    schedule(store, &past).await;
    assert_eq!(due(store, &process, 0).await, [untried(&past)]);
}

/// A second deadline under the same key has no effect, whatever its content.
pub async fn a_deadline_scheduled_twice_is_one(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let first = deadline(&process, 100);
    let other = Deadline { due: at(50), cause: cause(), ..first.clone() };
    assert_eq!(schedule(store, &first).await, Written::Done);
    for again in [&first, &other] {
        assert_eq!(schedule(store, again).await, Written::Superseded);
    }
    assert_eq!(due(store, &process, 100).await, [untried(&first)]);
}

/// If five deliveries schedule a deadline at once, one succeeds.
pub async fn of_racing_schedules_one_wins(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let deadline = deadline(&process, 100);
    let outcomes = join_all((0..5).map(|_| schedule(store, &deadline))).await;
    let wins = outcomes.iter().filter(|outcome| **outcome == Written::Done).count();
    assert_eq!(wins, 1, "{outcomes:?}");
}

/// Deadlines of other processes, streams and names are separate.
pub async fn processes_and_names_do_not_mix(store: &dyn DeadlineStore) {
    let (one, other) = (fresh_process(), fresh_process());
    let first = deadline(&one, 100);
    let named = |name| DeadlineKey { name: DeadlineName::from_static(name), ..first.key.clone() };
    let second = Deadline { key: named("return-again"), ..first.clone() };
    let foreign = DeadlineKey { process: other.clone(), ..first.key.clone() };
    let foreign = Deadline { key: foreign, ..first.clone() };
    for deadline in [&first, &second, &foreign] {
        assert_eq!(schedule(store, deadline).await, Written::Done);
    }
    assert_eq!(done(store, &first).await, Written::Done);
    assert_eq!(due(store, &one, 100).await, [untried(&second)]);
    assert_eq!(due(store, &other, 100).await, [untried(&foreign)]);
    assert_eq!(get(store, &first.key).await, None);
    assert_eq!(get(store, &second.key).await, Some(untried(&second)));
    assert_eq!(get(store, &foreign.key).await, Some(untried(&foreign)));
}

/// Deadlines of streams with equal ids are separate in each tenant: both are listed, and a write to one leaves the
/// other.
// Guards: tenants-never-meet
pub async fn deadlines_of_tenants_do_not_mix(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let here = deadline(&process, 100);
    let key = DeadlineKey { stream: twin(&here.key.stream), ..here.key.clone() };
    // Both have one cause, so that only their keys differ.
    let there = Deadline { key, ..here.clone() };
    assert_eq!(schedule(store, &here).await, Written::Done);
    assert_eq!(get(store, &there.key).await, None);
    assert_eq!(schedule(store, &there).await, Written::Done);
    let listed = due(store, &process, 100).await;
    let tenants: BTreeSet<_> = listed.iter().map(|it| it.deadline.key.stream.tenant()).collect();
    assert_eq!((listed.len(), tenants.len()), (2, 2), "{listed:?}");
    assert_eq!(postpone(store, &untried(&here), 160).await, Written::Done);
    assert_eq!(get(store, &there.key).await, Some(untried(&there)));
    assert_eq!(done(store, &here).await, Written::Done);
    assert_eq!(get(store, &here.key).await, None);
    assert_eq!(due(store, &process, 1_000).await, [untried(&there)]);
    schedule(store, &here).await;
    store.give_up(&untried(&there)).await.expect("the write succeeds");
    assert_eq!(due(store, &process, 1_000).await, [untried(&here)]);
    let given_up = Pending { attempts: 1, ..untried(&there) };
    assert_eq!(failed(store, &process).await, [given_up]);
}

/// All due deadlines are listed once, over several pages.
pub async fn every_due_deadline_is_listed_once(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let deadlines: Vec<_> = (0..40).map(|_| deadline(&process, 100)).collect();
    for outcome in join_all(deadlines.iter().map(|deadline| schedule(store, deadline))).await {
        assert_eq!(outcome, Written::Done);
    }
    let listed = due(store, &process, 100).await;
    let keys: BTreeSet<_> = listed.iter().map(|pending| pending.deadline.key.clone()).collect();
    assert_eq!((listed.len(), keys.len()), (40, 40));
}

/// Within a part, deadlines are listed in the order of their due times.
pub async fn the_longest_overdue_comes_first(store: &dyn DeadlineStore) {
    let process = fresh_process();
    for due in [70, 9, 100, 30, 80, 1_000, 20, 60, 90, 10, 40, 50] {
        schedule(store, &deadline(&process, due)).await;
    }
    let mut listed = 0;
    for part in 0..store.parts() {
        let part = due_in(store, &process, part, 1_000).await;
        listed += part.len();
        assert!(part.is_sorted_by_key(|pending| pending.next), "{part:?}");
    }
    assert_eq!(listed, 12);
}

/// After a deadline is done, its key can be scheduled again.
pub async fn a_deadline_that_is_done_is_gone_and_its_key_is_free(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let first = deadline(&process, 100);
    schedule(store, &first).await;
    assert_eq!(done(store, &first).await, Written::Done);
    assert_eq!(due(store, &process, 1_000).await, []);
    assert_eq!(done(store, &first).await, Written::Superseded);
    let later = Deadline { due: at(200), ..first };
    assert_eq!(schedule(store, &later).await, Written::Done);
    assert_eq!(due(store, &process, 1_000).await, [untried(&later)]);
}

/// A delayed write for an old deadline does not change a new one under the same key.
pub async fn only_the_deadline_that_was_seen_is_removed(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let old = deadline(&process, 100);
    let new = Deadline { cause: cause(), ..old.clone() };
    schedule(store, &new).await;
    assert_eq!(done(store, &old).await, Written::Superseded);
    assert_eq!(postpone(store, &untried(&old), 500).await, Written::Superseded);
    assert_eq!(due(store, &process, 100).await, [untried(&new)]);
}

/// A postponed deadline is listed later, with its number of attempts. Its due time stays the same.
pub async fn a_postponed_deadline_waits_and_counts(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let deadline = deadline(&process, 100);
    schedule(store, &deadline).await;
    assert_eq!(postpone(store, &untried(&deadline), 160).await, Written::Done);
    assert_eq!(due(store, &process, 159).await, []);
    let tried = due(store, &process, 160).await;
    assert_eq!(tried, [Pending { deadline, attempts: 1, next: at(160) }]);
    assert_eq!(postpone(store, &tried[0], 280).await, Written::Done);
    assert_eq!(due(store, &process, 280).await[0].attempts, 2);
}

/// If two sweeps fail at the same time, one attempt is counted.
pub async fn of_two_who_postpone_one_counts(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let deadline = deadline(&process, 100);
    schedule(store, &deadline).await;
    assert_eq!(postpone(store, &untried(&deadline), 160).await, Written::Done);
    assert_eq!(postpone(store, &untried(&deadline), 170).await, Written::Superseded);
    let given_up = store.give_up(&untried(&deadline)).await.expect("the write succeeds");
    assert_eq!(given_up, Written::Superseded);
    assert_eq!(due(store, &process, 160).await[0].attempts, 1);
}

/// A deadline is removed after its command has taken effect, even if another sweep has postponed it meanwhile.
pub async fn a_deadline_that_was_postponed_is_done_all_the_same(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let deadline = deadline(&process, 100);
    schedule(store, &deadline).await;
    postpone(store, &untried(&deadline), 160).await;
    assert_eq!(done(store, &deadline).await, Written::Done);
    assert_eq!(due(store, &process, 1_000).await, []);
}

/// A deadline that was given up is never due, and cannot be scheduled again.
pub async fn a_deadline_that_stands_aside_is_not_due(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let deadline = deadline(&process, 100);
    schedule(store, &deadline).await;
    let given_up = store.give_up(&untried(&deadline)).await.expect("the write succeeds");
    assert_eq!(given_up, Written::Done);
    assert_eq!(due(store, &process, 1_000_000).await, []);
    assert_eq!(schedule(store, &deadline).await, Written::Superseded);
    let expected = Pending { attempts: 1, ..untried(&deadline) };
    assert_eq!(failed(store, &process).await, [expected]);
    assert_eq!(failed(store, &fresh_process()).await, []);
}

/// A retried deadline is due from the given time on, with no attempts counted.
pub async fn a_retried_deadline_is_as_if_never_tried(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let deadline = deadline(&process, 100);
    schedule(store, &deadline).await;
    let before = untried(&deadline);
    store.give_up(&before).await.expect("the write succeeds");
    let given_up = failed(store, &process).await.remove(0);
    let retry = async |seen| store.retry(seen, at(500)).await.expect("the write succeeds");
    assert_eq!(retry(&before).await, Written::Superseded);
    assert_eq!(retry(&given_up).await, Written::Done);
    assert_eq!(failed(store, &process).await, []);
    assert_eq!(due(store, &process, 499).await, []);
    let retried = Pending { deadline, attempts: 0, next: at(500) };
    assert_eq!(due(store, &process, 500).await, [retried]);
}

/// A deadline that is read by its key is as the last write left it, unlike in a list, which may lag.
pub async fn a_deadline_is_read_by_its_key_as_it_is_now(store: &dyn DeadlineStore) {
    let process = fresh_process();
    let mut deadline = deadline(&process, 100);
    let key = deadline.key.clone();
    for _ in 0..2 {
        schedule(store, &deadline).await;
        assert_eq!(get(store, &key).await, Some(untried(&deadline)));
        postpone(store, &untried(&deadline), 160).await;
        let tried = Pending { deadline: deadline.clone(), attempts: 1, next: at(160) };
        assert_eq!(get(store, &key).await, Some(tried));
        done(store, &deadline).await;
        assert_eq!(get(store, &key).await, None);
        // Another deadline with the same key.
        deadline = Deadline { due: at(200), cause: cause(), ..deadline };
    }
}

/// A deadline that was given up is not read by its key until it is retried.
pub async fn a_deadline_that_stands_aside_is_not_read_by_its_key(store: &dyn DeadlineStore) {
    let deadline = deadline(&fresh_process(), 100);
    schedule(store, &deadline).await;
    store.give_up(&untried(&deadline)).await.expect("the write succeeds");
    assert_eq!(get(store, &deadline.key).await, None);
    let given_up = failed(store, &deadline.key.process).await.remove(0);
    store.retry(&given_up, at(500)).await.expect("the write succeeds");
    let retried = Pending { deadline: deadline.clone(), attempts: 0, next: at(500) };
    assert_eq!(get(store, &deadline.key).await, Some(retried));
}
