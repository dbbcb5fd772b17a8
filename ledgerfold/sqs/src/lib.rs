//! The queues of due deadlines, on SQS: `message` is the format of a message, `queue` sends it. The mapping of Lambda
//! receives messages, so nothing here does.

mod message;
mod queue;

pub use message::{NotADueDeadline, parse};
pub use queue::SqsDeadlineQueue;
