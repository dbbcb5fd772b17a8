//! The context __name__: what it consists of.

pub mod commands;
pub mod domain;
pub mod queries;

use ledgerfold::context::Context;
use ledgerfold_lambda::http::Api;

/// The domains, projections and processes. All programs, the template and the operators' tools follow from it.
pub fn context() -> Context {
    Context::new("__name__").decider::<domain::Tasks>().rows::<queries::TaskList>("tasks")
}

/// The HTTP operations.
pub fn api() -> Api {
    queries::add_to(commands::add_to(Api::new("__title__", "1.0.0")))
}
