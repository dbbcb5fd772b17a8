//! The HTTP contract of orders. `openapi.json` beside this crate says the same to machines, and a
//! test holds the two together.

mod command_service;
mod commands;
mod query_service;
mod routes;
mod views;

pub use command_service::CommandService;
pub use query_service::{QueryService, ReadTables, Readable};
pub use routes::{COMMANDS, CommandRoute, QUERIES, QueryRoute, Route};
