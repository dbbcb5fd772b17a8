//! The projector function, one per projection: a queue behind the bus → a read table.

use std::sync::Arc;

use ledgerfold::project::{Projector, ReadModel, RowModel, TallyModel};
use ledgerfold_lambda::{RunError, World, serve_projector, variable};
use orders::read_models::{CustomerOrders, Dashboard, OrderViews, Shipments};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let table = variable("READ_TABLE")?;
    let projection = variable("PROJECTION")?;
    let model: Arc<dyn ReadModel> = match projection.as_str() {
        "order-view" => Arc::new(RowModel::<OrderViews>::new(world.rows(&table))),
        "customer-orders" => Arc::new(RowModel::<CustomerOrders>::new(world.rows(&table))),
        "shipment" => Arc::new(RowModel::<Shipments>::new(world.rows(&table))),
        "dashboard" => Arc::new(TallyModel::<Dashboard>::new(world.tallies(&table))),
        other => return Err(format!("there is no projection called {other}").into()),
    };
    let log = Arc::new(world.event_store(&variable("EVENT_TABLE")?));
    let quarantine = world.quarantine(&variable("PROJECTION_STATES")?, &projection);
    let projector = Projector::new(model, log, world.clock(), world.random());
    serve_projector(projector.with_quarantine(quarantine)).await
}
