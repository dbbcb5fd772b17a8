//! Orders: the first service on Ledgerfold.
//!
//! | module | content |
//! | --- | --- |
//! | [`domain`] | commands, decisions and rejections; pure |
//! | [`read_models`] | folds of events for queries; pure |
//! | [`process`] | reactions to events and deadlines; pure |
//! | [`http`] | the HTTP contract: paths, bodies, responses |
//!
//! The binaries in `src/bin` connect these to Lambda, one function each.

pub mod domain;
pub mod http;
pub mod process;
pub mod read_models;

/// The name of this bounded context, on the bus (`ledgerfold.orders`) and in schemas.
pub const CONTEXT: &str = "orders";
