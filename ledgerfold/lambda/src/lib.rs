//! Between Lambda and the logic of Ledgerfold: what an invocation brings is turned into the core's
//! types, and the core's answer into what Lambda expects. No decision is taken here.
//!
//! | function | adapter |
//! | --- | --- |
//! | command, query | [`http`]: an API Gateway request becomes a [`http::Request`], a [`http::Response`] its answer |
//! | relay | [`serve_relay`]: records of a DynamoDB stream |
//! | projector | [`serve_projector`]: messages of a queue behind an EventBridge rule, and word of upkeep |
//! | process | [`serve_process`]: messages of a queue behind an EventBridge rule |
//! | deadlines | [`serve_deadlines`]: a tick of the clock |
//! | audit of samples | [`serve_spot_checks`]: a tick of the clock |
//!
//! [`World`] makes the ports that all of them stand on.

mod bus_queue;
mod change_stream;
mod clock_tick;
pub mod http;
mod metrics;
mod world;

pub use bus_queue::{serve_process, serve_projector};
pub use change_stream::serve_relay;
pub use clock_tick::{SpotCheckSettings, serve_deadlines, serve_spot_checks};
pub use ledgerfold_eventbridge::SigningKey;
pub use world::{MissingVariable, World, variable};

/// What a function's `main` gives back: the runtime's own error, which ends the environment.
pub type RunError = lambda_runtime::Error;
