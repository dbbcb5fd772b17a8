//! What readers see of orders. Each is a fold of events into rows or counters, pure like the domain.

mod customer_orders;
mod dashboard;
mod order_view;
mod shipment;

use ledgerfold::project::Catalog;

pub use customer_orders::{CustomerOrder, CustomerOrders, NoPlace, PlaceInList};
pub use dashboard::{Dashboard, counter, day_key};
pub use order_view::{OrderView, OrderViews, Status};
pub use shipment::{Shipment, ShipmentStatus, Shipments};

/// What the template calls the projections.
pub mod projection {
    /// Of [`OrderViews`](super::OrderViews).
    pub const ORDER_VIEW: &str = "order-view";
    /// Of [`CustomerOrders`](super::CustomerOrders).
    pub const CUSTOMER_ORDERS: &str = "customer-orders";
    /// Of [`Shipments`](super::Shipments).
    pub const SHIPMENT: &str = "shipment";
    /// Of [`Dashboard`](super::Dashboard).
    pub const DASHBOARD: &str = "dashboard";
}

/// All read models of orders. One that is to be replaced is here beside its successor, which has a
/// higher `REVISION`, until its projection was rebuilt and switched.
pub fn catalog() -> Catalog {
    Catalog::new()
        .rows::<OrderViews>(projection::ORDER_VIEW)
        .rows::<CustomerOrders>(projection::CUSTOMER_ORDERS)
        .rows::<Shipments>(projection::SHIPMENT)
        .tally::<Dashboard>(projection::DASHBOARD)
}

/// The reason given for an event of an order that has no row.
fn not_placed() -> String {
    "the order has not been placed".to_owned()
}
