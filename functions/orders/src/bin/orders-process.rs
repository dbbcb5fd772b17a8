//! The process function, deployed once per process: from a queue behind the bus to further commands and deadlines.

use std::sync::Arc;

use ledgerfold::{command::CommandHandler, process::ProcessHandler};
use ledgerfold_lambda::{RunError, SigningKey, World, serve_process, variable};
use orders::process::PaymentDeadline;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let log = Arc::new(world.event_store(&variable("EVENT_TABLE")?));
    let commands = CommandHandler::new(log.clone(), world.clock(), world.random());
    let deadlines = world.deadlines(&variable("DEADLINES")?);
    let key = SigningKey::new(variable("BUS_KEY")?)?;
    match variable("PROCESS")?.as_str() {
        "payment-deadline" => {
            let patience = variable("PAYMENT_DEADLINE")?.parse()?;
            let handler =
                ProcessHandler::<PaymentDeadline>::new(patience, commands, deadlines, log);
            serve_process(handler, key).await
        }
        other => Err(format!("there is no process called {other}").into()),
    }
}
