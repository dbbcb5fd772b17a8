//! Reservations of unique keys: their comparison with the log, and their build from it.
//!
//! [`Decider::claims`](crate::Decider::claims) names the keys that an event takes and gives back. A domain may get
//! new claims when it already has streams. The keys of those streams are not reserved, so a build walks the log once:
//!
//! 1. Deploy the domain with its claims, and a raised [`CLAIMS_REVISION`](crate::Decider::CLAIMS_REVISION) if it had
//!    some before. Wait until no function runs the old code.
//! 2. Run [`ClaimsBuilder::build`]. It reserves each key for the stream that owns it, removes reservations whose stream
//!    does not own the key, and names each key that has two owners.
//! 3. Settle those by commands: one of the two gives the key up. Build again.
//!
//! Until a build has recorded the reservations as complete, a stream can give back a key that is not reserved for it.
//! Afterwards that is an error, because only a defect of the claims leads to it. A key that *is* reserved for another
//! stream is refused at any time.
//!
//! # Why commands and builds may run at once
//!
//! Each change of a reservation is one transaction with its proof. The transaction of a command carries its
//! events, and so the version that follows. The transaction of a build has the condition that the stream is
//! still at the version that was read. A command that gives back an unreserved key has the condition that the
//! key is not its stream's, so it cannot pass between a build's read and the build's write. The second one is
//! refused and reads again. Therefore a stream that a build has visited stays right, and a stream that begins
//! later is right from its first event.

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
    /// The present walk of the build.
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
