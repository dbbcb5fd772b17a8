use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use ledgerfold::{
    Envelope, Version,
    ports::{DeadLetter, EntryError, Limits, PublishError, Publisher, Unpublishable},
    relay::{CONCURRENT_CALLS, Relay, StreamRecord, Unreadable, Unsent},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::{Fault, ManualClock, MemoryPublisher, SeededRandom};

use crate::note_models::World;

const LIMITS: Limits = Limits { entries: 10, bytes: 1_000 };

struct Bus {
    publisher: Arc<MemoryPublisher>,
    relay: Relay,
}

fn bus(faults: impl IntoIterator<Item = Fault>) -> Bus {
    let publisher = Arc::new(MemoryPublisher::new(LIMITS));
    publisher.order(faults);
    let relay = Relay::new(
        publisher.clone(),
        Arc::new(ManualClock::default()),
        Arc::new(SeededRandom::new(3)),
    );
    Bus { publisher, relay }
}

impl Bus {
    fn with_dead_letters(self) -> Self {
        let relay = self.relay.with_dead_letters(self.publisher.clone());
        Self { relay, ..self }
    }
}

/// Records of this many commits with one note. Their sequence numbers are `r0`, `r1` and so on.
async fn records(count: usize, note: &str) -> Vec<StreamRecord> {
    let world = World::new();
    let stream = fresh();
    for attempt in 0..count {
        world
            .write(&stream, &format!("a{attempt}"), &[note])
            .await
            .expect("the command is accepted");
    }
    let record = |(at, commit)| StreamRecord {
        sequence_number: format!("r{at}"),
        name: format!("commit {at}"),
        commit: Ok(commit),
    };
    world.log.commits().into_iter().enumerate().map(record).collect()
}

fn versions(events: &[Envelope]) -> Vec<u64> {
    events.iter().map(|event| event.version.get()).collect()
}

#[tokio::test]
async fn records_go_out_ten_in_a_call() {
    let bus = bus([]);
    assert_eq!(bus.relay.publish(&records(25, "note").await).await, Ok(()));
    let calls: Vec<_> = bus.publisher.calls().iter().map(Vec::len).collect();
    assert_eq!(calls, [10, 10, 5]);
    assert_eq!(versions(&bus.publisher.taken()), (1..=25).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_call_never_holds_more_bytes_than_the_bus_takes() {
    let bus = bus([]);
    let records = records(7, &"x".repeat(300)).await;
    assert_eq!(bus.relay.publish(&records).await, Ok(()));
    let calls: Vec<_> = bus.publisher.calls().iter().map(Vec::len).collect();
    assert_eq!(calls, [3, 3, 1]);
}

// Guards: nothing-acknowledged-is-lost
#[tokio::test]
async fn only_entries_that_failed_are_sent_again() {
    let bus = bus([Fault::Entries(vec![1, 4]), Fault::Entries(vec![0])]);
    assert_eq!(bus.relay.publish(&records(6, "note").await).await, Ok(()));
    let calls: Vec<_> = bus.publisher.calls().iter().map(|call| versions(call)).collect();
    assert_eq!(calls, [vec![1, 2, 3, 4, 5, 6], vec![2, 5], vec![2]]);
}

// Guards: nothing-acknowledged-is-lost
#[tokio::test]
async fn an_event_without_an_answer_is_sent_again() {
    let bus = bus([Fault::ShortAnswer]);
    assert_eq!(bus.relay.publish(&records(3, "note").await).await, Ok(()));
    let calls: Vec<_> = bus.publisher.calls().iter().map(|call| versions(call)).collect();
    assert_eq!(calls, [vec![1, 2, 3], vec![3]]);
}

// Guards: nothing-acknowledged-is-lost
#[tokio::test]
async fn the_first_unsent_record_of_all_calls_is_returned() {
    // Each round of attempts has one fault for each call that is not done.
    let faults = [
        vec![Fault::None, Fault::Entries(vec![3]), Fault::Entries(vec![0])],
        vec![Fault::Call; 2],
        vec![Fault::Call, Fault::None],
        vec![Fault::Call; 2],
    ];
    let bus = bus(faults.concat());
    let unsent = bus.relay.publish(&records(30, "note").await).await.expect_err("it fails");
    assert_eq!(unsent.sequence_number, "r13");
    let mut taken = versions(&bus.publisher.taken());
    taken.sort_unstable();
    let all_others = (1..=30).filter(|version| *version != 14).collect::<Vec<_>>();
    assert_eq!(taken, all_others);
}

#[tokio::test]
async fn a_bus_that_is_down_gets_a_limited_number_of_calls() {
    let bus = bus(vec![Fault::Call; 1_000]);
    let unsent = bus.relay.publish(&records(150, "note").await).await.expect_err("it fails");
    assert_eq!(unsent.sequence_number, "r0");
    // The calls that had begun, with five attempts each. Five of the fifteen calls never begin.
    assert_eq!(bus.publisher.calls().len(), CONCURRENT_CALLS * 5);
}

/// A bus that counts the calls that are under way at the same time.
struct SlowBus {
    inner: MemoryPublisher,
    under_way: AtomicUsize,
    most: AtomicUsize,
    /// How often a call began while there was no other.
    rounds: AtomicUsize,
}

#[async_trait]
impl Publisher for SlowBus {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn weigh(&self, envelope: &Envelope) -> Result<usize, Unpublishable> {
        self.inner.weigh(envelope)
    }

    async fn publish(
        &self,
        batch: &[Envelope],
    ) -> Result<Vec<Result<(), EntryError>>, PublishError> {
        let others = self.under_way.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(others + 1, Ordering::SeqCst);
        self.rounds.fetch_add(usize::from(others == 0), Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.inner.publish(batch).await
    }
}

/// So a shard gets 3,333 commits a second through one environment, if a call takes 30 milliseconds.
#[tokio::test]
async fn a_batch_of_a_hundred_commits_takes_as_long_as_one_call() {
    let bus = Arc::new(SlowBus {
        inner: MemoryPublisher::new(LIMITS),
        under_way: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        rounds: AtomicUsize::new(0),
    });
    let random = Arc::new(SeededRandom::new(3));
    let relay = Relay::new(bus.clone(), Arc::new(ManualClock::default()), random);
    assert_eq!(relay.publish(&records(100, "note").await).await, Ok(()));
    assert_eq!(bus.inner.calls().len(), 10);
    assert_eq!(bus.most.load(Ordering::SeqCst), CONCURRENT_CALLS);
    assert_eq!(bus.rounds.load(Ordering::SeqCst), 1);
}

/// Three good records with an unreadable one between them.
async fn with_damaged(why: Unreadable) -> Vec<StreamRecord> {
    let mut records = records(4, "note").await;
    records[2].commit = Err(why);
    records
}

fn damaged() -> Unreadable {
    Unreadable::Permanent("it is damaged".to_owned())
}

// Guards: an-unpublishable-commit-blocks-nothing
#[tokio::test]
async fn an_unpublishable_commit_becomes_a_dead_letter_and_all_others_are_sent() {
    let bus = bus([]).with_dead_letters();
    assert_eq!(bus.relay.publish(&with_damaged(damaged()).await).await, Ok(()));
    assert_eq!(versions(&bus.publisher.taken()), [1, 2, 4]);
    let commit = "commit 2".to_owned();
    let reason = "it is damaged".to_owned();
    assert_eq!(bus.publisher.letters(), [DeadLetter { commit, reason }]);
}

#[tokio::test]
async fn an_event_that_the_bus_can_never_accept_becomes_a_dead_letter_and_all_others_are_sent() {
    let bus = bus([Fault::Invalid(vec![1]), Fault::None]).with_dead_letters();
    assert_eq!(bus.relay.publish(&records(4, "note").await).await, Ok(()));
    assert_eq!(versions(&bus.publisher.taken()), [1, 3, 4]);
    let letters = bus.publisher.letters();
    let [DeadLetter { commit, reason }] = &letters[..] else { unreachable!("{letters:?}") };
    assert!(commit == "commit 1" && reason.contains("malformed"), "{letters:?}");
    assert_eq!(bus.publisher.calls().len(), 1, "the event is not sent again");

    let silent = self::bus([Fault::Invalid(vec![1])]);
    let unsent =
        silent.relay.publish(&records(4, "note").await).await.expect_err("no dead letters");
    assert_eq!(unsent.sequence_number, "r1");
}

#[tokio::test]
async fn a_commit_has_one_dead_letter_with_all_reasons() {
    let world = World::new();
    let stream = fresh();
    world.write(&stream, "two", &["a", "b"]).await.expect("the command is accepted");
    let commit = world.log.commits().remove(0);
    let sequence_number = "r0".to_owned();
    let name = "commit 0".to_owned();
    let bus = bus([Fault::Invalid(vec![0, 1])]).with_dead_letters();
    let record = StreamRecord { sequence_number, name, commit: Ok(commit) };
    assert_eq!(bus.relay.publish(&[record]).await, Ok(()));
    let letters = bus.publisher.letters();
    let [DeadLetter { reason, .. }] = &letters[..] else { unreachable!("{letters:?}") };
    assert!(reason.contains("event 1: ") && reason.contains("; event 2: "), "{reason}");
}

#[tokio::test]
async fn an_event_that_no_call_can_hold_can_never_be_sent() {
    let bus = bus([]).with_dead_letters();
    let mut batch = records(2, &"x".repeat(2_000)).await;
    batch.truncate(1);
    batch.extend(records(1, "note").await);
    assert_eq!(bus.relay.publish(&batch).await, Ok(()));
    assert_eq!(bus.publisher.taken().len(), 1);
    let letters = bus.publisher.letters();
    assert!(letters.len() == 1 && letters[0].reason.contains("2011 bytes"), "{letters:?}");
}

#[tokio::test]
async fn a_commit_that_may_be_sent_later_is_returned_after_all_earlier_ones_are_sent() {
    let bus = bus([]).with_dead_letters();
    let records = with_damaged(Unreadable::Transient("a store is down".to_owned())).await;
    let unsent = Unsent { sequence_number: "r2".to_owned(), reason: "a store is down".to_owned() };
    assert_eq!(bus.relay.publish(&records).await, Err(unsent));
    assert_eq!(versions(&bus.publisher.taken()), [1, 2]);
    assert_eq!(bus.publisher.letters(), []);
}

// Guards: an-unpublishable-commit-blocks-nothing
#[tokio::test]
async fn a_commit_is_returned_if_its_dead_letter_cannot_be_sent() {
    let bus = bus([Fault::None, Fault::Call]).with_dead_letters();
    let records = with_damaged(damaged()).await;
    let unsent = bus.relay.publish(&records).await.expect_err("the dead letter failed");
    assert_eq!(unsent.sequence_number, "r2");

    let silent = self::bus([]);
    let unsent = silent.relay.publish(&records).await.expect_err("no dead letters");
    assert_eq!(unsent, Unsent { sequence_number: "r2".into(), reason: "it is damaged".into() });
    assert_eq!(versions(&silent.publisher.taken()), [1, 2]);
}

// Guards: an-unpublishable-commit-blocks-nothing
#[tokio::test]
async fn no_dead_letter_is_sent_before_all_earlier_commits() {
    let bus = bus(vec![Fault::Call; 5]).with_dead_letters();
    let unsent = bus.relay.publish(&with_damaged(damaged()).await).await.expect_err("it fails");
    assert_eq!(unsent.sequence_number, "r0");
    assert_eq!(bus.publisher.letters(), []);
}

#[tokio::test]
async fn an_empty_batch_makes_no_call() {
    let bus = bus([]);
    assert_eq!(bus.relay.publish(&[]).await, Ok(()));
    assert!(bus.publisher.calls().is_empty());
}

// Guards: one-commit-is-one-item
#[tokio::test]
async fn an_event_names_its_commit() {
    let world = World::new();
    let stream = fresh();
    world.write(&stream, "one", &["a"]).await.expect("the command is accepted");
    world.write(&stream, "two", &["b", "c"]).await.expect("the command is accepted");
    let events = world.envelopes();
    let commits: Vec<_> = events.iter().map(|event| event.commit).collect();
    let first = (1, 1);
    let rest = (2, 3);
    let version = |(from, to): (u64, u64)| (Version::new(from), Version::new(to));
    assert_eq!(commits, [version(first), version(rest), version(rest)]);
}
