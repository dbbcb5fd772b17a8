//! The steps of an export, as JSON.

use std::collections::BTreeSet;

use jiff::{civil::Date, tz::TimeZone};
use ledgerfold::{StreamId, Timestamp};
use serde::{Deserialize, Serialize};

/// The format that this program writes. It reads no other one.
const FORMAT: u32 = 1;

/// A step of an export: the files that it adds and those that it replaces.
///
/// Manifests are numbered from 1 without gaps, and only one writer can store each number. An event is in the export if
/// and only if a manifest names its file, so a step takes effect as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    format: u32,
    /// Its number.
    pub number: u64,
    /// The events that this step adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<Range>,
    /// The files that this step adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Unit>,
    /// The units whose rows are now in units of this step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<UnitId>,
    /// The window that this step closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<Closed>,
}

/// Consecutive events of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The stream.
    pub stream: StreamId,
    /// The version of the first event.
    pub from: u64,
    /// The version of the last event.
    pub to: u64,
}

/// The files with the rows of one day that one step has added: one file of the table `events`, and one of the table of
/// each type among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The day on which the events were recorded, in UTC.
    pub day: Date,
    /// The number of events.
    pub rows: u64,
    /// The files. The first is of the table `events`.
    pub files: Vec<File>,
}

/// A file of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// `events`, or `typed/<category>/<type>/v<version>`.
    pub table: String,
    /// The key of the object. Its name is the SHA-256 of the content.
    pub key: String,
    /// A digest of the names and types of the columns that come from the table's schema. Empty for `events`.
    pub columns: String,
    /// The number of rows.
    pub rows: u64,
    /// The size in bytes.
    pub bytes: u64,
}

/// A unit by the step that has added it, and its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnitId {
    /// The number of the manifest.
    pub number: u64,
    /// The day.
    pub day: Date,
}

/// A closed window. The same JSON is its marker, also if the window has no events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The start of the window.
    pub from: Timestamp,
    /// Its end. No event of the window was recorded at that time or later.
    pub until: Timestamp,
    /// The number of events that were added since the window before it was closed.
    pub events: u64,
    /// The number of streams that have events for the window and cannot be read.
    pub withheld: u64,
    /// The first of these streams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Withheld>,
}

/// A stream that cannot be exported for now. Its events follow in a later window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// The stream.
    pub stream: StreamId,
    /// The reason.
    pub reason: String,
}

impl Manifest {
    pub(crate) const fn new(number: u64) -> Self {
        let streams = Vec::new();
        Self {
            format: FORMAT,
            number,
            streams,
            units: Vec::new(),
            replaces: Vec::new(),
            closes: None,
        }
    }

    /// The key of the manifest with this number.
    pub(crate) fn key(number: u64) -> String {
        format!("manifests/{number:012}.json")
    }

    /// Reads the manifest of this number.
    pub(crate) fn read(number: u64, json: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        match (manifest.format, manifest.number) {
            (FORMAT, found) if found == number => Ok(manifest),
            (FORMAT, found) => Err(format!("it is the manifest {found}")),
            (format, _) => {
                Err(format!("it has the format {format}, and this program reads {FORMAT}"))
            }
        }
    }

    /// Whether both cannot be part of one export: they add events of one stream, replace one unit, or close a window.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        let streams: BTreeSet<_> = self.streams.iter().map(|range| &range.stream).collect();
        other.streams.iter().any(|range| streams.contains(&range.stream))
            || other.replaces.iter().any(|unit| self.replaces.contains(unit))
            || (self.closes.is_some() && other.closes.is_some())
    }
}

impl Unit {
    /// The size of all its files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl Closed {
    /// The key of the marker, for example `windows/2026-11-29/13-00.json`. It follows from the start of the window.
    pub fn key(&self) -> String {
        let from = self.from.to_zoned(TimeZone::UTC);
        format!("windows/{}/{:02}-{:02}.json", from.date(), from.hour(), from.minute())
    }
}
