//! The writer of an export.

use std::{collections::BTreeMap, sync::Arc};

use futures::StreamExt as _;
use jiff::SignedDuration;
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{Clock, EventReader, ExportError, ExportFiles, ExportMark, ExportProgress, MARK_PARTS},
};
use parquet::errors::ParquetError;

use crate::{
    batch,
    compaction::{self, Size},
    gather::{Border, End, Gathered, Limits, news},
    live::{Live, corrupt},
    manifest::{UnitId, Withheld},
    step::{Closing, Draft, Outcome, Steps},
    typed::Tables,
    window::WindowLength,
};

/// How long after the end of a window it is closed. An event needs this time to become a mark.
pub const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// The ports of an export.
#[derive(Clone)]
pub struct ExportPorts {
    /// The log.
    pub log: Arc<dyn EventReader>,
    /// The objects.
    pub files: Arc<dyn ExportFiles>,
    /// Marks and positions.
    pub progress: Arc<dyn ExportProgress>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Writes the events of a context to files. Several may run at the same time, and each may die at any point.
#[derive(Clone)]
pub struct Exporter {
    pub(crate) ports: ExportPorts,
    pub(crate) tables: Arc<Tables>,
    window: WindowLength,
    limits: Limits,
    size: Size,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// How many windows were closed.
    pub windows: u64,
    /// How many events were added.
    pub events: u64,
    /// The streams with events that cannot be read, as far as they were noticed.
    pub withheld: Vec<Withheld>,
    /// Whether there is no more to do for now. If not, the time was over: run again.
    pub finished: bool,
}

/// A place in the list of marks.
#[derive(Clone, Debug, Default)]
struct Place {
    part: u8,
    after: Option<StreamId>,
}

impl Exporter {
    /// An exporter over these ports, with windows of this length.
    pub fn new(ports: ExportPorts, tables: Tables, window: WindowLength) -> Self {
        let (limits, size) = (Limits::default(), Size::default());
        Self { ports, tables: Arc::new(tables), window, limits, size }
    }

    /// The same with other limits.
    #[must_use]
    pub fn limited(self, limits: Limits, size: Size) -> Self {
        Self { limits, size, ..self }
    }

    /// Notes that a stream has events up to this version. Call it for each event of the bus. The events themselves come
    /// from the log when their window is closed.
    ///
    /// # Errors
    /// [`ExportError`]. The event must be delivered again.
    pub async fn mark(&self, mark: &ExportMark) -> Result<(), ExportError> {
        self.ports.progress.mark(mark).await
    }

    /// Closes all windows that are over, oldest first, each with the events that were recorded before its end. A window
    /// without events is closed too. No step begins after `deadline`.
    ///
    /// # Errors
    /// [`ExportError`]. Earlier steps stay, and the next run goes on from there.
    pub async fn close_windows(&self, deadline: Timestamp) -> Result<Run, ExportError> {
        let mut run = Run { finished: true, ..Run::default() };
        let mut steps = self.steps().await?;
        let mut place = Place::default();
        while let Some((from, until)) = self.next_window(&steps.live) {
            if self.ports.clock.now() >= deadline {
                return Ok(Run { finished: false, ..run });
            }
            let border = Border { until, now: self.ports.clock.now() };
            let (gathered, next) = self.marked(&place, border, &mut run.withheld).await?;
            let withheld = run.withheld.clone();
            let closes = next.is_none().then_some(Closing { from, until, withheld });
            let events = gathered.rows.len();
            let is_last = closes.is_some();
            if is_last || !gathered.is_empty() {
                let draft = self.draft(gathered, closes)?;
                if steps.store(&draft).await? == Outcome::Overtaken {
                    // Another writer has moved on, so these events may be in the files already.
                    run.withheld.clear();
                    place = Place::default();
                    continue;
                }
            }
            run.events += count(events);
            run.windows += u64::from(is_last);
            place = next.unwrap_or_default();
            if is_last && self.next_window(&steps.live).is_some() {
                run.withheld.clear();
            }
        }
        Ok(run)
    }

    /// The state of the export.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn live(&self) -> Result<Live, ExportError> {
        Live::load(&*self.ports.files).await
    }

    /// For how long the next window could have been closed already.
    pub fn overdue(&self, live: &Live) -> SignedDuration {
        let due = self.next_window(live).and_then(|(_, until)| until.checked_add(GRACE).ok());
        due.map_or(SignedDuration::ZERO, |due| self.ports.clock.now().duration_since(due))
    }

    /// The address of an object, for other programs.
    pub fn uri(&self, key: &str) -> String {
        self.ports.files.uri(key)
    }

    pub(crate) async fn steps(&self) -> Result<Steps<'_>, ExportError> {
        Steps::begin(&*self.ports.files, &*self.ports.progress).await
    }

    /// The next window to close, if it is over. The first one is the last that is over when the export begins.
    fn next_window(&self, live: &Live) -> Option<(Timestamp, Timestamp)> {
        let last = self.last_end();
        let from = live.closed.unwrap_or_else(|| self.window.back_from(last));
        let until = self.window.end_of(from);
        (until <= last).then_some((from, until))
    }

    /// The end of the last window that is over, and has been for a while.
    fn last_end(&self) -> Timestamp {
        let now = self.ports.clock.now();
        self.window.start_of(now.checked_sub(GRACE).unwrap_or(now))
    }

    /// Events of marked streams from a place on, and the place of the next ones.
    async fn marked(
        &self,
        place: &Place,
        border: Border,
        withheld: &mut Vec<Withheld>,
    ) -> Result<(Gathered, Option<Place>), ExportError> {
        let mut gathered = Gathered::default();
        let mut place = place.clone();
        while place.part < MARK_PARTS {
            let page = self.ports.progress.marks(place.part, place.after.as_ref()).await?;
            let versions: BTreeMap<_, _> =
                page.items.iter().map(|mark| (mark.stream.clone(), mark.version)).collect();
            let streams: Vec<_> = page.items.into_iter().map(|mark| mark.stream).collect();
            let mut read = std::pin::pin!(self.news(streams, border).await?);
            while let Some((stream, news)) = read.next().await {
                let had = gathered.ranges.len();
                let end = gathered.add(news?);
                let added = gathered.ranges.len() > had;
                match end {
                    End::OfStream if !added => {
                        // The log has nothing after the position, so the mark has done its work.
                        let version = versions.get(&stream).copied().unwrap_or(Version::NONE);
                        self.ports.progress.unmark(&stream, version).await?;
                    }
                    // The rest of the stream follows in the next step, so its mark must be listed again.
                    End::OfPage => return Ok((gathered, Some(place))),
                    End::Unreadable(one) => withheld.push(one),
                    End::OfStream | End::OfWindow(_) => {}
                }
                place.after = Some(stream);
                if gathered.is_full(self.limits) {
                    return Ok((gathered, Some(place)));
                }
            }
            place = match page.next {
                Some(next) => Place { after: Some(next), ..place },
                None => Place { part: place.part + 1, after: None },
            };
        }
        Ok((gathered, None))
    }

    async fn news(
        &self,
        streams: Vec<StreamId>,
        border: Border,
    ) -> Result<
        impl futures::Stream<Item = (StreamId, Result<crate::gather::News, ExportError>)> + '_,
        ExportError,
    > {
        let positions = self.ports.progress.positions(&streams).await?;
        let position =
            move |stream: &StreamId| positions.get(stream).copied().unwrap_or(Version::NONE);
        let after = streams.into_iter().map(move |stream| {
            let position = position(&stream);
            (stream, position)
        });
        Ok(news(&*self.ports.log, after.collect::<Vec<_>>(), border))
    }

    fn draft(&self, gathered: Gathered, closes: Option<Closing>) -> Result<Draft, ExportError> {
        let Gathered { rows, ranges, .. } = gathered;
        let units = batch::units(rows, &self.tables).map_err(|error| unwritable(&error))?;
        Ok(Draft { ranges, units, replaces: Vec::new(), closes })
    }

    /// Adds the events of these streams that are not in the files yet. Marks are not needed: it finds the
    /// history from before the export began, and events whose messages were lost. Events of windows that are not over
    /// wait for the end of their window.
    ///
    /// # Errors
    /// [`ExportError`]. A repetition skips stored events.
    pub async fn back_fill(&self, streams: &[StreamId]) -> Result<Run, ExportError> {
        let mut run = Run { finished: true, ..Run::default() };
        let mut left = streams.to_vec();
        let mut steps = self.steps().await?;
        while !left.is_empty() {
            let border = Border { until: self.last_end(), now: self.ports.clock.now() };
            let mut withheld = Vec::new();
            let (gathered, rest) = self.unmarked(&left, border, &mut withheld).await?;
            if gathered.is_empty() {
                run.withheld.extend(withheld);
                left = rest;
                continue;
            }
            let events = count(gathered.rows.len());
            let draft = self.draft(gathered, None)?;
            if steps.store(&draft).await? == Outcome::Stored {
                run.withheld.extend(withheld);
                run.events += events;
                left = rest;
            }
        }
        Ok(run)
    }

    /// Events of some streams, and the streams that are left.
    async fn unmarked(
        &self,
        streams: &[StreamId],
        border: Border,
        withheld: &mut Vec<Withheld>,
    ) -> Result<(Gathered, Vec<StreamId>), ExportError> {
        let mut gathered = Gathered::default();
        let mut done = 0;
        let mut read = std::pin::pin!(self.news(streams.to_vec(), border).await?);
        while let Some((stream, news)) = read.next().await {
            match gathered.add(news?) {
                End::OfStream => {}
                End::OfPage => break,
                // The bus may have announced it before the export began.
                End::OfWindow(version) => self.mark(&ExportMark { stream, version }).await?,
                End::Unreadable(one) => withheld.push(one),
            }
            done += 1;
            if gathered.is_full(self.limits) {
                break;
            }
        }
        Ok((gathered, streams.get(done..).unwrap_or_default().to_vec()))
    }

    /// Merges the small files of days that are over, one group after the other. No group begins after `deadline`. Returns
    /// the number of merged groups.
    ///
    /// The old files stay, because a reader may be reading them, but they are not part of the export any more.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn compact(&self, deadline: Timestamp) -> Result<u64, ExportError> {
        let mut steps = self.steps().await?;
        let mut merged = 0;
        while let Some(group) = compaction::plan(&steps.live, self.size) {
            if self.ports.clock.now() >= deadline {
                break;
            }
            let draft = self.merge(&steps.live, group).await?;
            if steps.store(&draft).await? == Outcome::Stored {
                merged += 1;
            }
        }
        Ok(merged)
    }

    async fn merge(&self, live: &Live, group: Vec<UnitId>) -> Result<Draft, ExportError> {
        let mut rows = Vec::new();
        for id in &group {
            if let Some(unit) = live.units().get(id) {
                rows.extend(crate::verify::rows_of(&*self.ports.files, unit).await?);
            }
        }
        let units = batch::units(rows, &self.tables).map_err(|error| unwritable(&error))?;
        Ok(Draft { units, replaces: group, ..Draft::default() })
    }
}

fn unwritable(error: &ParquetError) -> ExportError {
    corrupt("a new file", error.to_string())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
