//! The spot check function: a schedule invokes it, and it audits a sample of streams in every read table.

use std::time::Duration;

use ledgerfold::{
    Decider,
    reconcile::{Sample, SpotCheck},
};
use ledgerfold_lambda::{RunError, SpotCheckSettings, World, serve_spot_checks, variable};
use orders::{
    domain::Orders,
    read_models::{self, projection},
};

/// The environment variable with the read table of each projection.
const TABLES: [(&str, &str); 4] = [
    (projection::ORDER_VIEW, "ORDER_VIEW_TABLE"),
    (projection::CUSTOMER_ORDERS, "CUSTOMER_ORDERS_TABLE"),
    (projection::SHIPMENT, "SHIPMENT_TABLE"),
    (projection::DASHBOARD, "DASHBOARD_TABLE"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let events = variable("EVENT_TABLE")?;
    let states = variable("PROJECTION_STATES")?;
    let sample = Sample::new(world.streams(&events), world.random()).only(Orders::CATEGORY);
    let log = world.event_reader(&events);
    let mut check = SpotCheck::new(sample, world.generations(&states), log, world.clock());
    for (projection, table) in TABLES {
        let table = world.read_table(&variable(table)?);
        let models = read_models::catalog().models(projection, table)?;
        let skips = world.skips(&states, projection);
        check = check.of(models, skips, world.quarantine(&states, projection));
    }
    let settings = SpotCheckSettings {
        streams: variable("SPOT_CHECK_STREAMS")?.parse()?,
        patience: Duration::from_secs(variable("SPOT_CHECK_PATIENCE")?.parse()?),
    };
    serve_spot_checks(check, settings, world.clock()).await
}
