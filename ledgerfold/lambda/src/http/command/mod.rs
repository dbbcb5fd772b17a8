//! Commands as HTTP offers them: `POST` with a JSON body.
//!
//! A command is one type. Its fields are the body, and its traits are the rest: [`Decide`](ledgerfold::Decide) has the
//! decision, and [`HttpCommand`] the path, the refusals and an example.
//!
//! ```
//! use ledgerfold::{Decide, DecisionContext};
//! use ledgerfold_lambda::http::HttpCommand;
//! use ledgerfold_testkit::bank::{AccountEvent, AccountRejection, Accounts, Account, Deposited};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// Deposit an amount.
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
//! pub struct Deposit {
//!     /// The amount in cents.
//!     #[schemars(range(min = 1, max = 1_000_000))]
//!     pub amount: u64,
//! }
//!
//! impl HttpCommand for Deposit {
//!     const PATH: &'static str = "/accounts/{id}/deposit";
//!     const REFUSALS: &'static [&'static str] = &["account-not-open"];
//!
//!     fn example() -> Self {
//!         Self { amount: 900 }
//!     }
//! }
//!
//! impl Decide for Deposit {
//!     type Decider = Accounts;
//!
//!     fn decide(&self, account: &Account, _: &DecisionContext<'_>) -> Result<Vec<AccountEvent>, AccountRejection> {
//!         match account.email {
//!             Some(_) => Ok(vec![Deposited { amount: self.amount }.into()]),
//!             None => Err(AccountRejection::NotOpen),
//!         }
//!     }
//! }
//! ```
//!
//! A command of a domain that seals implements [`DecideSealing`](ledgerfold::DecideSealing) instead, and is added with
//! [`Api::sealing_command`](super::Api::sealing_command). A command of several streams is an [`HttpJointCommand`]. A
//! command with another answer has own code: see [`Handles`].

mod accepted;
mod body;
mod decided;
mod endpoint;
mod erasing;
mod headers;
mod joint;
mod numbers;
mod sealing;

use std::{
    any::{Any, TypeId},
    collections::HashMap,
};

use async_trait::async_trait;
use ledgerfold::{
    Category, Decider, EntityId, StreamId, command::CommandHandler, context::CommandPorts,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};

use super::{FieldError, Problem, Request, Response, StatusCode, api::Matched, reference};

pub use accepted::{Accepted, accepted};
pub use decided::Decided;
pub use erasing::{
    Erases, ErasureBody, ErasurePaths, Holds, In, LiftLegalHold, Lifts, PlaceLegalHold,
    RequestErasure,
};
pub use headers::CommandHeaders;
pub use joint::{HttpJointCommand, JointCall, JointEffect, JointPlan, Jointly};
pub use sealing::{DecidedSealing, SealingCommand};
pub(super) use {
    endpoint::{CommandChecks, CommandEndpoint},
    headers::created_id,
    joint::check_location,
};

/// A command with its HTTP contract.
///
/// The type's JSON Schema is the body's contract: `#[schemars(length(…))]`, `range(…)` and the schemas of the fields'
/// types are the bounds. A type can have a rule that no schema can state, for example that all prices have one currency; its
/// `Deserialize` checks it. The answer to a wrong body names every wrong field.
///
/// The documentation of the type and of its fields becomes that of the operation, whose id is the type's name: `PayOrder`
/// is `payOrder`.
pub trait HttpCommand: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The path, for example `/orders/{id}/pay`. `{id}` is the stream that the command changes. A path without `{id}`
    /// creates a stream. An [`HttpJointCommand`] may differ: its plan names its streams. Any other parameter fills the field of the same name, which is then not part of the body.
    const PATH: &'static str;

    /// The rules that can refuse the command in the current state, each a [`Rejection::rule`](ledgerfold::Rejection) that
    /// is answered with 409.
    const REFUSALS: &'static [&'static str];

    /// Whether a number of the body may exceed the range of 64-bit floats. The command then has 0 in its place, and its
    /// handler finds the notation of every number in the body of the request.
    const TAKES_ANY_NUMBER: bool = false;
    /// The field with the id of the part that the command adds to its stream, for example `record`. The service chooses the
    /// id, so it is not part of the body; it is the same for the same caller, path and `Idempotency-Key`. The answer is 201
    /// with the part's `Location` below [`PATH`](Self::PATH). An [`HttpJointCommand`] does not use it.
    const ADDS: Option<&'static str> = None;

    /// A request that is accepted in the right state. It appears in the document.
    fn example() -> Self;

    /// The rules over several fields. They are checked once every field is right by itself. Each broken rule names the
    /// field to change by its JSON pointer.
    fn check(&self) -> Vec<FieldError> {
        Vec::new()
    }
}

/// Answers a command. [`Decided`] does it for every command of one stream, and [`Jointly`] for every command of several.
///
/// Write an own type for a command that answers something else, or needs no `Idempotency-Key`, and declare it with [`Api::command_with`](super::Api::command_with). `tests/api.rs` of this crate has a complete one.
#[async_trait]
pub trait Handles<C: HttpCommand>: Sized + Send + Sync + 'static {
    /// Whether the command needs an `Idempotency-Key`. This is for the document; [`CommandCall::headers`] requires it.
    const NEEDS_KEY: bool = true;

    /// Whether the answer can be 404 although the path has no `{id}`. This is for the document.
    const MAY_NOT_FIND: bool = false;

    /// Whether it needs the keys of the context, which must then have a domain that seals.
    const SEALS: bool = false;

    /// The answers to success, for the document.
    fn successes() -> Vec<Success>;

    /// The category of the stream that the command creates with an id from the caller and the `Idempotency-Key`.
    fn creates() -> Option<Category> {
        None
    }

    /// Opens the handler when the function starts.
    fn open(ports: &mut CommandSide<'_>) -> Self;

    /// Handles one command, whose fields have been checked.
    ///
    /// # Errors
    /// The problem to answer instead.
    async fn handle(&self, command: C, call: CommandCall<'_>) -> Result<Response, Problem>;
}

/// The request of one command.
#[derive(Clone, Copy, Debug)]
pub struct CommandCall<'a> {
    /// The request.
    pub request: &'a Request,
    /// The `{id}` of the path.
    pub id: Option<&'a EntityId>,
    /// The path of the service itself, for example `/orders`.
    pub path: &'a str,
    matched: &'a Matched<'a>,
}

impl CommandCall<'_> {
    /// The stream of this entity, of the caller's tenant.
    pub fn stream(&self, category: Category, id: EntityId) -> StreamId {
        StreamId::new(self.request.caller.tenant.clone(), category, id)
    }

    /// The headers, including the required `Idempotency-Key`.
    ///
    /// # Errors
    /// 400 with the header and its rule.
    pub fn headers(&self) -> Result<CommandHeaders, Problem> {
        CommandHeaders::read(self.request)
    }

    /// The `Location` of a resource at this path of the service.
    pub fn location(&self, path: &str) -> String {
        reference(self.path, path)
    }
}

/// The ports of commands, with one handler for all commands of a domain, because a handler caches states.
pub struct CommandSide<'a> {
    /// The ports.
    pub ports: &'a CommandPorts,
    handlers: HashMap<TypeId, Box<dyn Any>>,
}

impl<'a> CommandSide<'a> {
    /// The commands over these ports.
    pub fn new(ports: &'a CommandPorts) -> Self {
        Self { ports, handlers: HashMap::new() }
    }

    /// The handler of a domain's commands.
    pub fn handler<D: Decider>(&mut self) -> CommandHandler<D> {
        let known = self.handlers.get(&TypeId::of::<D>());
        if let Some(handler) = known.and_then(|it| it.downcast_ref::<CommandHandler<D>>()) {
            return handler.clone();
        }
        let handler = self.ports.handler::<D>();
        self.handlers.insert(TypeId::of::<D>(), Box::new(handler.clone()));
        handler
    }
}

/// An answer to a command that took effect, for the document.
#[derive(Clone, Debug)]
pub struct Success {
    pub(super) status: StatusCode,
    pub(super) description: &'static str,
    pub(super) body: fn(&mut SchemaGenerator) -> Schema,
    pub(super) has_version: bool,
    pub(super) has_token: bool,
    pub(super) location: Option<String>,
}

impl Success {
    /// An answer with this body.
    pub fn new<T: JsonSchema>(status: StatusCode, description: &'static str) -> Self {
        let body = SchemaGenerator::subschema_for::<T>;
        Self { status, description, body, has_version: false, has_token: false, location: None }
    }

    /// The answer has the headers `ETag` and `Consistency-Token`.
    #[must_use]
    pub fn with_version(self) -> Self {
        Self { has_version: true, has_token: true, ..self }
    }

    /// The answer has the header `Consistency-Token`, but no `ETag`.
    #[must_use]
    pub fn with_token(self) -> Self {
        Self { has_token: true, ..self }
    }

    /// The answer has the header `Location`, which matches this regular expression.
    #[must_use]
    pub fn with_location(self, pattern: impl Into<String>) -> Self {
        Self { location: Some(pattern.into()), ..self }
    }
}
