//! The state of an order, and how events change it.

use ledgerfold::{Access, Caller, Category, Decider, DecisionContext};
use orders_events::{Money, OrderEvent, OrderPaid, OrderPlaced};

use super::OrderRejection;
use crate::commands::OrderCommand;

/// The domain of orders.
#[derive(Clone, Copy, Debug)]
pub struct Orders;

/// The state that decisions depend on. `None` means that the order has not been placed.
pub type OrderState = Option<Order>;

/// The events of a command, or the reason to refuse it.
pub type Decision = Result<Vec<OrderEvent>, OrderRejection>;

/// A placed order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The customer, for the rules of access.
    pub customer_id: String,
    /// The amount to pay.
    pub total: Money,
    /// The current stage.
    pub stage: Stage,
}

/// How far an order has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for payment.
    Placed,
    /// Paid, waiting for shipment.
    Paid {
        /// The payment, for a refund.
        payment_reference: String,
    },
    /// Shipped, on its way.
    Shipped,
    /// Delivered.
    Delivered,
    /// Cancelled.
    Cancelled,
}

/// The order that a command changes.
///
/// # Errors
/// [`OrderRejection::NotFound`] if it has not been placed.
pub fn placed(state: &OrderState) -> Result<&Order, OrderRejection> {
    state.as_ref().ok_or(OrderRejection::NotFound)
}

impl Decider for Orders {
    type Command = OrderCommand;
    type Event = OrderEvent;
    type State = OrderState;
    type Rejection = OrderRejection;

    const CATEGORY: Category = Category::from_static("order");

    fn initial() -> OrderState {
        None
    }

    fn evolve(state: OrderState, event: &OrderEvent) -> OrderState {
        if let OrderEvent::OrderPlaced(OrderPlaced { customer_id, total, .. }) = event {
            let customer_id = customer_id.clone();
            return Some(Order { customer_id, total: *total, stage: Stage::Placed });
        }
        let order = state?;
        let stage = match event {
            OrderEvent::OrderPaid(OrderPaid { payment_reference, .. }) => {
                Stage::Paid { payment_reference: payment_reference.clone() }
            }
            OrderEvent::OrderShipped(_) => Stage::Shipped,
            OrderEvent::OrderDelivered(_) => Stage::Delivered,
            OrderEvent::OrderCancelled(_) => Stage::Cancelled,
            OrderEvent::OrderPlaced(_) | OrderEvent::RefundRequested(_) => order.stage,
        };
        Some(Order { stage, ..order })
    }

    fn may(caller: &Caller, command: &OrderCommand, state: &OrderState) -> Access {
        command.may(caller, state)
    }

    fn decide(
        state: &OrderState,
        command: &OrderCommand,
        context: &DecisionContext<'_>,
    ) -> Decision {
        command.decide(state, context)
    }
}
