use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Parked, QuarantineError};
use crate::{Actor, InvalidId, StreamId, Timestamp, Version};

/// The events that operators have skipped for one projection, in all its generations.
///
/// A fold asks only about an event that it can never apply. If the event was skipped, the fold continues without it. A
/// fold applies every event that it can apply, even a skipped one. So a stream folds to the same row wherever a fold
/// begins, and a fold without such an event reads nothing here.
#[async_trait]
pub trait Skips: Send + Sync {
    /// The skip of this event; `None` if there is none or it was withdrawn. Strongly consistent.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn find(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<Skip>, QuarantineError>;
}

/// The register in which operators record their skips. A record is never deleted, because a rebuild, an audit or a
/// query may read the same event again years later.
#[async_trait]
pub trait SkipRegister: Skips {
    /// Records a skip, on condition that its stream is quarantined because of this very event, or that an earlier skip
    /// of the event was withdrawn. The check and the write are atomic: if several operators skip the event at once, the
    /// first skip is recorded.
    ///
    /// # Errors
    /// [`SkipError`].
    async fn record(&self, skip: &Skip) -> Result<(), SkipError>;

    /// Withdraws the skip of this event, and returns it; `None` if no skip is in force. The record stays, with the
    /// operator and time of the withdrawal. Read models that were written without the event still lack it.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn withdraw(
        &self,
        stream: &StreamId,
        version: Version,
        by: &Signature,
    ) -> Result<Option<Skip>, QuarantineError>;
}

/// An operator's decision that a projection continues without an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skip {
    /// The event's stream.
    pub stream: StreamId,
    /// The event's version.
    pub version: Version,
    /// The reason.
    pub reason: SkipReason,
    /// The operator and the time.
    #[serde(flatten)]
    pub by: Signature,
}

/// The record of a skip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkipRecord {
    /// The skip.
    #[serde(flatten)]
    pub skip: Skip,
    /// The operator and the time of the withdrawal; `None` while the skip is in force.
    pub withdrawn: Option<Signature>,
}

/// An operator and the time of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The operator.
    pub actor: Actor,
    /// The time.
    pub at: Timestamp,
}

/// The reason for a skip: one line of 1 to 500 characters.
///
/// ```
/// # use ledgerfold::ports::SkipReason;
/// assert_eq!(SkipReason::new(" placed twice, see ticket 7 ")?.as_str(), "placed twice, see ticket 7");
/// assert!(SkipReason::new("  ").is_err());
/// # Ok::<_, ledgerfold::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SkipReason(String);

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

impl SkipReason {
    /// A reason, without leading and trailing blanks.
    ///
    /// # Errors
    /// [`InvalidId`] if the text is blank or too long, or contains control characters such as line feeds.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let text = text.trim();
        let is_short = (1..=LONGEST_REASON).contains(&text.chars().count());
        if is_short && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId::new("a reason", "one line of 1 to 500 characters, not all blank"))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for SkipReason {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl TryFrom<String> for SkipReason {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::new(&text)
    }
}

impl From<SkipReason> for String {
    fn from(reason: SkipReason) -> Self {
        reason.0
    }
}

/// The event was not skipped.
#[derive(Debug, thiserror::Error)]
pub enum SkipError {
    /// The stream is not quarantined: the projection has applied the event, or has not reached it yet.
    #[error("version {version} of {stream} cannot be skipped: the stream is not in quarantine")]
    NotParked {
        /// The stream.
        stream: StreamId,
        /// The version of the event.
        version: Version,
    },
    /// The stream is quarantined, but not because of this event.
    #[error("version {version} of {} cannot be skipped: {}: {}", .parked.stream, place(.parked), .parked.reason)]
    ParkedElsewhere {
        /// The version of the event.
        version: Version,
        /// The entry in the quarantine.
        parked: Box<Parked>,
    },
    /// An operator has already skipped the event.
    #[error(
        "version {} of {} was already skipped by {} at {}: {}",
        .0.version, .0.stream, .0.by.actor, .0.by.at, .0.reason
    )]
    AlreadySkipped(Box<Skip>),
    /// The quarantine failed.
    #[error(transparent)]
    Store(#[from] QuarantineError),
}

fn place(parked: &Parked) -> String {
    match parked.version {
        Some(version) => format!("the stream is in quarantine at version {version}"),
        None => "the stream is in quarantine, and not because of an event".to_owned(),
    }
}
