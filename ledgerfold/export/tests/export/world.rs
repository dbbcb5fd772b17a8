//! A log of notes with an export.

use std::{collections::BTreeMap, sync::Arc};

use ledgerfold::{
    Category, CommandId, EntityId, StreamId, TenantId, Timestamp, Version,
    command::Loaded,
    context::Context,
    ports::{EventStore, ExportFiles, ExportMark, ExportProgress, PageWalk, Segment, Streams},
};
use ledgerfold_export::{
    ExportPorts, Exporter, Finding, Limits, Live, Size, Tables, Verification, WindowLength,
};
use ledgerfold_proofs::conformance::requests::commit;
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryExportFiles, MemoryExportProgress,
    bank::{Accounts, Plain},
};

/// The start of the day on which most tests begin.
pub(crate) const DAY: &str = "2026-11-29T00:00:00Z";

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().expect("a time in RFC 3339")
}

/// An account of the default tenant.
pub(crate) fn account(name: &str) -> StreamId {
    account_of("default", name)
}

pub(crate) fn account_of(tenant: &str, name: &str) -> StreamId {
    let tenant = TenantId::new(tenant).expect("a tenant");
    StreamId::new(tenant, Category::from_static("account"), EntityId::new(name).expect("an id"))
}

pub(crate) struct World {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) files: Arc<MemoryExportFiles>,
    pub(crate) progress: Arc<MemoryExportProgress>,
    pub(crate) clock: Arc<ManualClock>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            // Small pages, so that a stream needs several.
            log: Arc::new(MemoryEventStore::with_pages_of(2)),
            files: Arc::default(),
            progress: Arc::default(),
            clock: Arc::new(ManualClock::at(at(DAY))),
        }
    }

    pub(crate) fn ports(&self) -> ExportPorts {
        self.ports_with(self.files.clone(), self.progress.clone())
    }

    pub(crate) fn ports_with(
        &self,
        files: Arc<dyn ExportFiles>,
        progress: Arc<dyn ExportProgress>,
    ) -> ExportPorts {
        ExportPorts { log: self.log.clone(), files, progress, clock: self.clock.clone() }
    }

    pub(crate) fn exporter(&self) -> Exporter {
        exporter(self.ports())
    }

    /// Appends a commit of these notes that was recorded now, without a message about it.
    pub(crate) async fn append(&self, stream: &StreamId, notes: &[&str]) -> Version {
        let now = ledgerfold::ports::Clock::now(&*self.clock);
        let mut loaded = Loaded::<Accounts<Plain>>::unread(stream.clone());
        let nobody = CommandId::new("nobody").expect("visible ASCII");
        loaded.read_on(&*self.log, &nobody).await.expect("memory answers");
        let after = loaded.version();
        let attempt = format!("{stream}@{after}").replace(['/', '#'], "-");
        let new = commit(&loaded, &attempt, notes, now.as_second());
        self.log.append(&new).await.expect("the version is free");
        new.as_commit().to()
    }

    /// The same with a message.
    pub(crate) async fn write(&self, stream: &StreamId, notes: &[&str]) {
        let version = self.append(stream, notes).await;
        self.mark(stream, version).await;
    }

    pub(crate) async fn mark(&self, stream: &StreamId, version: Version) {
        let mark = ExportMark { stream: stream.clone(), version };
        self.exporter().mark(&mark).await.expect("memory answers");
    }

    pub(crate) fn now_is(&self, time: &str) {
        self.clock.set(at(time));
    }

    pub(crate) async fn close(&self) -> ledgerfold_export::Run {
        self.exporter().close_windows(Timestamp::MAX).await.expect("memory answers")
    }

    pub(crate) async fn live(&self) -> Live {
        Live::load(&*self.files).await.expect("memory answers")
    }

    /// The streams of the log.
    pub(crate) async fn streams(&self) -> Vec<StreamId> {
        let mut all = Vec::new();
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            let page = self.log.list(Segment::WHOLE, from.as_ref()).await.expect("memory answers");
            all.extend(walk.turn(page));
        }
        all
    }

    pub(crate) async fn findings(&self) -> Vec<Finding> {
        let exporter = self.exporter();
        let mut verification = Verification::begin(&exporter).await.expect("memory answers");
        let mut findings = verification.files(|_| {}).await.expect("memory answers");
        for stream in self.streams().await {
            findings.extend(verification.missing(&stream).await.expect("memory answers"));
        }
        findings
    }

    /// The marker of the window that starts at this time.
    pub(crate) fn marker(&self, key: &str) -> Option<ledgerfold_export::Closed> {
        let marker = self.files.objects().get(&format!("windows/{key}.json")).cloned()?;
        Some(serde_json::from_slice(&marker).expect("a marker"))
    }

    /// The visible files by table and day, with their rows.
    pub(crate) async fn visible(&self) -> BTreeMap<String, Vec<u64>> {
        let mut visible = BTreeMap::<String, Vec<u64>>::new();
        for unit in self.live().await.units().values() {
            for file in &unit.files {
                let name = format!("{} {}", file.table, unit.day);
                visible.entry(name).or_default().push(file.rows);
            }
        }
        visible
    }
}

pub(crate) fn exporter(ports: ExportPorts) -> Exporter {
    exporter_of(ports, WindowLength::HOUR)
}

pub(crate) fn exporter_of(ports: ExportPorts, window: WindowLength) -> Exporter {
    let context = Context::new("bank").decider::<Accounts>().exports::<Accounts>();
    let limits = Limits { streams: 3, bytes: 200 };
    let size = Size { rows: 40, bytes: 1_000_000 };
    let tables = Tables::of(context.exported());
    Exporter::new(ports, tables, window).limited(limits, size)
}
