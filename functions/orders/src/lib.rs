//! Orders: the first service on Ledgerfold.
//!
//! | module | what |
//! | --- | --- |
//! | [`domain`] | what may happen to an order; pure |
//! | [`read_models`] | what readers see of orders; pure |
//! | [`process`] | what the service does of its own accord; pure |
//! | [`http`] | the HTTP contract: paths, bodies, answers |
//!
//! The binaries in `src/bin` put these onto Lambda, one function each.

pub mod domain;
pub mod http;
pub mod process;
pub mod read_models;

/// The name of this bounded context: on the bus (`ledgerfold.orders`) and in schemas.
pub const CONTEXT: &str = "orders";
