//! The whole pipeline in one process, one seed and virtual time: clients, command functions, the log, its change
//! stream, the relay, the bus, queues, projectors, read tables and operators.
//!
//! The product's own handlers run in it, behind their ports: `CommandHandler`, `JointHandler`, `Relay`, `Projector`,
//! `ProcessHandler`, `DeadlineSweep`, `DeadlineWorker`, `LiveRows`, `LiveTallies`, `fresh_row`, `fresh_list`, `fresh_counts`, `Reconciler`,
//! `Counters`, `Repairer`, `Rebuilder`. A schedule follows from its seed: the line that a failure prints runs it again.
//!
//! ```
//! use ledgerfold_simulator::{Plant, simulate};
//! let report = simulate(1, Plant::None).expect("nothing is violated");
//! assert!(report.commits > 0);
//! ```
//!
//! The folders are layers, and each knows only those before it: `plan` (values that follow from a seed), `network` (time,
//! faults, tasks: the executor), `domain` (accounts and their true history), `infrastructure` (the services behind the ports), `checker`
//! (the rules), `actors` (functions, clients, operators) and `world`, which puts everything together. Each part gets narrow
//! handles, and only `world` knows them all.
//!
//! # The simulation of a service
//!
//! A service simulates its own domain with the parts below the pipeline, in a test that depends on this crate:
//!
//! | part | purpose |
//! | --- | --- |
//! | [`Scheduler`], [`Signal`] | tasks in virtual time, in an order that follows from a seed; seeded randomness |
//! | [`Processes`] | functions that may die at any turn |
//! | [`UnsteadyClock`] | clocks that differ and run backwards |
//! | [`Faults`] | slow and failing calls, until they are cleared |
//! | [`SimulatedLog`] | the log behind its ports, with its faults; an observer of its [`Effects`], and [`LogDefects`] to plant |
//!
//! ```
//! use ledgerfold::{Timestamp, vocabulary::Commit};
//! use ledgerfold_simulator::{Effects, Faults, LogLimits, Processes, Scheduler, SimulatedLog};
//!
//! /// The checker of the service: it folds the commits, and compares them with its own model.
//! struct Checker;
//!
//! impl Effects for Checker {
//!     fn committed(&self, _at: Timestamp, _commits: &[Commit]) {}
//! }
//!
//! let scheduler = Scheduler::new(7, 5);
//! let faults = Faults::new(&scheduler, 10);
//! let limits = LogLimits { page: 2, commit_bytes: 100_000 };
//! let log = SimulatedLog::new(&scheduler, &faults, limits, Checker);
//! let functions = Processes::new(scheduler.clone());
//! scheduler.spawn(async move {
//!     // The product's handlers go here, over the log: a function that dies has no answer.
//!     let answer = functions.run(async move { log.commits().len() }).await;
//!     assert!(answer.is_none_or(|commits| commits == 0));
//! });
//! assert!(scheduler.run(1_000));
//! ```
//!
//! The simulation of banking, `functions/banking/tests/simulation`, is a complete example.
//!
//! # The model
//!
//! - **Functions** may die at every turn, which is at both ends of every call and of every wait. They run concurrently, and
//!   their containers keep their memory until they die. A client may not wait for a function's answer, and the function
//!   goes on.
//! - **The log**: conditions and transactions; conflicts with writes to the items of a running transaction; throttling;
//!   requests that are lost before they take effect and answers that are lost afterwards; a limit of bytes for commits;
//!   pages of one to four commits, the last of which may promise more than there is.
//! - **The change stream**: a stream's records are in one shard, an item's in one lane of it (the parallelisation factor),
//!   and nothing else has an order: two commits of one stream come in any order, as do those of one transaction. The
//!   mapping takes batches, goes on with the first record that the function names, halves a batch whose function died, and
//!   gives a record up after too many tries. After 24 hours a record is gone, read or not.
//! - **The bus**: calls and entries that fail, answers that are missing; events that come twice, late and in any order;
//!   events that are too large for it and come as pointers. Rules try for a while to reach their queues, and then use
//!   their dead-letter queues. The archive replays a window of time to all rules or to some, also while clients write; it
//!   gets the newest events a little later.
//! - **Queues**: any order, visibility (also too short for the function), partial batch responses, dead letters, redrive.
//! - **Another context** whose projection reads the public events of accounts. Changes of address are hidden. Its rule gets
//!   public events only, and its projectors fill gaps from the log.
//! - **A process manager** with a queue and deadlines of its own: a new account gets a welcome, and is closed if it is
//!   unused after a while. In some schedules the rule of its queue wrongly lets replays through. Several sweeps look for
//!   due deadlines, in a list that lags and with clocks that may be fast, and send them to workers through a queue that
//!   also loses messages.
//! - **Read tables** with their generations, and the record of these with its copies: throttling, lost answers, transaction conflicts of
//!   counters, an index that lags. The counts of a transaction become visible to plain reads item by item, in any order; a
//!   transactional read is refused meanwhile.
//! - **Outages** of a day and more: of the mapping that reads the change stream, and of the rules.
//! - **Poisoned events**: in some schedules the projections begin with code that cannot apply some events, until a fix is
//!   deployed, function by function. Their streams are parked meanwhile, in a quarantine that throttles and loses answers,
//!   and rounds of retries try them again.
//! - **Rebuilds** while others write, read, replay and retry: a generation is begun, filled, verified and switched to by
//!   processes that die and start again. Some are given up, some are rolled back, and old generations are removed. A
//!   rebuild may go on when clients have ended. Repairs and rebuilds take turns, as they must.
//! - **Operators** repair and replay while others write, and damage rows. In the end they redrive dead letters, or purge
//!   them and repair from the log; then the product's audit must find nothing.
//!
//! # The rules
//!
//! - Every commit, and all commits of a transaction together, are the decision of their command on the states of all its
//!   streams just before, in the log's own order. A command takes effect once. Its answers are the same each time, and name
//!   the committed events. A refusal was true at some moment of the call.
//! - Addresses are unique, and the sum of money stays the same.
//! - No reader sees half a commit, or less than any reader before it, in any live generation; without faults no request
//!   fails. Counters that are read with a token are the sum of states that all accounts once had, the token's own at least
//!   as new. No row goes back.
//! - A copy of the record of generations that shows a record has the layout of the record itself, at every read.
//! - For each finished message the read model has its version, or an entry owes it. Every event was published, or operators
//!   find its commit.
//! - Every row of the live generation is the fold of its stream and every counter the count over the log, by the checker's
//!   own fold. The previous generation is right as far as it goes, and nothing is left of removed ones.
//! - The rows of the other context have every public event, and are the fold of public events. An event and its public form
//!   were both published, or operators find their commit.
//! - The reaction of the process to a published event happened once, no sooner than it was due, unless the account had a
//!   reason to refuse. A replay has no effect.
//! - Without faults no projector needs a second try, also with parked streams, and nothing fails for good. After the fix
//!   nothing stays parked.
//!
//! # The limits
//!
//! Everything below the ports is missing: serialised items, messages and requests, and the errors of the AWS SDK. The
//! conformance suites cover those, on DynamoDB itself and on the stores of this simulation alike. Shards that split, queues
//! that forget messages after days, models of several revisions and clocks that differ between functions are missing too.
//! The refusal of a joint command must only have been true of each stream at some moment of the call. An entry of a list
//! must only be a former state of some account; an account that its reader has closed may still be in it.

mod actors;
mod checker;
#[cfg(test)]
mod conformance;
mod domain;
mod infrastructure;
mod network;
mod plan;
mod world;

pub use infrastructure::log::{Effects, LogDefects, LogLimits, SimulatedLog};
pub use network::{
    clock::UnsteadyClock,
    faults::Faults,
    processes::Processes,
    scheduler::{Scheduler, Signal},
};
pub use plan::{
    plant::Plant,
    report::{Report, Violation},
};

/// A schedule that is not idle by then never will be.
const MOST_STEPS: usize = 200_000;

/// Runs the schedule of this seed.
///
/// # Errors
/// [`Violation`] if a rule was broken.
pub fn simulate(seed: u64, plant: Plant) -> Result<Report, Violation> {
    let world = world::World::new(seed, plant).start();
    let is_idle = world.run(MOST_STEPS);
    let mut rules = world.violations();
    if !is_idle {
        rules.push(format!("it was not idle within {MOST_STEPS} steps"));
    } else if !world.is_over() {
        rules.push("all tasks wait, and none can go on".to_owned());
    }
    rules.extend(world.check());
    if rules.is_empty() { Ok(world.report()) } else { Err(Violation { seed, plant, rules }) }
}
