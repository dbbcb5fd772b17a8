//! Checks and builds of the reservations of unique keys.
//!
//! [`Decider::claims`](crate::Decider::claims) returns the keys that an event reserves and releases, and commands
//! maintain the reservations. If a domain with streams gets new claims, the keys of these streams are not reserved yet,
//! and you need a build:
//!
//! 1. Deploy the domain with its claims. If it had claims before, raise
//!    [`CLAIMS_REVISION`](crate::Decider::CLAIMS_REVISION). Wait until no function runs the old code.
//! 2. Run [`ClaimsBuilder::build`]. It reserves each key for the stream that owns it, removes reservations whose
//!    stream does not own the key, and reports each key with two owners.
//! 3. For each of these keys, send a command by which one owner gives the key up. Build again.
//!
//! Until a build has recorded the reservations as complete, a stream can release a key that has no reservation.
//! Afterwards that is an error, because only a defect in the claims causes it. A key that is reserved for another
//! stream is always refused.
//!
//! # Why commands and builds may run at once
//!
//! Every change of a reservation is a transaction with a condition on the stream:
//!
//! - A command's transaction also appends its events, so it requires the expected version.
//! - A build's transaction requires the version at which it read the stream.
//! - A command that releases an unreserved key requires that the key is still not reserved for its stream, so it
//!   conflicts with a build that reserves the key meanwhile.
//!
//! Of two such transactions the second one fails and reads again. So the reservations of a stream stay correct after a
//! build has visited it, and a later stream has correct reservations from its first event.

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

/// How many findings a build reports. It counts all of them.
const FINDINGS: usize = 100;
/// How many subjects of a segment are processed concurrently.
const CONCURRENT_SUBJECTS: usize = 4;

/// A page of a segment was processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The category.
    pub category: Category,
    /// The current walk of the build.
    pub walk: Walk,
    /// The progress of the segment.
    pub progress: SegmentProgress,
}

/// Reservations could not be built or checked.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// The log or the table of reservations failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Streams or reservations could not be listed.
    #[error(transparent)]
    Streams(#[from] StreamsError),
    /// Other builds kept changing the record.
    #[error("the record of the reservations of {0} was changed by other builds on every attempt")]
    Contention(Category),
    /// The program has no domain for the category.
    #[error("this program has no domain with claims for the category {0}")]
    Undeclared(Category),
}
