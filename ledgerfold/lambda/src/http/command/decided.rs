//! Commands of one stream, which their decider decides.

use async_trait::async_trait;
use ledgerfold::{
    Category, CommandId, Decide, Decider, EntityId, StreamId,
    command::{CommandHandler, CommandRequest, StreamHint},
};

use super::{
    Accepted, CommandCall, CommandHeaders, CommandSide, Handles, HttpCommand, Success, accepted,
};
use crate::http::{Problem, Response, StatusCode, reference};

/// Hands a command to its decider. Without `{id}` in the path it creates a stream, whose id follows from the caller and
/// the `Idempotency-Key`, so a repeated creation reaches the same stream.
pub struct Decided<D: Decider>(CommandHandler<D>);

#[async_trait]
impl<C, D> Handles<C> for Decided<D>
where
    C: HttpCommand + Decide<Decider = D> + Into<D::Command>,
    D: Decider,
{
    fn successes() -> Vec<Success> {
        successes::<C>()
    }

    fn creates() -> Option<Category> {
        creates::<C, D>()
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self(side.handler())
    }

    async fn handle(&self, command: C, call: CommandCall<'_>) -> Result<Response, Problem> {
        Addressed::of::<D>(call)?.handle(&self.0, command.into(), C::ADDS.is_some()).await
    }
}

/// The answers to success of a command of one stream.
pub(super) fn successes<C: HttpCommand>() -> Vec<Success> {
    const TAKEN: &str = "The command took effect, now or when it was first sent.";
    let creates = !C::PATH.contains("{id}") || C::ADDS.is_some();
    let status = if creates { StatusCode::CREATED } else { StatusCode::OK };
    let success = Success::new::<Accepted>(status, TAKEN).with_version();
    let location = reference(C::PATH, &format!("{}/", C::PATH)).replace('.', "\\.");
    let location = format!("^{location}[A-Za-z0-9-]+$");
    vec![if creates { success.with_location(location) } else { success }]
}

/// The category of the stream that a command creates.
pub(super) fn creates<C: HttpCommand, D: Decider>() -> Option<Category> {
    (!C::PATH.contains("{id}")).then_some(D::CATEGORY)
}

/// A request for one command, with the stream that the command changes or creates.
pub(super) struct Addressed<'a> {
    call: CommandCall<'a>,
    headers: CommandHeaders,
    command_id: CommandId,
    stream: StreamId,
    hint: StreamHint,
}

impl<'a> Addressed<'a> {
    /// # Errors
    /// 400 for an invalid header.
    pub(super) fn of<D: Decider>(call: CommandCall<'a>) -> Result<Self, Problem> {
        let headers = call.headers()?;
        let stream = |id: EntityId| call.stream(D::CATEGORY, id);
        let (stream, hint) = match call.id {
            Some(id) => (stream(id.clone()), StreamHint::None),
            None => (stream(headers.created_id(call.path)?), StreamHint::New),
        };
        let command_id = headers.command_id(&stream.to_string())?;
        Ok(Self { call, headers, command_id, stream, hint })
    }

    pub(super) const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Handles the command, and answers. `adds` says whether the command adds a part to the stream.
    pub(super) async fn handle<D: Decider>(
        self,
        handler: &CommandHandler<D>,
        command: D::Command,
        adds: bool,
    ) -> Result<Response, Problem> {
        let Self { call, headers, command_id, stream, hint } = self;
        let context = headers.context(&command_id);
        let request = CommandRequest::in_context(context, stream, command, command_id)
            .expecting(headers.expected)
            .with_hint(hint);
        let answer = handler.handle(&request).await?;
        let created = match call.id {
            None => answer.stream.id().clone(),
            Some(_) if adds => headers.created_id(call.path)?,
            Some(_) => return Ok(accepted(StatusCode::OK, &answer)),
        };
        let location = call.location(&format!("{}/{created}", call.path));
        Ok(accepted(StatusCode::CREATED, &answer).with_header("Location", location))
    }
}
