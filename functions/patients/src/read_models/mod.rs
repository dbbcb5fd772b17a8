//! The read models: folds of events into the views that queries show. Pure functions.

mod patients;

pub use patients::{PatientRow, PatientViews, Place};
