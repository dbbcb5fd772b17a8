//! Reservations of unique keys, compared with the log they follow from, and built from it.
//!
//! [`Decider::claims`](crate::Decider::claims) says which keys an event takes and gives back. A domain
//! may get claims, or others than before, when it already has streams. Their keys are not reserved
//! then, so a build has to go through the log once:
//!
//! 1. Deploy the domain with its claims, and a raised
//!    [`CLAIMS_REVISION`](crate::Decider::CLAIMS_REVISION) if it had some before. Wait until no function
//!    runs the code from before.
//! 2. Run [`ClaimsBuilder::build`]. It reserves each key for the stream that owns it, removes
//!    reservations whose stream does not, and names each key that has two owners.
//! 3. Settle those by commands: one of the two gives the key up. Build again.
//!
//! Until a build has recorded the reservations as complete, a stream can give back a key that is not
//! reserved for it. Afterwards that is an error, because then only a defect of the claims leads to it.
//! A key that *is* reserved for another stream is refused at any time.
//!
//! # Why commands and builds may run at once
//!
//! Each change of a reservation is one transaction with the proof that it is right. A command's carries
//! its events, and so the version that follows. A build's has the condition that the stream is still at
//! the version that was read. A command that gives back an unreserved key has the condition that the key
//! is not its stream's, so it cannot pass between a build's read and the build's write. Whoever comes
//! second is refused, and looks again. A stream that a build has been through therefore stays right, and
//! a stream that begins later is right from its first event.

mod builder;
mod checker;
mod claimants;
mod inspector;

pub use builder::{Built, ClaimsBuilder, Observer};
pub use checker::ClaimsChecker;
pub use claimants::Claimants;
pub use inspector::{Finding, Inspector, Subject};

use crate::{
    Category,
    ports::{SegmentProgress, StoreError, StreamsError, Walk},
};

/// How many findings a build keeps; it counts all of them.
const FINDINGS: usize = 100;
/// How many subjects of a segment are worked on at a time.
const CONCURRENT_SUBJECTS: usize = 4;

/// A page of a segment is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The category.
    pub category: Category,
    /// What the build goes through.
    pub walk: Walk,
    /// How far this segment has come.
    pub progress: SegmentProgress,
}

/// Reservations could not be built or audited.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// The log or the table of reservations failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Streams or reservations could not be listed.
    #[error(transparent)]
    Streams(#[from] StreamsError),
    /// Others kept changing the record: other builds are at work.
    #[error("others kept changing the record of the reservations of {0}")]
    Contention(Category),
    /// The program has no domain for the category.
    #[error("this program has no domain with claims for the category {0}")]
    Undeclared(Category),
}
