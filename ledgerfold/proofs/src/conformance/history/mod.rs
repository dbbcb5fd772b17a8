//! Random histories: after any sequence of calls, a store must answer like the simple [`Model`].
//!
//! ```ignore
//! #[test]
//! fn a_store_is_like_the_model() {
//!     ledgerfold_proofs::conformance::history::check(100, my_store());
//! }
//! ```
//!
//! Every run has the same cases. Set `PROPTEST_RNG_SEED` for other cases; `PROPTEST_CASES` has no effect. A history
//! with a difference is shortened as far as possible, and printed.

mod model;
mod replay;
mod reservations;

use std::sync::Arc;

use ledgerfold::ports::EventStore;
use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof},
    test_runner::{RngSeed, TestRunner},
};

pub use model::{LIMIT, Model, ModelStore, alone, claims_of};
pub use replay::replay;

use super::event_store::Store;

/// The number of streams, keys and command ids in a history. It is small, so that calls interfere with each other.
pub const NAMES: usize = 3;

/// A call of a store. Streams, keys and ids are numbers below [`NAMES`].
#[derive(Clone, Debug)]
pub enum Step {
    /// Appends a commit.
    Append(Draft),
    /// Repeats a write from this many writes ago.
    Again(usize),
    /// Runs a transaction, unless it is invalid.
    Transact {
        /// The commits.
        drafts: Vec<Draft>,
        /// Streams that must be unchanged since this many commits ago: stream, number of commits.
        watched: Vec<(usize, usize)>,
        /// Claims: the stream, whether it reserves (`true`) or releases the key, and the key.
        claims: Vec<(usize, bool, usize)>,
        /// The id, if the command is strict.
        once: Option<usize>,
    },
    /// Sends a command to the library's handler.
    Command {
        /// The stream.
        stream: usize,
        /// The number of the attempt, which gives the command id.
        attempt: usize,
        /// The number of notes.
        notes: usize,
        /// Whether the handler has a cache.
        warm: bool,
    },
    /// Reads a page.
    Read {
        /// The stream.
        stream: usize,
        /// The number of commits to skip, from the oldest.
        behind: usize,
    },
    /// Reads a page back.
    ReadBack {
        /// The stream.
        stream: usize,
        /// The version after which the commits begin.
        after: u64,
        /// The version before which the commits begin; `None` for the newest.
        before: Option<u64>,
        /// The largest number of commits.
        limit: usize,
    },
}

/// The description of a commit.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The stream.
    pub stream: usize,
    /// The number of newest commits that the writer has not seen.
    pub missed: usize,
    /// The number of events.
    pub notes: usize,
    /// Whether it may have a snapshot.
    pub snapshot: bool,
}

fn drafts() -> impl Strategy<Value = Draft> {
    (0..NAMES, prop_oneof![4 => Just(0), 1 => 1..4_usize], 1..4_usize, any::<bool>())
        .prop_map(|(stream, missed, notes, snapshot)| Draft { stream, missed, notes, snapshot })
}

fn transactions() -> impl Strategy<Value = Step> {
    let watched = (0..NAMES, prop_oneof![3 => Just(0), 1 => 1..3_usize]);
    let claims = (0..NAMES, any::<bool>(), 0..NAMES);
    (
        prop::collection::vec(drafts(), 1..3),
        prop::collection::vec(watched, 0..2),
        prop::collection::vec(claims, 0..3),
        prop_oneof![2 => Just(None), 1 => (0..NAMES).prop_map(Some)],
    )
        .prop_map(|(drafts, watched, claims, once)| Step::Transact {
            drafts,
            watched,
            claims,
            once,
        })
}

fn steps() -> impl Strategy<Value = Step> {
    let limits = prop_oneof![1..6_usize, Just(usize::MAX)];
    prop_oneof![
        4 => drafts().prop_map(Step::Append),
        1 => (0..4_usize).prop_map(Step::Again),
        4 => transactions(),
        3 => (0..NAMES, 0..2 * NAMES, 0..3_usize, any::<bool>()).prop_map(
            |(stream, attempt, notes, warm)| Step::Command { stream, attempt, notes, warm }
        ),
        1 => (0..NAMES, 0..10_usize).prop_map(|(stream, behind)| Step::Read { stream, behind }),
        2 => (0..NAMES, prop_oneof![2 => Just(0), 1 => 0..12_u64], prop::option::of(0..20_u64), limits)
            .prop_map(|(stream, after, before, limit)| Step::ReadBack { stream, after, before, limit }),
    ]
}

/// Histories of up to forty steps.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(steps(), 1..40)
}

/// Runs this many histories on the store, each in new streams.
///
/// # Panics
/// If the store differs from the model. The message has the shortest history that was found.
pub fn check<S: EventStore + 'static>(cases: u32, store: impl Future<Output = S>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime of one thread can be created");
    let store: Store = Arc::new(runtime.block_on(store));
    let mut config = ProptestConfig { cases, failure_persistence: None, ..Default::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let outcome = TestRunner::new(config).run(&histories(), |history| {
        runtime.block_on(replay(&history, &store));
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.err().map_or_else(String::new, |it| it.to_string()));
}
