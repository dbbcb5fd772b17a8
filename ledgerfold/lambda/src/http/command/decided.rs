//! Commands of one stream, which their decider decides.

use async_trait::async_trait;
use ledgerfold::{
    Category, Decide, Decider, EntityId, StreamId,
    command::{CommandHandler, CommandRequest, StreamHint},
};

use super::{Accepted, CommandCall, CommandSide, Handles, HttpCommand, Success, accepted};
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
        const TAKEN: &str = "The command took effect, now or when it was first sent.";
        let creates = !C::PATH.contains("{id}");
        let status = if creates { StatusCode::CREATED } else { StatusCode::OK };
        let success = Success::new::<Accepted>(status, TAKEN).with_version();
        let location = reference(C::PATH, &format!("{}/", C::PATH)).replace('.', "\\.");
        let location = format!("^{location}[A-Za-z0-9-]+$");
        vec![if creates { success.with_location(location) } else { success }]
    }

    fn creates() -> Option<Category> {
        (!C::PATH.contains("{id}")).then_some(D::CATEGORY)
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self(side.handler())
    }

    async fn handle(&self, command: C, call: CommandCall<'_>) -> Result<Response, Problem> {
        let headers = call.headers()?;
        let command_id = headers.command_id()?;
        let stream = |id: EntityId| StreamId::new(D::CATEGORY, id);
        let (stream, hint) = match call.id {
            Some(id) => (stream(id.clone()), StreamHint::None),
            None => (stream(headers.created_id(D::CATEGORY.as_str())?), StreamHint::New),
        };
        let context = headers.context(&command_id);
        let request = CommandRequest::new(stream, command.into(), command_id)
            .expecting(headers.expected)
            .with_hint(hint)
            .in_context(context);
        let answer = self.0.handle(&request).await?;
        if call.id.is_some() {
            return Ok(accepted(StatusCode::OK, &answer));
        }
        let location = call.location(&format!("{}/{}", call.path, answer.stream.id()));
        Ok(accepted(StatusCode::CREATED, &answer).with_header("Location", location))
    }
}
