//! The plan of a schedule: values that follow from its seed, planted faults, and the report. Nothing here runs.

pub(crate) mod plant;
pub(crate) mod report;
pub(crate) mod schedule;
