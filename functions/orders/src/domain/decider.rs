//! The decisions of orders: the decider and its state.

use ledgerfold::{Category, Decider};
use orders_events::{
    Money, OrderCancelled, OrderDelivered, OrderEvent, OrderPaid, OrderPlaced, OrderShipped,
    RefundRequested,
};

use super::{OrderCommand, OrderRejection};

/// The reason of a cancellation by the service itself.
const NOT_PAID_IN_TIME: &str = "payment deadline";

/// The domain of orders.
#[derive(Clone, Copy, Debug)]
pub struct Orders;

/// The state that decisions depend on. `None` means that the order has not been placed.
pub type OrderState = Option<Order>;

/// A placed order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The amount to pay.
    total: Money,
    /// The current stage.
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Placed,
    Paid { payment_reference: String },
    Shipped,
    Delivered,
    Cancelled,
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
        if let OrderEvent::OrderPlaced(OrderPlaced { total, .. }) = event {
            return Some(Order { total: *total, stage: Stage::Placed });
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

    fn decide(
        state: &OrderState,
        command: &OrderCommand,
    ) -> Result<Vec<OrderEvent>, OrderRejection> {
        match (state, command) {
            (None, OrderCommand::PlaceOrder { customer_id, items, total }) => {
                let customer_id = customer_id.clone();
                let items = items.clone();
                Ok(vec![OrderPlaced { customer_id, items, total: *total }.into()])
            }
            (Some(_), OrderCommand::PlaceOrder { .. }) => Err(OrderRejection::AlreadyPlaced),
            (None, _) => Err(OrderRejection::NotFound),
            (Some(order), OrderCommand::PayOrder { payment_reference, amount }) => {
                order.pay(payment_reference, *amount)
            }
            (Some(order), OrderCommand::CancelOrder { reason }) => order.cancel(reason),
            (Some(order), OrderCommand::CancelUnpaidOrder) => Ok(order.cancel_unpaid()),
            (Some(order), OrderCommand::ShipOrder { carrier, tracking_number }) => {
                order.ship(carrier, tracking_number)
            }
            (Some(order), OrderCommand::DeliverOrder) => order.deliver(),
        }
    }
}

type Decision = Result<Vec<OrderEvent>, OrderRejection>;

impl Order {
    fn pay(&self, payment_reference: &str, amount: Money) -> Decision {
        match self.stage {
            Stage::Placed if amount == self.total => {
                let payment_reference = payment_reference.to_owned();
                Ok(vec![OrderPaid { payment_reference, amount }.into()])
            }
            Stage::Placed => {
                Err(OrderRejection::AmountMismatch { total: self.total, offered: amount })
            }
            Stage::Paid { .. } | Stage::Shipped | Stage::Delivered => {
                Err(OrderRejection::AlreadyPaid)
            }
            Stage::Cancelled => Err(OrderRejection::Cancelled),
        }
    }

    fn cancel(&self, reason: &str) -> Decision {
        let cancelled = OrderCancelled { reason: reason.to_owned() }.into();
        match &self.stage {
            Stage::Placed => Ok(vec![cancelled]),
            Stage::Paid { payment_reference } => {
                let payment_reference = payment_reference.clone();
                let refund = RefundRequested { payment_reference, amount: self.total };
                Ok(vec![cancelled, refund.into()])
            }
            Stage::Shipped => Err(OrderRejection::AlreadyShipped),
            Stage::Delivered => Err(OrderRejection::AlreadyDelivered),
            Stage::Cancelled => Err(OrderRejection::Cancelled),
        }
    }

    fn cancel_unpaid(&self) -> Vec<OrderEvent> {
        match self.stage {
            Stage::Placed => vec![OrderCancelled { reason: NOT_PAID_IN_TIME.to_owned() }.into()],
            Stage::Paid { .. } | Stage::Shipped | Stage::Delivered | Stage::Cancelled => Vec::new(),
        }
    }

    fn ship(&self, carrier: &str, tracking_number: &str) -> Decision {
        match self.stage {
            Stage::Paid { .. } => {
                let carrier = carrier.to_owned();
                let tracking_number = tracking_number.to_owned();
                Ok(vec![OrderShipped { carrier, tracking_number }.into()])
            }
            Stage::Placed => Err(OrderRejection::NotPaid),
            Stage::Shipped => Err(OrderRejection::AlreadyShipped),
            Stage::Delivered => Err(OrderRejection::AlreadyDelivered),
            Stage::Cancelled => Err(OrderRejection::Cancelled),
        }
    }

    fn deliver(&self) -> Decision {
        match self.stage {
            Stage::Shipped => Ok(vec![OrderDelivered {}.into()]),
            Stage::Placed | Stage::Paid { .. } => Err(OrderRejection::NotShipped),
            Stage::Delivered => Err(OrderRejection::AlreadyDelivered),
            Stage::Cancelled => Err(OrderRejection::Cancelled),
        }
    }
}
