//! The lists of customers' orders.

use ledgerfold::{InvalidId, Recorded, Timestamp, ports::IndexKey, project::Projection};
use orders_events::{Money, OrderEvent};
use serde::{Deserialize, Serialize};

use super::{Status, not_placed};

/// The orders of a customer, newest first.
#[derive(Clone, Copy, Debug)]
pub struct CustomerOrders;

/// An order in its customer's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerOrder {
    /// Its id.
    pub id: String,
    /// The customer.
    pub customer_id: String,
    /// The current status.
    pub status: Status,
    /// The total price.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
}

impl Projection for CustomerOrders {
    type Event = OrderEvent;
    type Row = CustomerOrder;

    fn evolve(
        row: Option<CustomerOrder>,
        event: &Recorded<OrderEvent>,
    ) -> Result<Option<CustomerOrder>, String> {
        if let OrderEvent::OrderPlaced(placed) = &event.event {
            return Ok(Some(CustomerOrder {
                id: event.stream.id().to_string(),
                customer_id: placed.customer_id.clone(),
                status: Status::Placed,
                total: placed.total,
                placed_at: event.recorded_at,
            }));
        }
        let order = row.ok_or_else(not_placed)?;
        Ok(Some(CustomerOrder { status: order.status.after(&event.event), ..order }))
    }

    fn index(row: &CustomerOrder) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::by_time(&*row.customer_id, row.placed_at, &row.id).map(Some)
    }
}
