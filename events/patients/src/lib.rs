//! The contract of the patients context: its events. Any team may depend on this crate to read them from the bus. It
//! contains nothing about how patients are stored or decided.
//!
//! Personal data is [sealed](ledgerfold::sealed) with a key of the patient, the data subject of every event. The
//! ids, the kinds of records, consents and accesses are in clear: other services act on them.

mod access;
mod data;
mod patient;

pub use access::{AccessEvent, DataRead};
pub use data::{
    Code, Contact, Demographics, Email, Identifier, Phone, Purpose, Reason, RecordContent,
    RecordKind,
};
pub use patient::{
    ConsentGiven, ConsentWithdrawn, EmergencyAccessEnded, EmergencyAccessStarted, PatientErased,
    PatientEvent, PatientRegistered, RecordAdded, RecordAmended, RecordRetracted,
};
