//! The command function: from API Gateway to the event table.

use std::sync::Arc;

use ledgerfold::command::CommandHandler;
use ledgerfold_lambda::{RunError, World, http::serve_http, variable};
use orders::http::CommandService;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let log = Arc::new(world.event_store(&variable("EVENT_TABLE")?));
    let service = CommandService::new(CommandHandler::new(log, world.clock(), world.random()));
    serve_http(move |request| {
        let service = service.clone();
        async move { service.answer(&request).await }
    })
    .await
}
