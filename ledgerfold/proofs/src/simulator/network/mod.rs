//! Time, tasks and faults, which all simulated parts share. No product code except its clock and randomness, and no
//! domain.

pub(in crate::simulator) mod faults;
mod gate;
pub(in crate::simulator) mod in_flight;
mod ready;
pub(in crate::simulator) mod scheduler;
pub(in crate::simulator) mod tasks;
