//! The deadlines function: a schedule invokes it, and it runs the commands of due deadlines of every process.

use std::sync::Arc;

use ledgerfold::{
    command::CommandHandler,
    process::{DeadlineSweep, ProcessExpiry},
};
use ledgerfold_lambda::{RunError, World, serve_deadlines, variable};
use orders::process::PaymentDeadline;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let log = Arc::new(world.event_store(&variable("EVENT_TABLE")?));
    let commands = CommandHandler::new(log, world.clock(), world.random());
    let deadlines = world.deadlines(&variable("DEADLINES")?);
    let payment = Arc::new(ProcessExpiry::<PaymentDeadline>::new(commands));
    serve_deadlines(DeadlineSweep::new(deadlines, world.clock(), vec![payment]), world.clock())
        .await
}
