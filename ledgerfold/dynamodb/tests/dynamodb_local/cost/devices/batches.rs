//! The cost of batches.

use serde_json::{Value, json};

use super::fleet::Fleet;
use crate::cost::{fixture::Fixture, meter::Cost};

/// The batches of a device with a long history, 10 behind a snapshot.
const LONG: u64 = 1_010;

/// A hundred readings, one a second. The values change every seven seconds.
fn batch(number: u64) -> Value {
    let reading = |at: u64| {
        let second = number * 100 + at;
        let at = format!(
            "2026-11-{:02}T{:02}:{:02}:{:02}Z",
            1 + second / 86_400,
            second / 3_600 % 24,
            second / 60 % 60,
            second % 60,
        );
        let tenths = u32::try_from(215 + second / 7 % 5).expect("it is small");
        let value = f64::from(tenths) / 10.0;
        json!({"seq": second + 1, "at": at, "metric": "temperature", "value": value})
    };
    json!({"epoch": 1, "readings": (0..100).map(reading).collect::<Vec<_>>()})
}

/// A device with this many batches, and the cost of the next one.
async fn next_batch(fixture: &Fixture, batches: u64, restart: bool) -> Cost {
    let mut fleet = Fleet::with_device(fixture).await;
    for number in 0..batches {
        fleet.send(batch(number)).await;
    }
    if restart {
        fleet.restart();
    }
    fleet.send(batch(batches)).await
}

pub(super) async fn register(fixture: &Fixture) -> Cost {
    Fleet::open(fixture).register().await
}

pub(super) async fn first_cold(fixture: &Fixture) -> Cost {
    next_batch(fixture, 0, true).await
}

pub(super) async fn later_cold(fixture: &Fixture) -> Cost {
    next_batch(fixture, LONG, true).await
}

pub(super) async fn second_warm(fixture: &Fixture) -> Cost {
    next_batch(fixture, 1, false).await
}

pub(super) async fn later_warm(fixture: &Fixture) -> Cost {
    next_batch(fixture, LONG, false).await
}

pub(super) async fn repeated(fixture: &Fixture) -> Cost {
    let fleet = Fleet::with_device(fixture).await;
    fleet.send(batch(0)).await;
    fleet.send(batch(0)).await
}
