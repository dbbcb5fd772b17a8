//! The plan that follows from a seed, before anything runs.

use std::time::Duration;

use ledgerfold_testkit::SeededRandom;

const HOUR: Duration = Duration::from_secs(3_600);

/// The circumstances of a schedule.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulator) struct Schedule {
    pub(in crate::simulator) fault_rates: FaultRates,
    pub(in crate::simulator) outage: Outage,
    pub(in crate::simulator) failure_handling: FailureHandling,
    /// Whether somebody repairs while others write.
    pub(in crate::simulator) repaired_live: bool,
    /// Whether rows are damaged and lost, which only a repair that overwrites brings home.
    pub(in crate::simulator) damage: bool,
    /// Whether the projections begin with code that cannot apply some events.
    pub(in crate::simulator) old_code: bool,
    /// Whether somebody rebuilds the read model of which queue while others write.
    pub(in crate::simulator) rebuilt: [bool; 2],
    /// How often the archive is replayed while others write.
    pub(in crate::simulator) replays: usize,
    /// Whether a process's rule lets them through, which it should not.
    pub(in crate::simulator) stray_replays: bool,
    /// Of a hundred entries, how many the bus does not take.
    pub(in crate::simulator) entries_failed: usize,
    pub(in crate::simulator) stream: StreamShape,
    pub(in crate::simulator) queue: QueueShape,
    /// How many commits or streams one read of the log brings: few, so that everything pages.
    pub(in crate::simulator) page: usize,
    /// How many bytes the events of a commit may have.
    pub(in crate::simulator) commit_bytes: usize,
}

/// Of a hundred calls, how many fail while the weather is bad; of a hundred turns of a function, at
/// how many it dies.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulator) struct FaultRates {
    pub(in crate::simulator) failures: usize,
    pub(in crate::simulator) deaths: usize,
}

/// A part that stops for longer than a schedule usually takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Outage {
    None,
    /// Nothing reads the change stream: records older than a day are gone by the end.
    Relay,
    /// The rules cannot reach their queues, until they give up.
    Targets,
}

/// The handling of failed records and dead letters at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum FailureHandling {
    /// It is put back to where it came from.
    Redrive,
    /// It is thrown away: the log is read.
    Repair,
}

/// The change stream and its mapping.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulator) struct StreamShape {
    pub(in crate::simulator) shards: usize,
    /// How many batches of a shard are under way at a time.
    pub(in crate::simulator) factor: usize,
    pub(in crate::simulator) batch: usize,
    pub(in crate::simulator) retries: usize,
    /// How often a rule tries to reach its queue.
    pub(in crate::simulator) deliveries: usize,
}

/// A queue and its mapping.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulator) struct QueueShape {
    pub(in crate::simulator) receives: usize,
    /// How long a message that was received is not seen by others.
    pub(in crate::simulator) visibility: Duration,
}

const FAULT_RATES: [FaultRates; 4] = [
    FaultRates { failures: 0, deaths: 0 },
    FaultRates { failures: 3, deaths: 1 },
    FaultRates { failures: 10, deaths: 2 },
    FaultRates { failures: 5, deaths: 6 },
];

impl Schedule {
    pub(in crate::simulator) fn of(seed: u64) -> Self {
        // A sequence of its own: later draws do not depend on it.
        let mut dice = Dice(SeededRandom::new(!seed));
        let fault_rates = FAULT_RATES[dice.below(FAULT_RATES.len())];
        let outage = match dice.below(16) {
            0..=1 => Outage::Relay,
            2 => Outage::Targets,
            _ => Outage::None,
        };
        let failure_handling =
            if dice.chance(50) { FailureHandling::Repair } else { FailureHandling::Redrive };
        let is_fault_free = fault_rates.failures == 0 && outage == Outage::None;
        let damage =
            failure_handling == FailureHandling::Repair && !is_fault_free && dice.chance(40);
        Self {
            fault_rates,
            outage,
            failure_handling,
            repaired_live: damage || dice.chance(20),
            damage,
            replays: if dice.chance(30) { 1 + dice.below(2) } else { 0 },
            entries_failed: match fault_rates.failures {
                failures if failures > 0 && dice.chance(20) => 60,
                failures => failures,
            },
            stream: StreamShape {
                shards: 1 + dice.below(3),
                factor: 1 + dice.below(2),
                batch: 1 + dice.below(6),
                retries: if is_fault_free { 10 } else { dice.below(6) },
                deliveries: if is_fault_free { 5 } else { 1 + dice.below(5) },
            },
            queue: QueueShape {
                receives: if is_fault_free { 6 } else { 1 + dice.below(6) },
                visibility: Duration::from_secs(if dice.chance(30) { 2 } else { 20 }),
            },
            page: 1 + dice.below(4),
            commit_bytes: if dice.chance(25) { 200 } else { 300 * 1_024 },
            old_code: dice.chance(40),
            stray_replays: dice.chance(50),
            rebuilt: match dice.below(10) {
                0 => [true, false],
                1 => [false, true],
                2 => [true, true],
                _ => [false, false],
            },
        }
    }

    /// Whether this schedule has no faults except delay, disorder and repetition.
    pub(in crate::simulator) fn is_fault_free(&self) -> bool {
        self.fault_rates.failures == 0 && self.outage == Outage::None
    }

    /// Whether projectors need no second try. The building generation parks nothing: messages with events that old
    /// code cannot apply to it return.
    pub(in crate::simulator) fn needs_no_retries(&self) -> bool {
        self.is_fault_free() && !(self.old_code && self.rebuilt.contains(&true))
    }

    /// The longest that a client waits before its next command.
    pub(in crate::simulator) fn pace(&self) -> Duration {
        match self.outage {
            Outage::None => Duration::from_secs(2),
            Outage::Relay | Outage::Targets => 12 * HOUR,
        }
    }

    /// How long an account may stay unused.
    pub(in crate::simulator) fn unused_timeout(&self) -> Duration {
        2 * self.pace()
    }

    /// The time from the start to an outage.
    pub(in crate::simulator) const OUTAGE_BEGIN: Duration = HOUR;
    /// The length of an outage, longer than the change stream keeps its records.
    pub(in crate::simulator) const OUTAGE_LENGTH: Duration = Duration::from_secs(40 * 3_600);
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.0.next() % end).unwrap_or(0)
    }

    fn chance(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }
}
