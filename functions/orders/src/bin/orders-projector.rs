//! The projector function, one per projection: a queue behind the bus → a read table.

use std::sync::Arc;

use ledgerfold::project::{Generational, Projectors};
use ledgerfold_lambda::{RunError, World, serve_projector, variable};
use orders::read_models;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let table = world.read_table(&variable("READ_TABLE")?);
    let models = read_models::catalog().models(&variable("PROJECTION")?, table)?;
    let log = Arc::new(world.event_store(&variable("EVENT_TABLE")?));
    let projectors = Projectors::new(models, log, world.clock(), world.random());
    let generations = world.generations(&variable("PROJECTION_STATES")?);
    serve_projector(Generational::new(projectors, generations)).await
}
