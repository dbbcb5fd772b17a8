//! The dashboard's totals, and the difference that a run makes to them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::client::{Client, ClientError};
use crate::model::{Dashboard, Figures};

/// Figures by currency.
pub type ByCurrency = BTreeMap<String, Figures>;

/// A range of days that contains a run, even one across midnight.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    from: Date,
    to: Date,
}

impl Window {
    /// From yesterday to tomorrow, in UTC.
    #[must_use]
    pub fn around(now: Timestamp) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        Self { from: today.saturating_sub(1.day()), to: today.saturating_add(1.day()) }
    }

    /// The current dashboard of this range, without a consistency token.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn totals(self, client: &Client) -> Result<ByCurrency, ClientError> {
        let answer = client.dashboard(self.from, self.to).send().await?.expect_status(200)?;
        let dashboard: Dashboard = answer.json()?;
        Ok(dashboard.totals.into_iter().map(|total| (total.currency, total.figures)).collect())
    }

    /// The dashboard of this range, byte for byte.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn text(self, client: &Client) -> Result<String, ClientError> {
        let answer = client.dashboard(self.from, self.to).send().await?.expect_status(200)?;
        Ok(answer.text())
    }
}

/// The difference between `earlier` and `later`. Currencies without a difference are omitted.
#[must_use]
pub fn added(earlier: &ByCurrency, later: &ByCurrency) -> ByCurrency {
    later
        .iter()
        .map(|(currency, figures)| {
            let before = earlier.get(currency).copied().unwrap_or_default();
            (currency.clone(), figures.since(before))
        })
        .filter(|(_, figures)| *figures != Figures::default())
        .collect()
}

/// The number of events in the figures.
#[must_use]
pub fn counted(figures: &ByCurrency) -> i64 {
    figures.values().map(|figures| figures.counted()).sum()
}

#[cfg(test)]
mod tests {
    use super::{ByCurrency, Window, added, counted};
    use crate::model::Figures;

    fn euros(placed: i64) -> ByCurrency {
        let figures = Figures { placed, revenue: placed * 100, ..Figures::default() };
        ByCurrency::from([("EUR".to_owned(), figures)])
    }

    #[test]
    fn earlier_figures_are_not_counted() {
        assert_eq!(added(&euros(2), &euros(5)), euros(3));
        assert_eq!(added(&ByCurrency::new(), &euros(5)), euros(5));
        assert!(added(&euros(5), &euros(5)).is_empty());
        assert_eq!(counted(&euros(5)), 5);
    }

    #[test]
    fn the_window_holds_the_days_around_midnight() {
        let window = Window::around("2026-12-31T23:59:59Z".parse().expect("a time"));
        assert_eq!(window.from.to_string(), "2026-12-30");
        assert_eq!(window.to.to_string(), "2027-01-01");
    }
}
