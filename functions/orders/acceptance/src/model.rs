//! The bodies of the contract, as a client would define them.
//!
//! Answers are parsed leniently, because a new field must not break an old client. The tests check the exact set of
//! fields on the JSON itself.

pub use ledgerfold_testkit::http::{Accepted, FieldError, NewEvent, Page, Problem};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An amount in minor units of an ISO 4217 currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The amount in minor units: cents for EUR, yen for JPY.
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
    /// The quantity.
    pub quantity: i64,
    /// The price of one unit.
    pub unit_price: Money,
}

/// Body of `POST /orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceOrder {
    /// The customer.
    pub customer_id: String,
    /// The ordered items, in one currency.
    pub items: Vec<Item>,
}

impl PlaceOrder {
    /// The sum over the items. `None` for an order without items, which has no currency.
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
    /// The payment's reference at the payment provider.
    pub payment_reference: String,
    /// The amount, which must equal the order's total.
    pub amount: Money,
}

/// Body of `POST /orders/{id}/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    /// The reason.
    pub reason: String,
}

/// Body of `POST /orders/{id}/ship`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShipOrder {
    /// The carrier.
    pub carrier: String,
    /// The carrier's tracking number.
    pub tracking_number: String,
}

/// Body of `POST /orders/{id}/deliver`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverOrder {}

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Placed, not yet paid.
    Placed,
    /// Paid, not yet shipped.
    Paid,
    /// Shipped, on its way.
    Shipped,
    /// Delivered.
    Delivered,
    /// Cancelled before it was shipped.
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
    /// The customer.
    pub customer_id: String,
    /// The ordered items.
    pub items: Vec<Item>,
    /// The sum over the items.
    pub total: Money,
    /// The status.
    pub status: OrderStatus,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// When it was shipped.
    pub shipped_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// Whether a refund was requested.
    pub refund_requested: bool,
    /// The version of the order.
    pub version: u64,
}

/// One entry of `GET /orders/{id}/events`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventRecord {
    /// The event's id.
    pub id: String,
    /// Its type, such as `OrderPlaced`.
    pub r#type: String,
    /// The version of that type's schema.
    pub schema_version: u64,
    /// The order's version with this event.
    pub version: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The caller of the command, if known.
    pub actor: Value,
    /// The command that led to it.
    pub command_id: Value,
    /// The conversation it belongs to.
    pub correlation_id: Value,
    /// Its direct cause.
    pub causation_id: Value,
    /// The event's data.
    pub data: Value,
}

/// One entry of `GET /customers/{customerId}/orders`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    /// The order.
    pub id: String,
    /// The status.
    pub status: OrderStatus,
    /// The sum over its items.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The version of the order.
    pub version: u64,
}

/// The status of a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShipmentStatus {
    /// The order is not paid yet.
    None,
    /// Paid and not yet shipped.
    Pending,
    /// Shipped, on its way.
    Shipped,
    /// Delivered.
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
    /// The status of the shipment.
    pub status: ShipmentStatus,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's tracking number.
    pub tracking_number: Option<String>,
    /// When it was shipped.
    pub shipped_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// The version of the order.
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
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The figures of the whole range in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CurrencyTotals {
    /// ISO 4217 code.
    pub currency: String,
    /// The figures.
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
    /// The figures added since `earlier`.
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

    /// The number of counted events.
    #[must_use]
    pub fn counted(self) -> i64 {
        self.placed + self.paid + self.shipped + self.delivered + self.cancelled
    }
}
