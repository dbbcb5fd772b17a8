//! Commands of several streams.

use std::marker::PhantomData;

use async_trait::async_trait;
use ledgerfold::{
    Caller, Category, Decider, EntityId, StreamId,
    command::{
        Answer, CurrentState, JointDecider, JointHandler, JointRequest, Parts, StreamReader,
    },
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Accepted, CommandCall, CommandSide, Handles, HttpCommand, Success, accepted::with_version,
};
use crate::http::{
    Problem, Response, StatusCode,
    api::{ApiError, Template},
    reference,
};

/// The parameter of [`HttpJointCommand::LOCATION`] for the id that the service chooses.
const CREATED: &str = "created";

/// A command of several streams, which a [`JointDecider`] decides.
///
/// [`Api::joint_command`](crate::http::Api::joint_command) declares it. `tests/api/joint.rs` of this crate has
/// complete examples.
#[async_trait]
pub trait HttpJointCommand: HttpCommand {
    /// The decider.
    type Decider: JointDecider;
    /// The body of the answer to success. [`Accepted`] is the usual one.
    type Answer: Serialize + JsonSchema;

    /// The path of the thing that the command creates, for example `/accounts/{id}/holds/{created}`: with parameters of
    /// [`PATH`](HttpCommand::PATH), and `{created}` for the id that the service chooses. Such a command is answered with
    /// 201 and this `Location`, and its `Idempotency-Key` belongs to the caller and the path. Any other command is
    /// answered with 200, and its key belongs to the caller and the stream that the plan is [about](JointPlan::about).
    const LOCATION: Option<&'static str> = None;

    /// Whether the answer has an `ETag` beside the `Consistency-Token`, both for the stream that the plan
    /// [shows](JointPlan::showing).
    const HAS_VERSION: bool = true;

    /// The streams and the command of the domain. A repeated request must have the same plan, so it may depend on the
    /// request and on facts that never change, such as the accounts of a transfer.
    ///
    /// # Errors
    /// The problem to answer instead, for example 404 if a stream does not exist that names the others.
    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Self::Decider>, Problem>;

    /// The body of the answer. A repeated request gets the same effect, and so the same body.
    fn answer(effect: &JointEffect<'_>) -> Self::Answer;
}

/// The request of one command, for its plan.
pub struct JointCall<'a> {
    call: CommandCall<'a>,
    chosen: EntityId,
    reader: &'a StreamReader,
}

impl JointCall<'_> {
    /// The caller.
    pub const fn caller(&self) -> &Caller {
        &self.call.request.caller
    }

    /// The `{id}` of the path.
    ///
    /// # Errors
    /// 500 if the path of the command has none.
    pub fn id(&self) -> Result<&EntityId, Problem> {
        self.call.id.ok_or_else(Problem::internal)
    }

    /// The id that the service chooses for this request. It follows from the caller, the whole path with its ids, and the
    /// `Idempotency-Key`, so a repetition has the same one. Every command can use it, with and without `{id}`.
    pub const fn chosen_id(&self) -> &EntityId {
        &self.chosen
    }

    /// The stream of this entity, of the caller's tenant.
    pub fn stream(&self, category: Category, id: EntityId) -> StreamId {
        self.call.stream(category, id)
    }

    /// The current state of a stream, for a command that learns its other streams from it. The decision does not depend on
    /// this read: a stream whose state matters must be one of the plan's streams.
    ///
    /// # Errors
    /// 404 for a stream of another tenant, and the problem of a failed read.
    pub async fn state<D: Decider>(
        &self,
        stream: &StreamId,
    ) -> Result<CurrentState<D::State>, Problem> {
        if *stream.tenant() != self.caller().tenant {
            return Err(Problem::no_such_resource());
        }
        Ok(self.reader.state::<D>(stream).await?)
    }
}

/// The streams and the command of one request.
pub struct JointPlan<J: JointDecider> {
    streams: <J::Parts as Parts>::Streams,
    command: J::Command,
    about: Option<StreamId>,
    shown: Option<StreamId>,
    new: Option<StreamId>,
}

impl<J: JointDecider> JointPlan<J> {
    /// A command of these streams, about the first one.
    pub const fn new(streams: <J::Parts as Parts>::Streams, command: J::Command) -> Self {
        Self { streams, command, about: None, shown: None, new: None }
    }

    /// The stream that the command is about, if it is not the first one. `If-Match` expects its version.
    #[must_use]
    pub fn about(self, stream: StreamId) -> Self {
        Self { about: Some(stream), ..self }
    }

    /// The stream of the `ETag` and of the `Consistency-Token`, if the command is not about it. It must be one that the
    /// command changes.
    #[must_use]
    pub fn showing(self, stream: StreamId) -> Self {
        Self { shown: Some(stream), ..self }
    }

    /// The stream that the command creates under the [id that the service chose](JointCall::chosen_id). It costs no read,
    /// and recognises a repetition for ever.
    #[must_use]
    pub fn creating(self, stream: StreamId) -> Self {
        Self { new: Some(stream), ..self }
    }
}

/// The effect of a command, for the body of its answer.
pub struct JointEffect<'a> {
    answers: &'a [Answer],
    shown: &'a Answer,
    chosen: &'a EntityId,
}

impl JointEffect<'_> {
    /// The effect on each stream with events, in the order of the plan. If nothing needed to change, it has all streams.
    pub const fn answers(&self) -> &[Answer] {
        self.answers
    }

    /// The effect on the streams of one domain.
    pub fn of<D: Decider>(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|answer| *answer.stream.category() == D::CATEGORY)
    }

    /// The id that the service chose.
    pub const fn chosen_id(&self) -> &EntityId {
        self.chosen
    }

    /// The usual body: the effect on the stream that the plan shows.
    pub fn accepted(&self) -> Accepted {
        Accepted::of(self.shown)
    }
}

/// Handles a command with its joint decider.
pub struct Jointly<C: HttpJointCommand> {
    handler: JointHandler<C::Decider>,
    reader: StreamReader,
    command: PhantomData<fn() -> C>,
}

#[async_trait]
impl<C: HttpJointCommand> Handles<C> for Jointly<C> {
    const MAY_NOT_FIND: bool = true;

    fn successes() -> Vec<Success> {
        const TAKEN: &str = "The command took effect, now or when it was first sent.";
        let status = if C::LOCATION.is_some() { StatusCode::CREATED } else { StatusCode::OK };
        let success = Success::new::<C::Answer>(status, TAKEN);
        let success = if C::HAS_VERSION { success.with_version() } else { success.with_token() };
        vec![match C::LOCATION {
            Some(location) => success.with_location(pattern(&reference(C::PATH, location))),
            None => success,
        }]
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self {
            handler: side.ports.joint_handler(),
            reader: side.ports.stream_reader(),
            command: PhantomData,
        }
    }

    async fn handle(&self, command: C, call: CommandCall<'_>) -> Result<Response, Problem> {
        let headers = call.headers()?;
        let chosen = headers.created_id(call.path)?;
        let joint = JointCall { call, chosen: chosen.clone(), reader: &self.reader };
        let plan = command.plan(&joint).await?;
        let first = plan.streams.as_ref().first().cloned();
        let about = plan.about.or(first).ok_or_else(Problem::internal)?;
        let shown = plan.shown.unwrap_or_else(|| about.clone());
        let id = match C::LOCATION {
            Some(_) => headers.command_id(call.path)?,
            None => headers.command_id(&about.to_string())?,
        };
        let context = headers.context(&id);
        let request = JointRequest::in_context(context, plan.streams, plan.command, id)
            .expecting(about, headers.expected)
            .creating(plan.new);
        let answers = self.handler.handle(&request).await?;
        let is_shown = |answer: &&Answer| answer.stream == shown;
        let shown = answers.iter().find(is_shown).or(answers.first());
        let shown = shown.ok_or_else(Problem::internal)?;
        let effect = JointEffect { answers: &answers, shown, chosen: &chosen };
        let status = if C::LOCATION.is_some() { StatusCode::CREATED } else { StatusCode::OK };
        let response = Response::json(status, &C::answer(&effect));
        let response = with_version(response, shown, C::HAS_VERSION);
        match C::LOCATION {
            Some(path) => Ok(response.with_header("Location", call.location_of(path, &chosen)?)),
            None => Ok(response),
        }
    }
}

impl CommandCall<'_> {
    /// The `Location` of the thing at this path, which may have parameters of the command's path and the id that the
    /// service chose.
    fn location_of(&self, path: &'static str, chosen: &EntityId) -> Result<String, Problem> {
        let template = Template::parse(path);
        let is_known = |name: &&str| *name == CREATED || self.matched.value(name).is_some();
        if !template.parameters().iter().all(is_known) {
            return Err(Problem::internal());
        }
        let value = |name: &str| match name {
            CREATED => chosen.to_string(),
            name => self.matched.value(name).unwrap_or_default().to_owned(),
        };
        Ok(self.location(&template.filled(value)))
    }
}

/// Checks that the path of `C` has all parameters of its `Location`.
///
/// # Errors
/// [`ApiError::NoParameter`].
pub(in crate::http) fn check_location<C: HttpJointCommand>(
    template: &Template,
) -> Result<(), ApiError> {
    let location = C::LOCATION.unwrap_or_default();
    let known = template.parameters();
    let needed = Template::parse(location).parameters();
    let unknown = |name: &&str| *name != CREATED && !known.contains(name);
    match needed.into_iter().find(unknown) {
        Some(parameter) => Err(ApiError::NoParameter { path: C::PATH, location, parameter }),
        None => Ok(()),
    }
}

/// The regular expression of a reference with parameters.
fn pattern(reference: &str) -> String {
    let segments = reference.split('/').map(|segment| match segment.starts_with('{') {
        true => "[A-Za-z0-9._-]+".to_owned(),
        false => segment.replace('.', "\\."),
    });
    format!("^{}$", segments.collect::<Vec<_>>().join("/"))
}
