//! Examples of the rules of patients: given these events, when this command is handled, then these events follow.

mod consents;
mod emergencies;
mod published;
mod records;
mod registration;
mod setup;
