//! Time, tasks and faults, which all simulated parts share. No product code except its clock and randomness, and no
//! domain.

pub(crate) mod clock;
pub(crate) mod faults;
mod gate;
pub(crate) mod in_flight;
pub(crate) mod processes;
mod ready;
pub(crate) mod scheduler;
pub(crate) mod tasks;
