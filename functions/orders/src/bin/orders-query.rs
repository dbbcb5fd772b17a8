//! The query function: the read tables → API Gateway.

use std::sync::Arc;

use ledgerfold_lambda::{RunError, World, http::serve_http, variable};
use orders::http::{QueryService, ReadTables};

/// The index that lists a customer's orders.
const BY_CUSTOMER: &str = "by-customer";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RunError> {
    let world = World::from_environment().await;
    let tables = ReadTables {
        order_views: world.rows(&variable("ORDER_VIEW_TABLE")?),
        customer_orders: world.listed_rows(&variable("CUSTOMER_ORDERS_TABLE")?, BY_CUSTOMER),
        shipments: world.rows(&variable("SHIPMENT_TABLE")?),
        dashboard: world.tallies(&variable("DASHBOARD_TABLE")?),
    };
    let log = world.event_store(&variable("EVENT_TABLE")?);
    let service = QueryService::new(Arc::new(log), tables);
    serve_http(move |request| {
        let service = service.clone();
        async move { service.answer(&request).await }
    })
    .await
}
