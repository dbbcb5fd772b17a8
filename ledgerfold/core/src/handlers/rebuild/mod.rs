//! Building a read model again from the first event, while it is read and written.
//!
//! A projection has [generations](crate::vocabulary::Generations): sets of rows or counters beside each other in one
//! read table. One is live, and readers look it up on every call. A [`Rebuilder`] builds another one and switches
//! readers to it, in steps that can each be interrupted and started again:
//!
//! | step | effect |
//! | --- | --- |
//! | [`begin`](Rebuilder::begin) | records the building generation; from then on [projectors](crate::project::Projector) update it too |
//! | [`fill`](Rebuilder::fill) | walks all streams of the log, several segments at once, and brings each stream to its end |
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
//! A projector reads the record after its batch has arrived, strongly consistent. If it saw no building generation, it
//! read the record before the rebuild began, and so its events were committed before. The fill begins afterwards and
//! reads strongly consistent, so it sees them. A projector that reads the record later writes to both generations.
//!
//! # Why none is counted twice
//!
//! Fill and projectors move a generation by the same conditional writes, which carry the position that they move from
//! or to. The second one finds that its work is done.
//!
//! # Why reads never go backwards
//!
//! The new live generation must have everything that the former one shows. The verification reads each stream and
//! brings it to its end at that moment. Later events of the live generation come from projectors that read the record
//!
//! - before the generation was begun: then the events were committed before too, and have been verified;
//! - after: then the building generation took the event first, or the record names it as missed, and the switch is
//!   refused, because its condition is the record at the beginning of the verification.
//!
//! This needs one more rule: no projector moves a model beyond the newest commit of its batch, even if the log has more.
//!
//! A reader that began before the switch may read the generation that was live then, and read it late. After the switch
//! the new live generation applies events before the previous one does, and the previous one takes only events that the
//! live one has applied, so such a reader sees nothing that the next one does not see. A roll-back moves that generation
//! ahead, and a removal deletes it; both wait for [the longest read](Rebuilder::with_longest_read) first. No reader knows
//! the building generation, which is ahead of all others.
//!
//! After a switch a list may lack a row for a moment, as always: its index lags. A caller that shows its consistency
//! token sees its own row in any case.

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

/// How many findings are kept with their reasons; all of them are counted.
const FINDINGS: usize = 100;
/// How many streams of a segment are worked on at a time.
const CONCURRENT_STREAMS: usize = 4;

/// The last step, for an observer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A page of a segment was filled, and recorded as done.
    Filled(SegmentProgress),
    /// A page of a segment was verified.
    Verified(SegmentProgress),
    /// So many items were removed.
    Removed(u64),
}

/// The observer of a rebuild.
pub type Observer<'a> = &'a (dyn Fn(Step) + Send + Sync);

/// A step of a rebuild failed. The earlier steps stand, and the step can be started again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Another generation is built, with another model or for another purpose: finish it, or abandon
    /// it.
    #[error(
        "generation {} is being built with revision {} of the model: finish or abandon it first",
        .0.generation.number, .0.generation.revision
    )]
    Occupied(Building),
    /// The request does not fit the present generations.
    #[error(transparent)]
    Change(#[from] InvalidChange),
    /// The generation is not built any more: somebody has switched to it or abandoned it.
    #[error("generation {} is not being built any more", .0.generation.number)]
    Ended(Building),
    /// The generation differs from a fresh fold, and nobody has accepted that.
    #[error("the generation was found wrong in {0} streams or counters")]
    Unsound(u64),
    /// Others kept changing the record of the generations.
    #[error("others kept changing the record of the generations")]
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
    /// The table that records generations failed, or the read table did when it was cleared.
    #[error("the table of generations, or the read table: {0}")]
    Store(#[from] ReadStoreError),
    /// A stream could not be projected or compared.
    #[error(transparent)]
    Project(#[from] ProjectError),
}
