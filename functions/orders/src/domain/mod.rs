//! What may happen to an order.

mod command;
mod decider;
mod rejection;

pub use command::OrderCommand;
pub use decider::{Order, OrderState, Orders};
pub use rejection::OrderRejection;
