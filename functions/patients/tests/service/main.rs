//! The whole service over ports in memory, as the functions of a deployment run it.

mod erasures;
#[cfg(feature = "fhir")]
mod fhir;
mod reads;
mod stage;
