use std::sync::Arc;

use super::{Claimants, ClaimsError, claimants::Ownership};
use crate::{
    Category, ReservedKey, StreamId,
    command::LoadError,
    ports::{
        Correction, EventReader, Reservation, Reservations, Resume, Segment, StoreError, Streams,
        Walk,
    },
    vocabulary::StreamVersion,
};

/// Compares reservations with the log.
///
/// In a finding, the *owner* of a key is the stream that has the key according to its events. The *holder* is the
/// stream that the key is reserved for.
#[derive(Clone)]
pub struct Inspector {
    pub(super) claimants: Claimants,
    log: Arc<dyn EventReader>,
    pub(super) reservations: Arc<dyn Reservations>,
    streams: Arc<dyn Streams>,
}

/// A stream or a reservation that can be compared with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A stream. Each key that it owns must be reserved for it.
    Stream(StreamId),
    /// A reservation. Its holder must own the key.
    Reservation(Reservation),
}

/// A fault, with the versions of the streams that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A key has an owner, and is not reserved.
    Missing {
        /// The key.
        key: ReservedKey,
        /// Its owner.
        owner: StreamVersion,
    },
    /// A key has an owner, and is reserved for another stream.
    Misplaced {
        /// The key.
        key: ReservedKey,
        /// Its owner.
        owner: StreamVersion,
        /// Its holder.
        holder: StreamVersion,
    },
    /// A key is reserved for a stream that does not own it.
    Superfluous {
        /// The key.
        key: ReservedKey,
        /// Its holder.
        holder: StreamVersion,
    },
    /// A key has two owners. An operator must decide which of them gives the key up.
    Contested {
        /// The key.
        key: ReservedKey,
        /// The owner without the reservation.
        owner: StreamVersion,
        /// The owner with the reservation.
        holder: StreamVersion,
    },
    /// A key has an owner, and is reserved for a stream of a domain that this program does not know.
    Foreign {
        /// The key.
        key: ReservedKey,
        /// Its owner.
        owner: StreamVersion,
        /// Its holder.
        holder: StreamId,
    },
    /// The events of a stream cannot be read, so its keys are unknown.
    Unreadable {
        /// The stream.
        stream: StreamId,
        /// The reason.
        reason: String,
    },
}

impl Finding {
    /// The kind of fault, as one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Misplaced { .. } => "misplaced",
            Self::Superfluous { .. } => "superfluous",
            Self::Contested { .. } => "contested",
            Self::Foreign { .. } => "foreign",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// The key; `None` for an unreadable stream.
    pub const fn key(&self) -> Option<&ReservedKey> {
        match self {
            Self::Missing { key, .. }
            | Self::Misplaced { key, .. }
            | Self::Superfluous { key, .. }
            | Self::Contested { key, .. }
            | Self::Foreign { key, .. } => Some(key),
            Self::Unreadable { .. } => None,
        }
    }

    /// The owner of the key, or the unreadable stream.
    pub fn owner(&self) -> Option<&StreamId> {
        match self {
            Self::Missing { owner, .. }
            | Self::Misplaced { owner, .. }
            | Self::Contested { owner, .. }
            | Self::Foreign { owner, .. } => Some(owner.stream()),
            Self::Superfluous { .. } => None,
            Self::Unreadable { stream, .. } => Some(stream),
        }
    }

    /// The stream that the key is reserved for.
    pub fn holder(&self) -> Option<&StreamId> {
        match self {
            Self::Misplaced { holder, .. }
            | Self::Superfluous { holder, .. }
            | Self::Contested { holder, .. } => Some(holder.stream()),
            Self::Foreign { holder, .. } => Some(holder),
            Self::Missing { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// The correction; `None` if an operator must decide.
    pub(super) fn correction(&self) -> Option<(&ReservedKey, Correction)> {
        Some(match self.clone() {
            Self::Missing { owner, .. } => (self.key()?, Correction::Reserve { to: owner }),
            Self::Misplaced { owner, holder, .. } => {
                (self.key()?, Correction::Pass { from: holder, to: owner })
            }
            Self::Superfluous { holder, .. } => (self.key()?, Correction::Release { from: holder }),
            Self::Contested { .. } | Self::Foreign { .. } | Self::Unreadable { .. } => return None,
        })
    }
}

/// Whether a stream owns a key that is reserved for it.
enum HolderState {
    Owns(StreamVersion),
    Lacks(StreamVersion),
    /// The stream belongs to a domain that this program does not know.
    Unknown,
    Unreadable(String),
}

impl Inspector {
    /// An inspector of these domains' keys. The list of streams must be strongly consistent, so that it contains every
    /// stream that began before a build.
    pub fn new(
        claimants: Claimants,
        log: Arc<dyn EventReader>,
        reservations: Arc<dyn Reservations>,
        streams: Arc<dyn Streams>,
    ) -> Self {
        Self { claimants, log, reservations, streams }
    }

    /// The categories whose keys can be inspected.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.claimants.categories()
    }

    /// A page of a category's streams or reservations, and the start of the next page.
    ///
    /// # Errors
    /// [`ClaimsError`].
    pub async fn list(
        &self,
        category: &Category,
        (walk, segment): (Walk, Segment),
        from: Option<&Resume>,
    ) -> Result<(Vec<Subject>, Option<Resume>), ClaimsError> {
        let (subjects, next): (Vec<_>, _) = match walk {
            Walk::Streams => {
                let page = self.streams.list(segment, from).await?;
                (page.items.into_iter().map(Subject::Stream).collect(), page.next)
            }
            Walk::Reservations => {
                let page = self.reservations.list_reservations(segment, from).await?;
                (page.items.into_iter().map(Subject::Reservation).collect(), page.next)
            }
        };
        let ours = |subject: &Subject| subject.stream().category() == category;
        Ok((subjects.into_iter().filter(ours).collect(), next))
    }

    /// The current faults of a subject. Commands may run meanwhile. So a fault counts only if a second examination
    /// finds it unchanged, or if a correction has it as its condition.
    pub(super) async fn examine(&self, subject: &Subject) -> Result<Vec<Finding>, StoreError> {
        match subject {
            Subject::Stream(stream) => self.stream(stream).await,
            Subject::Reservation(reservation) => {
                Ok(self.reservation(reservation).await?.into_iter().collect())
            }
        }
    }

    async fn stream(&self, stream: &StreamId) -> Result<Vec<Finding>, StoreError> {
        let ownership = match self.ownership(stream).await? {
            None => return Ok(Vec::new()),
            Some(Ok(ownership)) => ownership,
            Some(Err(reason)) => {
                return Ok(vec![Finding::Unreadable { stream: stream.clone(), reason }]);
            }
        };
        let mut findings = Vec::new();
        for key in ownership.keys {
            let owner = ownership.seen.clone();
            findings.extend(match self.reservations.holder(&key).await? {
                None => Some(Finding::Missing { key, owner }),
                Some(holder) if holder == *stream => None,
                Some(holder) => Some(match self.holder_state(&holder, &key).await? {
                    HolderState::Owns(holder) => Finding::Contested { key, owner, holder },
                    HolderState::Lacks(holder) => Finding::Misplaced { key, owner, holder },
                    HolderState::Unknown => Finding::Foreign { key, owner, holder },
                    HolderState::Unreadable(reason) => {
                        Finding::Unreadable { stream: holder, reason }
                    }
                }),
            });
        }
        Ok(findings)
    }

    async fn reservation(
        &self,
        Reservation { key, holder }: &Reservation,
    ) -> Result<Option<Finding>, StoreError> {
        let seen = match self.holder_state(holder, key).await? {
            HolderState::Owns(_) | HolderState::Unknown => return Ok(None),
            HolderState::Unreadable(reason) => {
                return Ok(Some(Finding::Unreadable { stream: holder.clone(), reason }));
            }
            HolderState::Lacks(seen) => seen,
        };
        // The listed reservation may be older than the stream.
        let now = self.reservations.holder(key).await?;
        let still = now.as_ref() == Some(holder);
        Ok(still.then(|| Finding::Superfluous { key: key.clone(), holder: seen }))
    }

    async fn holder_state(
        &self,
        stream: &StreamId,
        key: &ReservedKey,
    ) -> Result<HolderState, StoreError> {
        Ok(match self.ownership(stream).await? {
            None => HolderState::Unknown,
            Some(Err(reason)) => HolderState::Unreadable(reason),
            Some(Ok(it)) if it.keys.contains(key) => HolderState::Owns(it.seen),
            Some(Ok(it)) => HolderState::Lacks(it.seen),
        })
    }

    /// The keys that a stream owns, or the reason why its events cannot be read; `None` if its domain is unknown.
    async fn ownership(
        &self,
        stream: &StreamId,
    ) -> Result<Option<Result<Ownership, String>>, StoreError> {
        let Some(claimant) = self.claimants.of(stream.category()) else { return Ok(None) };
        match claimant.owned(&*self.log, stream).await {
            Ok(ownership) => Ok(Some(Ok(ownership))),
            Err(LoadError::Store(error)) if !matches!(error, StoreError::Corrupt { .. }) => {
                Err(error)
            }
            Err(lasting) => Ok(Some(Err(lasting.to_string()))),
        }
    }
}

impl Subject {
    /// The stream, or the reservation's holder.
    pub const fn stream(&self) -> &StreamId {
        match self {
            Self::Stream(stream) => stream,
            Self::Reservation(reservation) => &reservation.holder,
        }
    }
}
