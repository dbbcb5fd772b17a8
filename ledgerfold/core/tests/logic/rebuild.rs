//! A rebuild step by step: the effect of a step, its refusals, and the state after an interruption.

use std::{num::NonZeroU32, sync::Mutex, time::Duration};

use ledgerfold::{
    Category, Recorded, StreamId, Version,
    ports::{Clock, CounterKey, PortError, ReadStoreError, ReadTable, RowReader, Written},
    project::{Catalog, Projection},
    query::LiveRows,
    rebuild::{Plan, RebuildError, Rebuilder, Step, Verified},
    reconcile::CountersVerdict,
    vocabulary::{Generation, Generations, InvalidChange, Purpose},
};
use ledgerfold_proofs::conformance::notebook::{NotebookEvent, fresh};

use crate::{
    shelf::{Pages, UNPLACEABLE, Words, deliveries},
    stage::{PAGES, Stage, WORDS},
};

const FIRST: Generation = Generation::FIRST;

/// Streams of up to three notes, all of them projected.
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

/// Delivers all events there are.
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
    let rebuilder = stage.rebuilder(PAGES);
    let task = tokio::spawn(async move { rebuilt(&rebuilder).await });
    let switched = task.await.expect("it comes to an end");
    assert_eq!(switched.expect("it can be recorded"), Written::Done);
}

/// The generation that was live before is neither brought ahead nor removed under them.
#[tokio::test]
async fn who_asked_before_a_switch_has_time_to_read() {
    let longest = Duration::from_secs(7);
    for removed in [false, true] {
        let stage = Stage::new();
        filled(&stage, 3).await;
        let rebuilder = stage.rebuilder(PAGES).with_longest_read(longest);
        rebuilt(&rebuilder).await.expect("it can be switched to");
        for (later, waits) in [(Duration::from_secs(1), longest), (longest * 10, Duration::ZERO)] {
            stage.clock.sleep(later).await;
            let asked = stage.clock.now();
            if removed {
                rebuilder.retire().await.expect("it can be recorded");
                rebuilder.remove(&|_| ()).await.expect("it can be removed");
            } else {
                rebuilder.begin_roll_back().await.expect("it can be recorded");
                rebuilder.abandon().await.expect("it can be given up");
            }
            let waited = stage.clock.now().duration_since(asked);
            assert_eq!(Duration::try_from(waited).ok(), Some(waits));
        }
    }
}

#[tokio::test]
async fn tables_that_were_lost_are_made_again_with_equal_content() {
    let stage = Stage::new();
    filled(&stage, 9).await;
    let (first, last) = everything();
    let rows = stage.pages.rows_of(FIRST).rows();
    let counters = stage.words.tallies(FIRST).range(&first, &last).await.expect("it can be read");
    assert_eq!(rows.len(), 9);
    for projection in [PAGES, WORDS] {
        stage.memory(projection).wipe();
        let written = rebuilt(&stage.rebuilder(projection)).await;
        assert_eq!(written.expect("it can be done"), Written::Done);
    }
    let second = FIRST.next();
    assert_eq!(stage.live(PAGES).await, second);
    assert_eq!(stage.pages.rows_of(second).rows(), rows);
    let again = stage.words.tallies(second).range(&first, &last).await.expect("it can be read");
    assert_eq!(again, counters);
    assert_eq!(stage.generations.segments(), 0, "progress that is not needed is forgotten");
}

/// Whatever is the last thing that was recorded, called again it comes to the same end.
#[tokio::test]
async fn a_rebuild_is_cut_short_anywhere_and_goes_on() {
    let mut cuts = 0;
    loop {
        let stage = Stage::new();
        filled(&stage, 9).await;
        let rows = stage.pages.rows_of(FIRST).rows();
        let rebuilder = stage.rebuilder(PAGES);
        stage.generations.fail_after(cuts);
        let outcome = rebuilt(&rebuilder).await;
        stage.generations.recover();
        match outcome {
            Ok(_) => break,
            // Switched, and no more than the progress was left to be forgotten.
            Err(RebuildError::Store(_)) if stage.live(PAGES).await == FIRST.next() => {}
            Err(RebuildError::Store(_)) => {
                assert_eq!(rebuilt(&rebuilder).await.expect("it goes on"), Written::Done);
            }
            Err(other) => panic!("{other}"),
        }
        assert_eq!(stage.live(PAGES).await, FIRST.next(), "cut short after {cuts} calls");
        assert_eq!(stage.pages.rows_of(FIRST.next()).rows(), rows);
        cuts += 1;
    }
    assert!(cuts > 20, "{cuts} calls are made");
}

#[tokio::test]
async fn a_fill_goes_on_where_it_was_cut_short() {
    let stage = Stage::new();
    filled(&stage, 30).await;
    let rebuilder = stage.rebuilder(PAGES);
    let building = rebuilder.begin().await.expect("it can be recorded");
    let plan = |segments| Plan { segments, ..Plan::default() };
    stage.generations.fail_after(12);
    let cut = rebuilder.fill(&building, plan(3), &|_| ()).await;
    assert!(matches!(cut, Err(RebuildError::Store(_))), "{cut:?}");
    stage.generations.recover();

    let steps = Mutex::new(Vec::new());
    let watch = |step: Step| steps.lock().expect("nobody panics").push(step);
    // Another number of segments than before would not fit what was recorded.
    let filled = rebuilder.fill(&building, plan(5), &watch).await.expect("it goes on");
    assert_eq!((filled.streams, filled.failed), (30, 0));
    let begun = steps.lock().expect("nobody panics")[..3].to_vec();
    let begun = begun.into_iter().map(|step| match step {
        Step::Filled(progress) => (progress.of, progress.streams),
        other => panic!("{other:?}"),
    });
    let (of, streams): (Vec<_>, Vec<_>) = begun.unzip();
    assert_eq!(of, [3, 3, 3]);
    assert!(streams.iter().sum::<u64>() > 0, "something was done before: {streams:?}");
    assert_eq!(stage.pages.rows_of(FIRST.next()).rows().len(), 30);
}

#[tokio::test]
async fn the_pace_is_held() {
    let stage = Stage::new();
    filled(&stage, 40).await;
    let rebuilder = stage.rebuilder(PAGES);
    let building = rebuilder.begin().await.expect("it can be recorded");
    let begun = stage.clock.now();
    let plan = Plan { segments: 4, streams_per_second: NonZeroU32::new(10) };
    rebuilder.fill(&building, plan, &|_| ()).await.expect("it can be done");
    let took = Duration::try_from(stage.clock.now().duration_since(begun)).expect("it went on");
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test]
async fn a_generation_that_is_not_the_fold_is_switched_to_only_if_that_is_accepted() {
    let stage = Stage::new();
    let stream = filled(&stage, 3).await.swap_remove(0);
    stage.write(&stream, "poison", &[UNPLACEABLE]).await;
    let rebuilder = stage.rebuilder(PAGES);
    let building = rebuilder.begin().await.expect("it can be recorded");
    let filled = rebuilder.fill(&building, Plan::default(), &|_| ()).await.expect("it is done");
    assert_eq!((filled.streams, filled.failed), (3, 1));
    assert_eq!(filled.reasons[0].stream, stream);
    let verified = verified(&rebuilder).await.expect("it can be read");
    assert_eq!((verified.wrong(), verified.summary().unreadable), (1, 1));
    assert_eq!(verified.findings()[0].stream, stream);
    let refused = rebuilder.switch(&verified).await;
    assert!(matches!(refused, Err(RebuildError::Unsound(1))), "{refused:?}");
    assert_eq!(stage.live(PAGES).await, FIRST);
    let switched = rebuilder.switch(&verified.accepted()).await;
    assert_eq!(switched.expect("it can be recorded"), Written::Done);
}

#[tokio::test]
async fn counters_that_move_while_they_are_verified_are_said_and_those_that_are_wrong_refused() {
    let stage = Stage::new();
    let stream = filled(&stage, 2).await.swap_remove(0);
    let rebuilder = stage.rebuilder(WORDS);
    let clean = verified(&rebuilder).await.expect("it can be read");
    assert_eq!(clean.counters(), Some(&CountersVerdict::Equal));

    // A message that was lost, or is on its way: the verification counts it itself.
    stage.write(&stream, "late", &["c"]).await;
    let moved = verified(&rebuilder).await.expect("it can be read");
    assert_eq!((moved.counters(), moved.wrong()), (Some(&CountersVerdict::Moved), 0));
    let quiet = verified(&rebuilder).await.expect("it can be read");
    assert_eq!(quiet.counters(), Some(&CountersVerdict::Equal));

    let tallies = stage.words.tallies(FIRST.next());
    let memo = tallies.memo(&stream).await.expect("it can be read").expect("it is there");
    let wrong = ledgerfold::ports::Memo { version: memo.version.next(), ..memo.clone() };
    let amounts = [("notes".to_owned(), 1)].into();
    let increment =
        ledgerfold::ports::Increment { key: CounterKey::new("c").expect("a key"), amounts };
    tallies.add(memo.version, &wrong, &[increment]).await.expect("it can be written");
    let wrong = verified(&rebuilder).await.expect("it can be read");
    assert!(matches!(wrong.counters(), Some(CountersVerdict::Differ(_))), "{wrong:?}");
    assert!(rebuilder.switch(&wrong).await.is_err());
}

#[tokio::test]
async fn the_way_back_is_open_until_the_old_generation_is_removed() {
    let stage = Stage::new();
    let streams = filled(&stage, 5).await;
    let (second, rebuilder) = (FIRST.next(), stage.rebuilder(PAGES));
    rebuilt(&rebuilder).await.expect("it can be done");
    assert_eq!(rebuilder.remove(&|_| ()).await.expect("it can be done"), 0, "both are needed");
    stage.write(&streams[0], "more", &["c"]).await;
    assert_eq!(rolled_back(&rebuilder).await.expect("it can be done"), Written::Done);
    assert_eq!(stage.live(PAGES).await, FIRST);
    let rows = stage.pages.rows_of(FIRST).rows();
    let row = rows.iter().find(|row| row.stream == streams[0]).expect("it is there");
    assert_eq!(row.version, Version::new(2), "what came meanwhile is there");

    assert_eq!(rolled_back(&rebuilder).await.expect("and forth"), Written::Done);
    rebuilder.retire().await.expect("it can be recorded");
    assert_eq!(rebuilder.remove(&|_| ()).await.expect("it can be done"), 5);
    assert_eq!(stage.pages.generations(), [second]);
    let closed = rolled_back(&rebuilder).await;
    let no_previous = InvalidChange::NoPrevious;
    assert!(matches!(closed, Err(RebuildError::Change(why)) if why == no_previous));
}

#[tokio::test]
async fn a_rebuild_can_be_given_up() {
    let stage = Stage::new();
    filled(&stage, 4).await;
    let rebuilder = stage.rebuilder(PAGES);
    let verified = verified(&rebuilder).await.expect("it can be done");
    let building = rebuilder.begin().await.expect("it goes on");
    rebuilder.abandon().await.expect("it can be recorded");
    let written = rebuilder.switch(&verified).await.expect("it can be asked");
    assert_eq!(written, Written::Superseded, "it is not there any more");
    let ended = rebuilder.fill(&building, Plan::default(), &|_| ()).await;
    assert!(matches!(ended, Err(RebuildError::Ended(_))), "{ended:?}");
    assert_eq!(rebuilder.remove(&|_| ()).await.expect("it can be done"), 4);
    assert_eq!(stage.pages.generations(), [FIRST]);
    assert!(matches!(rebuilder.abandon().await, Err(RebuildError::Change(_))));
}

#[tokio::test]
async fn one_generation_is_built_at_a_time() {
    let stage = Stage::new();
    filled(&stage, 1).await;
    let rebuilder = stage.rebuilder(PAGES);
    rebuilt(&rebuilder).await.expect("it can be done");
    let rolling_back = rebuilder.begin_roll_back().await.expect("it can be recorded");
    assert_eq!(rebuilder.begin_roll_back().await.expect("it goes on"), rolling_back);
    let refused = rebuilder.begin().await;
    assert!(matches!(&refused, Err(RebuildError::Occupied(it)) if *it == rolling_back));
    rebuilder.abandon().await.expect("it can be recorded");
    let rebuilding = rebuilder.begin().await.expect("it can be recorded");
    assert_eq!(rebuilding.purpose, Purpose::Rebuild);
    assert!(matches!(rebuilder.begin_roll_back().await, Err(RebuildError::Occupied(_))));
}

#[tokio::test]
async fn streams_of_other_categories_are_left_alone() {
    let stage = Stage::new();
    filled(&stage, 4).await;
    let rebuilder = stage.rebuilder(PAGES).only(Category::from_static("diary"));
    let building = rebuilder.begin().await.expect("it can be recorded");
    let filled = rebuilder.fill(&building, Plan::default(), &|_| ()).await.expect("it is done");
    assert_eq!(filled.streams, 0);
    let verified = rebuilder.verify(&building, Plan::default(), &|_| ()).await.expect("read");
    assert_eq!(verified.summary().streams, 0);
}

/// The number of notes, where [`Pages`] has the notes themselves.
struct Counted;

impl Projection for Counted {
    type Event = NotebookEvent;
    type Row = u32;

    const REVISION: u32 = 2;

    fn evolve(row: Option<u32>, _: &Recorded<NotebookEvent>) -> Result<Option<u32>, String> {
        Ok(Some(row.unwrap_or_default() + 1))
    }
}

#[tokio::test]
async fn a_changed_projection_is_deployed_beside_the_old_one() {
    let old = Stage::new();
    let both = old.with(Catalog::new().rows::<Pages>(PAGES).rows::<Counted>(PAGES));
    let new = old.with(Catalog::new().rows::<Counted>(PAGES));
    let streams = filled(&old, 3).await;
    let rebuilder = both.rebuilder(PAGES);
    let building = rebuilder.begin().await.expect("it can be recorded");
    assert_eq!((building.generation.number, building.generation.revision), (FIRST.next(), 2));

    // A function that is still the old one: readers have what it brings, and it comes again.
    old.write(&streams[0], "more", &["c"]).await;
    let commits = old.log.commits();
    let last = commits.iter().rfind(|it| *it.stream() == streams[0]).expect("it is there");
    let batch = deliveries(last.envelopes());
    let failed = old.projector(PAGES).project(batch.clone()).await;
    assert!(failed[0].reason.contains("revision 2"), "{failed:?}");
    assert!(old.pages.rows_of(FIRST).rows().iter().any(|row| row.version == Version::new(2)));
    assert_eq!(both.projector(PAGES).project(batch).await, []);

    assert_eq!(rebuilt(&rebuilder).await.expect("it can be done"), Written::Done);
    let read = async |rows: LiveRows| rows.get(&streams[0]).await;
    let refused = read(old.live_pages()).await;
    assert!(
        matches!(refused, Err(ReadStoreError::Port(PortError::Refused(_)))),
        "the old one cannot read it"
    );
    let table = old.pages.clone();
    let rows = LiveRows::new::<Counted>(PAGES, table.clone(), old.generations.clone());
    let row = read(rows).await.expect("it can be read").expect("it is there");
    assert_eq!(row.body.expect("it has one").decode::<u32>().expect("a number"), 2);
    read(old.live_pages().also_of(2)).await.expect("who says so may read both");

    // Without the old model there is no way back, and nothing else is missed.
    let refused = rolled_back(&new.rebuilder(PAGES)).await;
    assert!(matches!(refused, Err(RebuildError::Model(_))), "{refused:?}");
    assert_eq!(new.record(PAGES).await.building(), None);
    new.write(&streams[0], "again", &["d"]).await;
    project(&new).await;
    assert_eq!(rolled_back(&rebuilder).await.expect("the old one can"), Written::Done);
    let row = read(old.live_pages()).await.expect("it can be read").expect("it is there");
    assert_eq!(row.version, Version::new(3));
}

#[tokio::test]
async fn a_catalog_has_each_projection_once_and_its_newest_revision() {
    let catalog = Catalog::new().rows::<Pages>(PAGES).tally::<Words>(WORDS).rows::<Counted>(PAGES);
    assert_eq!(catalog.projections(), [PAGES, WORDS]);
    let table = Stage::new().pages;
    let models = catalog.models(PAGES, table.clone()).expect("it is there");
    assert_eq!(models.newest(), 2);
    let record = Generations::first(1).begun(3).expect("none is built");
    let generation = record.building().expect("one is built").generation;
    assert!(models.open(generation).is_err(), "nobody has revision 3");
    assert!(catalog.models("loans", table).is_err());
}

#[tokio::test]
async fn a_row_that_cannot_be_listed_stops_no_rebuild() {
    let stage = Stage::new();
    for note in ["a", "", "c"] {
        stage.write(&fresh(), "one", &[note]).await;
    }
    let rebuilder = stage.rebuilder(PAGES);
    let building = rebuilder.begin().await.expect("none is built");
    let filled = rebuilder.fill(&building, Plan::default(), &|_| ()).await;
    let filled = filled.expect("it goes on behind what cannot be done");
    assert_eq!((filled.streams, filled.failed), (3, 1));
}
