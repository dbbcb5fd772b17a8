//! Updates of read models from the bus. Events may arrive in any order, and more than once.
//!
//! Read [`projector`](Projector) first: it takes a batch and updates the generations, stream by stream. `updater`
//! updates one stream of one model. Rows, tallies, parts and the comparison with the log are the models themselves. Filling
//! and verifying a new generation does not belong here: that is [`rebuild`](crate::rebuild).
//!
//! Every read model is updated by whole commits, so no reader ever sees half of one in a row. Every write carries its new
//! position, so repeated events are dropped and gaps are noticed. A gap is filled from the log, because only the log is
//! complete: a message only announces new events.
//!
//! A stream whose event cannot be applied is added to a [`Quarantine`](crate::ports::Quarantine). Its later events wait
//! in the log, all other streams continue, and [`Projector::retry_parked`] recovers it after a fix. An operator can
//! [skip](crate::ports::SkipRegister) an event that can never be applied. Every fold for that projection then leaves
//! the event out.

mod batch;
mod building;
mod catalog;
mod compare;
mod compare_parts;
mod counting;
mod gap;
mod gathered;
mod live;
mod model;
mod parted;
mod projector;
mod quarantine;
mod row;
mod selected;
mod skipped;
mod step;
mod tail;
mod tally;
mod updater;
mod walk;

pub use catalog::{Catalog, Models, UnknownModel, UnknownProjection};
pub use compare::{Comparison, Extent, Verdict, Verifiable};
pub(crate) use live::release;
pub use model::{Inapplicable, Position, ProjectError, ReadModel};
pub use parted::{Parted, PartedModel};
pub use projector::Projector;
pub use quarantine::{Maintenance, RetryError, RetryScope, RetrySummary};
pub use row::{Projection, RowModel};
pub(crate) use selected::selected_log;
pub use skipped::Skipped;
pub use tally::{Counts, Tally, TallyModel};
pub use updater::ProjectorPorts;

pub(crate) use parted::{PartAt, change_part, changes, read_part};
pub(crate) use row::{fold, inapplicable, index_of, read_row, stored_row};
pub(crate) use tail::{contiguous, read as read_log};
pub(crate) use tally::{count, read_memo};
pub(crate) use updater::Updater;
