//! The operations of a service: its commands and queries. Routes, checks and the OpenAPI document follow from them.
//!
//! To add a command, write a type that implements [`HttpCommand`], and add it with [`Api::command`]. To add a query,
//! write one that implements [`HttpQuery`], and add it with [`Api::query`].

mod error;
mod example;
mod operation;
mod router;
mod template;

use std::sync::Arc;

use ledgerfold::{
    Category, Decide, Decider,
    context::{CommandPorts, QueryPorts},
};

use super::{CommandSide, Decided, Handles, HttpCommand, HttpQuery};
use crate::service::Answers;

pub use error::ApiError;
pub use example::Example;
pub(super) use {
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
    pub(super) operations: Vec<Operation>,
}

impl Api {
    /// A service without operations. The version is that of its contract.
    pub const fn new(title: &'static str, version: &'static str) -> Self {
        Self { title, version, description: "", license: None, operations: Vec::new() }
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

    /// Adds a command of one stream.
    #[must_use]
    pub fn command<C>(self) -> Self
    where
        C: HttpCommand + Decide + Into<<C::Decider as Decider>::Command>,
    {
        self.command_with::<C, Decided<C::Decider>>()
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
    /// [`ApiError`] if a declared operation contradicts its path or cannot be checked.
    pub fn commands(&self, ports: &CommandPorts) -> Result<Arc<dyn Answers>, ApiError> {
        let mut side = CommandSide::new(ports);
        self.router(|template, open| match open {
            Open::Command(open) => open(template, &mut side).map(Some),
            Open::Query(_) => Ok(None),
        })
    }

    /// The service that answers the queries. `categories` are those of the context.
    ///
    /// # Errors
    /// [`ApiError`] if a declared operation contradicts its path or cannot be checked, or if the context does not declare
    /// one of its read models.
    pub fn queries(
        &self,
        ports: &QueryPorts<'_>,
        categories: &[Category],
    ) -> Result<Arc<dyn Answers>, ApiError> {
        let categories: Arc<[Category]> = categories.into();
        self.router(|template, open| match open {
            Open::Query(open) => open(template, ports, categories.clone()).map(Some),
            Open::Command(_) => Ok(None),
        })
    }

    fn router(
        &self,
        mut open: impl FnMut(&Template, Open) -> Result<Option<Arc<dyn Endpoint>>, ApiError>,
    ) -> Result<Arc<dyn Answers>, ApiError> {
        let mut routes: Vec<Route> = Vec::new();
        for operation in &self.operations {
            let Operation { kind, path, .. } = *operation;
            let template = Template::parse(path);
            let place = template.place();
            if routes.iter().any(|it| it.kind == kind && it.template.place() == place) {
                return Err(ApiError::Twice(path));
            }
            let endpoint = open(&template, operation.open)?;
            routes.push(Route { kind, template, endpoint });
        }
        Ok(Arc::new(Router::new(routes)))
    }
}
