//! A context's one program. Its environment chooses the role, and the declaration of the context determines everything
//! that the role needs.
//!
//! ```
//! # use ledgerfold_lambda::service::Service;
//! /// The whole program, with the service of your context.
//! fn run(service: &Service) -> std::process::ExitCode {
//!     ledgerfold_lambda::main(service)
//! }
//! ```
//!
//! | `ROLE` | work | variables beside `EVENT_TABLE` |
//! | --- | --- | --- |
//! | `command` | answers the HTTP requests that change something | |
//! | `query` | answers all other HTTP requests | `PROJECTION_STATES`, `<PROJECTION>_TABLE` of each |
//! | `relay` | publishes commits on the bus; does not read `EVENT_TABLE` | `BUS_NAME`, `BUS_KEY` |
//! | `projector` | applies events to one projection | `PROJECTION`, `READ_TABLE`, `PROJECTION_STATES`, `BUS_KEY` |
//! | `process` | lets one process react to events | `PROCESS`, its setting, `DEADLINES`, `BUS_KEY` |
//! | `deadline-sweep` | sends due deadlines of all processes to their workers; does not read `EVENT_TABLE` | `DEADLINES`, `<PROCESS>_DUE_QUEUE` of each |
//! | `deadline-worker` | fires the due deadlines of one process | `PROCESS`, `DEADLINES` |
//! | `spot-check` | compares a sample of streams with all read models | those of `query`, `SPOT_CHECK_STREAMS`, `SPOT_CHECK_PATIENCE` |
//!
//! A projector of another context's events reads `SOURCE_CONTEXT` and `SOURCE_TABLE`, the name of that context and its event
//! table, instead of `EVENT_TABLE`. Contexts do not share keys, so it reads every event from that table. The roles `query` and `spot-check` read `EVENTS_OF_<CONTEXT>`, the event table of
//! each such context.
//!
//! The names of variables come from the declaration: the table of `order-view` is `ORDER_VIEW_TABLE`, and the setting of
//! the process `payment-deadline` is `PAYMENT_DEADLINE`. A context that uses unique keys also sets `RESERVATIONS`.

mod error;
mod first_connection;
mod logs;
mod roles;
mod variables;

use std::{process::ExitCode, sync::Arc};

use async_trait::async_trait;
use ledgerfold::context::{CommandPorts, Context, QueryPorts};

pub use error::StartError;
pub use variables::{InvalidVariable, MissingVariable};

use crate::http::{Api, ApiError, Problem, Request, Response};

/// Answers HTTP requests.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Answers one request.
    ///
    /// # Errors
    /// The problem to answer instead.
    async fn answer(&self, request: &Request) -> Result<Response, Problem>;
}

/// A context with its HTTP operations: everything that its program can do.
#[derive(Clone, Debug)]
pub struct Service {
    context: Context,
    api: Api,
}

impl Service {
    /// A service of this context with these operations.
    pub const fn new(context: Context, api: Api) -> Self {
        Self { context, api }
    }

    /// The declaration.
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The operations.
    pub const fn api(&self) -> &Api {
        &self.api
    }

    /// The service for commands over these ports.
    ///
    /// # Errors
    /// [`ApiError`].
    pub fn commands(&self, ports: &CommandPorts) -> Result<Arc<dyn Answers>, ApiError> {
        self.api.commands(ports)
    }

    /// The service for queries over these ports.
    ///
    /// # Errors
    /// [`ApiError`].
    pub fn queries(&self, ports: &QueryPorts<'_>) -> Result<Arc<dyn Answers>, ApiError> {
        self.api.queries(ports, self.context.categories())
    }
}

/// Runs the role that the environment chooses, until the environment ends. An error is written to the log, with the
/// allowed values.
pub fn main(service: &Service) -> ExitCode {
    logs::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime
        .map_err(|error| StartError::Runtime(error.into()))
        .and_then(|runtime| runtime.block_on(roles::run(service)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}
