//! The dashboard's totals, as the difference that a run makes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::client::{Client, ClientError};
use crate::model::{Dashboard, Figures};

/// Figures by currency.
pub type ByCurrency = BTreeMap<String, Figures>;

/// A range of days that a run falls into, even if it crosses midnight.
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

    /// The dashboard of this range as it is now, without asking for any version.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn totals(self, client: &Client) -> Result<ByCurrency, ClientError> {
        let answer = client.dashboard(self.from, self.to).send().await?.expect_status(200)?;
        let dashboard: Dashboard = answer.json()?;
        Ok(dashboard.totals.into_iter().map(|total| (total.currency, total.figures)).collect())
    }

    /// The dashboard of this range, byte for byte.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn text(self, client: &Client) -> Result<String, ClientError> {
        let answer = client.dashboard(self.from, self.to).send().await?.expect_status(200)?;
        Ok(answer.text())
    }
}

/// What was added from `earlier` to `later`; a currency to which nothing was added is left out.
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

/// How many events the figures count.
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
    fn what_was_there_before_is_not_counted() {
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
