//! A model of growth. The handlers of Ledgerfold run in it as they do in Lambda. Around them is a model of AWS: each
//! request takes a typical time in virtual time and uses units of its partition key, and each service has its limits. So
//! a run counts the cost of a command exactly, and finds the limit that a rate reaches first.
//!
//! ```
//! use ledgerfold_scale::{Setting, run};
//! let figures = run(&Setting::new(1_000, 50));
//! assert_eq!(figures.failed, 0);
//! ```
//!
//! [`burst`] is another run: many deadlines that are due at once.
//!
//! Not modelled: replays, rebuilds and the reactions of processes; the splits of a partition during a run; the time that Lambda takes to
//! start many environments; networks that fail. The simulator has faults, and this model has none.

mod assumptions;
mod burst;
mod cloud;
mod domain;
mod figures;
mod functions;
mod latencies;
mod mailbox;
mod ports;
pub mod report;
mod run;
mod setting;
mod time;

pub use burst::{Burst, BurstFigures, burst};
pub use figures::Figures;
pub use run::run;
pub use setting::{Setting, Template};
