use std::{str::FromStr, time::Duration};

use ledgerfold::{
    DeadlineName, ProcessName, Recorded, Timestamp,
    ports::DeadlineKey,
    process::{ProcessManager, Reaction},
};
use orders_events::OrderEvent;

use crate::domain::{OrderCommand, Orders};

/// An order that is neither paid nor cancelled within some time after it was placed is cancelled.
///
/// The deadline of a paid order is left to pass: the domain knows that it is paid.
#[derive(Clone, Copy, Debug)]
pub struct PaymentDeadline;

/// How long an order may stay unpaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub Duration);

/// A text that is no time to wait.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no number of seconds")]
pub struct InvalidPatience(String);

/// In seconds, as the template has it.
impl FromStr for Patience {
    type Err = InvalidPatience;

    fn from_str(text: &str) -> Result<Self, InvalidPatience> {
        let seconds = text.parse().map_err(|_| InvalidPatience(text.to_owned()))?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

const PAYMENT: DeadlineName = DeadlineName::from_static("payment");

impl ProcessManager for PaymentDeadline {
    type Event = OrderEvent;
    type Target = Orders;
    type Settings = Patience;

    const NAME: ProcessName = ProcessName::from_static("payment-deadline");

    fn react(
        event: &Recorded<OrderEvent>,
        Patience(patience): &Patience,
    ) -> Vec<Reaction<OrderCommand>> {
        match event.event {
            OrderEvent::OrderPlaced(_) => {
                let due = event.recorded_at.checked_add(*patience).unwrap_or(Timestamp::MAX);
                vec![Reaction::Schedule { stream: event.stream.clone(), name: PAYMENT, due }]
            }
            OrderEvent::OrderPaid(_)
            | OrderEvent::OrderCancelled(_)
            | OrderEvent::OrderShipped(_)
            | OrderEvent::OrderDelivered(_)
            | OrderEvent::RefundRequested(_) => Vec::new(),
        }
    }

    fn expire(deadline: &DeadlineKey) -> Option<OrderCommand> {
        (deadline.name == PAYMENT).then_some(OrderCommand::CancelUnpaidOrder)
    }
}
