//! The read models of orders. Each is a fold of events into rows or counters, pure like the domain.

mod customer_orders;
mod dashboard;
mod order_view;
mod shipment;

use ledgerfold::project::Catalog;

pub use customer_orders::{CustomerOrder, CustomerOrders, NoPlace, PlaceInList};
pub use dashboard::{Dashboard, counter, day_key};
pub use order_view::{OrderView, OrderViews, Status};
pub use shipment::{Shipment, ShipmentStatus, Shipments};

/// The names of the projections in the template.
pub mod projection {
    /// The projection of [`OrderViews`](super::OrderViews).
    pub const ORDER_VIEW: &str = "order-view";
    /// The projection of [`CustomerOrders`](super::CustomerOrders).
    pub const CUSTOMER_ORDERS: &str = "customer-orders";
    /// The projection of [`Shipments`](super::Shipments).
    pub const SHIPMENT: &str = "shipment";
    /// The projection of [`Dashboard`](super::Dashboard).
    pub const DASHBOARD: &str = "dashboard";
}

/// All read models of orders. To replace one, list its successor with a higher `REVISION` beside it, and remove the old
/// one after the projection was rebuilt and switched.
pub fn catalog() -> Catalog {
    Catalog::new()
        .rows::<OrderViews>(projection::ORDER_VIEW)
        .rows::<CustomerOrders>(projection::CUSTOMER_ORDERS)
        .rows::<Shipments>(projection::SHIPMENT)
        .tally::<Dashboard>(projection::DASHBOARD)
}

/// The error for an event of an order without a row.
fn not_placed() -> String {
    "the order has not been placed".to_owned()
}
