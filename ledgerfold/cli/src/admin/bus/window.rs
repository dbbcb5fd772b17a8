//! The period of recording times that a comparison with the bus covers.

use std::{ops::RangeInclusive, time::Duration};

use clap::Args;
use ledgerfold::Timestamp;
use ledgerfold_eventbridge::Window;

use crate::error::CliError;

/// How far the replayed window extends the compared one at both ends. Some archives cut a window to full
/// minutes.
const MARGIN: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(in crate::admin) struct WindowOptions {
    /// With --bus: only events recorded at or after this instant, for example 2026-11-23T12:00:00Z
    /// [default: everything in the archive]
    #[arg(long, value_name = "INSTANT", requires = "bus")]
    since: Option<Timestamp>,
    /// With --bus: only events recorded up to this instant [default: now; on AWS never later than ten
    /// minutes ago, because the archive may lack newer events]
    #[arg(long, value_name = "INSTANT", requires = "bus")]
    until: Option<Timestamp>,
    /// With --bus: give up if the replay has not delivered everything within this time
    #[arg(long, value_name = "SECONDS", requires = "bus", default_value_t = 3600)]
    within: u64,
}

/// The recording times that are compared, and the slightly longer window that is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    compared: Window,
    replayed: Window,
}

impl WindowOptions {
    pub(super) const fn within(&self) -> Duration {
        Duration::from_secs(self.within)
    }

    /// The requested period, cut to the part that the archive covers.
    pub(super) fn span(
        &self,
        oldest: Timestamp,
        settled: Timestamp,
        now: Timestamp,
    ) -> Result<Span, CliError> {
        let to = self.until.unwrap_or(now);
        if to > now {
            return Err(CliError::WindowInFuture { to });
        }
        let from = self.since.unwrap_or(oldest).max(oldest);
        let to = to.min(settled);
        let compared = Window::new(from, to)?;
        let replayed = Window::new(
            from.checked_sub(MARGIN).unwrap_or(Timestamp::MIN),
            to.checked_add(MARGIN).unwrap_or(Timestamp::MAX),
        )?;
        Ok(Span { compared, replayed })
    }
}

impl Span {
    pub(super) const fn recorded(&self) -> RangeInclusive<Timestamp> {
        self.compared.from()..=self.compared.to()
    }

    pub(super) const fn replayed(&self) -> Window {
        self.replayed
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::Timestamp;

    use super::WindowOptions;
    use crate::error::CliError;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn options(since: Option<i64>, until: Option<i64>) -> WindowOptions {
        WindowOptions { since: since.map(at), until: until.map(at), within: 1 }
    }

    // Guards: unpublished-events-are-found-and-published
    #[test]
    fn only_the_part_that_the_archive_covers_is_compared() {
        let (oldest, settled, now) = (at(1_000), at(9_400), at(10_000));
        let span = |since, until| options(since, until).span(oldest, settled, now);
        for (since, until, expected) in [
            (None, None, at(1_000)..=at(9_400)),
            (Some(0), Some(10_000), at(1_000)..=at(9_400)),
            (Some(2_000), Some(3_000), at(2_000)..=at(3_000)),
        ] {
            assert_eq!(span(since, until).expect("a window").recorded(), expected);
        }
        assert!(matches!(span(None, Some(10_001)), Err(CliError::WindowInFuture { .. })));
        assert!(matches!(span(Some(9_500), None), Err(CliError::Window(_))));
    }

    #[test]
    fn more_is_replayed_than_compared() {
        let span = options(Some(2_000), Some(3_000)).span(at(0), at(9_000), at(9_000));
        let replayed = span.expect("a window").replayed();
        assert_eq!((replayed.from(), replayed.to()), (at(1_880), at(3_120)));
    }
}
