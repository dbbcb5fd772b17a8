use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vocabulary::StreamId;

/// How many events a stream holds, and so the position of its newest one: 1 is the first event,
/// 0 ([`Version::NONE`]) a stream that does not exist.
///
/// A number alone appends nothing: only a loaded stream makes a [`NewCommit`](crate::vocabulary::NewCommit), so
/// that no caller can leave a hole that the condition on append cannot see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The version of a stream without events.
    pub const NONE: Self = Self(0);

    /// The version with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number: how many events there are up to here.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version of the event that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The version `count` events further on.
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

/// A stream with the version at which it was read: a possible condition of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamVersion {
    stream: StreamId,
    version: Version,
}

impl StreamVersion {
    /// Only a loaded stream calls this: nobody else may name the version that an append follows.
    pub(crate) const fn loaded(stream: StreamId, version: Version) -> Self {
        Self { stream, version }
    }

    /// The stream.
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Its version.
    pub const fn version(&self) -> Version {
        self.version
    }
}
