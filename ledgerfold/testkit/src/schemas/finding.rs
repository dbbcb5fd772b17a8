use std::fmt;

use ledgerfold::SchemaVersion;

use super::{change::Change, kept::SchemaName};

/// One difference between the events and the files of their contract. `Display` gives one sentence with a way to
/// resolve it.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A written type differs from its stored schema.
    Changed {
        /// The version.
        name: SchemaName,
        /// The difference.
        change: Change,
    },
    /// The struct of an old version differs from its stored schema.
    HistoryChanged {
        /// The old version.
        name: SchemaName,
        /// The difference.
        change: Change,
    },
    /// A version without a stored schema.
    New(SchemaName),
    /// The version was raised without an upcaster for older events.
    NoUpcaster {
        /// The older version.
        name: SchemaName,
        /// The written version.
        written: SchemaVersion,
    },
    /// The written version is lower than an earlier one.
    Lowered {
        /// The newest stored version.
        name: SchemaName,
        /// The written version.
        written: SchemaVersion,
    },
    /// The type was removed without an upcaster for its events.
    Dropped(SchemaName),
    /// The stored schema of a version is missing. It must not be generated again from the type, because the type may
    /// have changed since.
    SchemaLost(SchemaName),
    /// A version without a golden file, for which there is a sample.
    NoGoldenYet(SchemaName),
    /// A written version without a golden file and without a sample.
    NoSample(SchemaName),
    /// An old version without a golden file.
    GoldenLost(SchemaName),
    /// A golden file or a sample does not fit its schema.
    Misfit {
        /// The file or the sample.
        what: String,
        /// The version.
        name: SchemaName,
        /// The place and the reason.
        reason: String,
    },
    /// A golden file cannot be read any more.
    Unreadable {
        /// The file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// A golden file changes when its event is written and read again.
    Unfaithful {
        /// The file.
        file: String,
        /// The difference.
        reason: String,
    },
    /// The AsyncAPI document is missing or outdated.
    AsyncApi,
}

impl Finding {
    /// Whether the check may resolve it by writing files: the contract is not broken.
    pub const fn is_update(&self) -> bool {
        match self {
            Self::Changed { change, .. } => change.is_compatible(),
            // An old version has no new events, so not even an optional field may be added to it.
            Self::HistoryChanged { change, .. } => matches!(change, Change::Documentation),
            Self::New(_) | Self::NoGoldenYet(_) | Self::AsyncApi => true,
            _ => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { name, change } if change.is_compatible() => {
                write!(f, "{name}: {change}; UPDATE_SCHEMAS=1 stores the new schema.")
            }
            Self::Changed { name, change } => write!(
                f,
                "{name}: {change}; make it version {} and write an upcaster from version {}.",
                name.next(),
                name.version
            ),
            Self::HistoryChanged { name, change } if self.is_update() => {
                write!(f, "{name}: {change}; UPDATE_SCHEMAS=1 stores the new schema.")
            }
            Self::HistoryChanged { name, change } => write!(
                f,
                "{name}: {change}; version {} is not written any more: restore the old shape of its type.",
                name.version
            ),
            Self::New(name) => {
                write!(f, "{name}: its schema is not stored yet; UPDATE_SCHEMAS=1 stores it.")
            }
            Self::NoUpcaster { name, written } => write!(
                f,
                "{name}: the version was raised to {written}, and events of version {} cannot be read; \
                 add `{}: {}` to `upcast`, or to `retired` if they have no meaning any more.",
                name.version, name.event_type, name.version
            ),
            Self::Lowered { name, written } => write!(
                f,
                "{name}: the version was lowered to {written}, but the log may have events of version {}; \
                 a version cannot be withdrawn: make it {} and write an upcaster from version {}.",
                name.version,
                name.next(),
                name.version
            ),
            Self::Dropped(name) => write!(
                f,
                "{name}: the type was removed, and its events cannot be read; add `{}: {}` to `upcast`, \
                 or to `retired` if they have no meaning any more.",
                name.event_type, name.version
            ),
            other => other.write_about_files(f),
        }
    }
}

impl Finding {
    /// The sentences about schemas, golden files and the AsyncAPI document.
    fn write_about_files(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SchemaLost(name) => write!(
                f,
                "{name}: its events were written, but its schema is missing; restore {}.",
                name.schema_file()
            ),
            Self::NoGoldenYet(name) => {
                write!(f, "{name}: it has no golden file yet; UPDATE_SCHEMAS=1 stores the sample.")
            }
            Self::NoSample(name) => {
                write!(f, "{name}: it has no golden file; pass a sample of it to the check.")
            }
            Self::GoldenLost(name) => write!(
                f,
                "{name}: its golden file is missing; restore {} from the time when version {} was \
                 written.",
                name.golden_file(),
                name.version
            ),
            Self::Misfit { what, name, reason } => {
                write!(f, "{what} does not fit the schema of {name}: {reason}.")
            }
            Self::Unreadable { file, reason } => {
                write!(f, "{file} cannot be read any more: {reason}.")
            }
            Self::Unfaithful { file, reason } => {
                write!(f, "{file} changes when its event is written and read again: {reason}.")
            }
            Self::AsyncApi => {
                write!(f, "asyncapi.json is missing or outdated; UPDATE_SCHEMAS=1 writes it.")
            }
            _ => Ok(()),
        }
    }
}
