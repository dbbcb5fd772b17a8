//! The rules of a generation store.

use futures::future::join_all;
use ledgerfold::{
    Timestamp,
    ports::{CopyIndex, GenerationStore, Resume, SegmentPlace, SegmentProgress, Written},
    vocabulary::{Generations, Mark, MissedEvent, RecordCopy},
};

use super::requests::fresh;

/// A new projection.
fn projection() -> String {
    fresh().id().to_string()
}

async fn read(store: &dyn GenerationStore, projection: &str) -> Option<Generations> {
    store.read(projection).await.expect("the record can be read")
}

/// Writes the first record of a projection.
async fn first(store: &dyn GenerationStore, projection: &str) -> Generations {
    let first = Generations::first(3);
    assert_eq!(write(store, projection, &first).await, Written::Done);
    first
}

async fn write(store: &dyn GenerationStore, projection: &str, new: &Generations) -> Written {
    store.write(projection, new).await.expect("the record can be written")
}

/// Reading a missing record is not an error.
pub async fn what_was_never_recorded_is_not_there(store: &dyn GenerationStore) {
    assert_eq!(read(store, &projection()).await, None);
}

/// If several functions write a first record at once, with any revisions, one succeeds and all use it.
// Guards: a-first-deployment-works-at-any-revision
pub async fn of_racing_first_records_one_takes_effect(store: &dyn GenerationStore) {
    let name = projection();
    let records: Vec<_> = (1..=5).map(Generations::first).collect();
    let outcomes = join_all(records.iter().map(|new| write(store, &name, new))).await;
    assert_eq!(outcomes.iter().filter(|it| **it == Written::Done).count(), 1);
    let won = outcomes.iter().position(|it| *it == Written::Done).expect("one has won");
    assert_eq!(read(store, &name).await.as_ref(), Some(&records[won]));
    for record in &records {
        assert_eq!(write(store, &name, record).await, Written::Superseded);
    }
}

/// All fields of a record are returned unchanged.
pub async fn a_record_comes_back_as_it_was_written(store: &dyn GenerationStore) {
    let name = projection();
    let missed = MissedEvent { stream: fresh(), reason: "it has no place".to_owned() };
    let mut record = first(store, &name).await;
    assert_eq!(read(store, &name).await.as_ref(), Some(&record));
    let changes: [&(dyn Fn(&Generations) -> _ + Sync); 7] = [
        &|record: &Generations| record.begun(2),
        &|record: &Generations| record.with_missed_event(missed.clone()),
        &|record: &Generations| record.without_missed_event(),
        &|record: &Generations| record.switched(Timestamp::UNIX_EPOCH),
        &|record: &Generations| record.rolling_back(),
        &|record: &Generations| record.abandoned(),
        &|record: &Generations| record.without_previous(),
    ];
    for change in changes {
        record = change(&record).expect("the change is allowed");
        assert_eq!(write(store, &name, &record).await, Written::Done);
        assert_eq!(read(store, &name).await.as_ref(), Some(&record));
    }
}

/// A record is accepted only after the record that it was made from. A function with an older one must read again.
pub async fn a_record_is_written_only_in_the_place_of_the_one_it_was_made_from(
    store: &dyn GenerationStore,
) {
    let name = projection();
    let begun = Generations::first(3).begun(1).expect("none is building");
    assert_eq!(write(store, &name, &begun).await, Written::Superseded, "there is no first record");
    let first = first(store, &name).await;
    let switched = begun.switched(Timestamp::UNIX_EPOCH).expect("one is building");
    assert_eq!(write(store, &name, &switched).await, Written::Superseded, "it skips a record");
    assert_eq!(read(store, &name).await, Some(first));
    assert_eq!(write(store, &name, &begun).await, Written::Done);
    assert_eq!(write(store, &name, &begun).await, Written::Superseded, "it is stored already");
    assert_eq!(write(store, &name, &switched).await, Written::Done);
    let other = begun.abandoned().expect("one is building");
    assert_eq!(write(store, &name, &other).await, Written::Superseded);
    assert_eq!(read(store, &name).await, Some(switched));
}

/// Of several changes of the same record one succeeds.
pub async fn of_racing_changes_one_takes_effect(store: &dyn GenerationStore) {
    let name = projection();
    first(store, &name).await;
    for _ in 0..3 {
        let seen = read(store, &name).await.expect("the record exists");
        let change = |revision| match seen.building() {
            None => seen.begun(revision),
            Some(_) => seen.abandoned(),
        };
        let changes: Vec<_> = (1..=5).map(|revision| change(revision).expect("allowed")).collect();
        let outcomes = join_all(changes.iter().map(|new| write(store, &name, new))).await;
        assert_eq!(outcomes.iter().filter(|it| **it == Written::Done).count(), 1);
        let won = outcomes.iter().position(|it| *it == Written::Done).expect("one has won");
        assert_eq!(read(store, &name).await.as_ref(), Some(&changes[won]));
    }
}

/// Each projection has its own record.
pub async fn projections_do_not_mix(store: &dyn GenerationStore) {
    let (one, other) = (projection(), projection());
    first(store, &one).await;
    assert_eq!(read(store, &other).await, None);
}

/// A mark of this number, with a time that does not fit in milliseconds.
fn mark(number: u64) -> RecordCopy {
    let at = Timestamp::new(1_700_000_000, 123_456_789).expect("a time");
    RecordCopy::Marked(Mark { number, at })
}

/// A copy that shows record 1, 2 or 3.
fn shown(number: u64) -> RecordCopy {
    let first = Generations::first(3);
    let begun = first.begun(2).expect("none is building");
    let missed = MissedEvent { stream: fresh(), reason: "it has no place".to_owned() };
    let record = match number {
        1 => first,
        2 => begun,
        _ => begun.with_missed_event(missed).expect("one is building"),
    };
    RecordCopy::Current(record)
}

fn any_copy() -> CopyIndex {
    CopyIndex::all().last().expect("there are copies")
}

async fn copy(
    store: &dyn GenerationStore,
    projection: &str,
    copy: CopyIndex,
) -> Option<RecordCopy> {
    store.read_copy(projection, copy).await.expect("the copy can be read")
}

async fn put(
    store: &dyn GenerationStore,
    projection: &str,
    copy: CopyIndex,
    new: &RecordCopy,
) -> Written {
    store.write_copy(projection, copy, new).await.expect("the copy can be written")
}

/// A copy comes back unchanged, whether it shows a record or is marked. A copy that was never written is absent.
pub async fn a_copy_comes_back_as_it_was_written(store: &dyn GenerationStore) {
    let name = projection();
    for new in [mark(1), shown(1), mark(2), shown(3), mark(4)] {
        let untouched = projection();
        assert_eq!(copy(store, &untouched, any_copy()).await, None);
        assert_eq!(put(store, &name, any_copy(), &new).await, Written::Done);
        assert_eq!(copy(store, &name, any_copy()).await, Some(new));
    }
}

/// A mark of a number, then its record, then anything with a later number: a copy moves only forward in this order. A
/// mark may replace itself, so that it gets the time of a newer attempt.
// Guards: no-reader-uses-an-old-layout
pub async fn a_copy_moves_only_forward(store: &dyn GenerationStore) {
    let all = [mark(1), shown(1), mark(2), shown(2), mark(3), shown(3), mark(4)];
    for (place, stored) in all.iter().enumerate() {
        for (newer, new) in all.iter().enumerate() {
            let name = projection();
            assert_eq!(put(store, &name, any_copy(), stored).await, Written::Done);
            let is_same_mark = newer == place && matches!(new, RecordCopy::Marked(_));
            let may = newer > place || is_same_mark;
            let (expected, kept) = match may {
                true => (Written::Done, new),
                false => (Written::Superseded, stored),
            };
            let written = put(store, &name, any_copy(), new).await;
            assert_eq!(written, expected, "{new:?} after {stored:?}");
            assert_eq!(copy(store, &name, any_copy()).await.as_ref(), Some(kept));
        }
    }
}

/// A mark with the number of another mark replaces its time.
pub async fn a_repeated_mark_has_the_time_of_the_last_one(store: &dyn GenerationStore) {
    let name = projection();
    let later = RecordCopy::Marked(Mark { number: 2, at: Timestamp::MAX });
    for new in [mark(2), later] {
        assert_eq!(put(store, &name, any_copy(), &new).await, Written::Done);
        assert_eq!(copy(store, &name, any_copy()).await, Some(new));
    }
}

/// Of many writes at once, the one that comes last in the order of copies stays.
pub async fn of_racing_copies_the_furthest_one_stays(store: &dyn GenerationStore) {
    for furthest in [mark(4), shown(3)] {
        let name = projection();
        let news = [shown(1), mark(2), furthest.clone(), mark(3), shown(2), mark(1)];
        join_all(news.iter().map(|new| put(store, &name, any_copy(), new))).await;
        assert_eq!(copy(store, &name, any_copy()).await, Some(furthest));
    }
}

/// The copies of a projection, those of another projection, the record and the progress do not mix.
pub async fn copies_do_not_mix(store: &dyn GenerationStore) {
    let (one, other) = (projection(), projection());
    for (index, number) in CopyIndex::all().zip(10..) {
        assert_eq!(put(store, &one, index, &mark(number)).await, Written::Done);
        assert_eq!(put(store, &other, index, &mark(number + 100)).await, Written::Done);
    }
    for (index, number) in CopyIndex::all().zip(10..) {
        assert_eq!(copy(store, &one, index).await, Some(mark(number)));
        assert_eq!(copy(store, &other, index).await, Some(mark(number + 100)));
    }
    assert_eq!(read(store, &one).await, None);
    first(store, &one).await;
    assert_eq!(copy(store, &one, any_copy()).await, Some(mark(25)));
    assert_eq!(progress(store, &one, 1).await, []);
}

fn segment(index: u32, at: SegmentPlace) -> SegmentProgress {
    SegmentProgress { index, of: 12, streams: 7, failed: 1, at }
}

async fn progress(store: &dyn GenerationStore, projection: &str, run: u64) -> Vec<SegmentProgress> {
    store.progress(projection, run).await.expect("the progress can be read")
}

/// Progress is returned in the order of the segments, each with its last write.
pub async fn progress_comes_back_by_segment(store: &dyn GenerationStore) {
    let name = projection();
    assert_eq!(progress(store, &name, 1).await, []);
    let page = SegmentPlace::Page(Resume("a place".to_owned()));
    let recorded = [
        segment(11, SegmentPlace::Start),
        segment(2, SegmentPlace::Start),
        segment(2, page.clone()),
        segment(0, SegmentPlace::End),
    ];
    for segment in &recorded {
        store.save(&name, 1, segment).await.expect("the progress can be written");
    }
    let expected =
        [segment(0, SegmentPlace::End), segment(2, page), segment(11, SegmentPlace::Start)];
    assert_eq!(progress(store, &name, 1).await, expected);
}

/// Each run has its own progress, so that a later run does not skip segments.
pub async fn progress_is_of_one_run(store: &dyn GenerationStore) {
    let name = projection();
    for run in [1, 11] {
        let done = SegmentProgress { streams: run, ..segment(0, SegmentPlace::End) };
        store.save(&name, run, &done).await.expect("the progress can be written");
    }
    assert_eq!(progress(store, &name, 1).await.len(), 1);
    assert_eq!(progress(store, &name, 111).await, []);
    store.forget(&name, 1).await.expect("the progress can be removed");
    assert_eq!(progress(store, &name, 1).await, []);
    assert_eq!(progress(store, &name, 11).await.len(), 1);
    assert_eq!(read(store, &name).await, None, "progress is not a record");
}
