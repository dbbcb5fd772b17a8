//! The input: the readings of a fleet, with everything that happens to devices.

use std::collections::BTreeMap;

use acceptance::dice::Dice;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Batch, Reading};

/// The metric of all devices.
pub const METRIC: &str = "temperature";
/// The largest batch.
const LARGEST_BATCH: usize = 100;
/// The smallest batch.
const SMALLEST_BATCH: usize = 40;
/// How many batches behind a late batch arrives.
const DELAY: usize = 3;
/// A value is a number of eighths, so that floats and their sums are exact.
const EIGHTHS: f64 = 8.0;

/// A device with everything that it sends.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// How far its clock is from the right time.
    pub clock: SignedDuration,
    /// The batches that it sends, in this order.
    pub batches: Vec<Batch>,
    /// What happened to them.
    pub incidents: Incidents,
}

/// What happens to devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Incidents {
    /// Restarts.
    pub restarts: usize,
    /// Batches that were sent twice.
    pub repeated: usize,
    /// Batches that arrived after later ones.
    pub late: usize,
    /// Batches that were never sent.
    pub lost: usize,
}

/// The readings of a device that were sent, each once, by epoch and number.
pub type Taken = BTreeMap<(u32, u64), Reading>;

impl Device {
    /// The devices of a fleet. Three of them have wrong clocks: a day behind, 30 days behind, and an hour ahead.
    #[must_use]
    pub fn fleet(devices: usize, readings: usize, seed: u64, now: Timestamp) -> Vec<Self> {
        let mut dice = Dice::new(seed);
        let hours = |hours| SignedDuration::from_hours(hours);
        let clocks = [hours(-24), hours(-24 * 30), hours(1)];
        let each = readings / devices;
        let device = |number: usize| {
            let clock = clocks.get(number).copied().unwrap_or_default();
            Self::generate(format!("device-{number:03}"), clock, each, now, &mut dice)
        };
        (0..devices).map(device).collect()
    }

    fn generate(
        id: String,
        clock: SignedDuration,
        readings: usize,
        now: Timestamp,
        dice: &mut Dice,
    ) -> Self {
        let mut device = Self { id, clock, batches: Vec::new(), incidents: Incidents::default() };
        let mut delayed: Vec<(usize, Batch)> = Vec::new();
        let mut source = Source::new(readings, now + clock, dice);
        let mut made = 0;
        let mut is_protected = true;
        while made < readings {
            let size = SMALLEST_BATCH + dice.below(LARGEST_BATCH - SMALLEST_BATCH + 1);
            let batch = source.batch(size.min(readings - made), dice);
            made += batch.readings.len();
            let is_last = made >= readings;
            let turn = device.batches.len();
            // The last batch of an epoch arrives, so that every lost one is a gap.
            if is_protected || is_last {
                device.batches.push(batch);
            } else if dice.one_in(25) {
                device.incidents.lost += 1;
            } else if dice.one_in(12) {
                device.incidents.late += 1;
                delayed.push((turn + DELAY, batch));
            } else {
                device.batches.push(batch.clone());
                if dice.one_in(10) {
                    device.incidents.repeated += 1;
                    device.batches.push(batch);
                }
            }
            let due = delayed.iter().position(|(due, _)| *due <= device.batches.len());
            device.batches.extend(due.map(|at| delayed.remove(at).1));
            // The batch before a restart and the one after it arrive.
            let restarts = !is_last && !is_protected && dice.one_in(15);
            if restarts {
                let size = SMALLEST_BATCH.min(readings - made);
                let batch = source.batch(size, dice);
                made += batch.readings.len();
                device.batches.push(batch);
                source.restart();
                device.incidents.restarts += 1;
            }
            is_protected = restarts;
        }
        device.batches.extend(delayed.into_iter().map(|(_, batch)| batch));
        device
    }

    /// The readings of all batches.
    #[must_use]
    pub fn taken(&self) -> Taken {
        let readings = self.batches.iter().flat_map(|batch| {
            batch.readings.iter().map(|reading| ((batch.epoch, reading.seq), reading.clone()))
        });
        readings.collect()
    }

    /// The missing numbers of each epoch, as ranges with both ends.
    #[must_use]
    pub fn gaps(&self) -> BTreeMap<u32, Vec<[u64; 2]>> {
        let mut gaps = BTreeMap::<u32, Vec<[u64; 2]>>::new();
        let mut expected = BTreeMap::<u32, u64>::new();
        for (epoch, seq) in self.taken().into_keys() {
            let next = expected.entry(epoch).or_insert(1);
            if seq > *next {
                gaps.entry(epoch).or_default().push([*next, seq - 1]);
            }
            *next = seq + 1;
        }
        gaps
    }

    /// The repetitions in its input.
    #[must_use]
    pub fn repetitions(&self) -> usize {
        let sent: usize = self.batches.iter().map(|batch| batch.readings.len()).sum();
        sent - self.taken().len()
    }
}

/// A sensor whose values change slowly.
struct Source {
    epoch: u32,
    next: u64,
    at: Timestamp,
    eighths: i32,
}

impl Source {
    /// A sensor whose last reading is about now.
    fn new(readings: usize, now: Timestamp, dice: &mut Dice) -> Self {
        let seconds = i64::try_from(readings).unwrap_or(i64::MAX);
        let at = now - SignedDuration::from_secs(seconds);
        let eighths = i32::try_from(150 + dice.below(40)).unwrap_or_default();
        Self { epoch: 1, next: 1, at, eighths }
    }

    const fn restart(&mut self) {
        self.epoch += 1;
        self.next = 1;
    }

    fn batch(&mut self, size: usize, dice: &mut Dice) -> Batch {
        let epoch = self.epoch;
        let readings = (0..size).map(|_| self.reading(dice)).collect();
        Batch { epoch, readings }
    }

    fn reading(&mut self, dice: &mut Dice) -> Reading {
        if dice.one_in(6) {
            self.eighths += if dice.one_in(2) { 1 } else { -1 };
        }
        let seq = self.next;
        self.next += 1;
        self.at += SignedDuration::from_secs(1);
        let value = f64::from(self.eighths) / EIGHTHS;
        Reading { seq, at: self.at, metric: METRIC.to_owned(), value }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Device;

    #[test]
    fn a_fleet_has_every_incident_and_is_the_same_for_a_seed() {
        let fleet = || Device::fleet(50, 20_000, 7, Timestamp::UNIX_EPOCH);
        let (one, other) = (fleet(), fleet());
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
        let sum = |of: fn(&Device) -> usize| one.iter().map(of).sum::<usize>();
        assert!(sum(|device| device.incidents.restarts) > 5);
        assert!(sum(|device| device.incidents.late) > 5);
        assert!(sum(|device| device.incidents.repeated) > 5);
        assert!(sum(|device| device.incidents.lost) > 2);
        assert!(sum(Device::repetitions) > 100);
        let gaps = one.iter().flat_map(Device::gaps).count();
        assert!(gaps > 2, "{gaps}");
        let most = one.iter().flat_map(|device| &device.batches).map(|batch| batch.readings.len());
        assert!(most.max() <= Some(100));
    }
}
