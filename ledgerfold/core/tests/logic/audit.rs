//! Tests of reconcile: its findings after lost messages, damaged rows and wrong counters, and the effect of a repair.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::{join, join3};
use ledgerfold::{
    Envelope, Payload, StreamId, TenantId, Timestamp, Version,
    ports::{
        Clock, CommitPage, Count, CounterKey, CountsOfShard, EventStore, Increment, Memo, PageWalk,
        Segment, StoreError, StoredRow, Streams, TallyStore,
    },
    project::{ProjectError, ProjectorPorts, RowModel, TallyModel, Verdict, Verifiable},
    reconcile::{
        Counters, CountersVerdict, Difference, Effect, Finding, LostMemos, OnDivergence,
        PublishedEvents, Reconciler, Repairer, Summary,
    },
    vocabulary::OfTenant,
};
use ledgerfold_proofs::conformance::requests::{fresh, write};
use ledgerfold_testkit::bank::{Accounts, Plain};
use ledgerfold_testkit::{Amended, Amendment, ManualClock, MemoryQuarantine, SeededRandom};

use crate::note_models::{Notes, REMOVE, UNPLACEABLE, Words, World, deliveries};

fn rows(world: &World) -> Arc<dyn Verifiable> {
    Arc::new(RowModel::<Notes>::new(world.rows.clone()))
}

fn no_skips() -> Arc<MemoryQuarantine> {
    Arc::default()
}

fn words(world: &World) -> Arc<dyn Verifiable> {
    Arc::new(TallyModel::<Words>::new(world.tallies.clone()))
}

async fn examine(world: &World, model: Arc<dyn Verifiable>, stream: &StreamId) -> Finding {
    let grace = Duration::from_secs(5);
    let auditor = Reconciler::new(world.log.clone(), world.clock.clone(), grace);
    let auditor = auditor.of("all", model, no_skips());
    let mut findings =
        auditor.examine(std::slice::from_ref(stream)).await.expect("the read succeeds");
    findings.remove(0)
}

async fn verdict(world: &World, model: Arc<dyn Verifiable>, stream: &StreamId) -> Verdict {
    examine(world, model, stream).await.comparison.verdict
}

fn repairer(world: &World, model: Arc<dyn Verifiable>, on_divergence: OnDivergence) -> Repairer {
    let random = Arc::new(SeededRandom::new(3));
    let (log, clock) = (world.log.clone(), world.clock.clone());
    Repairer::new(model, ProjectorPorts { log, skips: no_skips(), clock, random }, on_divergence)
}

async fn repair(world: &World, model: Arc<dyn Verifiable>, stream: &StreamId) -> Effect {
    let repairer = repairer(world, model, OnDivergence::Report);
    repairer.repair(stream).await.expect("the read succeeds").effect
}

/// A stream with one commit per note. The read models have the first `projected` notes.
async fn stream_of(world: &World, notes: &[&str], projected: usize) -> StreamId {
    let stream = fresh();
    for (at, note) in notes.iter().enumerate() {
        world.write(&stream, &format!("a{at}"), &[note]).await.expect("the command is accepted");
    }
    let events = world.envelopes().into_iter().filter(|event| event.stream == stream);
    let batch = deliveries(events.take(projected));
    for projector in [world.notes(), world.words()] {
        assert_eq!(projector.project(batch.clone()).await, []);
    }
    stream
}

fn damaged(stream: &StreamId, version: u64, notes: &[&str]) -> StoredRow {
    let notes: Vec<_> = notes.iter().map(ToString::to_string).collect();
    let body = Some(Payload::encode(&notes).expect("texts are JSON"));
    StoredRow { stream: stream.clone(), version: Version::new(version), body, index: None }
}

#[tokio::test]
async fn a_row_that_equals_the_fold_is_current() {
    let world = World::with_pages_of(2);
    let stream = stream_of(&world, &["a", "b", "c"], 3).await;
    for model in [rows(&world), words(&world)] {
        assert_eq!(verdict(&world, model.clone(), &stream).await, Verdict::Current);
        assert_eq!(repair(&world, model, &stream).await, Effect::None);
    }
    assert_eq!(verdict(&world, rows(&world), &fresh()).await, Verdict::Current);
}

// Guards: gaps-are-found-and-repaired
#[tokio::test]
async fn lost_messages_are_noticed_and_repaired_once() {
    let world = World::with_pages_of(2);
    let stream = stream_of(&world, &["a", "b", "a", "c", "a"], 1).await;
    for model in [rows(&world), words(&world)] {
        let finding = examine(&world, model.clone(), &stream).await;
        assert_eq!(
            (finding.comparison.verdict.clone(), finding.comparison.missing()),
            (Verdict::Behind, 4)
        );
        assert_eq!(repair(&world, model.clone(), &stream).await, Effect::CaughtUp);
        assert_eq!(verdict(&world, model.clone(), &stream).await, Verdict::Current);
        assert_eq!(repair(&world, model, &stream).await, Effect::None);
    }
    assert_eq!(world.tallies.counter(&CounterKey::new("a").expect("a key"))["notes"], 3);
}

#[tokio::test]
async fn a_missing_row_is_reported_and_restored() {
    let world = World::with_pages_of(2);
    let stream = stream_of(&world, &["a", "b"], 2).await;
    let before = world.row(&stream);
    world.rows.lose(&stream);
    assert_eq!(verdict(&world, rows(&world), &stream).await, Verdict::Lost);
    assert_eq!(repair(&world, rows(&world), &stream).await, Effect::CaughtUp);
    assert_eq!(world.row(&stream), before);
}

// Guards: a-repair-overwrites-nothing-unexplained
#[tokio::test]
async fn a_stream_without_a_memo_is_counted_only_on_request() {
    let world = World::new();
    let stream = stream_of(&world, &["a", "b"], 0).await;
    assert_eq!(verdict(&world, words(&world), &stream).await, Verdict::Lost);
    assert_eq!(repair(&world, words(&world), &stream).await, Effect::Left);
    assert_eq!(world.tallies.counted(&stream), Version::NONE);
    let repairer = repairer(&world, words(&world), OnDivergence::Report);
    let repair = repairer.with_lost_memos(LostMemos::Count).repair(&stream).await;
    assert_eq!(repair.expect("the write succeeds").effect, Effect::CaughtUp);
    assert_eq!(verdict(&world, words(&world), &stream).await, Verdict::Current);
}

#[tokio::test]
async fn a_removed_row_is_current_while_its_tombstone_stands() {
    let world = World::new();
    let stream = stream_of(&world, &["a", REMOVE], 2).await;
    assert_eq!(verdict(&world, rows(&world), &stream).await, Verdict::Current);
    world.rows.lose(&stream);
    assert_eq!(verdict(&world, rows(&world), &stream).await, Verdict::Lost);
    assert_eq!(repair(&world, rows(&world), &stream).await, Effect::CaughtUp);
    assert_eq!(world.row(&stream), Some((Version::new(2), None)));
}

// Guards: a-repair-overwrites-nothing-unexplained
#[tokio::test]
async fn a_diverged_row_is_overwritten_only_on_request() {
    let world = World::with_pages_of(2);
    let stream = stream_of(&world, &["a", "b"], 2).await;
    let right = world.rows.rows();
    for (version, notes) in [(2, vec!["a", "x"]), (1, vec!["x"]), (2, vec!["a", "b"])] {
        world.rows.damage(damaged(&stream, version, &notes));
        let wrong = world.rows.rows();
        assert_eq!(verdict(&world, rows(&world), &stream).await, Verdict::Diverged);
        assert_eq!(repair(&world, rows(&world), &stream).await, Effect::Left);
        assert_eq!(world.rows.rows(), wrong, "a row was overwritten without a request");
        let repairer = repairer(&world, rows(&world), OnDivergence::Overwrite);
        let repair = repairer.repair(&stream).await.expect("the write succeeds");
        assert_eq!(repair.effect, Effect::Overwritten);
        assert_eq!(world.rows.rows(), right);
    }
}

#[tokio::test]
async fn a_row_within_a_commit_has_diverged() {
    let world = World::new();
    let stream = fresh();
    world.write(&stream, "both", &["a", "b"]).await.expect("the command is accepted");
    world.rows.damage(damaged(&stream, 1, &["a"]));
    assert_eq!(verdict(&world, rows(&world), &stream).await, Verdict::Diverged);
}

// Guards: a-repair-overwrites-nothing-unexplained
#[tokio::test]
async fn a_row_ahead_of_the_log_is_never_changed() {
    let world = World::new();
    let stream = stream_of(&world, &["a"], 1).await;
    world.rows.damage(damaged(&stream, 7, &["a", "b"]));
    assert_eq!(verdict(&world, rows(&world), &stream).await, Verdict::Ahead);
    let repairer = repairer(&world, rows(&world), OnDivergence::Overwrite);
    assert_eq!(repairer.repair(&stream).await.expect("the read succeeds").effect, Effect::Left);
    assert_eq!(world.row(&stream).map(|(version, _)| version), Some(Version::new(7)));
}

#[tokio::test]
async fn an_unreadable_row_is_a_finding_and_stops_no_other() {
    let world = World::new();
    let stream = stream_of(&world, &["a", UNPLACEABLE], 1).await;
    let found = verdict(&world, rows(&world), &stream).await;
    assert!(matches!(&found, Verdict::Unreadable(why) if why.contains("it has no place")));
    let other = stream_of(&world, &["b"], 1).await;
    let body = Some(Payload::encode(&7).expect("a number is JSON"));
    world.rows.damage(StoredRow { body, ..damaged(&other, 1, &[]) });
    assert!(matches!(verdict(&world, rows(&world), &other).await, Verdict::Unreadable(_)));
    assert_eq!(repair(&world, rows(&world), &other).await, Effect::Left);
}

#[tokio::test]
async fn an_unavailable_table_is_an_error_and_not_a_finding() {
    let world = World::new();
    let stream = stream_of(&world, &["a"], 1).await;
    world.rows.fail_for(Some(stream.clone()));
    let compared = rows(&world).compare(&stream, &*world.log, &*no_skips()).await;
    assert!(matches!(compared, Err(ProjectError::ReadStore(_))), "{compared:?}");
}

/// A slow log, so that other tasks run between its calls.
struct Slow(Arc<SeededRandom>);

async fn pause(random: &SeededRandom) {
    for _ in 0..random.next() % 4 {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl Amendment for Slow {
    async fn read(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        after: Version,
    ) -> Result<CommitPage, StoreError> {
        pause(&self.0).await;
        let page = log.read(stream, after).await;
        pause(&self.0).await;
        page
    }
}

// Guards: gaps-are-found-and-repaired
#[tokio::test]
async fn a_repair_beside_live_traffic_counts_nothing_twice() {
    const ROUNDS: u64 = 50;
    let world = World::with_pages_of(2);
    for seed in 0..ROUNDS {
        let stream = stream_of(&world, &["a", "b", "c", "d"], 1).await;
        let pauses = Arc::new(SeededRandom::new(seed));
        let log = Amended::of(world.log.clone(), Slow(pauses.clone()));
        for (model, projector) in [(rows(&world), world.notes()), (words(&world), world.words())] {
            let (clock, random) = (world.clock.clone(), Arc::new(SeededRandom::new(seed)));
            let ports = ProjectorPorts { log: log.clone(), skips: no_skips(), clock, random };
            let repairer = Repairer::new(model.clone(), ports, OnDivergence::Report);
            let events = world.envelopes().into_iter().filter(|event| event.stream == stream);
            let live = async {
                for event in events {
                    assert_eq!(projector.project(deliveries([event])).await, []);
                    pause(&pauses).await;
                }
            };
            let (one, other, ()) =
                join3(repairer.repair(&stream), repairer.repair(&stream), live).await;
            for repair in [one, other] {
                repair.expect("others do not stop it");
            }
            assert_eq!(verdict(&world, model, &stream).await, Verdict::Current);
        }
    }
    for note in ["a", "b", "c", "d"] {
        let counted =
            world.tallies.counter(&CounterKey::new(note.to_owned()).expect("a key"))["notes"];
        assert_eq!(u64::try_from(counted), Ok(ROUNDS));
    }
}

#[tokio::test]
async fn a_stream_that_catches_up_during_the_wait_is_not_behind() {
    let world = World::new();
    let stream = stream_of(&world, &["a", "b"], 1).await;
    let (one, other) = (world.clock.clone(), world.notes());
    let auditor = Reconciler::new(world.log.clone(), one, Duration::from_secs(5));
    let auditor = auditor.of("notes", rows(&world), no_skips());
    let streams = [stream.clone()];
    let events = deliveries(world.envelopes());
    // The projector waits for its row, and the manual clock yields instead of sleeping. So the delivery ends during the
    // wait.
    let (_, findings) = join(other.project(events), auditor.examine(&streams)).await;
    let findings = findings.expect("the read succeeds");
    assert_eq!(findings[0].comparison.verdict, Verdict::Current);
}

#[tokio::test]
async fn a_summary_counts_each_verdict() {
    let world = World::new();
    let mut summary = Summary::default();
    let current = stream_of(&world, &["a"], 1).await;
    let lost = stream_of(&world, &["a"], 0).await;
    let behind = stream_of(&world, &["a", "b"], 1).await;
    summary.add(&examine(&world, rows(&world), &current).await.comparison);
    assert!(summary.is_clean());
    for stream in [lost, behind] {
        summary.add(&examine(&world, rows(&world), &stream).await.comparison);
    }
    assert_eq!(summary, Summary { streams: 3, lost: 1, behind: 1, ..Summary::default() });
    assert!(!summary.is_clean());
}

async fn counters(world: &World, streams: &[StreamId]) -> CountersVerdict {
    let model = words(world);
    let begun = Counters::begin(&*model).await.expect("the read succeeds");
    let mut counters = begun.expect("a tally has counters");
    for stream in streams {
        counters.add(stream, &examine(world, model.clone(), stream).await.comparison);
    }
    counters.end(&*model, &ManualClock::default()).await.expect("the read succeeds")
}

async fn count_without_events(world: &World, word: &str) {
    let (stream, key) = (fresh(), CounterKey::new(word.to_owned()).expect("a key"));
    let increment = Increment { key, amounts: BTreeMap::from([("notes".to_owned(), 1)]) };
    let body = Payload::encode(&0).expect("a number is JSON");
    let memo = Memo { stream, version: Version::new(1), body, groups: Vec::new() };
    let count = Count { after: Version::NONE, memo, increments: vec![increment] };
    let counts = CountsOfShard::of(count).expect("a transaction holds it");
    world.tallies.add(&counts).await.expect("the write succeeds");
}

// Guards: gaps-are-found-and-repaired
#[tokio::test]
async fn counters_are_compared_with_the_sum_over_all_streams() {
    let world = World::with_pages_of(2);
    let streams = [
        stream_of(&world, &["a", "b"], 2).await,
        stream_of(&world, &["a", "a", "c"], 1).await,
        stream_of(&world, &["b"], 0).await,
    ];
    assert_eq!(counters(&world, &streams).await, CountersVerdict::Equal);
    count_without_events(&world, "a").await;
    let differ = Difference {
        key: OfTenant {
            tenant: TenantId::default_tenant(),
            key: CounterKey::new("a").expect("a key"),
        },
        counter: "notes".to_owned(),
        expected: 2,
        shown: 3,
    };
    assert_eq!(counters(&world, &streams).await, CountersVerdict::Differ(vec![differ]));
}

#[tokio::test]
async fn counters_that_move_meanwhile_prove_nothing() {
    let world = World::new();
    let model = words(&world);
    let begun = Counters::begin(&*model).await.expect("the read succeeds").expect("a tally");
    stream_of(&world, &["a"], 1).await;
    assert_eq!(
        begun.end(&*model, &ManualClock::default()).await.expect("the read succeeds"),
        CountersVerdict::Moved
    );
}

#[tokio::test]
async fn every_stream_is_listed_once_and_a_list_can_be_resumed() {
    let world = World::with_pages_of(2);
    let mut streams = Vec::new();
    for _ in 0..9 {
        streams.push(stream_of(&world, &["a", "b"], 0).await);
    }
    let mut listed = Vec::new();
    for segment in Segment::split(2) {
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            let page = world.log.list(segment, from.as_ref()).await.expect("the read succeeds");
            listed.extend(walk.turn(page));
        }
    }
    streams.sort();
    listed.sort();
    assert_eq!(listed, streams);
}

#[tokio::test]
async fn unpublished_events_are_found_commit_by_commit() {
    let world = World::with_pages_of(2);
    let stream = fresh();
    // One handler, because two handlers with the same seed would make the same event ids.
    let handler = world.handler::<Accounts<Plain>>();
    for (attempt, notes) in [("a", &["1", "2"][..]), ("b", &["3"]), ("c", &["4", "5"])] {
        handler.handle(&write(&stream, attempt, notes)).await.expect("the command is accepted");
    }
    let all = world.envelopes();
    let always = Timestamp::MIN..=Timestamp::MAX;
    let ids = |events: &[Envelope]| {
        events.iter().map(|it| (it.event.id, it.form)).collect::<PublishedEvents>()
    };

    let everything =
        ids(&all).lacks(&*world.log, &stream, &always).await.expect("the read succeeds");
    assert_eq!(everything, []);

    // The second event of the first commit and the whole second commit are missing.
    let heard = ids(&[all[0].clone(), all[3].clone(), all[4].clone()]);
    let lacking = heard.lacks(&*world.log, &stream, &always).await.expect("the read succeeds");
    assert_eq!(lacking.iter().map(|commit| commit.to().get()).collect::<Vec<_>>(), [2, 3]);

    let later = Timestamp::MAX..=Timestamp::MAX;
    assert_eq!(heard.lacks(&*world.log, &stream, &later).await.expect("the read succeeds"), []);
}

#[tokio::test]
async fn the_log_is_read_once_for_all_read_models() {
    let world = World::new();
    let stream = stream_of(&world, &["a", "b"], 2).await;
    let (read, grace) = (world.log.reads(), Duration::from_secs(5));
    let auditor = Reconciler::new(world.log.clone(), world.clock.clone(), grace)
        .of("notes", rows(&world), no_skips())
        .of("words", words(&world), no_skips());
    let findings = auditor.examine(std::slice::from_ref(&stream)).await.expect("the read succeeds");
    assert_eq!(findings.iter().map(|it| it.projection).collect::<Vec<_>>(), ["notes", "words"]);
    assert!(findings.iter().all(|it| it.comparison.verdict == Verdict::Current), "{findings:?}");
    assert_eq!(world.log.reads() - read, 1);
}

/// A log that appends and projects an event after its first read.
struct Meanwhile(Mutex<Option<Arc<World>>>);

#[async_trait]
impl Amendment for Meanwhile {
    async fn read(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        after: Version,
    ) -> Result<CommitPage, StoreError> {
        let page = log.read(stream, after).await;
        let first = self.0.lock().expect("nobody panics with the lock").take();
        if let Some(world) = first {
            world.write(stream, "late", &["b"]).await.expect("the command is accepted");
            assert_eq!(world.words().project(deliveries(world.envelopes())).await, []);
        }
        page
    }
}

#[tokio::test]
async fn a_read_model_that_moves_while_another_is_compared_is_not_ahead() {
    let world = Arc::new(World::new());
    let stream = stream_of(&world, &["a"], 1).await;
    let log = Amended::of(world.log.clone(), Meanwhile(Mutex::new(Some(world.clone()))));
    let auditor = Reconciler::new(log, world.clock.clone(), Duration::ZERO)
        .of("notes", rows(&world), no_skips())
        .of("words", words(&world), no_skips());
    let findings = auditor.examine(std::slice::from_ref(&stream)).await.expect("the read succeeds");
    let verdicts: Vec<_> = findings.into_iter().map(|it| it.comparison.verdict).collect();
    assert_eq!(verdicts, [Verdict::Current, Verdict::Current]);
}

/// A transaction whose second half becomes visible only after the first read.
struct HalfShown<'a>(&'a World);

#[async_trait]
impl Clock for HalfShown<'_> {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    async fn sleep(&self, _: Duration) {
        count_without_events(self.0, "b").await;
    }
}

#[tokio::test]
async fn counters_that_show_half_of_a_transaction_prove_nothing() {
    let world = World::new();
    count_without_events(&world, "a").await;
    let model = words(&world);
    let begun = Counters::begin(&*model).await.expect("the read succeeds").expect("a tally");
    let verdict = begun.end(&*model, &HalfShown(&world)).await.expect("the read succeeds");
    assert_eq!(verdict, CountersVerdict::Moved);
}
