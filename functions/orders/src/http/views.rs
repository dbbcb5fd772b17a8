//! The bodies of responses, built from read models.

use std::collections::BTreeMap;

use ledgerfold::{Envelope, Payload, Timestamp, Version, ports::Counter, query::Fresh};
use orders_events::Money;
use serde::Serialize;

use crate::read_models::{CustomerOrder, Status, counter};

/// A row with its version.
#[derive(Serialize)]
pub(super) struct Versioned<'a, R> {
    #[serde(flatten)]
    row: &'a R,
    version: Version,
}

impl<'a, R> From<&'a Fresh<R>> for Versioned<'a, R> {
    fn from(fresh: &'a Fresh<R>) -> Self {
        Self { row: &fresh.row, version: fresh.version }
    }
}

/// One page of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) next_cursor: Option<String>,
}

/// An order in its customer's list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedOrder {
    id: String,
    status: Status,
    total: Money,
    placed_at: Timestamp,
    version: Version,
}

impl From<Fresh<CustomerOrder>> for ListedOrder {
    fn from(Fresh { row, version }: Fresh<CustomerOrder>) -> Self {
        let CustomerOrder { id, status, total, placed_at, .. } = row;
        Self { id, status, total, placed_at, version }
    }
}

/// An event in the audit log.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditedEvent {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    schema_version: u32,
    version: Version,
    recorded_at: Timestamp,
    actor: String,
    command_id: String,
    correlation_id: String,
    causation_id: String,
    data: Payload,
}

impl From<Envelope> for AuditedEvent {
    fn from(envelope: Envelope) -> Self {
        let event = envelope.event;
        let metadata = envelope.metadata;
        Self {
            id: event.id.to_string(),
            event_type: event.event_type.to_string(),
            schema_version: event.schema_version.get(),
            version: envelope.version,
            recorded_at: metadata.recorded_at,
            actor: metadata.actor.into(),
            command_id: envelope.command_id.into(),
            correlation_id: metadata.correlation_id.into(),
            causation_id: metadata.causation_id.into(),
            data: event.data,
        }
    }
}

/// The figures of the requested days.
#[derive(Serialize)]
pub(super) struct DashboardView {
    days: Vec<Day>,
    totals: Vec<Figures>,
}

#[derive(Serialize)]
struct Day {
    date: String,
    #[serde(flatten)]
    figures: Figures,
}

/// Sums over days. The largest order takes 47 bits, so a sum can exceed 64 bits.
#[derive(Clone, Default, Serialize)]
struct Figures {
    currency: String,
    placed: i128,
    paid: i128,
    shipped: i128,
    delivered: i128,
    cancelled: i128,
    revenue: i128,
}

impl Figures {
    fn new(currency: &str, counter: &Counter) -> Self {
        let amount = |name: &str| counter.amounts.get(name).copied().unwrap_or_default();
        Self {
            currency: currency.to_owned(),
            placed: amount(counter::PLACED),
            paid: amount(counter::PAID),
            shipped: amount(counter::SHIPPED),
            delivered: amount(counter::DELIVERED),
            cancelled: amount(counter::CANCELLED),
            revenue: amount(counter::REVENUE),
        }
    }

    fn add(&mut self, other: &Self) {
        self.placed += other.placed;
        self.paid += other.paid;
        self.shipped += other.shipped;
        self.delivered += other.delivered;
        self.cancelled += other.cancelled;
        self.revenue += other.revenue;
    }
}

impl From<&[Counter]> for DashboardView {
    fn from(counters: &[Counter]) -> Self {
        let mut totals: BTreeMap<&str, Figures> = BTreeMap::new();
        let mut days = Vec::new();
        for counter in counters {
            let Some((date, currency)) = counter.key.as_str().split_once('#') else {
                continue;
            };
            let figures = Figures::new(currency, counter);
            let empty = || Figures { currency: currency.to_owned(), ..Figures::default() };
            totals.entry(currency).or_insert_with(empty).add(&figures);
            days.push(Day { date: date.to_owned(), figures });
        }
        Self { days, totals: totals.into_values().collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ledgerfold::ports::{Counter, CounterKey};

    use super::{DashboardView, counter};

    #[test]
    fn sums_of_the_largest_counters_are_exact() {
        let full = |day: &str| Counter {
            key: CounterKey::new(format!("{day}#EUR")).expect("a key"),
            amounts: BTreeMap::from([(counter::REVENUE.to_owned(), i128::from(i64::MAX))]),
        };
        let view = DashboardView::from(&[full("2026-11-23"), full("2026-11-24")][..]);
        let shown = serde_json::to_string(&view).expect("it is JSON");
        assert!(shown.contains(r#""revenue":9223372036854775807"#), "{shown}");
        assert!(shown.contains(r#""revenue":18446744073709551614"#), "{shown}");
    }
}
