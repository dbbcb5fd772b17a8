//! The clocks of machines, which are wrong. Virtual time itself belongs to the scheduler.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use ledgerfold::ports::Clock;

use super::scheduler::Scheduler;

/// A clock that is wrong by up to this much in either direction, differently at each reading. So two of them differ, and
/// each of them also runs backwards.
#[derive(Clone)]
pub struct UnsteadyClock {
    scheduler: Scheduler,
    /// Fixed for the whole schedule.
    error: Duration,
}

impl UnsteadyClock {
    /// A clock with errors up to this one.
    pub fn new(scheduler: &Scheduler, error: Duration) -> Self {
        Self { scheduler: scheduler.clone(), error }
    }
}

#[async_trait]
impl Clock for UnsteadyClock {
    fn now(&self) -> Timestamp {
        let earliest = self.scheduler.now().checked_sub(self.error).unwrap_or(Timestamp::MIN);
        let ahead = self.scheduler.within(self.error * 2);
        earliest.checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, time: Duration) {
        self.scheduler.sleep(time).await;
    }
}
