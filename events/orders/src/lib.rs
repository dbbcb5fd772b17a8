//! The contract of the orders context: its events. Any team may depend on this crate to read them from the bus. It
//! contains nothing about how orders are stored or decided.

use ledgerfold::events;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use money::{Currency, InvalidCurrency, Money};

events! {
    /// The events of an order.
    pub enum OrderEvent {
        OrderPlaced: 1,
        OrderPaid: 1,
        OrderCancelled: 1,
        RefundRequested: 1,
        OrderShipped: 1,
        OrderDelivered: 1,
    }
}

/// A customer placed an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// The customer: 1 to 64 of `A–Z a–z 0–9 . _ -`.
    pub customer_id: String,
    /// The ordered items: 1 to 100 lines, all in one currency.
    pub items: Vec<Item>,
    /// The total price.
    pub total: Money,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The article: 1 to 64 of `A–Z a–z 0–9 . _ -`.
    pub sku: String,
    /// The quantity: 1 to 10,000.
    pub quantity: u32,
    /// The price of one unit.
    pub unit_price: Money,
}

/// The order was paid in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderPaid {
    /// The payment's reference at the payment provider.
    pub payment_reference: String,
    /// The amount paid.
    pub amount: Money,
}

/// The order was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// The reason, in the customer's words.
    pub reason: String,
}

/// A refund of the payment for a cancelled order was requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundRequested {
    /// The payment to refund.
    pub payment_reference: String,
    /// The amount to refund.
    pub amount: Money,
}

/// The order was shipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderShipped {
    /// The carrier.
    pub carrier: String,
    /// The carrier's tracking number.
    pub tracking_number: String,
}

/// The order was delivered to the customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderDelivered {}
