//! Rebuilds of read models from the first event, while the live rows are read and written.
//!
//! A projection has [generations](crate::vocabulary::Generations): sets of rows or counters beside each other in one
//! read table. One is live, and readers look it up on every call. A [`Rebuilder`] builds another one and switches
//! readers to it, in steps that can each be interrupted and started again:
//!
//! | step | effect |
//! | --- | --- |
//! | [`begin`](Rebuilder::begin) | records the building generation; from then on [projectors](crate::project::Projector) update it too |
//! | [`fill`](Rebuilder::fill) | walks all streams of the log, several segments at once, and updates the generation to the end of each |
//! | [`verify`](Rebuilder::verify) | compares everything with a fresh fold |
//! | [`switch`](Rebuilder::switch) | makes it live, in one conditional write |
//! | [`retire`](Rebuilder::retire), [`remove`](Rebuilder::remove) | gives up the former live generation, and removes its items |
//!
//! Deploy a changed model in the same way: deploy a [`Catalog`](crate::project::Catalog) with both revisions, rebuild
//! with the newer one, and drop the old model after the switch and the removal. A roll-back is a rebuild into the
//! previous generation, which has been kept up to date meanwhile, so that little is left to fill.
//!
//! # Why no event is missed
//!
//! A projector reads the record after its batch has arrived, with strong consistency: from a copy, whose layout is the
//! present one for the reasons in [`generations`](crate::generations). If the record had no building
//! generation, the events of the batch were committed before the rebuild began. The fill begins later and reads with
//! strong consistency, so it sees them. A projector that reads the record later writes to both generations.
//!
//! # Why no event is counted twice
//!
//! The fill and the projectors use the same conditional writes, whose condition is the position of the row or memo. If
//! both apply the same event, the second write fails its condition, and finds that its work is done.
//!
//! # Why reads never go backwards
//!
//! The new live generation must have everything that the former one shows. The verification updates each stream to its
//! end at that moment. Later events of the live generation come from projectors that read the record
//!
//! - before the rebuild began: then the events were committed before as well, and have been verified;
//! - after it began: then the building generation applied the event first, or the record names it as missed. In the
//!   second case the switch fails, because its condition is the record at the beginning of the verification.
//!
//! This needs one more rule: a projector never updates a row beyond the newest commit of its batch, even if the log has
//! later ones.
//!
//! A reader that began before the switch may still read the generation that was live then. After the switch the new
//! live generation applies each event first, and the previous one applies it afterwards, so this reader never sees an
//! event that the next reader does not see. A roll-back lets the previous generation get ahead of the live one, and a
//! removal deletes it; both wait for [the longest read](Rebuilder::with_longest_read) first. The building generation is
//! ahead of all others, but no reader uses it.
//!
//! As always, a list may lack a row for a moment, because its index lags. A caller with a consistency token sees its
//! own row in any case.

mod fill;
mod rebuilder;
mod verify;

pub use fill::{Filled, Plan, Unfilled};
pub use rebuilder::Rebuilder;
pub use verify::Verified;

use crate::{
    ports::{ReadStoreError, SegmentProgress, StoreError, StreamsError},
    project::{ProjectError, UnknownModel},
    vocabulary::{Building, InvalidChange},
};

/// How many findings are reported with their reasons. All of them are counted.
const FINDINGS: usize = 100;
/// How many streams of a segment are processed concurrently.
const CONCURRENT_STREAMS: usize = 4;

/// A finished step, for an observer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A page of a segment was filled, and recorded as done.
    Filled(SegmentProgress),
    /// A page of a segment was verified.
    Verified(SegmentProgress),
    /// This many items have been removed so far.
    Removed(u64),
}

/// The observer of a rebuild, for example a progress bar.
pub type Observer<'a> = &'a (dyn Fn(Step) + Send + Sync);

/// A step of a rebuild failed. Earlier steps keep their effect, and you can start the failed step again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Another generation is being built, with another model or for another purpose. Finish or abandon it first.
    #[error(
        "generation {} is being built with revision {} of the model: finish or abandon it first",
        .0.generation.number, .0.generation.revision
    )]
    Occupied(Building),
    /// The current generations do not allow the step.
    #[error(transparent)]
    Change(#[from] InvalidChange),
    /// The generation is not being built any more: an operator has switched to it or abandoned it.
    #[error("generation {} is not being built any more", .0.generation.number)]
    Ended(Building),
    /// The generation differs from a fresh fold, and no operator has accepted the differences.
    #[error("the generation is wrong in {0} streams or counters")]
    Unsound(u64),
    /// Other operators or projectors kept changing the record of the generations.
    #[error("the record of the generations was changed by others on every attempt")]
    Contention,
    /// The program lacks the model of a generation.
    #[error(transparent)]
    Model(#[from] UnknownModel),
    /// The streams could not be listed.
    #[error(transparent)]
    Streams(#[from] StreamsError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// The table of generations failed, or the read table during a removal.
    #[error("the table of generations or the read table failed: {0}")]
    Store(#[from] ReadStoreError),
    /// A stream could not be projected or compared.
    #[error(transparent)]
    Project(#[from] ProjectError),
}
