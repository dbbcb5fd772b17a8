//! The command side of the HTTP service.

use async_trait::async_trait;
use ledgerfold::{
    Decider, EntityId, StreamId,
    command::{Answer, CommandHandler, CommandRequest, StreamHint},
};
use ledgerfold_lambda::{
    http::{
        CommandHeaders, Fields, Problem, QueryParameters, Request, Response, StatusCode, accepted,
        command_body, reference,
    },
    service::Answers,
};

use super::{
    commands,
    routes::{CommandRoute, OF_QUERIES, Route},
};
use crate::domain::{OrderCommand, Orders};

/// Answers the commands of the contract.
#[derive(Clone)]
pub struct CommandService {
    handler: CommandHandler<Orders>,
}

impl CommandService {
    /// Creates the service with this handler.
    pub fn new(handler: CommandHandler<Orders>) -> Self {
        Self { handler }
    }

    async fn place(&self, request: &Request) -> Result<Response, Problem> {
        let (headers, command) = read(request, commands::place)?;
        let id = headers.created_id(Orders::CATEGORY.as_str())?;
        let location = reference("/orders", &format!("/orders/{id}"));
        let answer = self.handle(&headers, id, command, StreamHint::New).await?;
        let response = accepted(StatusCode::CREATED, &answer);
        Ok(response.with_header("Location", location))
    }

    async fn change(
        &self,
        request: &Request,
        id: EntityId,
        body: fn(&mut Fields<'_>) -> Option<OrderCommand>,
    ) -> Result<Response, Problem> {
        let (headers, command) = read(request, body)?;
        let answer = self.handle(&headers, id, command, StreamHint::None).await?;
        Ok(accepted(StatusCode::OK, &answer))
    }

    async fn handle(
        &self,
        headers: &CommandHeaders,
        id: EntityId,
        command: OrderCommand,
        hint: StreamHint,
    ) -> Result<Answer, Problem> {
        let command_id = headers.command_id()?;
        let context = headers.context(&command_id);
        let request = CommandRequest::new(StreamId::new(Orders::CATEGORY, id), command, command_id)
            .expecting(headers.expected)
            .with_hint(hint)
            .in_context(context);
        Ok(self.handler.handle(&request).await?)
    }
}

#[async_trait]
impl Answers for CommandService {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        match Route::find(request)? {
            Route::Command(CommandRoute::Place) => self.place(request).await,
            Route::Command(CommandRoute::Pay(id)) => self.change(request, id, commands::pay).await,
            Route::Command(CommandRoute::Cancel(id)) => {
                self.change(request, id, commands::cancel).await
            }
            Route::Command(CommandRoute::Ship(id)) => {
                self.change(request, id, commands::ship).await
            }
            Route::Command(CommandRoute::Deliver(id)) => {
                self.change(request, id, commands::deliver).await
            }
            Route::Query(_) => Err(Problem::method_not_allowed(OF_QUERIES)),
        }
    }
}

fn read(
    request: &Request,
    body: fn(&mut Fields<'_>) -> Option<OrderCommand>,
) -> Result<(CommandHeaders, OrderCommand), Problem> {
    QueryParameters::read(request, &[])?;
    let command = command_body(request, body)?;
    Ok((CommandHeaders::read(request)?, command))
}
