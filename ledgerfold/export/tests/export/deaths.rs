//! A writer that dies between any two calls of its ports.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{ExportError, ExportFiles, ExportMark, ExportProgress, ExportStored, Page, PortError},
};
use ledgerfold_export::{Finding, Verification, WindowLength};

use crate::world::{World, account, exporter_of};

/// Ports of a writer that lives for some calls. The last call takes effect or does not; its answer never arrives.
struct Mortal {
    files: Arc<dyn ExportFiles>,
    progress: Arc<dyn ExportProgress>,
    /// The calls that are left. Atomic, because calls run concurrently.
    left: AtomicU64,
    last_takes_effect: bool,
}

enum Fate {
    Lives,
    DiesAfter,
    DiesBefore,
}

fn dead() -> ExportError {
    PortError::Unavailable("the writer is dead".into()).into()
}

impl Mortal {
    fn fate(&self) -> Fate {
        let left =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match left {
            Ok(2..) => Fate::Lives,
            Ok(_) if self.last_takes_effect => Fate::DiesAfter,
            Ok(_) | Err(_) => Fate::DiesBefore,
        }
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, ExportError>>,
    ) -> Result<T, ExportError> {
        match self.fate() {
            Fate::Lives => call.await,
            Fate::DiesAfter => call.await.and(Err(dead())),
            Fate::DiesBefore => Err(dead()),
        }
    }
}

#[async_trait]
impl ExportFiles for Mortal {
    async fn put_new(&self, key: &str, content: Vec<u8>) -> Result<ExportStored, ExportError> {
        self.call(self.files.put_new(key, content)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ExportError> {
        self.call(self.files.get(key)).await
    }

    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>, ExportError> {
        self.call(self.files.list(prefix, after)).await
    }

    fn uri(&self, key: &str) -> String {
        self.files.uri(key)
    }
}

#[async_trait]
impl ExportProgress for Mortal {
    async fn mark(&self, mark: &ExportMark) -> Result<(), ExportError> {
        self.call(self.progress.mark(mark)).await
    }

    async fn marks(
        &self,
        part: u8,
        after: Option<&StreamId>,
    ) -> Result<Page<ExportMark, StreamId>, ExportError> {
        self.call(self.progress.marks(part, after)).await
    }

    async fn unmark(&self, stream: &StreamId, reached: Version) -> Result<(), ExportError> {
        self.call(self.progress.unmark(stream, reached)).await
    }

    async fn positions(
        &self,
        streams: &[StreamId],
    ) -> Result<BTreeMap<StreamId, Version>, ExportError> {
        self.call(self.progress.positions(streams)).await
    }

    async fn advance(&self, stream: &StreamId, to: Version) -> Result<(), ExportError> {
        self.call(self.progress.advance(stream, to)).await
    }

    async fn applied(&self) -> Result<u64, ExportError> {
        self.call(self.progress.applied()).await
    }

    async fn set_applied(&self, number: u64) -> Result<(), ExportError> {
        self.call(self.progress.set_applied(number)).await
    }
}

/// The work of a writer: it closes windows, fills back, and compacts.
async fn work(world: &World, mortal: &Arc<Mortal>) -> Result<(), ExportError> {
    let window = WindowLength::minutes(480).expect("a third of a day");
    let exporter = exporter_of(world.ports_with(mortal.clone(), mortal.clone()), window);
    exporter.close_windows(Timestamp::MAX).await?;
    exporter.back_fill(&world.streams().await).await?;
    exporter.compact(Timestamp::MAX).await?;
    Ok(())
}

/// Two days of events. Some have messages, and some are only in the log.
async fn two_days() -> World {
    let world = World::new();
    world.now_is("2026-11-29T00:05:00Z");
    for hour in 0..3 {
        world.now_is(&format!("2026-11-29T{:02}:10:00Z", hour * 8));
        for stream in 0..3 {
            world.write(&account(&format!("told{stream}")), &["one", "two"]).await;
        }
        world.append(&account("untold"), &["one"]).await;
    }
    world.now_is("2026-11-30T00:10:00Z");
    world
}

/// What a reader sees after the death has no fault, except that something may be missing.
async fn visible_faults(world: &World) -> Vec<Finding> {
    let mut faults = world.findings().await;
    faults.retain(|finding| !matches!(finding, Finding::Missing { .. }));
    faults
}

async fn dies_after(calls: u64, last_takes_effect: bool) -> bool {
    let world = two_days().await;
    let mortal = Arc::new(Mortal {
        files: world.files.clone(),
        progress: world.progress.clone(),
        left: AtomicU64::new(calls),
        last_takes_effect,
    });
    let died = work(&world, &mortal).await.is_err();
    assert_eq!(visible_faults(&world).await, [], "after {calls} calls");
    let heir = Arc::new(Mortal {
        files: world.files.clone(),
        progress: world.progress.clone(),
        left: AtomicU64::new(u64::MAX),
        last_takes_effect,
    });
    work(&world, &heir).await.expect("the next writer lives");
    assert_eq!(world.findings().await, [], "after {calls} calls");
    let exporter = world.exporter();
    let mut verification = Verification::begin(&exporter).await.expect("memory answers");
    verification.files(|_| {}).await.expect("memory answers");
    assert_eq!(verification.rows(), 21, "after {calls} calls");
    let marker = world.marker("2026-11-29/16-00");
    assert!(marker.is_some(), "the window has no marker after {calls} calls");
    died
}

// Guards: a-dead-export-loses-nothing
#[tokio::test]
async fn a_writer_that_dies_between_any_two_calls_leaves_no_partial_file_and_loses_nothing() {
    for last_takes_effect in [false, true] {
        let mut calls = 1;
        while dies_after(calls, last_takes_effect).await {
            calls += 1;
        }
        assert!(calls > 60, "only {calls} calls");
    }
}
