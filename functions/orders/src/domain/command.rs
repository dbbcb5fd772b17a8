//! The commands of an order.

use ledgerfold::{Command, CommandName};
use orders_events::{Item, Money};
use serde::Serialize;

/// A command to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum OrderCommand {
    /// Place an order.
    PlaceOrder {
        /// The customer.
        customer_id: String,
        /// The ordered items.
        items: Vec<Item>,
        /// The total price.
        total: Money,
    },
    /// Pay the order.
    PayOrder {
        /// The payment's reference at the payment provider.
        payment_reference: String,
        /// The amount, which must equal the order's total.
        amount: Money,
    },
    /// Cancel the order.
    CancelOrder {
        /// The customer's reason.
        reason: String,
    },
    /// Cancel the order if it is not paid yet. The service itself sends this command when the payment deadline is
    /// due. On an order in any other state it does nothing.
    CancelUnpaidOrder,
    /// Ship the order.
    ShipOrder {
        /// The carrier.
        carrier: String,
        /// The carrier's tracking number.
        tracking_number: String,
    },
    /// Deliver the order.
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
