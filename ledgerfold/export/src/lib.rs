//! Exports the events of a context as Parquet files for analysts. Each event is in the files exactly once.
//!
//! An export is a projection whose rows are files:
//!
//! - The bus tells which streams have news ([`Exporter::mark`]). The events themselves come from the log, so a lost, late
//!   or repeated message changes nothing.
//! - When a window of time is over, [`Exporter::close_windows`] writes the new events of the marked streams to files.
//! - A [`Manifest`] makes the files of a step visible, all at once. Manifests are numbered, and only one writer can store
//!   each number.
//! - [`Exporter::back_fill`] adds the history from before the export began, while windows are closed as usual.
//! - [`Exporter::compact`] merges the small files of days that are over.
//! - [`Verification`] compares all files with the log.
//!
//! Files are sorted by stream and version, and contain nothing about their writer. The same events give the same bytes.
//!
//! This crate knows no service of AWS. Its ports are in [`ledgerfold::ports`].

mod batch;
mod compaction;
mod envelopes;
mod exporter;
mod gather;
mod live;
mod manifest;
mod parquet_file;
mod row;
mod step;
mod typed;
mod verify;
mod window;

pub use compaction::Size;
pub use exporter::{ExportPorts, Exporter, GRACE, Run};
pub use gather::Limits;
pub use live::Live;
pub use manifest::{Closed, File, Manifest, Range, Unit, UnitId, Withheld};
pub use row::{Row, UnreadableFile};
pub use typed::Tables;
pub use verify::{Finding, Verification};
pub use window::{InvalidWindow, WindowLength};
