//! The contract of the orders context: what happens to an order. Any team may depend on this crate
//! to read what the bus brings; it knows nothing of how orders are kept.

use ledgerfold::events;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod money;

pub use money::{Currency, InvalidCurrency, Money};

events! {
    /// What happens to an order.
    pub enum OrderEvent {
        OrderPlaced: 1,
        OrderPaid: 1,
        OrderCancelled: 1,
        RefundRequested: 1,
        OrderShipped: 1,
        OrderDelivered: 1,
    }
}

/// A customer ordered some things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// Who ordered: 1 to 64 of `A–Z a–z 0–9 . _ -`.
    pub customer_id: String,
    /// What was ordered: 1 to 100 lines, all in one currency.
    pub items: Vec<Item>,
    /// What it costs together.
    pub total: Money,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// What: 1 to 64 of `A–Z a–z 0–9 . _ -`.
    pub sku: String,
    /// How many: 1 to 10,000.
    pub quantity: u32,
    /// What one of them costs.
    pub unit_price: Money,
}

/// The order was paid in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderPaid {
    /// What the payment is called where it was made.
    pub payment_reference: String,
    /// How much was paid.
    pub amount: Money,
}

/// The order was called off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// Why, in the customer's words.
    pub reason: String,
}

/// What was paid for a cancelled order is to be paid back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundRequested {
    /// The payment that is to be reversed.
    pub payment_reference: String,
    /// How much is to be paid back.
    pub amount: Money,
}

/// The order left the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderShipped {
    /// Who carries it.
    pub carrier: String,
    /// What the carrier calls it.
    pub tracking_number: String,
}

/// The order reached the customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderDelivered {}
