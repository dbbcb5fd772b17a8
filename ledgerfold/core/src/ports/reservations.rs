use async_trait::async_trait;

use super::{ClaimsRecord, KeyChange, Resume, Segment, StoreError, StreamsError, Written};
use crate::{Category, ReservedKey, StreamId, ports::Page, vocabulary::StreamVersion};

/// The reservations of unique keys, for the commands that build and audit them.
///
/// Command handlers change reservations only through [`EventStore::transact`](super::EventStore::transact), together
/// with the events that require the change.
#[async_trait]
pub trait Reservations: Send + Sync {
    /// The stream that a key is reserved for. Strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn holder(&self, key: &ReservedKey) -> Result<Option<StreamId>, StoreError>;

    /// Some reservations of a segment, each once, in no particular order. A page may be empty and yet have a next one.
    /// Reservations that change during the listing may be missing.
    ///
    /// # Errors
    /// [`StreamsError`].
    async fn list_reservations(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError>;

    /// Corrects the reservation of a key, in one transaction with two conditions: the key is still reserved as the
    /// correction says, and each of its streams still has the version that was read. Superseded if a condition fails,
    /// or if another transaction uses the same items.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn correct(
        &self,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError>;

    /// The progress of building the reservations of a category's streams, strongly consistent. The default record if
    /// none is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_record(&self, category: &Category) -> Result<ClaimsRecord, StoreError>;

    /// Replaces the record that this one was made from, whose number is one less. Superseded if another record is
    /// stored.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn write_record(
        &self,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError>;
}

/// A key with the stream that it is reserved for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reservation {
    /// The key.
    pub key: ReservedKey,
    /// The stream.
    pub holder: StreamId,
}

/// A change to one reservation, as the log requires it. It contains the streams at the versions that prove it, so a
/// correction has no effect after its proof is outdated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Reserves a free key for the stream that owns it.
    Reserve {
        /// The owner.
        to: StreamVersion,
    },
    /// Releases the key from a stream that does not own it.
    Release {
        /// The stream that does not own it.
        from: StreamVersion,
    },
    /// Moves the key from a stream that does not own it to the owner.
    Pass {
        /// The stream that does not own it.
        from: StreamVersion,
        /// The owner.
        to: StreamVersion,
    },
}

impl Correction {
    /// The change to the key, with its current reservation as the condition.
    pub fn change(&self) -> KeyChange {
        match self {
            Self::Reserve { to } => KeyChange::Reserve(to.stream().clone()),
            Self::Release { from } => KeyChange::Release(from.stream().clone()),
            Self::Pass { from, to } => {
                KeyChange::Pass { from: from.stream().clone(), to: to.stream().clone() }
            }
        }
    }

    /// The streams that must still have the versions that were read.
    pub fn proof(&self) -> impl Iterator<Item = &StreamVersion> {
        let (one, other) = match self {
            Self::Reserve { to: seen } | Self::Release { from: seen } => (seen, None),
            Self::Pass { from, to } => (from, Some(to)),
        };
        std::iter::once(one).chain(other)
    }
}
