//! The domain of the simulation, and its true history for the checker. No infrastructure and no actors.

pub(crate) mod accounts;
pub(crate) mod history;
pub(crate) mod observations;
pub(crate) mod old_code;
pub(crate) mod sums;
pub(crate) mod welcome;
