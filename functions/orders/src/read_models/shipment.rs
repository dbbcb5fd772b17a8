use ledgerfold::{Recorded, Timestamp, project::Projection};
use orders_events::OrderEvent;
use serde::{Deserialize, Serialize};

use super::not_placed;

/// Where the goods are.
#[derive(Clone, Copy, Debug)]
pub struct Shipments;

/// A shipment as `GET /orders/{id}/shipment` shows it, but for its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    /// The order.
    pub order_id: String,
    /// How far the goods have come.
    pub status: ShipmentStatus,
    /// Who carries them.
    pub carrier: Option<String>,
    /// What the carrier calls them.
    pub tracking_number: Option<String>,
    /// When they left the house.
    pub shipped_at: Option<Timestamp>,
    /// When they arrived.
    pub delivered_at: Option<Timestamp>,
}

/// How far the goods have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShipmentStatus {
    /// Nothing is to be shipped yet.
    None,
    /// The order is paid, and the goods are to leave.
    Pending,
    /// They are on their way.
    Shipped,
    /// They have arrived.
    Delivered,
    /// They stay.
    Cancelled,
}

impl Projection for Shipments {
    type Event = OrderEvent;
    type Row = Shipment;

    fn evolve(
        row: Option<Shipment>,
        event: &Recorded<OrderEvent>,
    ) -> Result<Option<Shipment>, String> {
        if let OrderEvent::OrderPlaced(_) = &event.event {
            return Ok(Some(Shipment {
                order_id: event.stream.id().to_string(),
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
