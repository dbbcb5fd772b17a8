//! Functions that a scheduled rule of the bus invokes.

mod deadlines;
mod spot_check;

use std::time::Duration;

use ledgerfold::{Timestamp, ports::Clock};

pub use deadlines::serve_deadline_sweep;

#[cfg(test)]
pub(crate) use deadlines::expiries;
pub use spot_check::{SpotCheckSettings, serve_spot_checks};

/// How long before the end of its invocation a function starts nothing new, so that running work can
/// finish.
const RESERVE: Duration = Duration::from_secs(10);

/// When to stop starting work. `deadline` is Lambda's, in milliseconds since 1970.
fn end_of_work(deadline: u64, clock: &dyn Clock) -> Timestamp {
    let deadline = i64::try_from(deadline).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    deadline.and_then(|at| at.checked_sub(RESERVE).ok()).unwrap_or_else(|| clock.now())
}

#[cfg(test)]
mod tests {
    use ledgerfold_testkit::ManualClock;
    use serde_json::{Value, json};

    use super::*;

    /// The tick of a scheduled rule, as EventBridge sends it.
    pub(super) fn tick() -> Value {
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "account": "123456789012",
            "detail-type": "Scheduled Event", "source": "aws.events", "time": "2026-11-23T09:00:00Z",
            "region": "us-east-1", "resources": ["arn:aws:events:us-east-1:123456789012:rule/r"],
            "detail": {},
        })
    }

    #[test]
    fn work_ends_before_lambda_ends_it() {
        let clock = ManualClock::default();
        let end = end_of_work(1_700_000_060_000, &clock);
        assert_eq!(end, Timestamp::from_second(1_700_000_050).expect("a second of our era"));
        assert_eq!(end_of_work(u64::MAX, &clock), clock.now(), "no work is started");
    }
}
