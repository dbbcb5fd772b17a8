//! From the bus to the read models, in whatever order and however often events arrive.
//!
//! Read [`projector`](Projector) first: it takes a batch and updates the generations, stream by stream. `updater` moves
//! one stream of one model forward. Rows, tallies and the comparison with the log are the models themselves. Filling
//! and verifying a new generation does not belong here: that is [`rebuild`](crate::rebuild).
//!
//! Every read model moves by whole commits, so no reader ever sees half of one. Every write carries the position that
//! it moves to, so repeated events are dropped and gaps are noticed. A gap is filled from the log, which is the truth:
//! a message only announces that there is something new.
//!
//! A stream whose event cannot be applied is parked in a [`Quarantine`](crate::ports::Quarantine): its later events
//! wait in the log, all other streams go on, and [`Projector::retry_parked`] recovers it after a fix. An operator can
//! [skip](crate::ports::SkipRegister) an event that can never be applied. Every fold for that projection then goes on
//! without it.

mod batch;
mod building;
mod catalog;
mod compare;
mod live;
mod model;
mod projector;
mod quarantine;
mod row;
mod skipped;
mod step;
mod tail;
mod tally;
mod updater;
mod walk;

pub use catalog::{Catalog, Models, UnknownModel, UnknownProjection};
pub use compare::{Comparison, Verdict, Verifiable};
pub(crate) use live::release;
pub use model::{Inapplicable, Position, ProjectError, ReadModel};
pub use projector::Projector;
pub use quarantine::{Maintenance, RetryError, RetryScope, RetrySummary};
pub use row::{Projection, RowModel};
pub use skipped::Skipped;
pub use tally::{Counts, Tally, TallyModel};
pub use updater::ProjectorPorts;

pub(crate) use row::{fold, inapplicable, index_of, read_row, stored_row};
pub(crate) use tail::{contiguous, read as read_log};
pub(crate) use tally::{count, read_memo};
pub(crate) use updater::Updater;
