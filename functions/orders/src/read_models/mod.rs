//! The read models of orders. Each is a fold of events into rows or counters, pure like the domain.
//! To replace one, declare its successor with a higher `REVISION` beside it in [`context`](crate::context()), and remove
//! the old one after the projection was rebuilt and switched.

mod customer_orders;
mod dashboard;
mod order_view;
mod shipment;

pub use customer_orders::{CustomerOrder, CustomerOrders};
pub use dashboard::{Dashboard, counter, day_key};
pub use order_view::{OrderView, OrderViews, Status};
pub use shipment::{Shipment, ShipmentStatus, Shipments};

/// The error for an event of an order without a row.
fn not_placed() -> String {
    "the order has not been placed".to_owned()
}
