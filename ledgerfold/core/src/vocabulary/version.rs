use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vocabulary::StreamId;

/// The number of events in a stream, which is also the position of its newest event. The first event has version 1.
/// A stream without events has version 0 ([`Version::NONE`]).
///
/// A number alone does not allow an append: only a loaded stream makes a
/// [`NewCommit`](crate::vocabulary::NewCommit). So no caller can leave a gap, which the condition of an append
/// could not detect.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The version of a stream without events.
    pub const NONE: Self = Self(0);

    /// The version with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version of the next event.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The version after `count` more events.
    #[must_use]
    pub fn advance(self, count: usize) -> Self {
        Self(self.0.saturating_add(u64::try_from(count).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A stream with the version at which it was read. A transaction can use it as a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamVersion {
    stream: StreamId,
    version: Version,
}

impl StreamVersion {
    /// Only a loaded stream calls this function, so the version is always one that was read.
    pub(crate) const fn loaded(stream: StreamId, version: Version) -> Self {
        Self { stream, version }
    }

    /// The stream.
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.version
    }
}
