use ledgerfold::{Command, CommandName};
use orders_events::{Item, Money};
use serde::Serialize;

/// What can be asked of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum OrderCommand {
    /// Order some things.
    PlaceOrder {
        /// Who orders.
        customer_id: String,
        /// What is ordered.
        items: Vec<Item>,
        /// What it costs together.
        total: Money,
    },
    /// Pay the order.
    PayOrder {
        /// What the payment is called where it was made.
        payment_reference: String,
        /// How much is paid: it must be the total.
        amount: Money,
    },
    /// Call the order off.
    CancelOrder {
        /// Why.
        reason: String,
    },
    /// Call the order off if it is not paid yet. Asked by the service itself, once the time for paying
    /// is over; nothing needs to change where the order has moved on.
    CancelUnpaidOrder,
    /// Send the order on its way.
    ShipOrder {
        /// Who carries it.
        carrier: String,
        /// What the carrier calls it.
        tracking_number: String,
    },
    /// Hand the order over.
    DeliverOrder,
}

impl Command for OrderCommand {
    fn name(&self) -> CommandName {
        CommandName::from_static(match self {
            Self::PlaceOrder { .. } => "PlaceOrder",
            Self::PayOrder { .. } => "PayOrder",
            Self::CancelOrder { .. } => "CancelOrder",
            Self::CancelUnpaidOrder => "CancelUnpaidOrder",
            Self::ShipOrder { .. } => "ShipOrder",
            Self::DeliverOrder => "DeliverOrder",
        })
    }
}
