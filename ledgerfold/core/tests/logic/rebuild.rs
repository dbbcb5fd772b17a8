//! Tests of a rebuild: the effect of each step, its refusals, and the state after an interruption.

use std::{num::NonZeroU32, sync::Mutex, time::Duration};

use ledgerfold::{
    Category, Recorded, StreamId, TenantId, Version,
    ports::{
        Clock, Count, CounterKey, CountsOfShard, Increment, Memo, PortError, ReadStoreError,
        ReadTable, RowReader, Written,
    },
    project::{Catalog, Projection},
    query::LiveRows,
    rebuild::{Plan, RebuildError, Rebuilder, Step, Verified},
    reconcile::CountersVerdict,
    vocabulary::{Generation, Generations, InvalidChange, Purpose},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::bank::NoteEvent;

use crate::{
    note_models::{Notes, UNPLACEABLE, Words, deliveries},
    stage::{NOTES, Stage, WORDS},
};

const FIRST: Generation = Generation::FIRST;

/// Streams with up to three notes, all projected.
async fn filled(stage: &Stage, streams: usize) -> Vec<StreamId> {
    let streams: Vec<_> = (0..streams).map(|_| fresh()).collect();
    for (at, stream) in streams.iter().enumerate() {
        for attempt in 0..=at % 3 {
            stage.write(stream, &format!("a{attempt}"), &["a", "b"][..=at % 2]).await;
        }
    }
    project(stage).await;
    streams
}

/// Delivers all events.
async fn project(stage: &Stage) {
    let commits = stage.log.commits();
    let events = commits.iter().flat_map(|commit| commit.envelopes().collect::<Vec<_>>());
    let batch = deliveries(events);
    for projection in stage.catalog.projections() {
        assert_eq!(stage.projector(projection).project(batch.clone()).await, []);
    }
}

async fn verified(rebuilder: &Rebuilder) -> Result<Verified, RebuildError> {
    let building = rebuilder.begin().await?;
    rebuilder.fill(&building, Plan::default(), &|_| ()).await?;
    rebuilder.verify(&building, Plan::default(), &|_| ()).await
}

async fn rebuilt(rebuilder: &Rebuilder) -> Result<Written, RebuildError> {
    rebuilder.switch(&verified(rebuilder).await?).await
}

async fn rolled_back(rebuilder: &Rebuilder) -> Result<Written, RebuildError> {
    let building = rebuilder.begin_roll_back().await?;
    rebuilder.fill(&building, Plan::default(), &|_| ()).await?;
    let verified = rebuilder.verify(&building, Plan::default(), &|_| ()).await?;
    rebuilder.switch(&verified).await
}

fn everything() -> (CounterKey, CounterKey) {
    (CounterKey::least(), CounterKey::new("z").expect("a key"))
}

#[tokio::test]
async fn a_rebuild_can_be_a_task_of_its_own() {
    let stage = Stage::new();
    filled(&stage, 5).await;
    let rebuilder = stage.rebuilder(NOTES);
    let task = tokio::spawn(async move { rebuilt(&rebuilder).await });
    let switched = task.await.expect("the task ends");
    assert_eq!(switched.expect("the record can be written"), Written::Done);
}

/// The former live generation is neither moved ahead nor removed while they read.
// Guards: reads-survive-a-switch
#[tokio::test]
async fn a_reader_from_before_a_switch_has_time_to_read() {
    let longest = Duration::from_secs(7);
    for removed in [false, true] {
        let stage = Stage::new();
        filled(&stage, 3).await;
        let rebuilder = stage.rebuilder(NOTES).with_longest_read(longest);
        rebuilt(&rebuilder).await.expect("the rebuild succeeds");
        for (later, waits) in [(Duration::from_secs(1), longest), (longest * 10, Duration::ZERO)] {
            stage.clock.sleep(later).await;
            let asked = stage.clock.now();
            if removed {
                rebuilder.retire().await.expect("the record can be written");
                rebuilder.remove(&|_| ()).await.expect("the removal succeeds");
            } else {
                rebuilder.begin_roll_back().await.expect("the record can be written");
                rebuilder.abandon().await.expect("the roll-back can be abandoned");
            }
            let waited = stage.clock.now().duration_since(asked);
            assert_eq!(Duration::try_from(waited).ok(), Some(waits));
        }
    }
}

// Guards: lost-tables-are-rebuilt
#[tokio::test]
async fn lost_tables_are_rebuilt_with_equal_content() {
    let stage = Stage::new();
    filled(&stage, 9).await;
    let (first, last) = everything();
    let rows = stage.notes.rows_of(FIRST).rows();
    let counters = stage
        .words
        .tallies(FIRST)
        .range(&TenantId::default_tenant(), &first, &last)
        .await
        .expect("the read succeeds");
    assert_eq!(rows.len(), 9);
    for projection in [NOTES, WORDS] {
        stage.memory(projection).wipe();
        let written = rebuilt(&stage.rebuilder(projection)).await;
        assert_eq!(written.expect("no store fails"), Written::Done);
    }
    let second = FIRST.next();
    assert_eq!(stage.live(NOTES).await, second);
    assert_eq!(stage.notes.rows_of(second).rows(), rows);
    let again = stage
        .words
        .tallies(second)
        .range(&TenantId::default_tenant(), &first, &last)
        .await
        .expect("the read succeeds");
    assert_eq!(again, counters);
    assert_eq!(stage.generations.segments(), 0, "progress that is not needed is forgotten");
}

/// After an interruption at any call, a second run comes to the same result.
// Guards: a-rebuild-can-be-interrupted
#[tokio::test]
async fn a_rebuild_resumes_after_any_interruption() {
    let mut cuts = 0;
    loop {
        let stage = Stage::new();
        filled(&stage, 9).await;
        let rows = stage.notes.rows_of(FIRST).rows();
        let rebuilder = stage.rebuilder(NOTES);
        stage.generations.fail_after(cuts);
        let outcome = rebuilt(&rebuilder).await;
        stage.generations.recover();
        match outcome {
            Ok(_) => break,
            // Switched already. Only the progress was not removed yet.
            Err(RebuildError::Store(_)) if stage.live(NOTES).await == FIRST.next() => {}
            Err(RebuildError::Store(_)) => {
                assert_eq!(rebuilt(&rebuilder).await.expect("the rebuild resumes"), Written::Done);
            }
            Err(other) => panic!("{other}"),
        }
        assert_eq!(stage.live(NOTES).await, FIRST.next(), "interrupted after {cuts} calls");
        assert_eq!(stage.notes.rows_of(FIRST.next()).rows(), rows);
        cuts += 1;
    }
    assert!(cuts > 20, "a rebuild makes {cuts} calls");
}

// Guards: a-rebuild-can-be-interrupted
#[tokio::test]
async fn a_fill_resumes_after_an_interruption() {
    let stage = Stage::new();
    filled(&stage, 30).await;
    let rebuilder = stage.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("the record can be written");
    let plan = |segments| Plan { segments, ..Plan::default() };
    stage.generations.fail_after(12);
    let cut = rebuilder.fill(&building, plan(3), &|_| ()).await;
    assert!(matches!(cut, Err(RebuildError::Store(_))), "{cut:?}");
    stage.generations.recover();

    let steps = Mutex::new(Vec::new());
    let watch = |step: Step| steps.lock().expect("nobody panics with the lock").push(step);
    // Another number of segments would not match the recorded progress.
    let filled = rebuilder.fill(&building, plan(5), &watch).await.expect("the rebuild resumes");
    assert_eq!((filled.streams, filled.failed), (30, 0));
    let begun = steps.lock().expect("nobody panics with the lock")[..3].to_vec();
    let begun = begun.into_iter().map(|step| match step {
        Step::Filled(progress) => (progress.of, progress.streams),
        other => panic!("{other:?}"),
    });
    let (of, streams): (Vec<_>, Vec<_>) = begun.unzip();
    assert_eq!(of, [3, 3, 3]);
    assert!(streams.iter().sum::<u64>() > 0, "the first run did nothing: {streams:?}");
    assert_eq!(stage.notes.rows_of(FIRST.next()).rows().len(), 30);
}

#[tokio::test]
async fn the_rate_limit_is_kept() {
    let stage = Stage::new();
    filled(&stage, 40).await;
    let rebuilder = stage.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("the record can be written");
    let begun = stage.clock.now();
    let plan = Plan { segments: 4, streams_per_second: NonZeroU32::new(10) };
    rebuilder.fill(&building, plan, &|_| ()).await.expect("no store fails");
    let took = Duration::try_from(stage.clock.now().duration_since(begun)).expect("it went on");
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(60), "{took:?}");
}

// Guards: only-a-verified-generation-becomes-live
#[tokio::test]
async fn a_wrong_generation_is_switched_to_only_if_it_is_accepted() {
    let stage = Stage::new();
    let stream = filled(&stage, 3).await.swap_remove(0);
    stage.write(&stream, "poison", &[UNPLACEABLE]).await;
    let rebuilder = stage.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("the record can be written");
    let filled = rebuilder.fill(&building, Plan::default(), &|_| ()).await.expect("no store fails");
    assert_eq!((filled.streams, filled.failed), (3, 1));
    assert_eq!(filled.reasons[0].stream, stream);
    let verified = verified(&rebuilder).await.expect("the read succeeds");
    assert_eq!((verified.wrong(), verified.summary().unreadable), (1, 1));
    assert_eq!(verified.findings()[0].stream, stream);
    let refused = rebuilder.switch(&verified).await;
    assert!(matches!(refused, Err(RebuildError::Unsound(1))), "{refused:?}");
    assert_eq!(stage.live(NOTES).await, FIRST);
    let switched = rebuilder.switch(&verified.accepted()).await;
    assert_eq!(switched.expect("the record can be written"), Written::Done);
}

#[tokio::test]
async fn moving_counters_are_reported_and_wrong_counters_prevent_the_switch() {
    let stage = Stage::new();
    let stream = filled(&stage, 2).await.swap_remove(0);
    let rebuilder = stage.rebuilder(WORDS);
    let clean = verified(&rebuilder).await.expect("the read succeeds");
    assert_eq!(clean.counters(), Some(&CountersVerdict::Equal));

    // The event of a lost or delayed message. The verification counts it.
    stage.write(&stream, "late", &["c"]).await;
    let moved = verified(&rebuilder).await.expect("the read succeeds");
    assert_eq!((moved.counters(), moved.wrong()), (Some(&CountersVerdict::Moved), 0));
    let quiet = verified(&rebuilder).await.expect("the read succeeds");
    assert_eq!(quiet.counters(), Some(&CountersVerdict::Equal));

    let tallies = stage.words.tallies(FIRST.next());
    let memo = tallies.memo(&stream).await.expect("the read succeeds").expect("it exists");
    let wrong = Memo { version: memo.version.next(), ..memo.clone() };
    let amounts = [("notes".to_owned(), 1)].into();
    let increment = Increment { key: CounterKey::new("c").expect("a key"), amounts };
    let count = Count { after: memo.version, memo: wrong, increments: vec![increment] };
    let counts = CountsOfShard::of(count).expect("a transaction holds it");
    tallies.add(&counts).await.expect("the write succeeds");
    let wrong = verified(&rebuilder).await.expect("the read succeeds");
    assert!(matches!(wrong.counters(), Some(CountersVerdict::Differ(_))), "{wrong:?}");
    assert!(rebuilder.switch(&wrong).await.is_err());
}

#[tokio::test]
async fn a_roll_back_is_possible_until_the_old_generation_is_removed() {
    let stage = Stage::new();
    let streams = filled(&stage, 5).await;
    let (second, rebuilder) = (FIRST.next(), stage.rebuilder(NOTES));
    rebuilt(&rebuilder).await.expect("no store fails");
    assert_eq!(rebuilder.remove(&|_| ()).await.expect("no store fails"), 0, "both are needed");
    stage.write(&streams[0], "more", &["c"]).await;
    assert_eq!(rolled_back(&rebuilder).await.expect("no store fails"), Written::Done);
    assert_eq!(stage.live(NOTES).await, FIRST);
    let rows = stage.notes.rows_of(FIRST).rows();
    let row = rows.iter().find(|row| row.stream == streams[0]).expect("the row exists");
    assert_eq!(row.version, Version::new(2), "the row has the event of the meantime");

    assert_eq!(rolled_back(&rebuilder).await.expect("a second roll-back"), Written::Done);
    rebuilder.retire().await.expect("the record can be written");
    assert_eq!(rebuilder.remove(&|_| ()).await.expect("no store fails"), 5);
    assert_eq!(stage.notes.generations(), [second]);
    let closed = rolled_back(&rebuilder).await;
    let no_previous = InvalidChange::NoPrevious;
    assert!(matches!(closed, Err(RebuildError::Change(why)) if why == no_previous));
}

#[tokio::test]
async fn a_rebuild_can_be_abandoned() {
    let stage = Stage::new();
    filled(&stage, 4).await;
    let rebuilder = stage.rebuilder(NOTES);
    let verified = verified(&rebuilder).await.expect("no store fails");
    let building = rebuilder.begin().await.expect("the rebuild resumes");
    rebuilder.abandon().await.expect("the record can be written");
    let written = rebuilder.switch(&verified).await.expect("no store fails");
    assert_eq!(written, Written::Superseded, "the generation is not building any more");
    let ended = rebuilder.fill(&building, Plan::default(), &|_| ()).await;
    assert!(matches!(ended, Err(RebuildError::Ended(_))), "{ended:?}");
    assert_eq!(rebuilder.remove(&|_| ()).await.expect("no store fails"), 4);
    assert_eq!(stage.notes.generations(), [FIRST]);
    assert!(matches!(rebuilder.abandon().await, Err(RebuildError::Change(_))));
}

#[tokio::test]
async fn one_generation_is_built_at_a_time() {
    let stage = Stage::new();
    filled(&stage, 1).await;
    let rebuilder = stage.rebuilder(NOTES);
    rebuilt(&rebuilder).await.expect("no store fails");
    let rolling_back = rebuilder.begin_roll_back().await.expect("the record can be written");
    assert_eq!(rebuilder.begin_roll_back().await.expect("the rebuild resumes"), rolling_back);
    let refused = rebuilder.begin().await;
    assert!(matches!(&refused, Err(RebuildError::Occupied(it)) if *it == rolling_back));
    rebuilder.abandon().await.expect("the record can be written");
    let rebuilding = rebuilder.begin().await.expect("the record can be written");
    assert_eq!(rebuilding.purpose, Purpose::Rebuild);
    assert!(matches!(rebuilder.begin_roll_back().await, Err(RebuildError::Occupied(_))));
}

#[tokio::test]
async fn streams_of_other_categories_are_left_alone() {
    let stage = Stage::new();
    filled(&stage, 4).await;
    let rebuilder = stage.rebuilder(NOTES).only(Category::from_static("diary"));
    let building = rebuilder.begin().await.expect("the record can be written");
    let filled = rebuilder.fill(&building, Plan::default(), &|_| ()).await.expect("no store fails");
    assert_eq!(filled.streams, 0);
    let verified = rebuilder.verify(&building, Plan::default(), &|_| ()).await.expect("read");
    assert_eq!(verified.summary().streams, 0);
}

/// A changed model of [`Notes`]: the number of notes instead of the notes.
struct Counted;

impl Projection for Counted {
    type Event = NoteEvent;
    type Row = u32;

    const REVISION: u32 = 2;

    fn evolve(row: Option<u32>, _: &Recorded<NoteEvent>) -> Result<Option<u32>, String> {
        Ok(Some(row.unwrap_or_default() + 1))
    }
}

// Guards: a-changed-model-is-deployed-beside-the-old
#[tokio::test]
async fn a_changed_projection_is_deployed_beside_the_old_one() {
    let old = Stage::new();
    let both = old.with(Catalog::new().rows::<Notes>(NOTES).rows::<Counted>(NOTES));
    let new = old.with(Catalog::new().rows::<Counted>(NOTES));
    let streams = filled(&old, 3).await;
    let rebuilder = both.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("the record can be written");
    assert_eq!((building.generation.number, building.generation.revision), (FIRST.next(), 2));

    // A function with the old code updates the live generation, and its message is delivered again.
    old.write(&streams[0], "more", &["c"]).await;
    let commits = old.log.commits();
    let last = commits.iter().rfind(|it| *it.stream() == streams[0]).expect("it exists");
    let batch = deliveries(last.envelopes());
    let failed = old.projector(NOTES).project(batch.clone()).await;
    assert!(failed[0].reason.contains("revision 2"), "{failed:?}");
    assert!(old.notes.rows_of(FIRST).rows().iter().any(|row| row.version == Version::new(2)));
    assert_eq!(both.projector(NOTES).project(batch).await, []);

    assert_eq!(rebuilt(&rebuilder).await.expect("no store fails"), Written::Done);
    let read = async |rows: LiveRows| rows.get(&streams[0]).await;
    let refused = read(old.live_notes()).await;
    assert!(
        matches!(refused, Err(ReadStoreError::Port(PortError::Refused(_)))),
        "the old one cannot read it"
    );
    let table = old.notes.clone();
    let rows = LiveRows::new::<Counted>(NOTES, table.clone(), old.reader());
    let row = read(rows).await.expect("the read succeeds").expect("it exists");
    assert_eq!(row.body.expect("there is a body").decode::<u32>().expect("a number"), 2);
    read(old.live_notes().also_of(2)).await.expect("a reader of both revisions");

    // Without the old model there is no roll-back.
    let refused = rolled_back(&new.rebuilder(NOTES)).await;
    assert!(matches!(refused, Err(RebuildError::Model(_))), "{refused:?}");
    assert_eq!(new.record(NOTES).await.building(), None);
    new.write(&streams[0], "again", &["d"]).await;
    project(&new).await;
    assert_eq!(rolled_back(&rebuilder).await.expect("the old program can"), Written::Done);
    let row = read(old.live_notes()).await.expect("the read succeeds").expect("it exists");
    assert_eq!(row.version, Version::new(3));
}

#[tokio::test]
async fn a_catalog_has_each_projection_once_and_its_newest_revision() {
    let catalog = Catalog::new().rows::<Notes>(NOTES).tally::<Words>(WORDS).rows::<Counted>(NOTES);
    assert_eq!(catalog.projections(), [NOTES, WORDS]);
    let table = Stage::new().notes;
    let models = catalog.models(NOTES, table.clone()).expect("it exists");
    assert_eq!(models.newest(), 2);
    let record = Generations::first(1).begun(3).expect("none is building");
    let generation = record.building().expect("one is building").generation;
    assert!(models.open(generation).is_err(), "the catalog does not have revision 3");
    assert!(catalog.models("loans", table).is_err());
}

// Guards: a-refused-row-stops-only-its-stream
#[tokio::test]
async fn a_row_that_cannot_be_listed_stops_no_rebuild() {
    let stage = Stage::new();
    for note in ["a", "", "c"] {
        stage.write(&fresh(), "one", &[note]).await;
    }
    let rebuilder = stage.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("none is building");
    let filled = rebuilder.fill(&building, Plan::default(), &|_| ()).await;
    let filled = filled.expect("the fill goes on after a failed stream");
    assert_eq!((filled.streams, filled.failed), (3, 1));
}
