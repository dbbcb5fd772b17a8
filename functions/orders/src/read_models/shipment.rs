//! The view of an order's shipment.

use ledgerfold::{Access, Caller, Recorded, Timestamp, project::Projection};
use orders_events::OrderEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::not_placed;
use crate::domain::access;

/// The shipment of each order.
#[derive(Clone, Copy, Debug)]
pub struct Shipments;

/// The shipment of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    /// The order.
    pub order_id: String,
    /// The order's customer, who may see the shipment.
    pub customer_id: String,
    /// The current status.
    pub status: ShipmentStatus,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's tracking number.
    pub tracking_number: Option<String>,
    /// When the goods were shipped.
    pub shipped_at: Option<Timestamp>,
    /// When the goods were delivered.
    pub delivered_at: Option<Timestamp>,
}

/// The status of a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShipmentStatus {
    /// The order is not paid yet.
    None,
    /// The order is paid, and the goods must be shipped.
    Pending,
    /// Shipped, on their way.
    Shipped,
    /// Delivered.
    Delivered,
    /// The order was cancelled.
    Cancelled,
}

impl Projection for Shipments {
    type Event = OrderEvent;
    type Row = Shipment;

    fn may_see(caller: &Caller, shipment: &Shipment) -> Access {
        access::of_customer(caller, &shipment.customer_id)
    }

    fn evolve(
        row: Option<Shipment>,
        event: &Recorded<OrderEvent>,
    ) -> Result<Option<Shipment>, String> {
        if let OrderEvent::OrderPlaced(placed) = &event.event {
            return Ok(Some(Shipment {
                order_id: event.stream.id().to_string(),
                customer_id: placed.customer_id.clone(),
                status: ShipmentStatus::None,
                carrier: None,
                tracking_number: None,
                shipped_at: None,
                delivered_at: None,
            }));
        }
        let mut shipment = row.ok_or_else(not_placed)?;
        match &event.event {
            OrderEvent::OrderPlaced(_) | OrderEvent::RefundRequested(_) => {}
            OrderEvent::OrderPaid(_) => shipment.status = ShipmentStatus::Pending,
            OrderEvent::OrderCancelled(_) => shipment.status = ShipmentStatus::Cancelled,
            OrderEvent::OrderShipped(shipped) => {
                shipment.status = ShipmentStatus::Shipped;
                shipment.carrier = Some(shipped.carrier.clone());
                shipment.tracking_number = Some(shipped.tracking_number.clone());
                shipment.shipped_at = Some(event.recorded_at);
            }
            OrderEvent::OrderDelivered(_) => {
                shipment.status = ShipmentStatus::Delivered;
                shipment.delivered_at = Some(event.recorded_at);
            }
        }
        Ok(Some(shipment))
    }
}
