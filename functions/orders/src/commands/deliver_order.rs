//! `POST /orders/{id}/deliver`

use ledgerfold::{Access, Caller, Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use orders_events::OrderDelivered;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, OrderRejection, OrderState, Orders, Stage, access, placed};

/// Deliver a shipped order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliverOrder {}

impl HttpCommand for DeliverOrder {
    const PATH: &'static str = "/orders/{id}/deliver";
    const REFUSALS: &'static [&'static str] =
        &["order-not-shipped", "order-already-delivered", "order-cancelled"];

    fn example() -> Self {
        Self {}
    }
}

impl Decide for DeliverOrder {
    type Decider = Orders;

    fn may(&self, caller: &Caller, order: &OrderState) -> Access {
        access::by_staff(caller, order)
    }

    fn decide(&self, state: &OrderState, _: &DecisionContext<'_>) -> Decision {
        match placed(state)?.stage {
            Stage::Shipped => Ok(vec![OrderDelivered {}.into()]),
            Stage::Placed | Stage::Paid { .. } => Err(OrderRejection::NotShipped),
            Stage::Delivered => Err(OrderRejection::AlreadyDelivered),
            Stage::Cancelled => Err(OrderRejection::Cancelled),
        }
    }
}
