//! Random histories: after any calls, a store answers like the plain [`Model`].
//!
//! ```ignore
//! #[test]
//! fn a_store_is_like_the_model() {
//!     ledgerfold_proofs::conformance::history::check(100, my_store());
//! }
//! ```
//!
//! The same cases in every run; `PROPTEST_RNG_SEED` asks for others, `PROPTEST_CASES` is not looked
//! at. A history that shows a difference is made as short as it can be, and printed.

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

/// How many streams, keys and command ids there are in a history: few, so that they meet.
pub const NAMES: usize = 3;

/// Something that is done to a store. Streams, keys and ids are numbers below [`NAMES`].
#[derive(Clone, Debug)]
pub enum Step {
    /// A commit is appended.
    Append(Draft),
    /// A write from so many writes ago is sent again.
    Again(usize),
    /// A transaction is done, unless it contradicts itself.
    Transact {
        /// The commits.
        drafts: Vec<Draft>,
        /// Streams that must be as they were so many commits ago.
        watched: Vec<(usize, usize)>,
        /// Which stream takes (`true`) or gives back which key.
        claims: Vec<(usize, bool, usize)>,
        /// The id that is recognised for ever.
        once: Option<usize>,
    },
    /// The library's handler takes a command.
    Command {
        /// For this stream.
        stream: usize,
        /// In this attempt.
        attempt: usize,
        /// So many notes.
        notes: usize,
        /// By a handler that remembers.
        warm: bool,
    },
    /// A page is read.
    Read {
        /// Of this stream.
        stream: usize,
        /// Behind this commit, counted from the oldest.
        behind: usize,
    },
    /// A page is read back.
    ReadBack {
        /// Of this stream.
        stream: usize,
        /// From before this version.
        before: Option<u64>,
        /// So many commits.
        limit: usize,
    },
}

/// A commit that is to be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its stream.
    pub stream: usize,
    /// How many commits the writer has missed.
    pub missed: usize,
    /// How many events it has.
    pub notes: usize,
    /// Whether it may take a snapshot along.
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
        2 => (0..NAMES, prop::option::of(0..20_u64), limits).prop_map(
            |(stream, before, limit)| Step::ReadBack { stream, before, limit }
        ),
    ]
}

/// Up to forty steps.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(steps(), 1..40)
}

/// Replays this many histories on the store, each in streams of its own.
///
/// # Panics
/// If the store differs from the model, with the shortest history found that shows it.
pub fn check<S: EventStore + 'static>(cases: u32, store: impl Future<Output = S>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime of one thread can be made");
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
