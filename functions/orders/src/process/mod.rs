//! What the service does of its own accord.

mod payment_deadline;

pub use payment_deadline::{InvalidPatience, Patience, PaymentDeadline};
