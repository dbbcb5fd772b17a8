//! `GET /dashboard`

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::civil::Date;
use ledgerfold::{Access, Caller, ports::Counter};
use ledgerfold_lambda::http::{Counters, HttpQuery, Problem, QueryCall, Unversioned};
use orders_events::Currency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Orders, access},
    read_models::{Dashboard, counter, day_key},
};

/// The most days of a dashboard.
const MAX_DAYS: i32 = 366;

/// Figures for each day of a range, both ends included. At most 366 days.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetDashboard {
    /// The first day.
    from: Date,
    /// The last day.
    to: Date,
}

#[async_trait]
impl HttpQuery for GetDashboard {
    type Decider = Orders;
    type Models = Counters<Dashboard>;
    type Answer = Unversioned<DashboardView>;

    const PATH: &'static str = "/dashboard";

    fn example() -> Self {
        Self { from: Date::constant(2026, 1, 1), to: Date::constant(2026, 12, 31) }
    }

    fn may(&self, caller: &Caller) -> Access {
        Access::allowed_if(access::is_staff(caller))
    }

    async fn answer(
        self,
        dashboard: &Counters<Dashboard>,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<DashboardView>, Problem> {
        self.check()?;
        // Currency codes are capital letters: the empty text sorts before them, and `~` after them.
        let first = day_key(self.from, "");
        let last = day_key(self.to, "~");
        let counters = dashboard.range(&first, &last, call).await?;
        Ok(Unversioned(DashboardView::from(&counters[..])))
    }
}

impl GetDashboard {
    fn check(&self) -> Result<(), Problem> {
        let Self { from, to } = *self;
        if to < from {
            return Err(Problem::bad_request("from must not be after to."));
        }
        let span = from.until(to).map(|span| span.get_days()).unwrap_or(MAX_DAYS);
        if span >= MAX_DAYS {
            let detail = format!("The dashboard covers at most {MAX_DAYS} days.");
            return Err(Problem::bad_request(detail));
        }
        Ok(())
    }
}

/// The figures of the requested days.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Dashboard")]
pub struct DashboardView {
    /// The figures of each day and currency. A day without orders is left out.
    days: Vec<Day>,
    /// The figures of each currency over all days.
    totals: Vec<Figures>,
}

/// The figures of one day and currency.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Day {
    /// The day, in UTC.
    #[schemars(with = "Date")]
    date: String,
    #[serde(flatten)]
    figures: Figures,
}

/// Figures in one currency.
// The largest order takes 47 bits, so a sum can exceed 64 bits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Figures {
    /// The currency.
    #[schemars(with = "Currency")]
    currency: String,
    /// Orders placed.
    #[schemars(range(min = 0))]
    placed: i128,
    /// Orders paid.
    #[schemars(range(min = 0))]
    paid: i128,
    /// Orders shipped.
    #[schemars(range(min = 0))]
    shipped: i128,
    /// Orders delivered.
    #[schemars(range(min = 0))]
    delivered: i128,
    /// Orders cancelled.
    #[schemars(range(min = 0))]
    cancelled: i128,
    /// Payments minus requested refunds, in minor units. Always exact: above 2^53 a client needs more than a double.
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
