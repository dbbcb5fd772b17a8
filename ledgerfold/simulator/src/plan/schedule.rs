//! The circumstances of a schedule, drawn from its seed before anything runs. State that changes does not belong here.

use std::time::Duration;

use ledgerfold_testkit::SeededRandom;

const HOUR: Duration = Duration::from_secs(3_600);

/// The circumstances of a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// How often calls fail and functions die.
    pub(crate) fault_rates: FaultRates,
    /// The outage of this schedule, if it has one.
    pub(crate) outage: Outage,
    /// The handling of failed records and dead letters at the end.
    pub(crate) recovery: Recovery,
    /// Whether operators repair while clients write.
    pub(crate) repaired_live: bool,
    /// Whether rows are damaged and removed. Only a repair that overwrites fixes them.
    pub(crate) damage: bool,
    /// Whether the projections begin with code that cannot apply some events.
    pub(crate) old_code: bool,
    /// For each projection, whether it is rebuilt while clients write.
    pub(crate) rebuilt: [bool; 2],
    /// How often the archive is replayed while others write.
    pub(crate) replays: usize,
    /// Whether the process's rule wrongly lets replays through.
    pub(crate) stray_replays: bool,
    /// Of a hundred entries, how many the bus rejects.
    pub(crate) entries_failed: usize,
    /// The change stream, its mapping and the rules.
    pub(crate) stream: StreamShape,
    /// The queues and their mappings.
    pub(crate) queue: QueueShape,
    /// The most commits or streams of one page of the log: few, so that every read has several pages.
    pub(crate) page: usize,
    /// How many bytes the events of a commit may have.
    pub(crate) commit_bytes: usize,
}

/// How often calls fail and functions die, until the faults are cleared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultRates {
    /// Of a hundred calls, how many fail.
    pub(crate) failures: usize,
    /// Of a hundred turns of a function, at how many it dies.
    pub(crate) deaths: usize,
}

/// A part that stops for longer than a schedule usually takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    None,
    /// Nothing reads the change stream, and records older than a day are trimmed.
    Relay,
    /// The rules cannot reach their queues, and use the dead-letter queues.
    Targets,
}

/// The handling of failed records and dead letters at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Each returns to its source.
    Redrive,
    /// They are purged, and the read models are repaired from the log.
    Repair,
}

/// The change stream and its mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamShape {
    /// How many shards the stream has.
    pub(crate) shards: usize,
    /// The parallelisation factor: how many batches of a shard run concurrently.
    pub(crate) factor: usize,
    /// The most records of a batch.
    pub(crate) batch: usize,
    /// How often a batch is tried again before its record fails for good.
    pub(crate) retries: usize,
    /// How often a rule tries to reach its queue.
    pub(crate) deliveries: usize,
}

/// A queue and its mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueShape {
    /// How often a message is received before it becomes a dead letter.
    pub(crate) receives: usize,
    /// The visibility timeout: how long a received message stays invisible.
    pub(crate) visibility: Duration,
}

const FAULT_RATES: [FaultRates; 4] = [
    FaultRates { failures: 0, deaths: 0 },
    FaultRates { failures: 3, deaths: 1 },
    FaultRates { failures: 10, deaths: 2 },
    FaultRates { failures: 5, deaths: 6 },
];

impl Schedule {
    pub(crate) fn of(seed: u64) -> Self {
        // A sequence of its own: later draws do not depend on it.
        let mut dice = Dice(SeededRandom::new(!seed));
        let fault_rates = FAULT_RATES[dice.below(FAULT_RATES.len())];
        let outage = match dice.below(16) {
            0..=1 => Outage::Relay,
            2 => Outage::Targets,
            _ => Outage::None,
        };
        let recovery = if dice.chance(50) { Recovery::Repair } else { Recovery::Redrive };
        let is_fault_free = fault_rates.failures == 0 && outage == Outage::None;
        let damage = recovery == Recovery::Repair && !is_fault_free && dice.chance(40);
        Self {
            fault_rates,
            outage,
            recovery,
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
    pub(crate) fn is_fault_free(&self) -> bool {
        self.fault_rates.failures == 0 && self.outage == Outage::None
    }

    /// Whether projectors need no second try. The building generation parks nothing: messages with events that old
    /// code cannot apply to it return.
    pub(crate) fn needs_no_retries(&self) -> bool {
        self.is_fault_free() && !(self.old_code && self.rebuilt.contains(&true))
    }

    /// The longest that a client waits before its next command.
    pub(crate) fn pace(&self) -> Duration {
        match self.outage {
            Outage::None => Duration::from_secs(2),
            Outage::Relay | Outage::Targets => 12 * HOUR,
        }
    }

    /// How long an account may stay unused.
    pub(crate) fn unused_timeout(&self) -> Duration {
        2 * self.pace()
    }

    /// The time from the start to an outage.
    pub(crate) const OUTAGE_BEGIN: Duration = HOUR;
    /// The length of an outage, longer than the change stream keeps its records.
    pub(crate) const OUTAGE_LENGTH: Duration = Duration::from_secs(40 * 3_600);
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
