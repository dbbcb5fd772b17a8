//! What reading streams and moving read models on costs.

use ledgerfold::{
    InvalidId, Recorded, StreamId, Version,
    command::Loader,
    ports::{CounterKey, IndexKey, Listing, RowReader},
    project::{Consumer, Counts, Projection, RowModel, Tally, TallyModel},
    query::{AuditPosition, LiveRows, Until, as_of, audit, fresh_counts},
    vocabulary::ConsistencyToken,
};
use ledgerfold_proofs::conformance::notebook::{Notebook, NotebookEvent, fresh, write};

use super::{
    NOTE_BYTES,
    desk::{Desk, handled},
    diary::Diaries,
    meter::Cost,
};

/// How many notes there are, and in which list of notebooks.
struct Pages;

impl Projection for Pages {
    type Event = NotebookEvent;
    type Row = u32;

    fn evolve(row: Option<u32>, _: &Recorded<NotebookEvent>) -> Result<Option<u32>, String> {
        Ok(Some(row.unwrap_or_default() + 1))
    }

    fn index(_: &u32) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::new("shelf", "always the same").map(Some)
    }
}

impl Tally for Pages {
    type Event = NotebookEvent;
    type Memo = u32;

    fn count(
        memo: &mut u32,
        _: &Recorded<NotebookEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        *memo += 1;
        counts.add(CounterKey::new("today").expect("a key"), "notes", 1)
    }
}

/// A notebook that was written in commands of so many notes.
async fn notebook(desk: &Desk, commands: usize, notes: usize) -> StreamId {
    let (stream, writer) = (fresh(), desk.warm::<Notebook>());
    let note = "n".repeat(NOTE_BYTES);
    for at in 0..commands {
        handled(&writer, &write(&stream, &format!("n{at}"), &vec![&*note; notes])).await;
    }
    stream
}

async fn load(desk: &Desk, stream: &StreamId, version: u64) -> Cost {
    let loader = Loader::<Notebook>::new();
    let (cost, loaded) = desk.meter.of(loader.load(&*desk.log, stream)).await;
    assert_eq!(loaded.expect("it can be loaded").version(), Version::new(version));
    cost
}

pub(super) async fn load_10(desk: &Desk) -> Cost {
    let stream = notebook(desk, 10, 1).await;
    load(desk, &stream, 10).await
}

pub(super) async fn load_3_mb(desk: &Desk) -> Cost {
    let stream = notebook(desk, 500, 10).await;
    load(desk, &stream, 5_000).await
}

pub(super) async fn load_3_mb_with_snapshots(desk: &Desk) -> Cost {
    let stream = desk.diary(NOTE_BYTES, 501, 10).await;
    let loader = Loader::<Diaries>::new();
    let (cost, loaded) = desk.meter.of(loader.load(&*desk.log, &stream)).await;
    assert_eq!(loaded.expect("it can be loaded").state().entries, 5_001);
    cost
}

pub(super) async fn as_it_was(desk: &Desk) -> Cost {
    let stream = notebook(desk, 10, 1).await;
    let until = Until::Version(Version::new(4));
    let (cost, row) = desk.meter.of(as_of::<Pages>(&*desk.log, &*desk.skips, &stream, until)).await;
    assert_eq!(row.expect("it can be read").map(|fresh| fresh.row), Some(4));
    cost
}

pub(super) async fn row_moved(desk: &Desk) -> Cost {
    let stream = notebook(desk, 2, 1).await;
    moved_after(desk, &stream, 1).await
}

/// The message before was lost, or comes later: the log has what is missing.
pub(super) async fn row_moved_over_a_gap(desk: &Desk) -> Cost {
    let stream = notebook(desk, 3, 1).await;
    moved_after(desk, &stream, 2).await
}

/// A row at version 1 moves on by the events behind this one.
async fn moved_after(desk: &Desk, stream: &StreamId, arrived_after: u64) -> Cost {
    let projector = desk.projector(RowModel::<Pages>::new(desk.rows.clone()));
    let mut first = desk.deliveries(stream, 0).await;
    first.truncate(1);
    assert_eq!(projector.project(first).await, []);
    let next = desk.deliveries(stream, arrived_after).await;
    let (cost, failed) = desk.meter.of(projector.project(next)).await;
    assert_eq!(failed, []);
    cost
}

pub(super) async fn row_read(desk: &Desk) -> Cost {
    let stream = notebook(desk, 2, 1).await;
    moved_after(desk, &stream, 1).await;
    let (cost, row) = desk.meter.of(desk.rows.get(&stream)).await;
    assert!(row.expect("it can be read").is_some());
    cost
}

/// As a projector function does: it looks which generations there are.
pub(super) async fn generation_moved(desk: &Desk) -> Cost {
    generations_moved(desk, false).await
}

/// Both the live generation and the one that is built.
pub(super) async fn two_generations_moved(desk: &Desk) -> Cost {
    generations_moved(desk, true).await
}

async fn generations_moved(desk: &Desk, is_building: bool) -> Cost {
    let stream = notebook(desk, 2, 1).await;
    let projector = desk.generational::<Pages>(is_building).await;
    let mut first = desk.deliveries(&stream, 0).await;
    let next = first.split_off(1);
    assert_eq!(projector.consume(first).await, []);
    let (cost, failed) = desk.meter.of(projector.consume(next)).await;
    assert_eq!(failed, []);
    cost
}

pub(super) async fn live_row_read(desk: &Desk) -> Cost {
    let (rows, stream) = live_rows(desk).await;
    // The first call of an environment learns what the record says.
    rows.get(&stream).await.expect("it can be read");
    let (cost, row) = desk.meter.of(rows.get(&stream)).await;
    assert!(row.expect("it can be read").is_some());
    cost
}

pub(super) async fn live_row_read_behind_a_change(desk: &Desk) -> Cost {
    let (rows, stream) = live_rows(desk).await;
    let (cost, row) = desk.meter.of(rows.get(&stream)).await;
    assert!(row.expect("it can be read").is_some());
    cost
}

async fn live_rows(desk: &Desk) -> (LiveRows, StreamId) {
    let stream = notebook(desk, 2, 1).await;
    let projector = desk.generational::<Pages>(false).await;
    assert_eq!(projector.consume(desk.deliveries(&stream, 0).await).await, []);
    (desk.live::<Pages>(), stream)
}

pub(super) async fn rows_listed(desk: &Desk) -> Cost {
    for _ in 0..20 {
        let stream = notebook(desk, 2, 1).await;
        moved_after(desk, &stream, 1).await;
    }
    let listing = Listing { partition: "shelf".parse().expect("a list"), before: None, limit: 20 };
    let (cost, rows) = desk.meter.of(desk.rows.list(&listing)).await;
    assert_eq!(rows.expect("they can be listed").len(), 20);
    cost
}

pub(super) async fn counted(desk: &Desk) -> Cost {
    counted_notebook(desk).await.0
}

async fn counted_notebook(desk: &Desk) -> (Cost, StreamId) {
    let stream = notebook(desk, 2, 1).await;
    let projector = desk.projector(TallyModel::<Pages>::new(desk.tallies.clone()));
    let mut first = desk.deliveries(&stream, 0).await;
    let next = first.split_off(1);
    assert_eq!(projector.project(first).await, []);
    let (cost, failed) = desk.meter.of(projector.project(next)).await;
    assert_eq!(failed, []);
    (cost, stream)
}

pub(super) async fn counters_read(desk: &Desk) -> Cost {
    counters_read_by(desk, None).await
}

/// By who has written the notebook: it is looked up how far that is counted, and that nothing of it is
/// under way.
pub(super) async fn counters_read_with_a_token(desk: &Desk) -> Cost {
    counters_read_by(desk, Some(Version::new(2))).await
}

async fn counters_read_by(desk: &Desk, version: Option<Version>) -> Cost {
    let stream = counted_notebook(desk).await.1;
    let token = version.map(|version| ConsistencyToken { stream, version });
    let key = CounterKey::new("today").expect("a key");
    let range = (&key, &key);
    let (tallies, log, skips) = (&*desk.tallies, &*desk.log, &*desk.skips);
    let reading = fresh_counts::<Pages>(tallies, log, skips, range, token.as_ref());
    let (cost, counters) = desk.meter.of(reading).await;
    assert!(!counters.expect("they can be read").is_empty());
    cost
}

pub(super) async fn audited(desk: &Desk) -> Cost {
    let stream = notebook(desk, 10, 1).await;
    let page = audit(&*desk.log, &stream, AuditPosition::START, 10);
    let (cost, page) = desk.meter.of(page).await;
    assert_eq!(page.expect("it can be read").events.len(), 10);
    cost
}
