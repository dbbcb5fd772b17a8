//! The plan of a schedule: values that follow from its seed, planted faults, and the report. Nothing here runs.

pub(in crate::simulator) mod plant;
pub(in crate::simulator) mod report;
pub(in crate::simulator) mod schedule;
