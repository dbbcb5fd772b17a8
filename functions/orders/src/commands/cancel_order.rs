//! `POST /orders/{id}/cancel`

use ledgerfold::{Access, Caller, Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use orders_events::{OrderCancelled, RefundRequested};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, OrderRejection, OrderState, Orders, Stage, access, placed};

/// Cancel an order before it is shipped. If it was paid, the same commit contains RefundRequested after OrderCancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancelOrder {
    /// The customer's reason.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

impl HttpCommand for CancelOrder {
    const PATH: &'static str = "/orders/{id}/cancel";
    const REFUSALS: &'static [&'static str] =
        &["order-already-shipped", "order-already-delivered", "order-cancelled"];

    fn example() -> Self {
        Self { reason: "changed my mind".to_owned() }
    }
}

impl Decide for CancelOrder {
    type Decider = Orders;

    fn may(&self, caller: &Caller, order: &OrderState) -> Access {
        access::by_customer(caller, order)
    }

    fn decide(&self, state: &OrderState, _: &DecisionContext<'_>) -> Decision {
        let order = placed(state)?;
        let cancelled = OrderCancelled { reason: self.reason.clone() }.into();
        match &order.stage {
            Stage::Placed => Ok(vec![cancelled]),
            Stage::Paid { payment_reference } => {
                let payment_reference = payment_reference.clone();
                let refund = RefundRequested { payment_reference, amount: order.total };
                Ok(vec![cancelled, refund.into()])
            }
            Stage::Shipped => Err(OrderRejection::AlreadyShipped),
            Stage::Delivered => Err(OrderRejection::AlreadyDelivered),
            Stage::Cancelled => Err(OrderRejection::Cancelled),
        }
    }
}
