//! Adapters between Lambda and the core: they convert events of invocations to the core's types, and its results to
//! the responses that Lambda expects. They take no decisions.
//!
//! | function | adapter |
//! | --- | --- |
//! | command, query | [`http`]: an API Gateway request becomes a [`http::Request`], a [`http::Response`] its answer |
//! | relay | [`serve_relay`]: records of a DynamoDB stream |
//! | projector | [`serve_projector`]: messages of a queue behind an EventBridge rule, and `retry` messages |
//! | process | [`serve_process`]: messages of a queue behind an EventBridge rule |
//! | deadline sweep | [`serve_deadline_sweep`]: ticks of a scheduled rule |
//! | deadline worker | [`serve_deadline_worker`]: messages of a queue of due deadlines |
//! | spot check | [`serve_spot_checks`]: ticks of a scheduled rule |
//! | sealer | `serve_sealer`, with the feature `transparency`: messages of a queue behind an EventBridge rule |
//!
//! [`main`] runs the one program of a context in the role that its environment chooses. [`World`] creates the ports for
//! all of them.

#[cfg(panic = "abort")]
compile_error!(
    "Build functions with panic = \"unwind\": a panic in a domain must fail one item and not the whole function. \
     cargo-lambda chooses \"abort\" unless it is called with --disable-optimizations."
);

mod bus_queue;
mod change_stream;
mod clock_tick;
mod due_queue;
pub mod http;
mod metrics;
pub mod service;
mod world;

#[cfg(feature = "export")]
pub use bus_queue::serve_export;
#[cfg(feature = "transparency")]
pub use bus_queue::serve_sealer;
pub use bus_queue::{serve_process, serve_projector};
pub use change_stream::serve_relay;
pub use clock_tick::{SpotCheckSettings, serve_deadline_sweep, serve_spot_checks};
pub use due_queue::serve_deadline_worker;
pub use ledgerfold_eventbridge::SigningKey;
pub use service::{Service, main};
#[cfg(feature = "transparency")]
pub use world::TransparencyLog;
pub use world::{InvalidTrustStore, World};

/// Compiles and runs the examples about sealed fields.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sealed-fields.md")]
pub struct SealedFieldsPage;

/// The error of a function's `main`: the runtime's own. It ends the environment.
pub type RunError = lambda_runtime::Error;
