//! Tests of the first deployment to an empty stage, with any revisions and in any order.

use futures::future::join;
use ledgerfold::{
    Recorded, StreamId, TenantId, Timestamp,
    ports::{CounterKey, ReadStoreError, RowReader, TallyReader},
    project::{Catalog, Counts, Projection, RetryScope, Tally},
    query::{LiveRows, LiveTallies},
    vocabulary::{Delivery, Generation},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::bank::NoteEvent;

use crate::{
    note_models::deliveries,
    stage::{NOTES, Stage, WORDS},
};

/// A model with rows and a model with counters, of this revision.
struct Notes<const REVISION: u32>;

impl<const REVISION: u32> Projection for Notes<REVISION> {
    type Event = NoteEvent;
    type Row = u32;

    const REVISION: u32 = REVISION;

    fn evolve(_: Option<u32>, _: &Recorded<NoteEvent>) -> Result<Option<u32>, String> {
        Ok(Some(REVISION))
    }
}

impl<const REVISION: u32> Tally for Notes<REVISION> {
    type Event = NoteEvent;
    type Memo = ();

    const REVISION: u32 = REVISION;

    fn count((): &mut (), _: &Recorded<NoteEvent>, counts: &mut Counts) -> Result<(), String> {
        counts.add(key(), "notes", REVISION.into())
    }
}

fn key() -> CounterKey {
    CounterKey::new("all").expect("a key")
}

/// Adds both models of this revision to a program.
fn with<const REVISION: u32>(catalog: Catalog) -> Catalog {
    catalog.rows::<Notes<REVISION>>(NOTES).tally::<Notes<REVISION>>(WORDS)
}

/// All programs with some of three revisions, each with its newest revision.
fn programs() -> Vec<(u32, Catalog)> {
    let add = [with::<1>, with::<2>, with::<3>];
    let of = |chosen: u32| {
        let revisions = (0..3_u32).filter(move |at| chosen & (1 << at) != 0);
        let add = |catalog, at| add[usize::try_from(at).unwrap_or_default()](catalog);
        (revisions.clone().max().unwrap_or_default() + 1, revisions.fold(Catalog::new(), add))
    };
    (1..8).map(of).collect()
}

/// The row and the counter that the readers of a program show.
async fn shown(stage: &Stage, revision: u32, stream: &StreamId) -> Result<Shown, ReadStoreError> {
    match revision {
        1 => shown_by::<1>(stage, stream).await,
        2 => shown_by::<2>(stage, stream).await,
        _ => shown_by::<3>(stage, stream).await,
    }
}

type Shown = (Option<u32>, Option<i128>);

async fn shown_by<const R: u32>(stage: &Stage, stream: &StreamId) -> Result<Shown, ReadStoreError> {
    let rows = LiveRows::new::<Notes<R>>(NOTES, stage.notes.clone(), stage.reader());
    let row = rows.get(stream).await?;
    let row = row.and_then(|row| row.body).map(|body| body.decode().expect("a number"));
    let counters = LiveTallies::new::<Notes<R>>(WORDS, stage.words.clone(), stage.reader());
    let counters = counters.range(&TenantId::default_tenant(), &key(), &key()).await?;
    Ok((row, counters.first().map(|counter| counter.amounts["notes"])))
}

/// A stage with one stream, before any deployment of projectors and readers.
async fn stage() -> (Stage, StreamId) {
    let (stage, stream) = (Stage::new(), fresh());
    stage.write(&stream, "one", &["a"]).await;
    (stage, stream)
}

fn batch(stage: &Stage) -> Vec<Delivery> {
    let commits = stage.log.commits();
    deliveries(commits.iter().flat_map(|commit| commit.envelopes().collect::<Vec<_>>()))
}

/// The first event on an empty stage.
#[derive(Clone, Copy, Debug)]
enum First {
    Batch,
    Retry,
    Rebuild,
}

async fn deploy(stage: &Stage, first: First) {
    for projection in [NOTES, WORDS] {
        let projector = stage.projector(projection);
        match first {
            First::Batch => projector.check().await.expect("the projector starts"),
            First::Retry => {
                let retries = projector.retry_parked(RetryScope::All, Timestamp::MAX).await;
                retries.expect("there is nothing to retry");
            }
            First::Rebuild => {
                let building =
                    stage.rebuilder(projection).begin().await.expect("the rebuild begins");
                assert_eq!(building.generation.number, Generation::FIRST.next());
            }
        }
        assert_eq!(projector.project(batch(stage)).await, [], "{first:?} in {projection}");
    }
}

// Guards: a-first-deployment-works-at-any-revision
#[tokio::test]
async fn every_combination_of_revisions_is_deployed_from_nothing() {
    for (newest, program) in programs() {
        for first in [First::Batch, First::Retry, First::Rebuild] {
            let (stage, stream) = stage().await;
            let stage = stage.with(program.clone());
            let before = shown(&stage, newest, &stream).await.expect("readers may come first");
            assert_eq!(before, (None, None));

            deploy(&stage, first).await;
            for projection in [NOTES, WORDS] {
                let live = stage.generations.record(projection).expect("there is a record").live();
                assert_eq!((live.number, live.revision), (Generation::FIRST, newest));
            }
            let after = shown(&stage, newest, &stream).await.expect("the read succeeds");
            assert_eq!(after, (Some(newest), Some(newest.into())), "{first:?}");
        }
    }
}

// Guards: a-first-deployment-works-at-any-revision
#[tokio::test]
async fn of_two_programs_that_start_at_once_one_decides_and_the_other_names_the_next_step() {
    for seed in 0..20 {
        let stream = fresh();
        let old = Stage::slow(seed).with(with::<2>(Catalog::new()));
        let new = old.with(with::<3>(Catalog::new()));
        old.write(&stream, "one", &["a"]).await;
        let (one, other) = (old.projector(NOTES), new.projector(NOTES));
        let outcomes = join(one.project(batch(&old)), other.project(batch(&old))).await;
        let live = old.generations.record(NOTES).expect("there is a record").live();
        let refused = match (live.revision, outcomes) {
            (2, (taken, refused)) | (3, (refused, taken)) => {
                assert_eq!(taken, []);
                refused
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(refused.len(), 1, "the message is delivered again");
        let known = if live.revision == 2 { 3 } else { 2 };
        let read = shown(&old, known, &stream).await.expect_err("it cannot read that");
        for sentence in [refused[0].reason.clone(), read.to_string()] {
            assert!(sentence.contains("rebuild it first"), "{sentence}");
        }
        let row = shown_row(&old, live.revision, &stream).await;
        assert_eq!(row, Some(live.revision), "the other revision has written a row");
    }
}

async fn shown_row(stage: &Stage, revision: u32, stream: &StreamId) -> Option<u32> {
    shown(stage, revision, stream).await.expect("the read succeeds").0
}

#[tokio::test]
async fn a_program_without_the_live_revision_does_not_start_and_names_the_next_step() {
    let (stage, _) = stage().await;
    let old = stage.with(with::<2>(Catalog::new()));
    old.projector(WORDS).check().await.expect("the first program starts");
    let new = old.with(with::<3>(Catalog::new()));
    let refused = new.projector(WORDS).check().await.expect_err("it has another revision");
    assert_eq!(
        refused.to_string(),
        "generation 1 of words is made with revision 2 of its model, and this program has 3: \
         rebuild it first (`<context>-admin rebuild words`), or deploy a program that has both"
    );
    let both = old.with(with::<3>(with::<2>(Catalog::new())));
    both.projector(WORDS).check().await.expect("a program with both revisions starts");
    stage.generations.fail_after(0);
    new.projector(WORDS).check().await.expect("an unreadable record does not prevent a start");
}
