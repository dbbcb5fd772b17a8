//! The domain of orders: the state that decisions need, how events change it, and the reasons to refuse a command. Pure
//! functions without input or output. Each decision is in the file of its command, in [`commands`](crate::commands).

pub mod access;
mod decider;
mod rejection;

pub use decider::{Decision, Order, OrderState, Orders, Stage, placed};
pub use rejection::OrderRejection;
