//! One step of an export: its files, its manifest, and the effects of the manifest.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use ledgerfold::{
    Timestamp, Version,
    ports::{ExportError, ExportFiles, ExportProgress, ExportStored},
};

use crate::{
    batch::NewUnit,
    live::{self, Live, json},
    manifest::{Closed, Manifest, Range, UnitId, Withheld},
};

/// How many calls of a port run at the same time.
const CONCURRENT_CALLS: usize = 16;
/// How many of the unreadable streams a marker names.
const NAMED: usize = 20;

/// A step that is not stored yet. Its number follows when it is stored.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) ranges: Vec<Range>,
    pub(crate) units: Vec<NewUnit>,
    pub(crate) replaces: Vec<UnitId>,
    pub(crate) closes: Option<Closing>,
}

/// The end of a window.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) withheld: Vec<Withheld>,
}

/// Whether a step was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stored,
    /// Another writer has stored a step that contradicts it. Nothing of this one is visible. Begin again.
    Overtaken,
}

/// The steps of an export so far, and the place for the next.
pub(crate) struct Steps<'a> {
    pub(crate) files: &'a dyn ExportFiles,
    pub(crate) progress: &'a dyn ExportProgress,
    pub(crate) live: Live,
}

impl Draft {
    fn manifest(&self, live: &Live) -> Manifest {
        let mut manifest = Manifest::new(live.number + 1);
        manifest.streams.clone_from(&self.ranges);
        manifest.units = self.units.iter().map(|new| new.unit.clone()).collect();
        manifest.replaces.clone_from(&self.replaces);
        let own: u64 = self.ranges.iter().map(|range| range.to + 1 - range.from).sum();
        manifest.closes = self.closes.as_ref().map(|closing| Closed {
            from: closing.from,
            until: closing.until,
            events: live.since + own,
            withheld: u64::try_from(closing.withheld.len()).unwrap_or(u64::MAX),
            reasons: closing.withheld.iter().take(NAMED).cloned().collect(),
        });
        manifest
    }
}

impl<'a> Steps<'a> {
    /// Reads the steps so far, and finishes the step of a writer that died.
    pub(crate) async fn begin(
        files: &'a dyn ExportFiles,
        progress: &'a dyn ExportProgress,
    ) -> Result<Self, ExportError> {
        let applied = progress.applied().await?;
        let live = Live::load(files).await?;
        let mut steps = Self { files, progress, live };
        for number in applied + 1..=steps.live.number {
            let manifest = steps.stored(number).await?;
            steps.follow(&manifest).await?;
        }
        // The checkpoint of the last step may be missing.
        steps.live.keep(files).await?;
        Ok(steps)
    }

    async fn stored(&mut self, number: u64) -> Result<Manifest, ExportError> {
        let manifest = live::read(self.files, number).await?;
        manifest.ok_or_else(|| live::corrupt(&Manifest::key(number), "it is missing"))
    }

    /// Stores a step with the next free number.
    ///
    /// The files come first, so a manifest never names a file that does not exist. A file without a manifest is not part of
    /// the export.
    pub(crate) async fn store(&mut self, draft: &Draft) -> Result<Outcome, ExportError> {
        self.put_files(draft).await?;
        loop {
            let manifest = draft.manifest(&self.live);
            let key = Manifest::key(manifest.number);
            if self.files.put_new(&key, json(&manifest)).await? == ExportStored::New {
                self.apply(&manifest).await?;
                return Ok(Outcome::Stored);
            }
            let stored = self.stored(manifest.number).await?;
            self.apply(&stored).await?;
            if stored == manifest {
                // It is ours: the answer to an earlier attempt was lost.
                return Ok(Outcome::Stored);
            }
            if manifest.contradicts(&stored) {
                return Ok(Outcome::Overtaken);
            }
        }
    }

    async fn put_files(&self, draft: &Draft) -> Result<(), ExportError> {
        let files = draft.units.iter().flat_map(|new| new.unit.files.iter().zip(&new.contents));
        // A taken key has the same content, because the name is its digest.
        let put = |(file, content): (&crate::manifest::File, &Vec<u8>)| {
            let (key, content) = (file.key.clone(), content.clone());
            async move { self.files.put_new(&key, content).await.map(drop) }
        };
        let puts: Vec<_> = files.map(put).collect();
        stream::iter(puts).buffer_unordered(CONCURRENT_CALLS).try_collect().await
    }

    async fn apply(&mut self, manifest: &Manifest) -> Result<(), ExportError> {
        self.live.apply(manifest);
        self.follow(manifest).await?;
        self.live.keep(self.files).await
    }

    /// Has the effects of a stored manifest. Every part can be repeated.
    async fn follow(&self, manifest: &Manifest) -> Result<(), ExportError> {
        let calls = manifest.streams.iter().map(|range| self.advance(range));
        let calls: Vec<_> = calls.collect();
        stream::iter(calls).buffer_unordered(CONCURRENT_CALLS).try_collect::<()>().await?;
        if let Some(closed) = &manifest.closes {
            self.files.put_new(&closed.key(), json(closed)).await?;
        }
        self.progress.set_applied(manifest.number).await
    }

    async fn advance(&self, range: &Range) -> Result<(), ExportError> {
        let to = Version::new(range.to);
        self.progress.advance(&range.stream, to).await?;
        self.progress.unmark(&range.stream, to).await
    }
}
