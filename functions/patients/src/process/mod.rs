//! The process of patients: the end of emergency accesses.

mod emergency_end;

pub use emergency_end::EmergencyEnd;
