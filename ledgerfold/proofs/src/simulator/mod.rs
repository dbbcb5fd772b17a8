//! The whole pipeline in one process, one seed and virtual time: clients, command functions, the log,
//! its change stream, the relay, the bus, queues, projectors, read tables, and those who look after it.
//!
//! The product's own handlers run in it, behind their ports: `CommandHandler`, `JointHandler`, `Relay`,
//! `Generational`, `ProcessHandler`, `DeadlineSweep`, `LiveRows`, `LiveTallies`, `fresh_row`, `fresh_list`,
//! `fresh_counts`, `Reconciler`, `Counters`, `Repairer`, `Rebuilder`. A schedule follows from its seed: the
//! line that a failure prints runs it again.
//!
//! ```
//! use ledgerfold_proofs::simulator::{Plant, simulate};
//! let report = simulate(1, Plant::None).expect("nothing is violated");
//! assert!(report.commits > 0);
//! ```
//!
//! # What is modelled
//!
//! - **Functions** may die at every turn, which is at both ends of every call and of every wait; they
//!   run side by side, and their containers keep what they remember until they die. A client may not
//!   wait for a function's answer, and the function goes on.
//! - **The log**: conditions and transactions, and other writes to the items of a transaction that is
//!   under way (refused as conflicts); throttling; requests lost before and answers lost after they took
//!   effect; commits over a bound of bytes; pages of one to four commits, the last of which may promise
//!   more than there is.
//! - **The change stream**: a stream's records are in one shard, an item's in one lane of it (the
//!   parallelisation factor), and nothing else has an order: two commits of one stream come in any,
//!   as do those of one transaction. The mapping takes batches, goes on with the first record that the
//!   function names, halves a batch whose function died, and puts aside what was tried too often.
//!   After 24 hours a record is gone, read or not.
//! - **The bus**: calls and entries that fail, answers that are missing; events that come twice, late
//!   and in any order; events that are too large for it and come as pointers. Rules try for a while to
//!   reach their queues, and put aside what they could not deliver. The archive replays a window of
//!   time to all rules or to some, also while others write; it knows the newest events a little later.
//! - **Queues**: any order, visibility (also too short for the function), partial batch responses, dead
//!   letters, redrive.
//! - **A process** with a queue and deadlines of its own: whoever opens an account gets a welcome, and
//!   loses the account if it is unused after a while. The rule of its queue lets replays through in some
//!   schedules, which it should not. Several sweeps look for deadlines that are due, in a list that lags.
//! - **Read tables** with their generations, and the record of these: throttling, lost answers,
//!   transaction conflicts of counters, an index that is late. What a transaction has counted becomes
//!   visible to plain reads item by item, in any order; a transaction that reads is refused meanwhile.
//! - **Outages** of a day and more: of the mapping that reads the change stream, and of the rules.
//! - **Poisoned events**: in some schedules the projections begin with code that cannot apply some
//!   events, until mended code is deployed, function by function. Their streams stand parked meanwhile,
//!   in a quarantine that throttles and loses answers, and rounds of healing try them again.
//! - **Rebuilds** while others write, read, replay and heal: a generation is begun, filled, verified and
//!   switched to by processes that die and are started again. Some are given up, some readers are sent
//!   back to the generation before, and what is needed no more is removed. What clients have not waited
//!   for goes on when they have ended. Who repairs and who rebuilds take turns, as they must.
//! - **Operators** repair and replay while others write, and damage rows. In the end they put back what
//!   stands aside, or throw it away and repair from the log; then the product's audit must find nothing.
//!
//! # What must be true
//!
//! Every commit, and all commits of a transaction together, are what their command decides on the states
//! of all its streams just before (the log's own order is the witness); a command takes effect once; its
//! answers are the same each time, and what was committed; a refusal was true at some moment of the call;
//! addresses are unique and money stays the same; no reader is shown half a commit, or less than any
//! reader before it, whichever generation was live then, and in fair weather none is refused; counters
//! that are read with a token are the sum of what all accounts once were, the token's own at least as new;
//! no row goes back; of each message that is done the read model has what it told of, or an entry owes it; every event
//! was published, or its commit stands where operators find it; every row of the live generation is the
//! fold of its stream and every counter the count over the log, by the checker's own fold; the generation
//! before is right as far as it goes, and of those that were removed nothing is left. What the process owes for an event that was published happened once, no sooner
//! than it was due, unless the account had a reason to refuse; a replay has no effect. In good weather
//! no projector needs a second try, whatever stands parked, and nothing is put aside. Once the code is
//! mended nothing stays parked.
//!
//! # What is not
//!
//! What is below the ports: serialised items, messages and requests, and what the AWS SDK makes of
//! errors. That is held by the conformance suites, on DynamoDB itself and on the stores of this
//! simulation alike. Shards that split, queues that forget messages after days, and models of several
//! revisions are not modelled either, nor are clocks that differ between functions. Of a joint command's
//! refusal it is only asked that it was true of each stream at some moment of the call; of a list, that
//! each entry is what some account once was, and not that an account which its reader has closed is gone
//! from it.

mod actors;
mod checker;
#[cfg(test)]
mod conformance;
mod domain;
mod infrastructure;
mod network;
mod plan;
mod world;

pub use network::scheduler::{Scheduler, Signal};
pub use plan::{
    plant::Plant,
    report::{Report, Violation},
};

/// A schedule that has not come to rest by then never will.
const MOST_STEPS: usize = 200_000;

/// Runs the schedule of this seed.
///
/// # Errors
/// [`Violation`] if a rule was broken.
pub fn simulate(seed: u64, plant: Plant) -> Result<Report, Violation> {
    let world = world::World::new(seed, plant).start();
    let rested = world.run(MOST_STEPS);
    let mut rules = world.violations();
    if !rested {
        rules.push(format!("it did not come to rest within {MOST_STEPS} steps"));
    } else if !world.is_over() {
        rules.push("everybody waits for something that does not come".to_owned());
    }
    rules.extend(world.check());
    if rules.is_empty() { Ok(world.report()) } else { Err(Violation { seed, plant, rules }) }
}
