//! The domain of orders: commands, decisions and rejections. Pure functions without input or output.

mod command;
mod decider;
mod rejection;

pub use command::OrderCommand;
pub use decider::{Order, OrderState, Orders};
pub use rejection::OrderRejection;
