//! The domain of the simulation, and its true history for the checker. No infrastructure and no actors.

pub(in crate::simulator) mod accounts;
pub(in crate::simulator) mod history;
pub(in crate::simulator) mod observations;
pub(in crate::simulator) mod old_code;
pub(in crate::simulator) mod sums;
pub(in crate::simulator) mod welcome;
