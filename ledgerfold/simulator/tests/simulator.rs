//! The whole pipeline under many schedules, and the findings of the checker if there is a defect.

#![allow(clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

use std::{
    num::{NonZeroU64, NonZeroUsize},
    thread,
};

use ledgerfold_simulator::{Plant, Report, Violation, simulate};

/// The number of schedules, unless the environment variable `SCHEDULES` gives another.
const SCHEDULES: u64 = 10_000;
/// The number of schedules within which a planted fault must be found.
const SCHEDULES_PER_FAULT: u64 = 3_000;

fn schedules() -> u64 {
    let asked = std::env::var("SCHEDULES").ok().and_then(|text| text.parse().ok());
    asked.map_or(SCHEDULES, NonZeroU64::get)
}

/// The sum of the reports of all these schedules.
fn all(seeds: impl Iterator<Item = u64>) -> Result<Report, Violation> {
    let mut sum = Report::default();
    for seed in seeds {
        sum += simulate(seed, Plant::None)?;
    }
    Ok(sum)
}

// Guards: a-caller-sees-its-own-commands, all-holds-together, a-repair-restores-every-loss
// Guards: a-process-acts-once-under-any-failure, a-quarantine-recovers-under-any-failure
// Guards: a-rebuild-is-exact-under-any-failure, no-reader-uses-an-old-layout
#[test]
fn no_schedule_violates_a_rule() {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let schedules = schedules();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || all((0..schedules).skip(first).step_by(threads))))
            .collect();
        runs.into_iter().map(|run| run.join().expect("a schedule does not panic")).collect()
    });
    let mut sum = Report::default();
    for outcome in outcomes {
        match outcome {
            Ok(report) => sum += report,
            Err(violation) => panic!("{violation}"),
        }
    }
    println!("{schedules} schedules: {sum:#?}");
    assert_eq!(sum.never(), Vec::<&str>::new(), "none of the schedules had any");
}

#[test]
fn a_schedule_follows_from_its_seed() {
    for seed in 0..20 {
        assert_eq!(simulate(seed, Plant::None), simulate(seed, Plant::None));
        assert_eq!(simulate(seed, Plant::NoTombstone), simulate(seed, Plant::NoTombstone));
    }
}

// Guards: all-holds-together
#[test]
fn every_planted_fault_is_found() {
    for plant in Plant::FAULTS {
        match (0..SCHEDULES_PER_FAULT).find_map(|seed| simulate(seed, plant).err()) {
            Some(violation) => println!("{violation}"),
            None => panic!("{plant:?} is not found within {SCHEDULES_PER_FAULT} schedules"),
        }
    }
}

#[test]
fn the_audit_finds_what_the_checker_finds() {
    let plants = [Plant::DeletedOnReceipt, Plant::NoTombstone, Plant::CountedUnconditionally];
    for plant in plants {
        for violation in (0..60).filter_map(|seed| simulate(seed, plant).err()) {
            assert!(!violation.was_missed_by_the_audit(), "{violation}");
        }
    }
}
