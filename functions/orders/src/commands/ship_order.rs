//! `POST /orders/{id}/ship`

use ledgerfold::{Access, Caller, Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use orders_events::OrderShipped;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, OrderRejection, OrderState, Orders, Stage, access, placed};

/// Ship a paid order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShipOrder {
    /// The carrier.
    #[schemars(length(min = 1, max = 200))]
    pub carrier: String,
    /// The carrier's tracking number.
    #[schemars(length(min = 1, max = 200))]
    pub tracking_number: String,
}

impl HttpCommand for ShipOrder {
    const PATH: &'static str = "/orders/{id}/ship";
    const REFUSALS: &'static [&'static str] =
        &["order-not-paid", "order-already-shipped", "order-already-delivered", "order-cancelled"];

    fn example() -> Self {
        Self { carrier: "DHL".to_owned(), tracking_number: "00340".to_owned() }
    }
}

impl Decide for ShipOrder {
    type Decider = Orders;

    fn may(&self, caller: &Caller, order: &OrderState) -> Access {
        access::by_staff(caller, order)
    }

    fn decide(&self, state: &OrderState, _: &DecisionContext<'_>) -> Decision {
        match placed(state)?.stage {
            Stage::Paid { .. } => {
                let carrier = self.carrier.clone();
                let tracking_number = self.tracking_number.clone();
                Ok(vec![OrderShipped { carrier, tracking_number }.into()])
            }
            Stage::Placed => Err(OrderRejection::NotPaid),
            Stage::Shipped => Err(OrderRejection::AlreadyShipped),
            Stage::Delivered => Err(OrderRejection::AlreadyDelivered),
            Stage::Cancelled => Err(OrderRejection::Cancelled),
        }
    }
}
