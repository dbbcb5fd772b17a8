//! `POST /orders/{id}/pay`

use ledgerfold::{Access, Caller, Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use orders_events::{Money, OrderPaid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Amount;
use crate::domain::{Decision, OrderRejection, OrderState, Orders, Stage, access, placed};

/// Pay an order, in full and in its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PayOrder {
    /// The payment's reference at the payment provider.
    #[schemars(length(min = 1, max = 200))]
    pub payment_reference: String,
    /// The amount, which must be the order's total.
    pub amount: Amount,
}

impl HttpCommand for PayOrder {
    const PATH: &'static str = "/orders/{id}/pay";
    const REFUSALS: &'static [&'static str] =
        &["order-already-paid", "order-cancelled", "amount-mismatch"];

    fn example() -> Self {
        Self { payment_reference: "pay-1".to_owned(), amount: Amount::euro(900) }
    }
}

impl Decide for PayOrder {
    type Decider = Orders;

    fn may(&self, caller: &Caller, order: &OrderState) -> Access {
        access::by_customer(caller, order)
    }

    fn decide(&self, state: &OrderState, _: &DecisionContext<'_>) -> Decision {
        let order = placed(state)?;
        let amount = Money::from(self.amount);
        match order.stage {
            Stage::Placed if amount == order.total => {
                let payment_reference = self.payment_reference.clone();
                Ok(vec![OrderPaid { payment_reference, amount }.into()])
            }
            Stage::Placed => {
                Err(OrderRejection::AmountMismatch { total: order.total, offered: amount })
            }
            Stage::Paid { .. } | Stage::Shipped | Stage::Delivered => {
                Err(OrderRejection::AlreadyPaid)
            }
            Stage::Cancelled => Err(OrderRejection::Cancelled),
        }
    }
}
