//! The whole pipeline in one process, one seed and virtual time: clients, command functions, the log,
//! its change stream, the relay, the bus, queues, projectors and read tables.
//!
//! The product's own handlers run in it, behind their ports. Every port may throttle, fail, or take
//! effect without saying so; every function may die at every await; the change stream keeps the order
//! of nothing, the bus repeats and delays, queues deliver in any order. When all has come to rest, a
//! checker looks at what is there. A schedule follows from its seed: the line that a failure prints
//! runs it again.
//!
//! ```
//! use ledgerfold_testkit::simulator::{Plant, simulate};
//! let report = simulate(1, Plant::None).expect("nothing is violated");
//! assert!(report.commits > 0);
//! ```

mod checker;
mod clients;
mod clockwork;
mod log;
mod pipeline;
mod readings;
mod reads;
mod world;

use std::fmt;

pub use clockwork::Clockwork;

/// A fault that is built in on purpose, to see whether the checker finds it. Each is a defect that
/// somebody's system has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// None.
    None,
    /// A lost race is answered as if it had been won.
    ConflictIsSuccess,
    /// The newest command ids do not travel with a snapshot.
    WindowLost,
    /// A snapshot is of an older state than its commit's.
    SnapshotSkewed,
    /// Unique keys and commands that are never to be repeated are not reserved.
    NothingReserved,
    /// The relay does not look at the answers of the entries.
    FailedEntriesIgnored,
    /// The change stream is told that a batch is done before it is.
    AcknowledgedFirst,
    /// A read row is written whatever version is there.
    RowsUnconditional,
    /// A removed row leaves no version behind.
    NoTombstone,
    /// Counters are moved whatever has been counted.
    CountedUnconditionally,
    /// What the bus has lost or not brought yet is not looked for in the log.
    GapsIgnored,
}

impl Plant {
    /// All faults that can be planted.
    pub const FAULTS: [Self; 10] = [
        Self::ConflictIsSuccess,
        Self::WindowLost,
        Self::SnapshotSkewed,
        Self::NothingReserved,
        Self::FailedEntriesIgnored,
        Self::AcknowledgedFirst,
        Self::RowsUnconditional,
        Self::NoTombstone,
        Self::CountedUnconditionally,
        Self::GapsIgnored,
    ];
}

/// What happened in a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Commits in the log.
    pub commits: usize,
    /// Answers that clients got, repeated ones too.
    pub answers: usize,
    /// Functions that died.
    pub deaths: usize,
    /// Messages that came to a projector.
    pub deliveries: usize,
}

/// A schedule that broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The schedule's seed.
    pub seed: u64,
    /// What was planted.
    pub plant: Plant,
    /// The rules broken, a sentence each.
    pub rules: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, plant, rules } = self;
        write!(f, "simulate({seed}, Plant::{plant:?}): {}", rules.join("; "))
    }
}

impl std::error::Error for Violation {}

/// Runs the schedule of this seed.
///
/// # Errors
/// [`Violation`] if a rule was broken.
pub fn simulate(seed: u64, plant: Plant) -> Result<Report, Violation> {
    let world = world::World::new(seed, plant);
    world.start();
    let rested = world.clockwork.run(world::MOST_STEPS);
    let mut rules = world.violations();
    if rested {
        rules.extend(checker::check(&world));
    } else {
        rules.push(format!("it did not come to rest within {} steps", world::MOST_STEPS));
    }
    if rules.is_empty() {
        Ok(world.report())
    } else {
        rules.truncate(5);
        Err(Violation { seed, plant, rules })
    }
}
