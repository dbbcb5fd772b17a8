//! The shared parts of all programs and tests that use a service from outside.
//!
//! This crate knows no service. It contains
//!
//! - [`checks`]: the rules of the HTTP contract that all services share, as checks of an answer,
//! - [`turn`]: the stack of a test, shared with other tests or alone,
//! - [`processes`] and [`killer`]: the function processes of a local cloud, and a killer of them,
//! - [`report`], [`latency`] and [`progress`]: the output of a demo, and [`dice`] for its input.

pub mod checks;
pub mod dice;
pub mod killer;
pub mod latency;
pub mod processes;
pub mod progress;
pub mod report;
pub mod turn;

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use uuid::Uuid;

/// A unique name, also across runs.
#[must_use]
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::new_v4().simple())
}

/// A clock that skips missed ticks.
#[must_use]
pub fn every(period: Duration) -> Interval {
    let mut clock = interval(period);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock
}
