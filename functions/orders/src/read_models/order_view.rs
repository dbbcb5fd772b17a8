//! The view of a single order.

use ledgerfold::{Access, Caller, EntityId, Recorded, Timestamp, project::Projection};
use orders_events::{Item, Money, OrderEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::not_placed;
use crate::domain::access;

/// The details of each order.
#[derive(Clone, Copy, Debug)]
pub struct OrderViews;

/// An order as `GET /orders/{id}` shows it, without its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Order")]
pub struct OrderView {
    /// Its id.
    #[schemars(with = "EntityId")]
    pub id: String,
    /// The customer.
    #[schemars(with = "EntityId")]
    pub customer_id: String,
    /// The ordered items.
    pub items: Vec<Item>,
    /// The total price.
    pub total: Money,
    /// The current status.
    pub status: Status,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// When it was shipped.
    pub shipped_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// Whether a refund was requested.
    pub refund_requested: bool,
}

/// The status of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waiting for payment.
    Placed,
    /// Paid, waiting for shipment.
    Paid,
    /// Shipped, on its way.
    Shipped,
    /// Delivered.
    Delivered,
    /// Cancelled.
    Cancelled,
}

impl Status {
    /// The status after an event.
    pub(super) fn after(self, event: &OrderEvent) -> Self {
        match event {
            OrderEvent::OrderPlaced(_) => Self::Placed,
            OrderEvent::OrderPaid(_) => Self::Paid,
            OrderEvent::OrderShipped(_) => Self::Shipped,
            OrderEvent::OrderDelivered(_) => Self::Delivered,
            OrderEvent::OrderCancelled(_) => Self::Cancelled,
            OrderEvent::RefundRequested(_) => self,
        }
    }
}

impl Projection for OrderViews {
    type Event = OrderEvent;
    type Row = OrderView;

    fn may_see(caller: &Caller, order: &OrderView) -> Access {
        access::of_customer(caller, &order.customer_id)
    }

    fn evolve(
        row: Option<OrderView>,
        event: &Recorded<OrderEvent>,
    ) -> Result<Option<OrderView>, String> {
        let at = event.recorded_at;
        if let OrderEvent::OrderPlaced(placed) = &event.event {
            return Ok(Some(OrderView {
                id: event.stream.id().to_string(),
                customer_id: placed.customer_id.clone(),
                items: placed.items.clone(),
                total: placed.total,
                status: Status::Placed,
                placed_at: at,
                paid_at: None,
                cancelled_at: None,
                shipped_at: None,
                delivered_at: None,
                refund_requested: false,
            }));
        }
        let mut order = row.ok_or_else(not_placed)?;
        order.status = order.status.after(&event.event);
        match &event.event {
            OrderEvent::OrderPlaced(_) => {}
            OrderEvent::OrderPaid(_) => order.paid_at = Some(at),
            OrderEvent::OrderCancelled(_) => order.cancelled_at = Some(at),
            OrderEvent::RefundRequested(_) => order.refund_requested = true,
            OrderEvent::OrderShipped(_) => order.shipped_at = Some(at),
            OrderEvent::OrderDelivered(_) => order.delivered_at = Some(at),
        }
        Ok(Some(order))
    }
}
