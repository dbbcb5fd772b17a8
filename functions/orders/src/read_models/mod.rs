//! What readers see of orders. Each is a fold of events into rows or counters, pure like the domain.

mod customer_orders;
mod dashboard;
mod order_view;
mod shipment;

pub use customer_orders::{CustomerOrder, CustomerOrders};
pub use dashboard::{Dashboard, counter, day_key};
pub use order_view::{OrderView, OrderViews, Status};
pub use shipment::{Shipment, ShipmentStatus, Shipments};

/// The reason given for an event of an order that has no row.
fn not_placed() -> String {
    "the order has not been placed".to_owned()
}
