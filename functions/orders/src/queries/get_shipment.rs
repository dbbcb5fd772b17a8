//! `GET /orders/{id}/shipment`

use async_trait::async_trait;
use ledgerfold::{EntityId, query::Fresh};
use ledgerfold_lambda::http::{HttpQuery, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{example_order, no_such_order, stream};
use crate::{
    domain::Orders,
    read_models::{Shipment, Shipments},
};

/// The shipment of an order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetShipment {
    /// The order.
    id: EntityId,
}

#[async_trait]
impl HttpQuery for GetShipment {
    type Decider = Orders;
    type Models = Rows<Shipments>;
    type Answer = Fresh<Shipment>;

    const PATH: &'static str = "/orders/{id}/shipment";

    fn example() -> Self {
        Self { id: example_order() }
    }

    async fn answer(
        self,
        shipments: &Rows<Shipments>,
        call: QueryCall<'_>,
    ) -> Result<Fresh<Shipment>, Problem> {
        shipments.get(&stream(self.id), call).await?.ok_or_else(no_such_order)
    }
}
