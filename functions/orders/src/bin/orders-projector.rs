//! The projector function, deployed once per projection: from a queue behind the bus to a read table.

use ledgerfold::project::{Projector, ProjectorPorts};
use ledgerfold_lambda::{RunError, SigningKey, World, serve_projector, variable};
use orders::read_models;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let table = world.read_table(&variable("READ_TABLE")?);
    let models = read_models::catalog().models(&variable("PROJECTION")?, table)?;
    let log = world.event_reader(&variable("EVENT_TABLE")?);
    let states = variable("PROJECTION_STATES")?;
    let quarantine = world.quarantine(&states, models.projection());
    let skips = world.skips(&states, models.projection());
    let ports = ProjectorPorts { log, skips, clock: world.clock(), random: world.random() };
    let projector = Projector::of_generations(models, world.generations(&states), ports);
    projector.check().await.map_err(|unknown| unknown.to_string())?;
    let key = SigningKey::new(variable("BUS_KEY")?)?;
    serve_projector(projector.with_quarantine(quarantine), key).await
}
