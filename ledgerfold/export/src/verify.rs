//! The comparison of an export with the log.

use std::{collections::BTreeMap, fmt};

use ledgerfold::{
    StreamId, Version,
    ports::{EventReader, ExportError, ExportFiles, StoreError},
    vocabulary::ContentId,
};
use serde::Serialize;

use crate::{
    batch, envelopes,
    exporter::Exporter,
    gather::{Border, End, Gathered, of_stream},
    live::{Live, corrupt},
    manifest::{File, Range, Unit},
    row::Row,
    typed::Tables,
};

/// A fault of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "fault")]
pub enum Finding {
    /// A file is missing or has other content than its name says, or cannot be read.
    #[serde(rename_all = "camelCase")]
    Damaged {
        /// The key of the object.
        key: String,
        /// The reason.
        reason: String,
    },
    /// The files of a table do not have the rows of the table `events`.
    #[serde(rename_all = "camelCase")]
    Inconsistent {
        /// The key of the object.
        key: String,
    },
    /// Events are in the files more than once.
    #[serde(rename_all = "camelCase")]
    Twice {
        /// The events.
        events: Range,
    },
    /// An event in the files is not in the log, or is another one there.
    #[serde(rename_all = "camelCase")]
    Different {
        /// The stream.
        stream: StreamId,
        /// The version of the event.
        version: u64,
    },
    /// Events of a closed window are not in the files.
    #[serde(rename_all = "camelCase")]
    Missing {
        /// The events.
        events: Range,
    },
    /// The log cannot be read.
    #[serde(rename_all = "camelCase")]
    Unreadable {
        /// The stream.
        stream: StreamId,
        /// The reason.
        reason: String,
    },
}

/// A verification: which events the files contain.
///
/// It holds the ranges of versions of every stream in memory, about 100 bytes for each stream and file.
pub struct Verification<'a> {
    exporter: &'a Exporter,
    live: Live,
    ranges: BTreeMap<StreamId, Vec<(u64, u64)>>,
    rows: u64,
}

impl<'a> Verification<'a> {
    /// Begins a verification of the present state.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn begin(exporter: &'a Exporter) -> Result<Self, ExportError> {
        let live = Live::load(&*exporter.ports.files).await?;
        Ok(Self { exporter, live, ranges: BTreeMap::new(), rows: 0 })
    }

    /// The state that is verified.
    pub const fn live(&self) -> &Live {
        &self.live
    }

    /// The number of events in the files that were read.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads all files and compares each row with the log. `progress` gets the number of events so far.
    ///
    /// # Errors
    /// [`ExportError`] if a port fails. A file or stream that cannot be read is a finding.
    pub async fn files(&mut self, progress: impl Fn(u64)) -> Result<Vec<Finding>, ExportError> {
        let mut findings = Vec::new();
        let units: Vec<_> = self.live.units().values().cloned().collect();
        for unit in units {
            let files = &*self.exporter.ports.files;
            match rows_of(files, &unit).await {
                Ok(rows) => {
                    findings.extend(typed(files, &unit, &rows, &self.exporter.tables).await?);
                    findings.extend(self.compare(&rows).await?);
                }
                Err(ExportError::Corrupt { name: key, reason }) => {
                    findings.push(Finding::Damaged { key, reason });
                }
                Err(error) => return Err(error),
            }
            progress(self.rows);
        }
        findings.extend(self.join());
        Ok(findings)
    }

    /// Compares the rows of a unit with the log.
    async fn compare(&mut self, rows: &[Row]) -> Result<Vec<Finding>, ExportError> {
        let mut findings = Vec::new();
        self.rows += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        for rows in rows.chunk_by(|one, next| one.stream == next.stream) {
            let Some(first) = rows.first() else { continue };
            let stream: StreamId = match first.stream.parse() {
                Ok(stream) => stream,
                Err(error) => return Err(corrupt(&first.stream, error.to_string())),
            };
            let ranges = self.ranges.entry(stream.clone()).or_default();
            ranges.extend(runs(rows));
            findings.extend(different(&*self.exporter.ports.log, &stream, rows).await?);
        }
        Ok(findings)
    }

    /// Joins the ranges of each stream, and reports those that overlap.
    fn join(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (stream, ranges) in &mut self.ranges {
            ranges.sort_unstable();
            let mut joined: Vec<(u64, u64)> = Vec::new();
            for (from, to) in ranges.drain(..) {
                match joined.last_mut() {
                    Some((_, end)) if from <= *end => {
                        let events = Range { stream: stream.clone(), from, to: to.min(*end) };
                        findings.push(Finding::Twice { events });
                        *end = to.max(*end);
                    }
                    Some((_, end)) if from == *end + 1 => *end = to,
                    _ => joined.push((from, to)),
                }
            }
            *ranges = joined;
        }
        findings
    }

    /// Looks for events of a stream that closed windows should have, and the files do not have. Call it after
    /// [`Verification::files`], for the streams of the log.
    ///
    /// # Errors
    /// [`ExportError`] if a port fails. A stream that cannot be read is a finding.
    pub async fn missing(&self, stream: &StreamId) -> Result<Vec<Finding>, ExportError> {
        let Some(until) = self.live.closed else { return Ok(Vec::new()) };
        let border = Border { until, now: self.exporter.ports.clock.now() };
        let ranges = self.ranges.get(stream).map(Vec::as_slice).unwrap_or_default();
        let mut findings = Vec::new();
        let mut from = 1;
        for (begin, end) in ranges {
            if *begin > from {
                let events = Range { stream: stream.clone(), from, to: begin - 1 };
                findings.push(Finding::Missing { events });
            }
            from = end + 1;
        }
        let log = &*self.exporter.ports.log;
        let mut gathered = Gathered::default();
        let rest = of_stream(log, stream, Version::new(from - 1), border).await?;
        if let End::Unreadable(one) = gathered.add(rest) {
            findings.push(Finding::Unreadable { stream: one.stream, reason: one.reason });
        }
        findings.extend(gathered.ranges.into_iter().map(|events| Finding::Missing { events }));
        Ok(findings)
    }
}

/// The versions of the sorted rows of one stream, as ranges.
fn runs(rows: &[Row]) -> impl Iterator<Item = (u64, u64)> {
    let version = |row: Option<&Row>| u64::try_from(row?.version).ok();
    let runs = rows.chunk_by(|one, next| one.version + 1 == next.version);
    runs.filter_map(move |run| Some((version(run.first())?, version(run.last())?)))
}

/// Compares consecutive rows of one stream with the log.
async fn different(
    log: &dyn EventReader,
    stream: &StreamId,
    rows: &[Row],
) -> Result<Vec<Finding>, ExportError> {
    let mut findings = Vec::new();
    let mut rows = rows.iter().peekable();
    while let Some((version, from)) = rows.peek().map(|next| (next.version, next.commit.0)) {
        let after = u64::try_from(from - 1).unwrap_or_default();
        let page = match log.read(stream, Version::new(after)).await {
            Ok(page) => page,
            Err(StoreError::Port(error)) => return Err(error.into()),
            Err(error) => {
                let reason = error.to_string();
                return Ok(vec![Finding::Unreadable { stream: stream.clone(), reason }]);
            }
        };
        let logged = page.commits.iter().flat_map(|commit| commit.envelopes());
        let logged: BTreeMap<_, _> =
            logged.map(|envelope| Row::of(&envelope)).map(|row| (row.version, row)).collect();
        let last = logged.keys().next_back().copied().unwrap_or(version);
        while let Some(row) = rows.next_if(|row| row.version <= last.max(version)) {
            if logged.get(&row.version) != Some(row) {
                let version = u64::try_from(row.version).unwrap_or_default();
                findings.push(Finding::Different { stream: stream.clone(), version });
            }
        }
    }
    Ok(findings)
}

/// Checks that the other files of a unit are those of its rows. The same rows give the same bytes, so names suffice.
async fn typed(
    files: &dyn ExportFiles,
    unit: &Unit,
    rows: &[Row],
    tables: &Tables,
) -> Result<Vec<Finding>, ExportError> {
    let mut findings = Vec::new();
    for file in unit.files.iter().skip(1) {
        match content_of(files, &file.key).await {
            Ok(_) => {}
            Err(ExportError::Corrupt { name: key, reason }) => {
                findings.push(Finding::Damaged { key, reason });
            }
            Err(error) => return Err(error),
        }
    }
    let expected = batch::unit(unit.day, rows, tables)
        .map_err(|error| corrupt("a new file", error.to_string()))?;
    // A table may have other columns than when the file was written.
    let is_wrong = |file: &&File| {
        tables.columns_of(&file.table) == Some(&file.columns) && !expected.unit.files.contains(file)
    };
    let wrong = unit.files.iter().skip(1).filter(is_wrong);
    findings.extend(wrong.map(|file| Finding::Inconsistent { key: file.key.clone() }));
    Ok(findings)
}

/// The rows of a unit, from its file of the table `events`.
pub(crate) async fn rows_of(files: &dyn ExportFiles, unit: &Unit) -> Result<Vec<Row>, ExportError> {
    let Some(file) = unit.files.first() else { return Ok(Vec::new()) };
    let content = content_of(files, &file.key).await?;
    envelopes::decode(content).map_err(|error| corrupt(&file.key, error.to_string()))
}

async fn content_of(files: &dyn ExportFiles, key: &str) -> Result<Vec<u8>, ExportError> {
    let content = files.get(key).await?.ok_or_else(|| corrupt(key, "it is missing"))?;
    let digest = ContentId::of(&content);
    if key.ends_with(&format!("/{digest}.parquet")) {
        Ok(content)
    } else {
        Err(corrupt(key, "its content is not the one of its name"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |events: &Range| match events {
            Range { stream, from, to } if from == to => format!("event {from} of {stream}"),
            Range { stream, from, to } => format!("events {from} to {to} of {stream}"),
        };
        match self {
            Self::Damaged { key, reason } => write!(f, "damaged: {key}: {reason}"),
            Self::Inconsistent { key } => {
                write!(f, "inconsistent: {key} does not have the rows of its events")
            }
            Self::Twice { events } => write!(f, "twice: {}", range(events)),
            Self::Different { stream, version } => {
                write!(f, "different: event {version} of {stream} is another one in the log")
            }
            Self::Missing { events } => write!(f, "missing: {}", range(events)),
            Self::Unreadable { stream, reason } => write!(f, "unreadable: {stream}: {reason}"),
        }
    }
}
