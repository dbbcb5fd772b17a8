use std::fmt;

use ledgerfold::SchemaVersion;

use super::{change::Change, kept::SchemaName};

/// One thing that the events and the files kept of them do not agree on, as one sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A written type no longer fits its schema.
    Changed {
        /// Its version.
        name: SchemaName,
        /// The difference.
        change: Change,
    },
    /// The struct that reads an old version no longer fits the stored schema.
    HistoryChanged {
        /// The old version.
        name: SchemaName,
        /// The difference.
        change: Change,
    },
    /// A version that no schema is kept of.
    New(SchemaName),
    /// The version was raised, and no upcaster translates the older events.
    NoUpcaster {
        /// The older version.
        name: SchemaName,
        /// The version that is written.
        written: SchemaVersion,
    },
    /// The version that is written is older than one that was.
    Lowered {
        /// The newest version that was kept.
        name: SchemaName,
        /// The version that is written.
        written: SchemaVersion,
    },
    /// The type is no longer known, and nothing translates its events.
    Dropped(SchemaName),
    /// The schema of a written or retired version is gone. It must not be made up again from the type, because it was
    /// a promise.
    SchemaLost(SchemaName),
    /// A version that no golden file is kept of, with a sample at hand.
    NoGoldenYet(SchemaName),
    /// A version that is written, that no golden file is kept of, and no sample is given of.
    NoSample(SchemaName),
    /// An old version that no golden file is kept of.
    GoldenLost(SchemaName),
    /// A golden file, or a sample, that does not fit the schema.
    Misfit {
        /// The file or the sample.
        what: String,
        /// Of which version it should be.
        name: SchemaName,
        /// Where it does not fit, and why.
        reason: String,
    },
    /// A golden file that can no longer be read.
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A golden file that is read, written again, and is then something else.
    Unfaithful {
        /// The file.
        file: String,
        /// Its actual content.
        reason: String,
    },
    /// The AsyncAPI document is missing, or says something else.
    AsyncApi,
}

impl Finding {
    /// Whether writing the files anew is a way out: nothing that was promised is broken.
    pub const fn is_update(&self) -> bool {
        match self {
            Self::Changed { change, .. } => change.is_compatible(),
            // No event of an old version can have a field that was added to its type since.
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
                write!(f, "{name}: {change}; UPDATE_SCHEMAS=1 keeps it.")
            }
            Self::Changed { name, change } => write!(
                f,
                "{name}: {change}; make it version {} and write an upcaster from version {}.",
                name.next(),
                name.version
            ),
            Self::HistoryChanged { name, change } if self.is_update() => {
                write!(f, "{name}: {change}; UPDATE_SCHEMAS=1 keeps it.")
            }
            Self::HistoryChanged { name, change } => write!(
                f,
                "{name}: {change}; version {} is history: give the type that reads it its old shape.",
                name.version
            ),
            Self::New(name) => {
                write!(f, "{name}: its schema is not kept yet; UPDATE_SCHEMAS=1 keeps it.")
            }
            Self::NoUpcaster { name, written } => write!(
                f,
                "{name}: the version was raised to {written}, and nothing says what an event of \
                 version {} is today; add `{}: {}` to `upcast`, or to `retired` if nothing is left \
                 of it.",
                name.version, name.event_type, name.version
            ),
            Self::Lowered { name, written } => write!(
                f,
                "{name}: the version was lowered to {written}, while events of version {} may be in \
                 the log; a version is never taken back: make it {} and write an upcaster from \
                 version {}.",
                name.version,
                name.next(),
                name.version
            ),
            Self::Dropped(name) => write!(
                f,
                "{name}: the type is gone, and nothing says what its events are today; add `{}: {}` \
                 to `upcast`, or to `retired` if nothing is left of it.",
                name.event_type, name.version
            ),
            other => other.of_files(f),
        }
    }
}

impl Finding {
    /// The sentences about files.
    fn of_files(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SchemaLost(name) => write!(
                f,
                "{name}: events of it were written, and its schema is not kept; bring {} back.",
                name.schema_file()
            ),
            Self::NoGoldenYet(name) => write!(
                f,
                "{name}: no golden file shows an event of it yet; UPDATE_SCHEMAS=1 keeps the sample."
            ),
            Self::NoSample(name) => write!(
                f,
                "{name}: no golden file shows an event of it; give the check a sample of it."
            ),
            Self::GoldenLost(name) => write!(
                f,
                "{name}: no golden file shows an event of it; bring back {} as it was when version \
                 {} was written.",
                name.golden_file(),
                name.version
            ),
            Self::Misfit { what, name, reason } => {
                write!(f, "{what} does not fit the schema of {name}: {reason}.")
            }
            Self::Unreadable { file, reason } => {
                write!(f, "{file} can no longer be read: {reason}.")
            }
            Self::Unfaithful { file, reason } => {
                write!(f, "{file} is not the same once it is read and written again: {reason}.")
            }
            Self::AsyncApi => write!(
                f,
                "asyncapi.json does not say what the events are; UPDATE_SCHEMAS=1 writes it."
            ),
            _ => Ok(()),
        }
    }
}
