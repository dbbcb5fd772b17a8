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
//! | `command` | answers the HTTP requests that change something | `AUTHENTICATION` and its settings |
//! | `query` | answers all other HTTP requests | the same, `PROJECTION_STATES`, `<PROJECTION>_TABLE` of each |
//! | `relay` | publishes commits on the bus; does not read `EVENT_TABLE` | `BUS_NAME`, `BUS_KEY` |
//! | `projector` | applies events to one projection | `PROJECTION`, `READ_TABLE`, `PROJECTION_STATES`, `BUS_KEY` |
//! | `process` | lets one process react to events | `PROCESS`, its setting, `DEADLINES`, `BUS_KEY` |
//! | `deadline-sweep` | sends due deadlines of all processes to their workers; does not read `EVENT_TABLE` | `DEADLINES`, `<PROCESS>_DUE_QUEUE` of each |
//! | `deadline-worker` | fires the due deadlines of one process | `PROCESS`, `DEADLINES` |
//! | `export` | exports events as files | `EXPORT_TABLE`, `EXPORT_BUCKET`, `EXPORT_WINDOW` |
//! | `spot-check` | compares a sample of streams with all read models | those of `query`, `SPOT_CHECK_STREAMS`, `SPOT_CHECK_PATIENCE` |
//! | `sealer` | adds commits to the transparency log | `LOG_BUCKET`, `LOG_ORIGIN`, `SIGNING_KEY`, `PROJECTION_STATES` |
//!
//! A projector of another context's events reads `SOURCE_CONTEXT` and `SOURCE_TABLE`, the name of that context and its event
//! table, instead of `EVENT_TABLE`. Contexts do not share keys, so it reads every event from that table. The roles `query` and `spot-check` read `EVENTS_OF_<CONTEXT>`, the event table of
//! each such context.
//!
//! `AUTHENTICATION` is one of these:
//!
//! | value | callers | variables |
//! | --- | --- | --- |
//! | `token` | have a token that the service verifies | `TOKEN_ISSUER`, `TOKEN_AUDIENCE`, `TOKEN_KEYS` (a JSON Web Key Set or its address) |
//! | `gateway` | come from an authorizer of the gateway | |
//! | `api-key` | have an API key that the gateway has checked | `API_KEY_ROLES`, separated by commas |
//! | `none` | are all anonymous, with every role | |
//!
//! For tokens and authorizers, `TENANT_CLAIM`, `ROLES_CLAIM` and `SCOPES_CLAIM` name the claims with tenant, roles and
//! scopes; the defaults are `tenant`, `roles` and `scope`.
//!
//! The names of variables come from the declaration: the table of `order-view` is `ORDER_VIEW_TABLE`, and the setting of
//! the process `payment-deadline` is `PAYMENT_DEADLINE`. A context that uses unique keys also sets `RESERVATIONS`. In a
//! context that seals, the roles `command` and `query` read `KEY_TABLE` and `WRAPPING_KEY`, the table of keys and the KMS key
//! that wraps them.

mod error;
mod export;
mod first_connection;
mod keys;
mod logs;
mod roles;
mod sealer;
mod variables;

use std::{process::ExitCode, sync::Arc};

use async_trait::async_trait;
use ledgerfold::{
    context::{CommandPorts, Context, QueryPorts},
    ports::Clock,
};

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
        self.check_keys()?;
        self.api.commands(ports)
    }

    /// The service for queries over these ports. By the clock, a query waits for a new version if its client asks for that.
    ///
    /// # Errors
    /// [`ApiError`].
    pub fn queries(
        &self,
        ports: &QueryPorts<'_>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn Answers>, ApiError> {
        self.check_keys()?;
        self.api.queries(ports, self.context.categories(), clock)
    }

    /// Only a context that seals has a keyring.
    fn check_keys(&self) -> Result<(), ApiError> {
        match self.api.first_with_keys() {
            Some(path) if !self.context.seals() => {
                Err(ApiError::NoKeys { path, context: self.context.name() })
            }
            _ => Ok(()),
        }
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
