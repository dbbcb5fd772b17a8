//! The operations of a service: its commands and queries. Routes, checks and the OpenAPI document follow from them.
//!
//! To add a command, write a type that implements [`HttpCommand`], and add it with [`Api::command`]. To add a query,
//! write one that implements [`HttpQuery`], and add it with [`Api::query`].

mod error;
mod example;
mod first_use;
mod operation;
mod router;
mod template;

use std::{collections::BTreeSet, sync::Arc};

use ledgerfold::{
    Category, Decide, DecideSealing, Decider, Role,
    context::{CommandPorts, QueryPorts},
    ports::Clock,
};

use super::{
    CommandSide, Decided, DecidedSealing, Erases, ErasurePaths, Handles, Holds, HttpCommand,
    HttpJointCommand, HttpQuery, In, LiftLegalHold, Lifts, PlaceLegalHold, RequestErasure,
    SealingCommand, query::QuerySide,
};
use crate::service::Answers;

pub use error::ApiError;
pub use example::Example;
pub(super) use {
    first_use::FirstUse,
    operation::{CommandPart, Description, Generators, Kind, Operation, Part, QueryPart},
    router::Endpoint,
    template::{Matched, Template},
};

use operation::Open;
use router::{Route, Router};

/// The operations of a service.
///
/// ```
/// # use ledgerfold_lambda::http::Api;
/// let api = Api::new("Bank", "1.0.0").described("Amounts are in cents.");
/// // api.command::<Deposit>().query::<GetAccount>()
/// assert_eq!(api.openapi()?["info"]["title"], "Bank");
/// # Ok::<(), ledgerfold_lambda::http::ApiError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Api {
    pub(super) title: &'static str,
    pub(super) version: &'static str,
    pub(super) description: &'static str,
    pub(super) license: Option<&'static str>,
    example_roles: Vec<Role>,
    pub(super) operations: Vec<Operation>,
}

impl Api {
    /// A service without operations. The version is that of its contract.
    pub const fn new(title: &'static str, version: &'static str) -> Self {
        Self {
            title,
            version,
            description: "",
            license: None,
            example_roles: Vec::new(),
            operations: Vec::new(),
        }
    }

    /// Adds sentences that introduce the document.
    #[must_use]
    pub fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// Adds the licence of the document, as an SPDX expression.
    #[must_use]
    pub fn licensed(self, license: &'static str) -> Self {
        Self { license: Some(license), ..self }
    }

    /// Adds the roles that a caller needs for the [examples](Self::examples). The development server and the local cloud
    /// make a token with them, and the document names them as `x-example-roles`.
    #[must_use]
    pub fn tried_as(self, roles: impl IntoIterator<Item = Role>) -> Self {
        Self { example_roles: roles.into_iter().collect(), ..self }
    }

    /// The roles that a caller needs for the examples.
    pub fn example_roles(&self) -> &[Role] {
        &self.example_roles
    }

    /// Adds a command of one stream.
    #[must_use]
    pub fn command<C>(self) -> Self
    where
        C: HttpCommand + Decide + Into<<C::Decider as Decider>::Command>,
    {
        self.command_with::<C, Decided<C::Decider>>()
    }

    /// Adds a command of several streams.
    #[must_use]
    pub fn joint_command<C: HttpJointCommand>(mut self) -> Self {
        self.operations.push(Operation::joint_command::<C>());
        self
    }

    /// Adds a command of one stream of a domain that seals. Its keys are fetched before it is decided.
    #[must_use]
    pub fn sealing_command<C>(self) -> Self
    where
        C: HttpCommand + DecideSealing,
        DecidedSealing<C::Decider>: Handles<C>,
        <C::Decider as Decider>::Command: SealingCommand,
    {
        self.command_with::<C, DecidedSealing<C::Decider>>()
    }

    /// Adds the commands that erase a person of this domain, and place and lift legal holds. The context must declare
    /// [`erasing`](ledgerfold::context::Context::erasing).
    #[must_use]
    pub fn erasing<D: ErasurePaths>(self) -> Self {
        self.command_with::<In<D, RequestErasure>, Erases<D>>()
            .command_with::<In<D, PlaceLegalHold>, Holds<D>>()
            .command_with::<In<D, LiftLegalHold>, Lifts<D>>()
    }

    /// Adds a command that is answered by own code.
    #[must_use]
    pub fn command_with<C: HttpCommand, H: Handles<C>>(mut self) -> Self {
        self.operations.push(Operation::command::<C, H>());
        self
    }

    /// Adds a query.
    #[must_use]
    pub fn query<Q: HttpQuery>(mut self) -> Self {
        self.operations.push(Operation::query::<Q>());
        self
    }

    /// The service that answers the commands.
    ///
    /// # Errors
    /// [`ApiError::Twice`].
    pub fn commands(&self, ports: &CommandPorts) -> Result<Arc<dyn Answers>, ApiError> {
        let mut side = CommandSide::new(ports);
        self.router(|open| match open {
            Open::Command(open) => Ok(Some(open(&mut side))),
            Open::Query(_) => Ok(None),
        })
    }

    /// The service that answers the queries. `categories` are those of the context. By the clock, a query waits for a new
    /// version if its client asks for that.
    ///
    /// # Errors
    /// [`ApiError::Twice`], or [`ApiError::Undeclared`] if the context does not declare a read model.
    pub fn queries(
        &self,
        ports: &QueryPorts<'_>,
        categories: &[Category],
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn Answers>, ApiError> {
        let side = QuerySide { ports, categories: categories.into(), clock };
        self.router(|open| match open {
            Open::Query(open) => open(&side).map(Some),
            Open::Command(_) => Ok(None),
        })
    }

    /// Checks that no operation contradicts its path, and that all types can be checked. A function does this with the
    /// first request of each operation only, so [`openapi`](Self::openapi) checks it for you.
    ///
    /// # Errors
    /// [`ApiError`].
    pub fn check(&self) -> Result<(), ApiError> {
        self.check_paths()?;
        self.operations.iter().try_for_each(|it| (it.check)(&Template::parse(it.path)))
    }

    /// The path of an operation that needs a keyring.
    pub(crate) fn first_with_keys(&self) -> Option<&'static str> {
        self.operations.iter().find(|it| it.has_keys).map(|it| it.path)
    }

    fn check_paths(&self) -> Result<(), ApiError> {
        let mut places = BTreeSet::new();
        let mut is_new =
            |it: &Operation| places.insert((it.kind, Template::parse(it.path).place()));
        match self.operations.iter().find(|it| !is_new(it)) {
            Some(operation) => Err(ApiError::Twice(operation.path)),
            None => Ok(()),
        }
    }

    fn router(
        &self,
        mut open: impl FnMut(Open) -> Result<Option<Arc<dyn Endpoint>>, ApiError>,
    ) -> Result<Arc<dyn Answers>, ApiError> {
        self.check_paths()?;
        let routes = self.operations.iter().map(|operation| {
            let template = Template::parse(operation.path);
            Ok(Route { kind: operation.kind, template, endpoint: open(operation.open)? })
        });
        let routes = routes.collect::<Result<_, ApiError>>()?;
        Ok(Arc::new(Router::new(routes)))
    }
}
