//! The bodies of the contract, written down as a client would.
//!
//! Answers are read leniently (a new field must not break an old client); the tests check the exact
//! set of fields on the JSON itself.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An amount in minor units of an ISO 4217 currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: cents for EUR, yen for JPY.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl Money {
    /// An amount of minor units.
    #[must_use]
    pub fn new(amount: i64, currency: &str) -> Self {
        Self { amount, currency: currency.to_owned() }
    }
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Article number.
    pub sku: String,
    /// How many of it.
    pub quantity: i64,
    /// Price of one.
    pub unit_price: Money,
}

/// Body of `POST /orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceOrder {
    /// Who orders.
    pub customer_id: String,
    /// What is ordered, in one currency.
    pub items: Vec<Item>,
}

impl PlaceOrder {
    /// The sum over the items; `None` for an order without items, which has no currency.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        let currency = &self.items.first()?.unit_price.currency;
        let amount = self.items.iter().map(|item| item.quantity * item.unit_price.amount).sum();
        Some(Money::new(amount, currency))
    }
}

/// Body of `POST /orders/{id}/pay`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayOrder {
    /// The payment's name at the payment provider.
    pub payment_reference: String,
    /// Must be the order's total.
    pub amount: Money,
}

/// Body of `POST /orders/{id}/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    /// Why.
    pub reason: String,
}

/// Body of `POST /orders/{id}/ship`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipOrder {
    /// Who carries it.
    pub carrier: String,
    /// The carrier's number.
    pub tracking_number: String,
}

/// Body of `POST /orders/{id}/deliver`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverOrder {}

/// Body of a command's success.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    /// The order.
    pub id: String,
    /// Its version after the command.
    pub version: u64,
    /// The events of the command.
    pub events: Vec<NewEvent>,
}

/// One event in a command's success.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NewEvent {
    /// Identity of the event.
    pub id: String,
    /// Its type, such as `OrderPlaced`.
    pub r#type: String,
    /// The order's version with this event.
    pub version: u64,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Placed, nothing more.
    Placed,
    /// Paid, not yet shipped.
    Paid,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Called off before shipping.
    Cancelled,
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        })
    }
}

/// Body of `GET /orders/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order.
    pub id: String,
    /// Who ordered.
    pub customer_id: String,
    /// What was ordered.
    pub items: Vec<Item>,
    /// The sum over the items.
    pub total: Money,
    /// Where it stands.
    pub status: OrderStatus,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// When it was shipped.
    pub shipped_at: Option<Timestamp>,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// Whether the customer's money is to go back.
    pub refund_requested: bool,
    /// The version shown.
    pub version: u64,
}

/// One entry of `GET /orders/{id}/events`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventRecord {
    /// Identity of the event.
    pub id: String,
    /// Its type, such as `OrderPlaced`.
    pub r#type: String,
    /// The version of that type's schema.
    pub schema_version: u64,
    /// The order's version with this event.
    pub version: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who caused it, where that is known.
    pub actor: Value,
    /// The command that made it.
    pub command_id: Value,
    /// The conversation it belongs to.
    pub correlation_id: Value,
    /// What directly caused it.
    pub causation_id: Value,
    /// The event itself.
    pub data: Value,
}

/// One entry of `GET /customers/{customerId}/orders`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    /// The order.
    pub id: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// The sum over its items.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The version shown.
    pub version: u64,
}

/// Where a shipment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShipmentStatus {
    /// Nothing to ship: the order is not paid.
    None,
    /// Paid and not yet shipped.
    Pending,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// The order was cancelled.
    Cancelled,
}

/// Body of `GET /orders/{id}/shipment`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    /// The order.
    pub order_id: String,
    /// Where the shipment stands.
    pub status: ShipmentStatus,
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number.
    pub tracking_number: Option<String>,
    /// When it left.
    pub shipped_at: Option<Timestamp>,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// The version shown.
    pub version: u64,
}

/// Body of `GET /dashboard`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Dashboard {
    /// Figures by day and currency.
    pub days: Vec<Day>,
    /// Figures by currency.
    pub totals: Vec<CurrencyTotals>,
}

/// The figures of one day in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Day {
    /// The day, in UTC.
    pub date: Date,
    /// ISO 4217 code.
    pub currency: String,
    /// What happened on it.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The figures of the whole range in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CurrencyTotals {
    /// ISO 4217 code.
    pub currency: String,
    /// What happened in the range.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Counts of events, and money earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Figures {
    /// Orders placed.
    pub placed: i64,
    /// Orders paid.
    pub paid: i64,
    /// Orders shipped.
    pub shipped: i64,
    /// Orders delivered.
    pub delivered: i64,
    /// Orders cancelled.
    pub cancelled: i64,
    /// Paid minus refunds requested, in minor units.
    pub revenue: i64,
}

impl Figures {
    /// What was added since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            placed: self.placed - earlier.placed,
            paid: self.paid - earlier.paid,
            shipped: self.shipped - earlier.shipped,
            delivered: self.delivered - earlier.delivered,
            cancelled: self.cancelled - earlier.cancelled,
            revenue: self.revenue - earlier.revenue,
        }
    }

    /// How many events were counted.
    #[must_use]
    pub fn counted(self) -> i64 {
        self.placed + self.paid + self.shipped + self.delivered + self.cancelled
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last page.
    pub next_cursor: Option<String>,
}

/// Body of an error (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// `/problems/<name>`.
    pub r#type: String,
    /// The kind of problem in words.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// This occurrence in words.
    pub detail: String,
    /// The request's identity.
    pub instance: String,
    /// What is wrong in the body, where that is the problem.
    #[serde(default)]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// The name at the end of the type: `order-already-paid`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.r#type.rsplit('/').next().unwrap_or_default()
    }
}

/// One thing that is wrong in a body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}
