//! The rules of the progress of an export. Each rule needs its own.

use std::collections::BTreeMap;

use futures::future::join_all;
use ledgerfold::{
    StreamId, Version,
    ports::{ExportMark, ExportProgress, MARK_PARTS, PageWalk},
};

use super::requests::{fresh, twin};

/// The suite of the progress of an export. The argument is a future of an empty store for each test.
#[macro_export]
macro_rules! export_progress_conformance {
    ($adapter:expr) => {
        $crate::conformance_tests!(
            export_progress,
            $adapter,
            a_mark_never_falls,
            a_mark_stays_until_its_version_is_reached,
            every_mark_is_listed_once,
            a_position_never_falls,
            many_positions_are_read_at_once,
            the_last_applied_manifest_never_falls,
        );
    };
}

async fn mark(progress: &dyn ExportProgress, stream: &StreamId, version: u64) {
    let mark = ExportMark { stream: stream.clone(), version: Version::new(version) };
    progress.mark(&mark).await.expect("it can be marked");
}

async fn unmark(progress: &dyn ExportProgress, stream: &StreamId, reached: u64) {
    progress.unmark(stream, Version::new(reached)).await.expect("it can be unmarked");
}

async fn advance(progress: &dyn ExportProgress, stream: &StreamId, to: u64) {
    progress.advance(stream, Version::new(to)).await.expect("it can advance");
}

/// The versions of all marks. A stream that is listed twice fails.
async fn marks(progress: &dyn ExportProgress) -> BTreeMap<StreamId, u64> {
    let mut all = BTreeMap::new();
    for part in 0..MARK_PARTS {
        let mut walk = PageWalk::start();
        while let Some(after) = walk.next_place() {
            let page = progress.marks(part, after.as_ref()).await.expect("they can be listed");
            for ExportMark { stream, version } in walk.turn(page) {
                assert_eq!(ExportMark::part_of(&stream), part);
                assert_eq!(all.insert(stream, version.get()), None, "a mark is listed twice");
            }
        }
    }
    all
}

async fn positions(
    progress: &dyn ExportProgress,
    streams: &[StreamId],
) -> BTreeMap<StreamId, Version> {
    progress.positions(streams).await.expect("they can be read")
}

/// A mark only rises.
pub async fn a_mark_never_falls(progress: &dyn ExportProgress) {
    let stream = fresh();
    for (version, expected) in [(3, 3), (2, 3), (3, 3), (10, 10), (9, 10)] {
        mark(progress, &stream, version).await;
        assert_eq!(marks(progress).await, BTreeMap::from([(stream.clone(), expected)]));
    }
}

/// A mark stays until its version is reached.
// Guards: a-dead-export-loses-nothing
pub async fn a_mark_stays_until_its_version_is_reached(progress: &dyn ExportProgress) {
    let (one, other) = (fresh(), twin(&fresh()));
    unmark(progress, &one, 7).await;
    mark(progress, &one, 10).await;
    mark(progress, &other, 2).await;
    unmark(progress, &one, 9).await;
    assert_eq!(marks(progress).await, BTreeMap::from([(one.clone(), 10), (other.clone(), 2)]));
    unmark(progress, &one, 10).await;
    assert_eq!(marks(progress).await, BTreeMap::from([(other, 2)]));
    mark(progress, &one, 4).await;
    assert_eq!(marks(progress).await.get(&one), Some(&4), "it can be marked again");
}

/// All marks are listed once, over several pages.
pub async fn every_mark_is_listed_once(progress: &dyn ExportProgress) {
    let streams: Vec<_> = (0..40).map(|_| fresh()).collect();
    join_all(streams.iter().map(|stream| mark(progress, stream, 5))).await;
    let expected: BTreeMap<_, _> = streams.into_iter().map(|stream| (stream, 5)).collect();
    assert_eq!(marks(progress).await, expected);
}

/// A position only rises, also of concurrent writers, and belongs to one stream of one tenant.
// Guards: an-event-is-exported-once
pub async fn a_position_never_falls(progress: &dyn ExportProgress) {
    let here = fresh();
    let there = twin(&here);
    let both = [here.clone(), there.clone()];
    assert_eq!(positions(progress, &both).await, BTreeMap::new());
    join_all((1..=12).rev().map(|to| advance(progress, &here, to))).await;
    advance(progress, &here, 9).await;
    assert_eq!(positions(progress, &both).await, BTreeMap::from([(here, Version::new(12))]));
    advance(progress, &there, 2).await;
    assert_eq!(positions(progress, &both).await.get(&there), Some(&Version::new(2)));
}

/// Positions of many streams are read at once.
pub async fn many_positions_are_read_at_once(progress: &dyn ExportProgress) {
    let streams: Vec<_> = (0..250).map(|_| fresh()).collect();
    join_all(streams.iter().step_by(2).map(|stream| advance(progress, stream, 3))).await;
    let expected = streams.iter().step_by(2).map(|stream| (stream.clone(), Version::new(3)));
    assert_eq!(positions(progress, &streams).await, expected.collect());
    assert_eq!(positions(progress, &[]).await, BTreeMap::new());
}

/// The number of the last applied manifest only rises.
pub async fn the_last_applied_manifest_never_falls(progress: &dyn ExportProgress) {
    for (number, expected) in [(0, 0), (3, 3), (2, 3), (10, 10)] {
        progress.set_applied(number).await.expect("it can be stored");
        assert_eq!(progress.applied().await.expect("it can be read"), expected);
    }
}
