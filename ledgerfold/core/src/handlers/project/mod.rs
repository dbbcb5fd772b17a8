//! From the bus to the read models: in whatever order, and however often, events arrive.
//!
//! Every read model moves by whole commits, so that no reader ever sees half of one; and every
//! write carries the position it moves to, so that what was seen is dropped and what is missing is
//! noticed. What is missing is read from the log, which is the truth; the bus only tells that there
//! is something to see.
//!
//! A stream that a read model cannot move on is parked in a [`Quarantine`](crate::ports::Quarantine):
//! later events of it wait in the log, all other streams go on, and [`Projector::retry_parked`] brings it home
//! once the cause is mended. An event that can never be applied can be
//! [skipped](crate::ports::SkipRegister) by an operator; every fold for that projection then goes on without it.

mod catalog;
mod compare;
mod consumer;
mod generational;
mod inbox;
mod projector;
mod quarantine;
mod row;
mod skipped;
mod step;
mod tail;
mod tally;
mod walk;

pub use catalog::{Catalog, Models, UnknownModel, UnknownProjection};
pub use compare::{Comparison, Verdict, Verifiable};
pub use consumer::{Consumer, RetryError};
pub use generational::{Generational, Projectors};
pub use projector::{Position, ProjectError, Projector, ReadModel};
pub use quarantine::{Maintenance, RetryScope, RetrySummary};
pub use row::{Projection, RowModel};
pub use skipped::Skipped;
pub use tally::{Counts, Tally, TallyModel};

pub(crate) use row::{fold, inapplicable, index_of, read_row, stored_row};
pub(crate) use tail::{contiguous, read as read_log};
pub(crate) use tally::{count, read_memo};

use crate::{StreamId, Version};

/// An event does not fit what came before it: the read model's own code is wrong, or the history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of {stream} cannot be applied: {reason}")]
pub struct Inapplicable {
    /// The stream.
    pub stream: StreamId,
    /// The event's version.
    pub version: Version,
    /// What does not fit.
    pub reason: String,
}
