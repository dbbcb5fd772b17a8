//! Making a read model anew, from the first event, while it is read and written.
//!
//! A projection has [generations](crate::vocabulary::Generations): sets of rows or counters beside each other in one
//! read table. One is live, and readers ask for it on every call. A [`Rebuilder`] makes another one
//! and has readers take it, in steps that can each be cut short and begun again:
//!
//! | step | does |
//! | --- | --- |
//! | [`begin`](Rebuilder::begin) | records that a generation is built; from then on [projectors](crate::project::Generational) keep it too |
//! | [`fill`](Rebuilder::fill) | goes through all streams of the log, segments at once, and brings each to its end |
//! | [`verify`](Rebuilder::verify) | compares everything with a fresh fold |
//! | [`switch`](Rebuilder::switch) | makes it live, in one conditional write |
//! | [`retire`](Rebuilder::retire), [`remove`](Rebuilder::remove) | gives up the generation that was live before, and removes what it has left |
//!
//! A changed model is brought in the same way: a [`Catalog`](crate::project::Catalog) that has both
//! revisions is deployed, the rebuild makes the new generation with the newer one, and after the
//! switch and the removal the old model can go. A roll-back is a rebuild into the generation that was
//! live before: it has been kept meanwhile, so that little is left to fill.
//!
//! # Why no event is missed
//!
//! A projector looks at the record after its batch has arrived, strongly consistent. If it saw no
//! generation being built, it looked before the rebuild was recorded, and so its events were committed
//! before. The fill begins after the recording and reads strongly consistent, so it sees them. Whoever
//! looks later writes to both.
//!
//! # Why none is counted twice
//!
//! Fill and projectors move a generation by the same conditional writes that carry the position they
//! move from or to. Whoever comes second finds that its work is done.
//!
//! # Why reads never go backwards
//!
//! Whatever the live generation shows, the one that is switched to must have. The verification looks
//! at each stream and brings it to where its stream ends at that moment. What the live generation takes
//! later comes from projectors that looked at the record
//!
//! - before the generation was begun: then it was committed before too, and has been looked at;
//! - after: then the one that is built took it first, or the record was changed to say that it could
//!   not, and the switch, which is on condition of the record as it was when the verification began,
//!   is refused.
//!
//! For that no projector moves a model beyond what its batch told of, even if the log has more.
//!
//! A reader who has asked before the switch may read the generation that was live then, and read it
//! late. After the switch the new live generation applies events before the previous one does, and what
//! it cannot apply the previous one does not take either: so such a reader sees nothing that the next one
//! does not. A roll-back brings that generation ahead, and a removal takes it away; both let
//! [the longest read](Rebuilder::with_longest_read) end first. The generation to be read
//! next, which goes ahead of all others, is in no reader's mind.
//!
//! What may be missing for a moment behind a switch is what may always be: lists go by an index that
//! lags. A caller that shows its consistency token sees its own row in any case.

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

/// What has just been done, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A page of a segment was filled, and recorded as done.
    Filled(SegmentProgress),
    /// A page of a segment was verified.
    Verified(SegmentProgress),
    /// So many items were removed.
    Removed(u64),
}

/// Who watches.
pub type Observer<'a> = &'a (dyn Fn(Step) + Send + Sync);

/// A step of a rebuild was not done. What was done before stands, and it can be begun again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Another generation is built, with another model or for another purpose: finish it, or abandon
    /// it.
    #[error(
        "generation {} is being built with revision {} of the model: finish or abandon it first",
        .0.generation.number, .0.generation.revision
    )]
    Occupied(Building),
    /// What was asked for does not fit the generations there are.
    #[error(transparent)]
    Change(#[from] InvalidChange),
    /// The generation is not built any more: somebody has switched to it or abandoned it.
    #[error("generation {} is not being built any more", .0.generation.number)]
    Ended(Building),
    /// The generation is not what a fresh fold is, and nobody has accepted that.
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
