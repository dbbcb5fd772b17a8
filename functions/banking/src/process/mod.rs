//! The processes of the service: reactions to events, and deadlines.

mod hold_expiry;
mod interbank;

pub use hold_expiry::HoldExpiry;
pub use interbank::InterbankTransfers;
