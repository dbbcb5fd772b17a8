//! `orders-admin`: audit and repair of the orders' read models, by the names of the template's
//! projections.

use std::process::ExitCode;

use ledgerfold::Decider;
use ledgerfold_cli::Admin;
use orders::{
    domain::Orders,
    read_models::{CustomerOrders, Dashboard, OrderViews, Shipments},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    Admin::new("orders-admin", Orders::CATEGORY)
        .rows::<OrderViews>("order-view")
        .rows::<CustomerOrders>("customer-orders")
        .rows::<Shipments>("shipment")
        .tally::<Dashboard>("dashboard")
        .run()
        .await
}
