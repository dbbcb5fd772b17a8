//! The process that cancels unpaid orders.

use std::{str::FromStr, time::Duration};

use ledgerfold::{
    DeadlineName, ProcessName, Recorded, Timestamp,
    ports::DeadlineKey,
    process::{OnRefusal, ProcessManager, Reaction},
};
use orders_events::OrderEvent;

use crate::{
    commands::{CancelUnpaidOrder, OrderCommand},
    domain::Orders,
};

/// Cancels an order that is neither paid nor cancelled some time after it was placed.
///
/// We never cancel a deadline. When it is due, the domain ignores it for an order that has been paid.
#[derive(Clone, Copy, Debug)]
pub struct PaymentDeadline;

/// How long an order may stay unpaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub Duration);

/// A text that is not a number of seconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a number of seconds")]
pub struct InvalidPatience(String);

/// Parses seconds, as the template sets them.
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
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;
    const REACTS_TO: &'static [&'static str] = &["OrderPlaced"];
    const ONLY_SCHEDULES: bool = true;
    const ABOUT_SETTINGS: &'static str = "Seconds after which an unpaid order is cancelled, rounded up to a minute. A \
        change applies to orders placed after it.";

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
        (deadline.name == PAYMENT).then(|| CancelUnpaidOrder {}.into())
    }
}
