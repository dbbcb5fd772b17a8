//! Tests of skipped events: all folds of the projection leave them out.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    Actor, Envelope, Payload, Recorded, StreamId, Timestamp, Version,
    ports::{CounterKey, Signature, Skip, SkipReason, SkipRegister, Written},
    project::{
        Comparison, Counts, Projection, ProjectorPorts, RetryScope, RetrySummary, RowModel, Tally,
        TallyModel, Verdict, Verifiable,
    },
    query::{Until, as_of, fresh_counts, fresh_row},
    rebuild::Plan,
    reconcile::{Counters, CountersVerdict, Effect, OnDivergence, Reconciler, Repairer},
    vocabulary::ConsistencyToken,
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::bank::NoteEvent;
use ledgerfold_testkit::{ManualClock, MemoryQuarantine, SeededRandom};

use super::{FailingWords, FixedNotes, from, notes, retry_parked, take, world_with, write};
use crate::{
    note_models::{Notes, UNPLACEABLE, World, deliveries},
    stage::{NOTES, Stage, WORDS},
};

/// A tally that counts an event before it returns an error for it.
struct LateFailingWords;

impl Tally for LateFailingWords {
    type Event = NoteEvent;
    type Memo = u64;

    fn count(
        memo: &mut u64,
        event: &Recorded<NoteEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        *memo += 1;
        counts.add(CounterKey::new("all").expect("a key"), "notes", 1)?;
        FailingWords::count(memo, event, counts)
    }
}

pub(super) fn skip(stream: &StreamId, version: u64) -> Skip {
    Skip {
        stream: stream.clone(),
        version: Version::new(version),
        reason: SkipReason::new("it has no place, and needs none").expect("one line"),
        by: by("operator"),
    }
}

fn by(actor: &str) -> Signature {
    let at = "2026-11-27T09:00:00Z".parse().expect("an instant");
    Signature { actor: Actor::new(actor).expect("visible ASCII"), at }
}

async fn record(register: &MemoryQuarantine, skip: &Skip) {
    register.record(skip).await.expect("the event blocks its stream");
}

/// A world in which version 2 of a stream is parked for the pages.
async fn parked() -> (World, StreamId) {
    let (world, stream) = world_with(&["a", UNPLACEABLE, "b", "c"]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    assert_eq!(notes(&world, &stream), ["a"]);
    (world, stream)
}

/// The same world with version 2 skipped, before any retry.
async fn skipped() -> (World, StreamId) {
    let (world, stream) = parked().await;
    record(&world.parked_notes, &skip(&stream, 2)).await;
    (world, stream)
}

fn rows<P: Projection>(world: &World) -> Arc<dyn Verifiable> {
    Arc::new(RowModel::<P>::new(world.rows.clone()))
}

async fn compare(world: &World, model: Arc<dyn Verifiable>, stream: &StreamId) -> Comparison {
    let auditor = Reconciler::new(world.log.clone(), world.clock.clone(), Duration::ZERO);
    let parked = world.parked_notes.clone();
    let auditor = auditor.of_parking("notes", model, parked.clone(), parked);
    let mut findings = auditor.examine(std::slice::from_ref(stream)).await.expect("readable");
    findings.remove(0).comparison
}

async fn repair(world: &World, model: Arc<dyn Verifiable>, stream: &StreamId) -> Effect {
    let parked = world.parked_notes.clone();
    let ports = ProjectorPorts {
        log: world.log.clone(),
        skips: parked.clone(),
        clock: world.clock.clone(),
        random: Arc::new(SeededRandom::new(1)),
    };
    let repairer = Repairer::new(model, ports, OnDivergence::Overwrite);
    repairer.with_quarantine(parked).repair(stream).await.expect("no store fails").effect
}

#[tokio::test]
async fn a_retry_moves_the_stream_past_a_skipped_event() {
    let (world, stream) = skipped().await;
    let recovered = RetrySummary { recovered: 1, parked: 0 };
    assert_eq!(retry_parked(&world, &world.notes(), RetryScope::All).await, recovered);
    assert_eq!(world.row(&stream).map(|(version, _)| version), Some(Version::new(4)));
    assert_eq!(notes(&world, &stream), ["a", "b", "c"]);
    assert_eq!(world.parked_notes.parked(), []);
}

#[tokio::test]
async fn the_next_event_releases_the_stream_if_no_retry_followed_the_skip() {
    let (world, stream) = skipped().await;
    write(&world, &stream, &["d"]).await;
    take(&world.notes(), from(&world, &stream, 5)).await;
    assert_eq!(notes(&world, &stream), ["a", "b", "c", "d"]);
    assert_eq!(world.parked_notes.parked(), []);
}

#[tokio::test]
async fn skips_are_read_for_events_that_cannot_be_applied_and_for_no_others() {
    let (world, stream) = skipped().await;
    retry_parked(&world, &world.notes(), RetryScope::All).await;
    let asked = world.parked_notes.skips_asked();
    assert!(asked > 0, "the event was looked up");
    write(&world, &stream, &["d"]).await;
    take(&world.notes(), from(&world, &stream, 5)).await;
    let other = fresh();
    write(&world, &other, &["a", "b"]).await;
    take(&world.notes(), from(&world, &other, 1)).await;
    compare(&world, rows::<Notes>(&world), &other).await;
    assert_eq!(world.parked_notes.skips_asked(), asked);
}

#[tokio::test]
async fn an_event_is_skipped_for_one_projection_only() {
    let (world, stream) = world_with(&["a", UNPLACEABLE, "b"]).await;
    let words = world.tally_of::<FailingWords>();
    for projector in [world.notes(), words.clone()] {
        take(&projector, from(&world, &stream, 1)).await;
    }
    record(&world.parked_notes, &skip(&stream, 2)).await;
    let still = RetrySummary { recovered: 0, parked: 1 };
    assert_eq!(retry_parked(&world, &words, RetryScope::All).await, still);
    assert_eq!(
        retry_parked(&world, &world.notes(), RetryScope::All).await,
        RetrySummary { recovered: 1, parked: 0 }
    );
}

#[tokio::test]
async fn several_events_of_a_stream_are_skipped_one_after_the_other() {
    let (world, stream) = world_with(&["a", UNPLACEABLE, "b", UNPLACEABLE, "c"]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    for version in [2, 4] {
        let parked = world.parked_notes.parked();
        assert_eq!(parked[0].version, Some(Version::new(version)));
        record(&world.parked_notes, &skip(&stream, version)).await;
        retry_parked(&world, &world.notes(), RetryScope::All).await;
    }
    assert_eq!(notes(&world, &stream), ["a", "b", "c"]);
    assert_eq!(world.parked_notes.parked(), []);
}

#[tokio::test]
async fn the_rest_of_its_commit_is_applied() {
    let (world, stream) = (World::new(), fresh());
    world.write(&stream, "one", &["a", UNPLACEABLE, "b"]).await.expect("the command is accepted");
    take(&world.notes(), from(&world, &stream, 1)).await;
    assert_eq!(notes(&world, &stream), Vec::<String>::new());
    record(&world.parked_notes, &skip(&stream, 2)).await;
    retry_parked(&world, &world.notes(), RetryScope::All).await;
    assert_eq!(notes(&world, &stream), ["a", "b"]);
}

#[tokio::test]
async fn an_event_that_can_be_applied_is_applied_though_it_was_skipped() {
    let (world, stream) = skipped().await;
    retry_parked(&world, &world.rows_of::<FixedNotes>(), RetryScope::All).await;
    assert_eq!(notes(&world, &stream), ["a", UNPLACEABLE, "b", "c"]);
}

#[tokio::test]
async fn no_event_is_skipped_because_of_a_wrong_message() {
    let (world, stream) = skipped().await;
    let mut events: Vec<Envelope> = world.envelopes().into_iter().skip(1).collect();
    for event in &mut events {
        event.event.data = Payload::encode(&7).expect("a number is JSON");
    }
    take(&world.rows_of::<FixedNotes>(), deliveries(events)).await;
    assert_eq!(notes(&world, &stream), ["a", UNPLACEABLE, "b", "c"], "as in the log");
}

#[tokio::test]
async fn a_stream_is_not_parked_while_its_skips_cannot_be_read() {
    let (world, stream) = world_with(&["a", UNPLACEABLE]).await;
    world.parked_notes.fail_skips(true);
    let failed = world.notes().project(from(&world, &stream, 1)).await;
    assert_eq!(failed.len(), 2, "{failed:?}");
    let reason = &failed[0].reason;
    assert!(reason.contains("it has no place; and the skips of the stream"), "{reason}");
    assert_eq!(world.parked_notes.parked(), []);
}

#[tokio::test]
async fn a_skipped_event_counts_nothing() {
    let (world, stream) = world_with(&["a", "a", UNPLACEABLE, "a"]).await;
    let words = world.tally_of::<LateFailingWords>();
    take(&words, from(&world, &stream, 1)).await;
    record(&world.parked_words, &skip(&stream, 3)).await;
    assert_eq!(
        retry_parked(&world, &words, RetryScope::All).await,
        RetrySummary { recovered: 1, parked: 0 }
    );
    take(&words, from(&world, &stream, 1)).await;
    let counted =
        |word: &str| world.tallies.counter(&CounterKey::new(word).expect("a key"))["notes"];
    assert_eq!((counted("all"), counted("a")), (3, 3));

    let model = Arc::new(TallyModel::<LateFailingWords>::new(world.tallies.clone()));
    let begun = Counters::begin(&*model).await.expect("readable");
    let mut counters = begun.expect("a tally has counters");
    let auditor = Reconciler::new(world.log.clone(), world.clock.clone(), Duration::ZERO);
    let auditor = auditor.of("words", model.clone(), world.parked_words.clone());
    let findings = auditor.examine(std::slice::from_ref(&stream)).await.expect("readable");
    assert_eq!(findings[0].comparison.verdict, Verdict::Current);
    counters.add(&findings[0].stream, &findings[0].comparison);
    assert_eq!(
        counters.end(&*model, &ManualClock::default()).await.expect("readable"),
        CountersVerdict::Equal
    );
}

// Guards: only-an-operator-skips-an-event
#[tokio::test]
async fn the_audit_reports_the_row_as_current_and_lists_its_skips() {
    let (world, stream) = skipped().await;
    let model = rows::<Notes>(&world);
    let waiting = compare(&world, model.clone(), &stream).await;
    assert!(matches!(waiting.verdict, Verdict::Parked(_)), "the stream is still parked");
    assert_eq!(repair(&world, model.clone(), &stream).await, Effect::CaughtUp);
    let compared = compare(&world, model, &stream).await;
    assert_eq!(compared.verdict, Verdict::Current);
    assert_eq!(compared.skipped, [skip(&stream, 2)]);
}

#[tokio::test]
async fn after_a_withdrawn_skip_the_audit_finds_the_row_and_a_repair_rewrites_it() {
    let (world, stream) = skipped().await;
    retry_parked(&world, &world.notes(), RetryScope::All).await;
    let withdrawn = world.parked_notes.withdraw(&stream, Version::new(2), &by("other")).await;
    assert_eq!(withdrawn.expect("the write succeeds"), Some(skip(&stream, 2)));
    let unfixed = compare(&world, rows::<Notes>(&world), &stream).await;
    assert!(matches!(unfixed.verdict, Verdict::Unreadable(_)), "{unfixed:?}");

    let fixed = rows::<FixedNotes>(&world);
    assert_eq!(compare(&world, fixed.clone(), &stream).await.verdict, Verdict::Diverged);
    assert_eq!(repair(&world, fixed.clone(), &stream).await, Effect::Overwritten);
    assert_eq!(notes(&world, &stream), ["a", UNPLACEABLE, "b", "c"]);
    assert_eq!(compare(&world, fixed, &stream).await.verdict, Verdict::Current);
}

// Guards: only-an-operator-skips-an-event
#[tokio::test]
async fn queries_leave_out_a_skipped_event() {
    let (world, stream) = parked().await;
    let token = ConsistencyToken { stream: stream.clone(), version: Version::new(4) };
    let (rows, log, skips) = (&*world.rows, &*world.log, &*world.parked_notes);
    let seen = fresh_row::<Notes>(rows, log, skips, &stream, Some(&token)).await;
    assert!(seen.is_err(), "the event is not skipped yet");
    record(skips, &skip(&stream, 2)).await;
    let seen = fresh_row::<Notes>(rows, log, skips, &stream, Some(&token)).await;
    let seen = seen.expect("readable").expect("it exists");
    assert_eq!((seen.row.concat(), seen.version), ("abc".to_owned(), Version::new(4)));
    for (until, expected) in [(1, "a"), (2, "a"), (3, "ab"), (4, "abc")] {
        let until = Until::Version(Version::new(until));
        let past = as_of::<Notes>(log, skips, &stream, until).await.expect("readable");
        assert_eq!(past.map(|past| past.row.concat()).as_deref(), Some(expected), "{until:?}");
    }
}

#[tokio::test]
async fn a_query_of_counters_counts_nothing_for_a_skipped_event() {
    let (world, stream) = world_with(&["a", UNPLACEABLE, "a"]).await;
    take(&world.tally_of::<FailingWords>(), from(&world, &stream, 1)).await;
    record(&world.parked_words, &skip(&stream, 2)).await;
    let token = ConsistencyToken { stream: stream.clone(), version: Version::new(3) };
    let (first, last) =
        (CounterKey::new("a").expect("a key"), CounterKey::new("~").expect("a key"));
    let (tallies, log, skips) = (&*world.tallies, &*world.log, &*world.parked_words);
    let range = (stream.tenant(), &first, &last);
    let shown = fresh_counts::<FailingWords>(tallies, log, skips, range, Some(&token)).await;
    let shown = shown.expect("readable");
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0].amounts["notes"], 2);
}

/// A stage whose live pages have parked version 2 of a stream.
async fn stage_with_a_parked_stream() -> (Stage, StreamId) {
    let (stage, stream) = (Stage::new(), fresh());
    for (at, note) in ["a", UNPLACEABLE, "b"].into_iter().enumerate() {
        stage.write(&stream, &at.to_string(), &[note]).await;
    }
    let projector = stage.projector(NOTES).with_quarantine(stage.parked(NOTES));
    let commits = stage.log.commits();
    let events = commits.iter().flat_map(|commit| commit.envelopes().collect::<Vec<_>>());
    assert_eq!(projector.project(deliveries(events)).await, []);
    assert_eq!(stage.parked_notes.parked().len(), 1);
    (stage, stream)
}

// Guards: only-an-operator-skips-an-event
#[tokio::test]
async fn every_generation_leaves_out_a_skipped_event_and_a_rebuild_reports_it() {
    let (stage, stream) = stage_with_a_parked_stream().await;
    let rebuilder = stage.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("the record can be written");
    let verified = rebuilder.verify(&building, Plan::default(), &|_| ()).await.expect("readable");
    assert_eq!(verified.wrong(), 1, "the event is not skipped yet");

    record(&stage.parked_notes, &skip(&stream, 2)).await;
    let filled = rebuilder.fill(&building, Plan::default(), &|_| ()).await.expect("readable");
    assert_eq!((filled.streams, filled.failed), (1, 0));
    let verified = rebuilder.verify(&building, Plan::default(), &|_| ()).await.expect("readable");
    assert_eq!((verified.wrong(), verified.summary().skipped), (0, 1));
    assert_eq!(verified.skipped(), [skip(&stream, 2)]);
    assert_eq!(rebuilder.switch(&verified).await.expect("nothing is wrong"), Written::Done);

    // The live and the previous generation both apply the next event.
    stage.write(&stream, "next", &["c"]).await;
    let commits = stage.log.commits();
    let newest: Vec<_> = commits.last().expect("the commit was written").envelopes().collect();
    let projector = stage.projector(NOTES).with_quarantine(stage.parked(NOTES));
    assert_eq!(projector.project(deliveries(newest)).await, []);
    let retries =
        projector.retry_parked(RetryScope::All, Timestamp::MAX).await.expect("the retry begins");
    assert_eq!(retries, RetrySummary { recovered: 1, parked: 0 });
    for generation in [building.generation.number, ledgerfold::vocabulary::Generation::FIRST] {
        let rows = stage.notes.rows_of(generation).rows();
        assert_eq!(rows[0].version, Version::new(4), "generation {generation}");
        let notes: Vec<String> = rows[0].body.as_ref().expect("it exists").decode().expect("texts");
        assert_eq!(notes, ["a", "b", "c"], "generation {generation}");
    }
    let back = rebuilder.begin_roll_back().await.expect("there is a previous generation");
    let verified = rebuilder.verify(&back, Plan::default(), &|_| ()).await.expect("readable");
    assert_eq!((verified.wrong(), verified.summary().skipped), (0, 1));
    assert_eq!(stage.parked(WORDS).skips(), []);
}
