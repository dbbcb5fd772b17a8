//! The relay function: from the event table's change stream to the bus.

use std::sync::Arc;

use ledgerfold::relay::Relay;
use ledgerfold_lambda::{RunError, SigningKey, World, serve_relay, variable};
use orders::CONTEXT;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let key = SigningKey::new(variable("BUS_KEY")?)?;
    let publisher = Arc::new(world.publisher(&variable("BUS_NAME")?, CONTEXT).with_key(key));
    let relay = Relay::new(publisher.clone(), world.clock(), world.random());
    serve_relay(relay.with_dead_letters(publisher), None).await
}
