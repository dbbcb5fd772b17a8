//! The circumstances of a schedule, drawn from its seed before anything runs, and the faults that can be planted.

use std::time::Duration;

use ledgerfold_simulator::{LogDefects, Scheduler};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// A fault that is planted on purpose, to prove that the checker finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// None.
    None,
    /// A transaction is written in parts, so that a function can die between two legs.
    LegWithoutPartner,
    /// The decision about a capture ignores the expiry of its hold.
    ExpiredHoldCaptured,
    /// A release gives the limit back again after the hold has expired.
    LimitGivenBackTwice,
    /// Each attempt of a transfer has an id of its own.
    RepeatedTransferMadeAgain,
    /// Each delivery of a transfer to another bank is credited under an id of its own.
    StepOfItsOwnName,
    /// A transfer is booked on the day that the clock shows, although the account has a later booking.
    BookedIntoThePast,
}

impl LogDefects for Plant {
    fn tears_transactions(&self) -> bool {
        *self == Self::LegWithoutPartner
    }
}

/// The circumstances of a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Of a hundred calls, how many fail.
    pub(crate) failures: usize,
    /// Of a hundred turns of a function, at how many it dies.
    pub(crate) deaths: usize,
    /// The largest error of a clock.
    pub(crate) clock_error: Duration,
    /// The longest pause of a client between two commands.
    pub(crate) pace: Duration,
    /// The most commits of one page of the log.
    pub(crate) page: usize,
}

impl Schedule {
    pub(crate) fn of(seed: u64) -> Self {
        // A sequence of its own: the draws of the schedule do not depend on it.
        let dice = Scheduler::new(!seed, 0);
        let failures = [0, 0, 3, 10];
        let deaths = [0, 1, 1, 3];
        let errors = [Duration::ZERO, SECOND, 10 * MINUTE, 3 * HOUR];
        let paces = [SECOND, MINUTE, HOUR, 6 * HOUR];
        Self {
            failures: failures[dice.below(failures.len())],
            deaths: deaths[dice.below(deaths.len())],
            clock_error: errors[dice.below(errors.len())],
            pace: paces[dice.below(paces.len())],
            page: 1 + dice.below(4),
        }
    }
}
