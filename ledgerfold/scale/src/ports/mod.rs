//! The ports of the handlers: stores in memory, and around each call the time, the units and the limits of the service.

mod bus;
mod deadlines;
mod generations;
mod log;
mod read_table;

pub(crate) use bus::{Bus, Message};
pub(crate) use deadlines::{DueQueue, MeteredDeadlines};
pub(crate) use generations::MeteredGenerations;
pub(crate) use log::{GrowingLog, Record};
pub(crate) use read_table::MeteredTable;
