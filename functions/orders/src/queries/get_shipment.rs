//! `GET /orders/{id}/shipment`

use async_trait::async_trait;
use ledgerfold::{EntityId, Timestamp, query::Fresh};
use ledgerfold_lambda::http::{HttpQuery, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{example_order, no_such_order, stream};
use crate::{
    domain::Orders,
    read_models::{Shipment, ShipmentStatus, Shipments},
};

/// The shipment of an order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetShipment {
    /// The order.
    id: EntityId,
}

/// A shipment without its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Shipment")]
pub struct ShipmentView {
    /// The order.
    #[schemars(with = "EntityId")]
    order_id: String,
    /// The current status.
    status: ShipmentStatus,
    /// The carrier.
    carrier: Option<String>,
    /// The carrier's tracking number.
    tracking_number: Option<String>,
    /// When the goods were shipped.
    shipped_at: Option<Timestamp>,
    /// When the goods were delivered.
    delivered_at: Option<Timestamp>,
}

impl From<Shipment> for ShipmentView {
    fn from(shipment: Shipment) -> Self {
        let Shipment {
            order_id, status, carrier, tracking_number, shipped_at, delivered_at, ..
        } = shipment;
        Self { order_id, status, carrier, tracking_number, shipped_at, delivered_at }
    }
}

#[async_trait]
impl HttpQuery for GetShipment {
    type Decider = Orders;
    type Models = Rows<Shipments>;
    type Answer = Fresh<ShipmentView>;

    const PATH: &'static str = "/orders/{id}/shipment";

    fn example() -> Self {
        Self { id: example_order() }
    }

    async fn answer(
        self,
        shipments: &Rows<Shipments>,
        call: QueryCall<'_>,
    ) -> Result<Fresh<ShipmentView>, Problem> {
        let Fresh { row, version } =
            shipments.get(&stream(call, self.id), call).await?.ok_or_else(no_such_order)?;
        Ok(Fresh { row: row.into(), version })
    }
}
