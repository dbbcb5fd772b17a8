use ledgerfold::{Recorded, Timestamp, project::Projection};
use orders_events::{Item, Money, OrderEvent};
use serde::{Deserialize, Serialize};

use super::not_placed;

/// One order with everything about it.
#[derive(Clone, Copy, Debug)]
pub struct OrderViews;

/// An order as `GET /orders/{id}` shows it, but for its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// Its id.
    pub id: String,
    /// Who ordered.
    pub customer_id: String,
    /// What was ordered.
    pub items: Vec<Item>,
    /// What it costs together.
    pub total: Money,
    /// How far it has come.
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
    /// Whether what was paid is to be paid back.
    pub refund_requested: bool,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It waits to be paid.
    Placed,
    /// It waits to be shipped.
    Paid,
    /// It is on its way.
    Shipped,
    /// It has arrived.
    Delivered,
    /// It was called off.
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
