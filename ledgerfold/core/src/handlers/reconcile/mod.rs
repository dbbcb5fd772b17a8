//! Does every read model say what the log says? And where one does not: bring it home.
//!
//! An [`Reconciler`] compares what a model holds of a stream with the fold of that stream, at the
//! version the model has reached; what is only on its way is looked at a second time before it counts
//! as behind. [`Counters`] adds up what all streams contribute to a tally's counters. A [`Repairer`]
//! moves on what is behind, by the way that projectors go, so that it may run at any time, any
//! number of times, and beside live traffic.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use ledgerfold::{StreamId, ports::{Clock, EventReader, RowStore, Skips}};
//! # use ledgerfold::project::{ProjectError, Projection, RowModel};
//! use ledgerfold::reconcile::{Reconciler, Summary};
//!
//! async fn audit<P: Projection>(
//!     rows: Arc<dyn RowStore>,
//!     log: Arc<dyn EventReader>,
//!     skips: Arc<dyn Skips>,
//!     clock: Arc<dyn Clock>,
//!     streams: &[StreamId],
//! ) -> Result<Summary, ProjectError> {
//!     let model = Arc::new(RowModel::<P>::new(rows));
//!     let auditor = Reconciler::new(log, clock, Duration::from_secs(3)).of("loans", model, skips);
//!     let mut summary = Summary::default();
//!     for finding in auditor.examine(streams).await? {
//!         summary.add(&finding.comparison);
//!     }
//!     Ok(summary)
//! }
//! ```
//!
//! A [`SpotCheck`] is what a schedule runs: it audits a [`Sample`].
//!
//! An event that an operator has [skipped](crate::ports::Skips) for a projection need not be in its
//! model. The audit tells of such events, and takes the model for current without them.
//!
//! What the bus has published is held against the log by [`PublishedEvents`].
//!
//! The audit goes by the streams of the log. A row of a stream that the log does not have is not
//! found by it.

mod counters;
mod first_page;
mod published;
mod reconciler;
mod repair;
mod sample;
mod spot_check;

pub use counters::{Counters, CountersVerdict, Difference};
pub use published::PublishedEvents;
pub use reconciler::{Finding, Reconciler, Summary};
pub use repair::{Effect, LostMemos, OnDivergence, Repair, Repairer};
pub use sample::Sample;
pub use spot_check::{Backlog, Look, SpotCheck, SpotCheckError, SpotChecked};
