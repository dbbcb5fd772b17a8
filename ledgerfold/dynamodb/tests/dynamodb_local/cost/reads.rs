//! The cost of reading streams and of updating read models.

use ledgerfold::{
    InvalidId, Recorded, StreamId, TenantId, Version,
    command::Loader,
    ports::{CounterKey, CounterShard, IndexKey, Listing, RowReader},
    project::{Counts, Projection, RowModel, Tally, TallyModel},
    query::{AuditPosition, LiveRows, Until, as_of, audit, fresh_counts},
    vocabulary::{ConsistencyToken, Delivery, Generations, Receipt},
};
use ledgerfold_proofs::conformance::requests::{fresh, write};
use ledgerfold_testkit::bank::{Accounts, NoteEvent, Plain};

use super::{
    NOTE_BYTES,
    fixture::{Fixture, handled},
    history::{self, Snapshotted},
    meter::Cost,
};

/// The number of notes, and a list that contains all accounts.
struct NoteCount;

impl Projection for NoteCount {
    type Event = NoteEvent;
    type Row = u32;

    fn evolve(row: Option<u32>, _: &Recorded<NoteEvent>) -> Result<Option<u32>, String> {
        Ok(Some(row.unwrap_or_default() + 1))
    }

    fn index(_: &u32) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::new("all", "always the same").map(Some)
    }
}

impl Tally for NoteCount {
    type Event = NoteEvent;
    type Memo = u32;

    fn count(memo: &mut u32, _: &Recorded<NoteEvent>, counts: &mut Counts) -> Result<(), String> {
        *memo += 1;
        counts.add(CounterKey::new("today").expect("a key"), "notes", 1)
    }
}

/// An account, written in commands of this many notes.
async fn account(fixture: &Fixture, commands: usize, notes: usize) -> StreamId {
    let (stream, writer) = (fresh(), fixture.warm::<Accounts<Plain>>());
    let note = "n".repeat(NOTE_BYTES);
    for at in 0..commands {
        handled(&writer, &write(&stream, &format!("n{at}"), &vec![&*note; notes])).await;
    }
    stream
}

async fn load(fixture: &Fixture, stream: &StreamId, version: u64) -> Cost {
    let loader = Loader::<Accounts<Plain>>::new();
    let (cost, loaded) = fixture.meter.of(loader.load(&*fixture.log, stream)).await;
    assert_eq!(loaded.expect("it can be loaded").version(), Version::new(version));
    cost
}

pub(super) async fn load_10(fixture: &Fixture) -> Cost {
    let stream = account(fixture, 10, 1).await;
    load(fixture, &stream, 10).await
}

pub(super) async fn load_3_mb(fixture: &Fixture) -> Cost {
    let stream = account(fixture, 500, 10).await;
    load(fixture, &stream, 5_000).await
}

pub(super) async fn load_3_mb_with_snapshots(fixture: &Fixture) -> Cost {
    let stream = history::account(fixture, NOTE_BYTES, 501, 10).await;
    let loader = Loader::<Accounts<Snapshotted>>::new();
    let (cost, loaded) = fixture.meter.of(loader.load(&*fixture.log, &stream)).await;
    assert_eq!(loaded.expect("it can be loaded").state().events, 5_001);
    cost
}

pub(super) async fn as_it_was(fixture: &Fixture) -> Cost {
    let stream = account(fixture, 10, 1).await;
    let until = Until::Version(Version::new(4));
    let (cost, row) =
        fixture.meter.of(as_of::<NoteCount>(&*fixture.log, &*fixture.skips, &stream, until)).await;
    assert_eq!(row.expect("it can be read").map(|fresh| fresh.row), Some(4));
    cost
}

pub(super) async fn row_moved(fixture: &Fixture) -> Cost {
    let stream = account(fixture, 2, 1).await;
    moved_after(fixture, &stream, 1).await
}

/// The message before this one was lost or is late, so the projector reads the missing events from the log.
pub(super) async fn row_moved_over_a_gap(fixture: &Fixture) -> Cost {
    let stream = account(fixture, 3, 1).await;
    moved_after(fixture, &stream, 2).await
}

/// Delivers the events after this version to a row at version 1.
async fn moved_after(fixture: &Fixture, stream: &StreamId, arrived_after: u64) -> Cost {
    let projector = fixture.projector(RowModel::<NoteCount>::new(fixture.rows.clone()));
    let mut first = fixture.deliveries(stream, 0).await;
    first.truncate(1);
    assert_eq!(projector.project(first).await, []);
    let next = fixture.deliveries(stream, arrived_after).await;
    let (cost, failed) = fixture.meter.of(projector.project(next)).await;
    assert_eq!(failed, []);
    cost
}

pub(super) async fn ten_rows_moved(fixture: &Fixture) -> Cost {
    let projector = fixture.projector(RowModel::<NoteCount>::new(fixture.rows.clone()));
    let mut batch = Vec::new();
    for _ in 0..10 {
        let stream = account(fixture, 1, 1).await;
        batch.extend(fixture.deliveries(&stream, 0).await);
    }
    number(&mut batch);
    let (cost, failed) = fixture.meter.of(projector.project(batch)).await;
    assert_eq!(failed, []);
    cost
}

/// The first event of each of 20 streams.
pub(super) async fn twenty_counted(fixture: &Fixture) -> Cost {
    let projector = fixture.projector(TallyModel::<NoteCount>::new(fixture.tallies.clone()));
    let mut batch = Vec::new();
    while batch.len() < 20 {
        let stream = fresh();
        if CounterShard::of(&stream) == CounterShard::all().next().expect("there are some") {
            let writer = fixture.warm::<Accounts<Plain>>();
            handled(&writer, &write(&stream, "n", &["a note"])).await;
            batch.extend(fixture.deliveries(&stream, 0).await);
        }
    }
    number(&mut batch);
    let (cost, failed) = fixture.meter.of(projector.project(batch)).await;
    assert_eq!(failed, []);
    cost
}

/// Gives each message of a batch a receipt of its own.
fn number(batch: &mut [Delivery]) {
    for (at, delivery) in batch.iter_mut().enumerate() {
        delivery.receipt = Receipt(at.to_string());
    }
}

pub(super) async fn row_read(fixture: &Fixture) -> Cost {
    let stream = account(fixture, 2, 1).await;
    moved_after(fixture, &stream, 1).await;
    let (cost, row) = fixture.meter.of(fixture.rows.get(&stream)).await;
    assert!(row.expect("it can be read").is_some());
    cost
}

/// Like a projector function, which reads the generations first.
pub(super) async fn generation_moved(fixture: &Fixture) -> Cost {
    generations_moved(fixture, false).await
}

/// The live generation and the one under construction.
pub(super) async fn two_generations_moved(fixture: &Fixture) -> Cost {
    generations_moved(fixture, true).await
}

async fn generations_moved(fixture: &Fixture, is_building: bool) -> Cost {
    let stream = account(fixture, 2, 1).await;
    moved_in_generations(fixture, &stream, is_building).await
}

/// The last of three events arrives, and both generations lack the second one. They read it from the log once.
pub(super) async fn gap_shared(fixture: &Fixture) -> Cost {
    let stream = account(fixture, 3, 1).await;
    moved_in_generations(fixture, &stream, true).await
}

/// Delivers the first event of a stream and then the last one.
async fn moved_in_generations(fixture: &Fixture, stream: &StreamId, is_building: bool) -> Cost {
    let projector = fixture.generational::<NoteCount>(is_building).await;
    let mut first = fixture.deliveries(stream, 0).await;
    let next = first.split_off(first.len() - 1);
    first.truncate(1);
    assert_eq!(projector.project(first).await, []);
    let (cost, failed) = fixture.meter.of(projector.project(next)).await;
    assert_eq!(failed, []);
    cost
}

pub(super) async fn live_row_read(fixture: &Fixture) -> Cost {
    let (rows, stream) = live_rows(fixture).await;
    // The first call of an environment has to read the record.
    rows.get(&stream).await.expect("it can be read");
    let (cost, row) = fixture.meter.of(rows.get(&stream)).await;
    assert!(row.expect("it can be read").is_some());
    cost
}

pub(super) async fn live_row_read_behind_a_change(fixture: &Fixture) -> Cost {
    let (rows, stream) = live_rows(fixture).await;
    let (cost, row) = fixture.meter.of(rows.get(&stream)).await;
    assert!(row.expect("it can be read").is_some());
    cost
}

/// A change has marked the copies and is not done, so every reader reads the record itself.
pub(super) async fn live_row_read_during_a_change(fixture: &Fixture) -> Cost {
    let (rows, stream) = live_rows(fixture).await;
    rows.get(&stream).await.expect("it can be read");
    fixture.mark_copies().await;
    let (cost, row) = fixture.meter.of(rows.get(&stream)).await;
    assert!(row.expect("it can be read").is_some());
    cost
}

/// The beginning of a rebuild. A switch and an abandonment cost the same.
pub(super) async fn generations_changed(fixture: &Fixture) -> Cost {
    let first = Generations::first(1);
    fixture.change(&first).await;
    let begun = first.begun(1).expect("none is built");
    fixture.meter.of(fixture.change(&begun)).await.0
}

async fn live_rows(fixture: &Fixture) -> (LiveRows, StreamId) {
    let stream = account(fixture, 2, 1).await;
    let projector = fixture.generational::<NoteCount>(false).await;
    assert_eq!(projector.project(fixture.deliveries(&stream, 0).await).await, []);
    (fixture.live::<NoteCount>(), stream)
}

pub(super) async fn rows_listed(fixture: &Fixture) -> Cost {
    for _ in 0..20 {
        let stream = account(fixture, 2, 1).await;
        moved_after(fixture, &stream, 1).await;
    }
    let listing = Listing {
        tenant: TenantId::default_tenant(),
        partition: "all".parse().expect("a list"),
        before: None,
        limit: 20,
    };
    let (cost, rows) = fixture.meter.of(fixture.rows.list(&listing)).await;
    assert_eq!(rows.expect("they can be listed").len(), 20);
    cost
}

pub(super) async fn counted(fixture: &Fixture) -> Cost {
    counted_account(fixture).await.0
}

async fn counted_account(fixture: &Fixture) -> (Cost, StreamId) {
    let stream = account(fixture, 2, 1).await;
    let projector = fixture.projector(TallyModel::<NoteCount>::new(fixture.tallies.clone()));
    let mut first = fixture.deliveries(&stream, 0).await;
    let next = first.split_off(1);
    assert_eq!(projector.project(first).await, []);
    let (cost, failed) = fixture.meter.of(projector.project(next)).await;
    assert_eq!(failed, []);
    (cost, stream)
}

pub(super) async fn counters_read(fixture: &Fixture) -> Cost {
    counters_read_by(fixture, None).await
}

/// Counters grouped by author, with a token: this also reads how far the account is counted, and that none of its
/// events is in progress.
pub(super) async fn counters_read_with_a_token(fixture: &Fixture) -> Cost {
    counters_read_by(fixture, Some(Version::new(2))).await
}

async fn counters_read_by(fixture: &Fixture, version: Option<Version>) -> Cost {
    let stream = counted_account(fixture).await.1;
    let token = version.map(|version| ConsistencyToken { stream, version });
    let key = CounterKey::new("today").expect("a key");
    let tenant = TenantId::default_tenant();
    let range = (&tenant, &key, &key);
    let (tallies, log, skips) = (&*fixture.tallies, &*fixture.log, &*fixture.skips);
    let reading = fresh_counts::<NoteCount>(tallies, log, skips, range, token.as_ref());
    let (cost, counters) = fixture.meter.of(reading).await;
    assert!(!counters.expect("they can be read").is_empty());
    cost
}

pub(super) async fn audited(fixture: &Fixture) -> Cost {
    let stream = account(fixture, 10, 1).await;
    let page = audit(&*fixture.log, &stream, AuditPosition::START, 10);
    let (cost, page) = fixture.meter.of(page).await;
    assert_eq!(page.expect("it can be read").events.len(), 10);
    cost
}
