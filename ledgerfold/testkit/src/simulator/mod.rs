//! The whole pipeline in one process, one seed and virtual time.
//!
//! ```
//! use ledgerfold_testkit::simulator::{Plant, simulate};
//! let report = simulate(1, Plant::None).expect("nothing is violated");
//! assert!(report.commits > 0);
//! ```

mod bus;
mod change_stream;
mod checker;
mod chronicle;
mod clients;
mod clockwork;
#[cfg(test)]
mod conformance;
mod defects;
mod domain;
mod functions;
mod in_flight;
mod log;
mod mapping;
mod operators;
mod plant;
mod queue;
mod report;
mod rows;
mod schedule;
mod tallies;
mod weather;
mod witness;
mod world;

pub use clockwork::{Bell, Clockwork};
pub use plant::Plant;
pub use report::{Report, Violation};

/// A schedule that has not come to rest by then never will.
const MOST_STEPS: usize = 200_000;

/// Runs the schedule of this seed.
///
/// # Errors
/// [`Violation`] if a rule was broken.
pub fn simulate(seed: u64, plant: Plant) -> Result<Report, Violation> {
    let world = world::World::new(seed, plant);
    world.start();
    let rested = world.clockwork.run(MOST_STEPS);
    let mut rules = world.witness.violations();
    if !rested {
        rules.push(format!("it did not come to rest within {MOST_STEPS} steps"));
    } else if !world.is_over() {
        rules.push("everybody waits for something that does not come".to_owned());
    }
    rules.extend(checker::check(&world));
    if rules.is_empty() {
        Ok(world.report())
    } else {
        rules.truncate(5);
        Err(Violation { seed, plant, rules })
    }
}
