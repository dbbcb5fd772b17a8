//! The dashboard's counters.

use jiff::civil::Date;
use ledgerfold::{
    Recorded, Timestamp,
    ports::CounterKey,
    project::{Counts, Tally},
};
use orders_events::{Currency, Money, OrderEvent};
use serde::{Deserialize, Serialize};

use super::not_placed;

/// Figures by day and currency.
#[derive(Clone, Copy, Debug)]
pub struct Dashboard;

/// The names of the counters of one day and currency.
pub mod counter {
    /// Orders placed.
    pub const PLACED: &str = "placed";
    /// Orders paid.
    pub const PAID: &str = "paid";
    /// Orders shipped.
    pub const SHIPPED: &str = "shipped";
    /// Orders delivered.
    pub const DELIVERED: &str = "delivered";
    /// Orders cancelled.
    pub const CANCELLED: &str = "cancelled";
    /// Payments minus requested refunds, in minor units.
    pub const REVENUE: &str = "revenue";
}

/// The order's currency, which counting must remember because most events do not contain it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderMemo {
    currency: Option<Currency>,
}

/// The key of a day's counters, for example `2026-11-23#EUR`. With another text as currency, it sorts before or after
/// all counters of the day.
pub fn day_key(day: Date, currency: &str) -> CounterKey {
    CounterKey::new(format!("{day}#{currency}")).expect("a day and a currency are short")
}

/// The day in UTC.
fn day_of(instant: Timestamp) -> Date {
    instant.to_zoned(jiff::tz::TimeZone::UTC).date()
}

impl Tally for Dashboard {
    type Event = OrderEvent;
    type Memo = OrderMemo;

    fn count(
        memo: &mut OrderMemo,
        event: &Recorded<OrderEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        if let OrderEvent::OrderPlaced(placed) = &event.event {
            memo.currency = Some(placed.total.currency);
        }
        let currency = memo.currency.ok_or_else(not_placed)?;
        let day = day_of(event.recorded_at);
        let mut add = |currency: Currency, counter: &str, amount: i64| {
            counts.add(day_key(day, currency.code()), counter, amount)
        };
        match &event.event {
            OrderEvent::OrderPlaced(_) => add(currency, counter::PLACED, 1),
            OrderEvent::OrderPaid(paid) => {
                let Money { amount, currency: paid_in } = paid.amount;
                add(currency, counter::PAID, 1)?;
                add(paid_in, counter::REVENUE, amount)
            }
            OrderEvent::OrderShipped(_) => add(currency, counter::SHIPPED, 1),
            OrderEvent::OrderDelivered(_) => add(currency, counter::DELIVERED, 1),
            OrderEvent::OrderCancelled(_) => add(currency, counter::CANCELLED, 1),
            OrderEvent::RefundRequested(refund) => {
                let Money { amount, currency: paid_in } = refund.amount;
                add(paid_in, counter::REVENUE, -amount)
            }
        }
    }
}
