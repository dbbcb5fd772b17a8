//! Faulty stores prove that the rules of the suites can fail. Each faulty store must fail the rules that are listed
//! with it and no others, and each rule must fail for at least one store.
//!
//! Guards: every-store-is-the-model

mod appends;
mod content;
mod deadlines;
mod generations;
mod keyrings;
mod listings;
mod part_stores;
mod quarantines;
mod read_tables;
mod reads;
mod reservations;
mod skips;
mod strict;
mod suite;
mod table;
mod transactions;
mod transparency;
mod wrong;

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ledgerfold_proofs::conformance::{
    event_store::{Store, rules},
    history,
};
use ledgerfold_testkit::MemoryEventStore;

use table::{Mutant, mutants};

/// A mutex, because the tests of one process share the panic hook; see [`silently`].
static TURN: Mutex<()> = Mutex::new(());

/// Each test holds the guard until its end.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a rule fails.
fn fails(rule: impl Future<Output = ()>) -> bool {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime of one thread can be created").block_on(rule);
    };
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

/// The rules that a store fails. Each runs on a new store.
fn failed(store: impl Fn() -> Store) -> BTreeSet<&'static str> {
    let failing = rules().into_iter().filter(|(_, rule)| fails(rule(store())));
    failing.map(|(name, _)| name).collect()
}

/// Suppresses the messages of expected panics. The panic hook belongs to the process, so tests that are threads of one
/// process take turns.
fn silently<T>(run: impl FnOnce() -> T) -> T {
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = run();
    let _ = std::panic::take_hook();
    outcome
}

/// All mutants with their failing rules. Uses as many threads as there are processors.
fn examined() -> Vec<(Mutant, BTreeSet<&'static str>)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut shares: Vec<Vec<Mutant>> = (0..threads).map(|_| Vec::new()).collect();
    for (at, mutant) in mutants().into_iter().enumerate() {
        shares[at % threads].push(mutant);
    }
    let examine = |share: Vec<Mutant>| {
        let examined = share.into_iter().map(|mutant| (failed(mutant.store), mutant));
        examined.map(|(failed, mutant)| (mutant, failed)).collect::<Vec<_>>()
    };
    silently(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                shares.into_iter().map(|share| scope.spawn(move || examine(share))).collect();
            threads.into_iter().flat_map(|it| it.join().expect("it catches panics")).collect()
        })
    })
}

#[test]
fn every_wrong_store_fails_its_rules_and_no_others_and_every_rule_is_failed() {
    let _turn = turn();
    let mut unproven: BTreeSet<_> = rules().into_iter().map(|(name, _)| name).collect();
    let mut surprises = Vec::new();
    for (Mutant { name, fails, .. }, failed) in examined() {
        unproven.retain(|rule| !failed.contains(rule));
        let expected: BTreeSet<_> = fails.iter().copied().collect();
        if failed != expected {
            let more: Vec<_> = failed.difference(&expected).collect();
            let less: Vec<_> = expected.difference(&failed).collect();
            surprises
                .push(format!("{name} fails {more:#?} unexpectedly, and does not fail {less:#?}"));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    assert!(unproven.is_empty(), "no faulty store fails {unproven:#?}");
}

/// The name of a defect, and a search that returns whether it was found.
type Hunt = (&'static str, fn() -> bool);

/// Whether random histories find a defect.
fn found<D: wrong::Defect>() -> bool {
    let check = || history::check(200, async { wrong::Wrong::<D>::default() });
    catch_unwind(AssertUnwindSafe(check)).is_err()
}

#[test]
fn random_histories_find_defects_that_they_were_not_made_for() {
    let _turn = turn();
    let missed = silently(|| {
        let hunts: [Hunt; 10] = [
            ("PutsWithoutCondition", found::<appends::PutsWithoutCondition>),
            ("LeavesTheRest", found::<appends::LeavesTheRest>),
            ("LosesRecentCommands", found::<content::LosesRecentCommands>),
            ("TakesTheLimitForTheEnd", found::<reads::TakesTheLimitForTheEnd>),
            ("LooksAtTheEnd", found::<reads::LooksAtTheEnd>),
            ("WatchesWhatExists", found::<transactions::WatchesWhatExists>),
            ("TellsOfKeysFirst", found::<transactions::TellsOfKeysFirst>),
            ("TakesSomeKeys", found::<transactions::TakesSomeKeys>),
            ("ReservesBeforehand", found::<transactions::ReservesBeforehand>),
            ("ForgetsPlaces", found::<strict::ForgetsPlaces>),
        ];
        let missed = hunts.into_iter().filter(|(_, found)| !found());
        missed.map(|(name, _)| name).collect::<Vec<_>>()
    });
    assert!(missed.is_empty(), "no history shows the defects of {missed:?}");
}

#[test]
fn a_store_without_a_defect_fails_nothing() {
    let _turn = turn();
    let good: [fn() -> Store; 4] = [
        || Arc::new(wrong::Wrong::<wrong::Nothing>::default()),
        || Arc::new(MemoryEventStore::with_pages_of(1)),
        || Arc::new(MemoryEventStore::with_pages_of(3)),
        || Arc::new(MemoryEventStore::default()),
    ];
    for store in good {
        assert_eq!(failed(store), BTreeSet::new());
    }
}
