use async_trait::async_trait;

use super::{ClaimsRecord, KeyChange, Resume, Segment, StoreError, StreamsError, Written};
use crate::{Category, StreamId, UniqueKey, ports::Page, vocabulary::StreamVersion};

/// The reservations of unique keys, for the commands that build and audit them.
///
/// Handlers of commands change reservations through
/// [`EventStore::transact`](super::EventStore::transact) only, together with the events that ask for it.
#[async_trait]
pub trait Reservations: Send + Sync {
    /// The stream that a key is reserved for. Strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn holder(&self, key: &UniqueKey) -> Result<Option<StreamId>, StoreError>;

    /// Some reservations of a segment, each once, in no particular order. A page may be empty and yet
    /// have a next one. Reservations that change while pages are read may be missing.
    ///
    /// # Errors
    /// [`StreamsError`].
    async fn list_reservations(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError>;

    /// Corrects the reservation of a key, in one transaction with two conditions: the key is still
    /// reserved as the correction says, and each of its streams is still at the version at which it was
    /// seen. Superseded where one of them fails, or where another transaction touches the same items.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn correct(
        &self,
        key: &UniqueKey,
        correction: &Correction,
    ) -> Result<Written, StoreError>;

    /// How far the reservations of a category's streams are built, strongly consistent; the default
    /// where nothing is recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_record(&self, category: &Category) -> Result<ClaimsRecord, StoreError>;

    /// Puts a record in the place of the one it was made from, whose number is one less. Superseded
    /// where another one is there.
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
    pub key: UniqueKey,
    /// The stream.
    pub holder: StreamId,
}

/// A change to one reservation that the log asks for. It carries the streams at the versions that prove
/// it, so that no correction outlives its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Correction {
    /// From free to the stream that owns the key.
    Reserve {
        /// The owner.
        to: StreamVersion,
    },
    /// From a stream that does not own the key to free.
    Release {
        /// The stream that does not.
        from: StreamVersion,
    },
    /// From a stream that does not own the key to the one that does.
    Pass {
        /// The stream that does not.
        from: StreamVersion,
        /// The owner.
        to: StreamVersion,
    },
}

impl Correction {
    /// The change to the key, on condition of its present reservation.
    pub fn change(&self) -> KeyChange {
        match self {
            Self::Reserve { to } => KeyChange::Reserve(to.stream().clone()),
            Self::Release { from } => KeyChange::Release(from.stream().clone()),
            Self::Pass { from, to } => {
                KeyChange::Pass { from: from.stream().clone(), to: to.stream().clone() }
            }
        }
    }

    /// The streams that must be as they were seen.
    pub fn proof(&self) -> impl Iterator<Item = &StreamVersion> {
        let (one, other) = match self {
            Self::Reserve { to: seen } | Self::Release { from: seen } => (seen, None),
            Self::Pass { from, to } => (from, Some(to)),
        };
        std::iter::once(one).chain(other)
    }
}
