//! Planted faults that a verification must find.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{ExportError, ExportMark, ExportProgress, Page},
};
use ledgerfold_export::{Finding, Range};
use ledgerfold_testkit::MemoryExportProgress;

use crate::world::{World, account, exporter};

/// Forgets all positions, so that every window contains the whole stream again.
struct Forgetful(Arc<MemoryExportProgress>);

#[async_trait]
impl ExportProgress for Forgetful {
    async fn mark(&self, mark: &ExportMark) -> Result<(), ExportError> {
        self.0.mark(mark).await
    }

    async fn marks(
        &self,
        part: u8,
        after: Option<&StreamId>,
    ) -> Result<Page<ExportMark, StreamId>, ExportError> {
        self.0.marks(part, after).await
    }

    async fn unmark(&self, stream: &StreamId, reached: Version) -> Result<(), ExportError> {
        self.0.unmark(stream, reached).await
    }

    async fn positions(&self, _: &[StreamId]) -> Result<BTreeMap<StreamId, Version>, ExportError> {
        Ok(BTreeMap::new())
    }

    async fn advance(&self, stream: &StreamId, to: Version) -> Result<(), ExportError> {
        self.0.advance(stream, to).await
    }

    async fn applied(&self) -> Result<u64, ExportError> {
        self.0.applied().await
    }

    async fn set_applied(&self, number: u64) -> Result<(), ExportError> {
        self.0.set_applied(number).await
    }
}

fn range(stream: &StreamId, from: u64, to: u64) -> Range {
    Range { stream: stream.clone(), from, to }
}

// Guards: an-event-is-exported-once
#[tokio::test]
async fn events_that_were_written_twice_are_found() {
    let world = World::new();
    let forgetful = Arc::new(Forgetful(world.progress.clone()));
    let ports = world.ports_with(world.files.clone(), forgetful);
    world.write(&account("a"), &["one", "two"]).await;
    world.now_is("2026-11-29T01:30:00Z");
    exporter(ports.clone()).close_windows(Timestamp::MAX).await.expect("memory answers");
    assert_eq!(world.findings().await, []);
    world.write(&account("a"), &["three"]).await;
    world.now_is("2026-11-29T02:30:00Z");
    exporter(ports).close_windows(Timestamp::MAX).await.expect("memory answers");
    let twice = Finding::Twice { events: range(&account("a"), 1, 2) };
    assert_eq!(world.findings().await, [twice]);
}

async fn closed() -> World {
    let world = World::new();
    world.write(&account("a"), &["one", "two"]).await;
    world.write(&account("b"), &["one"]).await;
    world.now_is("2026-11-29T01:30:00Z");
    world.close().await;
    world
}

/// The keys of the files of a table.
fn files(world: &World, table: &str) -> Vec<String> {
    let keys = world.files.objects().into_keys();
    keys.filter(|key| key.starts_with(table) && key.ends_with(".parquet")).collect()
}

#[tokio::test]
async fn a_file_with_other_content_is_found() {
    for table in ["events/", "typed/"] {
        let world = closed().await;
        let [key] = &files(&world, table)[..] else { unreachable!("there is one file") };
        let mut content = world.files.objects().remove(key).expect("a file");
        let last = content.len() - 20;
        content[last] ^= 1;
        world.files.overwrite(key, content);
        let findings = world.findings().await;
        let is_damaged =
            |finding: &Finding| matches!(finding, Finding::Damaged { key: it, .. } if it == key);
        assert!(findings.iter().any(is_damaged), "{findings:?}");
    }
}

#[tokio::test]
async fn an_event_that_was_changed_in_the_log_is_found() {
    let world = closed().await;
    let other = World::new();
    other.append(&account("b"), &["another"]).await;
    for commit in other.log.commits() {
        world.log.overwrite(&commit);
    }
    let different = Finding::Different { stream: account("b"), version: 1 };
    assert_eq!(world.findings().await, [different]);
}

#[tokio::test]
async fn events_that_are_missing_are_found() {
    let world = closed().await;
    world.now_is("2026-11-29T00:30:00Z");
    world.append(&account("c"), &["one"]).await;
    world.append(&account("b"), &["two"]).await;
    world.now_is("2026-11-29T01:40:00Z");
    let missing = |events| Finding::Missing { events };
    let expected = [missing(range(&account("b"), 2, 2)), missing(range(&account("c"), 1, 1))];
    assert_eq!(world.findings().await, expected);
}
