//! The processes of the service: reactions to events, and deadlines.

mod hold_expiry;

pub use hold_expiry::HoldExpiry;
