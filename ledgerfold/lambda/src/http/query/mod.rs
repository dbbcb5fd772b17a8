//! Queries as HTTP offers them: `GET`, and `HEAD`, which answers the same without a body.
//!
//! A query is one type. Its fields are the parameters: those that [`HttpQuery::PATH`] names stand in the path, and all
//! others after the question mark.
//!
//! ```
//! use async_trait::async_trait;
//! use ledgerfold::{Decider, EntityId, query::Fresh};
//! use ledgerfold_lambda::http::{HttpQuery, Problem, QueryCall, Rows};
//! use ledgerfold_testkit::bank::{Accounts, Statement, Statements};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// An account.
//! #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
//! pub struct GetAccount {
//!     /// The account.
//!     id: EntityId,
//! }
//!
//! # #[derive(Serialize, JsonSchema)] pub struct AccountView { text: String }
//! # impl From<Statement> for AccountView { fn from(statement: Statement) -> Self { Self { text: format!("{statement:?}") } } }
//! #[async_trait]
//! impl HttpQuery for GetAccount {
//!     type Decider = Accounts;
//!     type Models = Rows<Statements>;
//!     type Answer = Fresh<AccountView>;
//!
//!     const PATH: &'static str = "/accounts/{id}";
//!
//!     fn example() -> Self {
//!         Self { id: EntityId::new("a-1").expect("an id") }
//!     }
//!
//!     async fn answer(self, accounts: &Rows<Statements>, call: QueryCall<'_>) -> Result<Fresh<AccountView>, Problem> {
//!         let stream = call.stream(<Accounts>::CATEGORY, self.id);
//!         let found = accounts.get(&stream, call).await?;
//!         let found = found.ok_or_else(|| Problem::not_found("The account does not exist."))?;
//!         Ok(Fresh { row: found.row.into(), version: found.version })
//!     }
//! }
//! ```
//!
//! A query with own code behind it has an own type as [`Models`].

mod answer;
mod condition;
mod endpoint;
mod erasures;
mod models;
mod opener;
mod parameters;
mod recorder;

use async_trait::async_trait;
use ledgerfold::{
    Access, Caller, Category, Decider, EntityId, StreamId, Timestamp, vocabulary::ConsistencyToken,
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{Problem, Request};

pub use answer::{Answer, AtVersion, AuditedEvent, List, Unversioned, Versioned};
pub use erasures::{ErasureAnswer, ErasureStatus, Erasures};
pub use models::{Counters, EventLog, Models, Parts, Rows};
pub use opener::Opener;
pub use parameters::{Instant, Limit, ListPosition, Page, PageCursor};
pub use recorder::Recorder;
pub(super) use {
    endpoint::{QueryChecks, QueryEndpoint, QuerySide},
    parameters::{QueryParameters, broken, number, parameter},
};

/// A query with its HTTP contract.
///
/// The type's JSON Schema is the contract of the parameters. The documentation of the type and of its fields becomes that
/// of the operation, whose id is the type's name: `GetOrder` is `getOrder`.
#[async_trait]
pub trait HttpQuery: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The domain whose streams the query shows. A `Consistency-Token` of its streams makes the answer recent enough.
    type Decider: Decider;

    /// The read models that the query uses.
    type Models: Models;

    /// The answer: a row with its version (`Fresh<Row>`), or [`AtVersion`] or [`Unversioned`] of another type.
    type Answer: Answer;

    /// The path, for example `/orders/{id}`. Each parameter fills the field of the same name. `{id}` is the id of a stream.
    const PATH: &'static str;

    /// The request headers that it needs. A request without one of them is answered with 400.
    const HEADERS: &'static [RequiredHeader] = &[];

    /// A request that is answered if the stream exists. It appears in the document.
    fn example() -> Self;

    /// Whether the caller may ask this, before anything is read. Without this function every caller of the tenant may. The
    /// rule about a single row is [`Projection::may_see`](ledgerfold::project::Projection::may_see).
    fn may(&self, _caller: &Caller) -> Access {
        Access::Allowed
    }

    /// Whether a token of this category makes the answer recent enough. Without this function only the domain's own does.
    fn follows(category: &Category) -> bool {
        *category == Self::Decider::CATEGORY
    }

    /// Answers the query, whose parameters have been checked.
    ///
    /// # Errors
    /// The problem to answer instead.
    async fn answer(
        self,
        models: &Self::Models,
        call: QueryCall<'_>,
    ) -> Result<Self::Answer, Problem>;
}

/// A request header that a query needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredHeader {
    /// Its name.
    pub name: &'static str,
    /// Its meaning, for the document.
    pub description: &'static str,
    /// The values that it may have.
    pub values: &'static [&'static str],
}

impl RequiredHeader {
    /// The value in this request.
    ///
    /// # Errors
    /// 400 if the header is missing, repeated, or has another value.
    pub fn read(&self, request: &Request) -> Result<&'static str, Problem> {
        let name = self.name.to_ascii_lowercase();
        let value = request.single_header(&name)?.unwrap_or_default();
        if let Some(known) = self.values.iter().find(|known| **known == value) {
            return Ok(known);
        }
        let values = self.values.join(", ");
        Err(Problem::bad_request(format!("{} must be given once, as one of: {values}.", self.name)))
    }
}

/// The request of one query.
#[derive(Clone, Copy, Debug)]
pub struct QueryCall<'a> {
    /// The request.
    pub request: &'a Request,
    /// The version that the caller must see.
    pub token: Option<&'a ConsistencyToken>,
    now: Timestamp,
}

impl QueryCall<'_> {
    /// The caller.
    pub const fn caller(&self) -> &Caller {
        &self.request.caller
    }

    /// The time of the answer by the clock of the function, for an answer that depends on the time. All parts of the answer
    /// see the same time. A query that waits sees a new time with each attempt.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The stream of this entity, of the caller's tenant.
    pub fn stream(&self, category: Category, id: EntityId) -> StreamId {
        StreamId::new(self.caller().tenant.clone(), category, id)
    }
}
