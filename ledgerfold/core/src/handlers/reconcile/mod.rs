//! The comparison of read models with the log, and their repair.
//!
//! A [`Reconciler`] compares a model's row or memo with the fold of its stream, at the version that the model has
//! reached. It compares a late stream twice before it reports the stream as behind. [`Counters`] compares a tally's
//! counters with the sum over all streams. A [`Repairer`] updates late streams in the same way as a projector, so you
//! can run it at any time, any number of times, and during live traffic.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use ledgerfold::{StreamId, ports::{Clock, EventReader, RowStore, Skips}};
//! # use ledgerfold::project::{ProjectError, Projection, RowModel};
//! use ledgerfold::reconcile::{Reconciler, Summary};
//!
//! async fn reconcile<P: Projection>(
//!     rows: Arc<dyn RowStore>,
//!     log: Arc<dyn EventReader>,
//!     skips: Arc<dyn Skips>,
//!     clock: Arc<dyn Clock>,
//!     streams: &[StreamId],
//! ) -> Result<Summary, ProjectError> {
//!     let model = Arc::new(RowModel::<P>::new(rows));
//!     let reconciler = Reconciler::new(log, clock, Duration::from_secs(3)).of("statements", model, skips);
//!     let mut summary = Summary::default();
//!     for finding in reconciler.examine(streams).await? {
//!         summary.add(&finding.comparison);
//!     }
//!     Ok(summary)
//! }
//! ```
//!
//! A schedule runs a [`SpotCheck`] of a [`Sample`]. [`PublishedEvents`] compares the bus with the log.
//!
//! A model may lack events that an operator has [skipped](crate::ports::Skips) for its projection. The result lists
//! them, and the model is still current.
//!
//! The comparison walks the streams of the log, so it does not find a row without a stream.

mod counters;
mod pages;
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
