//! The processes of the service: reactions to events, and deadlines.

mod payment_deadline;

pub use payment_deadline::{InvalidPatience, Patience, PaymentDeadline};
