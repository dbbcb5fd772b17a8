//! The command of the payment deadline. HTTP does not offer it.

use ledgerfold::{Access, Caller, Decide, DecisionContext};
use orders_events::OrderCancelled;
use serde::Serialize;

use crate::domain::{Decision, OrderState, Orders, Stage, access, placed};

/// The reason of a cancellation by the service itself.
const NOT_PAID_IN_TIME: &str = "payment deadline";

/// Cancel the order if it is not paid yet. On an order in any other state it does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelUnpaidOrder {}

impl Decide for CancelUnpaidOrder {
    type Decider = Orders;

    fn may(&self, caller: &Caller, order: &OrderState) -> Access {
        access::by_staff(caller, order)
    }

    fn decide(&self, state: &OrderState, _: &DecisionContext<'_>) -> Decision {
        match placed(state)?.stage {
            Stage::Placed => {
                Ok(vec![OrderCancelled { reason: NOT_PAID_IN_TIME.to_owned() }.into()])
            }
            Stage::Paid { .. } | Stage::Shipped | Stage::Delivered | Stage::Cancelled => {
                Ok(Vec::new())
            }
        }
    }
}
