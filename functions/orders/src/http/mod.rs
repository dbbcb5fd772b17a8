//! The HTTP contract of orders. `openapi.json` in this package describes it for other programs, and a test checks that
//! both agree.

mod command_service;
mod commands;
mod query_service;
mod routes;
mod views;

use std::sync::Arc;

use ledgerfold::context::{CommandPorts, QueryPorts, Undeclared};
use ledgerfold_lambda::service::Answers;

pub use command_service::CommandService;
pub use query_service::QueryService;
pub use routes::{COMMANDS, CommandRoute, QUERIES, QueryRoute, Route};

/// The service that answers commands.
pub fn commands(ports: &CommandPorts) -> Arc<dyn Answers> {
    Arc::new(CommandService::new(ports.handler()))
}

/// The service that answers queries.
///
/// # Errors
/// [`Undeclared`] if the context lacks a read model of a query.
pub fn queries(ports: &QueryPorts<'_>) -> Result<Arc<dyn Answers>, Undeclared> {
    Ok(Arc::new(QueryService::open(ports)?))
}
