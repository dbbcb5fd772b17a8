//! The HTTP contract of orders. `openapi.json` in this package describes it for other programs, and a test checks that
//! both agree.

mod command_service;
mod commands;
mod query_service;
mod routes;
mod views;

pub use command_service::CommandService;
pub use query_service::{QueryService, ReadTables, Readable};
pub use routes::{COMMANDS, CommandRoute, QUERIES, QueryRoute, Route};
