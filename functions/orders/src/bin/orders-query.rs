//! The query function: the read tables → API Gateway.

use std::sync::Arc;

use ledgerfold::{
    ports::{GenerationStore, ReadTable, RowStore},
    project::Projection,
    query::{LiveRows, LiveTallies},
};
use ledgerfold_lambda::{RunError, World, http::serve_http, variable};
use orders::{
    http::{QueryService, ReadTables},
    read_models::{CustomerOrders, Dashboard, OrderViews, Shipments, projection},
};

/// The index that lists a customer's orders.
const BY_CUSTOMER: &str = "by-customer";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let generations = world.generations(&variable("PROJECTION_STATES")?);
    let order_views = world.read_table(&variable("ORDER_VIEW_TABLE")?);
    let customer_orders = world.listed_read_table(&variable("CUSTOMER_ORDERS_TABLE")?, BY_CUSTOMER);
    let shipments = world.read_table(&variable("SHIPMENT_TABLE")?);
    let dashboard = world.read_table(&variable("DASHBOARD_TABLE")?);
    let tables = ReadTables {
        order_views: rows::<OrderViews>(projection::ORDER_VIEW, order_views, &generations),
        customer_orders: rows::<CustomerOrders>(
            projection::CUSTOMER_ORDERS,
            customer_orders,
            &generations,
        ),
        shipments: rows::<Shipments>(projection::SHIPMENT, shipments, &generations),
        dashboard: Arc::new(LiveTallies::new::<Dashboard>(
            projection::DASHBOARD,
            dashboard,
            generations,
        )),
    };
    let log = world.event_store(&variable("EVENT_TABLE")?);
    let service = QueryService::new(Arc::new(log), tables);
    serve_http(move |request| {
        let service = service.clone();
        async move { service.answer(&request).await }
    })
    .await
}

/// The rows that are live at the moment of each call.
fn rows<P: Projection>(
    projection: &'static str,
    table: Arc<dyn ReadTable>,
    generations: &Arc<dyn GenerationStore>,
) -> Arc<dyn RowStore> {
    Arc::new(LiveRows::new::<P>(projection, table, generations.clone()))
}
