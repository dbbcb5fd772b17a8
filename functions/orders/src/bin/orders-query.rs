//! The query function: from the read tables to API Gateway.

use std::sync::Arc;

use ledgerfold::{
    ports::{ReadView, RowReader},
    project::Projection,
    query::{LiveRows, LiveTallies},
};
use ledgerfold_lambda::{RunError, World, http::serve_http, variable};
use orders::{
    http::{QueryService, ReadTables, Readable},
    read_models::{CustomerOrders, Dashboard, OrderViews, Shipments, projection},
};

/// The index that lists a customer's orders.
const BY_CUSTOMER: &str = "by-customer";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let states = variable("PROJECTION_STATES")?;
    let order_views = world.read_view(&variable("ORDER_VIEW_TABLE")?);
    let customer_orders = world.listed_read_view(&variable("CUSTOMER_ORDERS_TABLE")?, BY_CUSTOMER);
    let shipments = world.read_view(&variable("SHIPMENT_TABLE")?);
    let dashboard = world.read_view(&variable("DASHBOARD_TABLE")?);
    let live = Live { world: &world, states: &states };
    let generations = world.generation_reader(&states);
    let dashboard = LiveTallies::new::<Dashboard>(projection::DASHBOARD, dashboard, generations);
    let tables = ReadTables {
        order_views: live.rows::<OrderViews>(projection::ORDER_VIEW, order_views),
        customer_orders: live.rows::<CustomerOrders>(projection::CUSTOMER_ORDERS, customer_orders),
        shipments: live.rows::<Shipments>(projection::SHIPMENT, shipments),
        dashboard: Readable {
            table: Arc::new(dashboard),
            skips: world.skips(&states, projection::DASHBOARD),
        },
    };
    let log = world.event_reader(&variable("EVENT_TABLE")?);
    let service = QueryService::new(log, tables);
    serve_http(move |request| {
        let service = service.clone();
        async move { service.answer(&request).await }
    })
    .await
}

/// Readers that look up the live generation on each call.
struct Live<'a> {
    world: &'a World,
    /// The table of the states of projections: generations, quarantined streams and skips.
    states: &'a str,
}

impl Live<'_> {
    fn rows<P: Projection>(
        &self,
        projection: &'static str,
        table: Arc<dyn ReadView>,
    ) -> Readable<dyn RowReader> {
        let generations = self.world.generation_reader(self.states);
        Readable {
            table: Arc::new(LiveRows::new::<P>(projection, table, generations)),
            skips: self.world.skips(self.states, projection),
        }
    }
}
