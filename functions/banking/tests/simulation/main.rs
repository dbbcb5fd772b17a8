//! Banking in one process, one seed and virtual time: crossing transfers with holds, expiry and limits, under faults.
//!
//! The product's own handlers and deciders run in it, over the log of `ledgerfold-simulator`. A schedule follows from its
//! seed: the line that a failure prints runs it again.
//!
//! # The model
//!
//! - **Accounts** in two currencies and two tenants, whose accounts have the same ids.
//! - **Clients** send deposits, withdrawals, transfers, holds, captures of parts, releases, reversals, limits, freezes
//!   and closings at the same time. They send a command again until it is answered, and some commands also afterwards. In
//!   the end, every accepted command is sent once more.
//! - **Functions** die at any turn. Answers are lost, requests are throttled, transactions meet each other.
//! - **Clocks** are wrong by up to hours, differ between functions and run backwards.
//! - **Transfers between the tenants**: the messages of their process come late, twice and in any order.
//! - **Deadlines** of holds fire early, late, twice or never. Captures and releases come exactly at the expiry, and a
//!   millisecond beside.
//!
//! # The rules
//!
//! [`Rule`] lists them. They are asked after every commit and in the end.
//!
//! # The limits
//!
//! Read models, the bus, the queues and the stores of deadlines are missing; the simulation of the library has them. A refusal need
//! not have been true: it depends on the reading of a clock that nobody records.

#![allow(clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

mod books;
mod checker;
mod clients;
mod draw;
mod expiry;
mod functions;
mod interbank;
mod ledger;
mod plan;
mod planted;
mod request;

use std::{collections::BTreeMap, env, fmt, sync::Arc};

use ledgerfold_simulator::{Faults, LogLimits, Scheduler, SimulatedLog};

use checker::{Finding, Rule};
use clients::Client;
use draw::{TENANTS, tenant};
use expiry::Deadlines;
use functions::Containers;
use interbank::Messages;
use ledger::Ledger;
use plan::{Plant, Schedule};

/// The number of schedules, unless the environment variable `SCHEDULES` gives another.
const SCHEDULES: u64 = 500;
/// The number of schedules within which a planted fault must be found.
const SCHEDULES_PER_FAULT: u64 = 100;
/// A schedule that is not idle by then never will be.
const MOST_STEPS: usize = 400_000;
/// More than any commit has.
const COMMIT_BYTES: usize = 300 * 1_024;
/// How many broken rules are printed: one defect breaks many.
const SHOWN: usize = 5;

/// Cases that must happen in some schedule: commands with an effect, refusals, and faults.
const CASES: [&str; 35] = [
    "CaptureHold",
    "CloseAccount",
    "Deposit",
    "FreezeAccount",
    "MakeTransfer",
    "PlaceHold",
    "ReceiveTransfer",
    "RefuseTransfer",
    "ReleaseExpiredHolds",
    "ReleaseHold",
    "ReverseTransfer",
    "SendTransfer",
    "SetLimits",
    "SettleTransfer",
    "UnfreezeAccount",
    "Withdraw",
    "a deadline fired early",
    "a deadline fired late",
    "a deadline fired never",
    "a deadline fired twice",
    "account-closed",
    "account-frozen",
    "already-reversed",
    "amount-exceeds-hold",
    "currency-mismatch",
    "daily-limit-exceeded",
    "died",
    "hidden",
    "hold-expired",
    "hold-not-open",
    "insufficient-funds",
    "met a transaction",
    "not waited for",
    "sent back to another bank",
    "sent-to-another-bank",
];

/// How often something happened.
type Counts = BTreeMap<String, usize>;

/// A schedule that broke a rule.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    seed: u64,
    plant: Plant,
    findings: Vec<Finding>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, plant, findings } = self;
        writeln!(f, "simulate({seed}, Plant::{plant:?}), or SEED={seed} for this one alone:")?;
        findings.iter().take(SHOWN).try_for_each(|finding| writeln!(f, "  {finding}"))
    }
}

/// Runs the schedule of this seed.
///
/// # Errors
/// [`Violation`] if a rule was broken.
fn simulate(seed: u64, plant: Plant) -> Result<Counts, Box<Violation>> {
    let schedule = Schedule::of(seed);
    let scheduler = Scheduler::new(seed, schedule.deaths);
    let faults = Faults::new(&scheduler, schedule.failures);
    let ledger = Ledger::new(&scheduler);
    let limits = LogLimits { page: schedule.page, commit_bytes: COMMIT_BYTES };
    let log = SimulatedLog::new(&scheduler, &faults, limits, ledger.clone()).with_defects(plant);
    let log = Arc::new(log);
    let containers = Containers::new(&scheduler, &faults, schedule, plant, log.clone());
    let containers = Arc::new(containers);
    let client = Client {
        scheduler: scheduler.clone(),
        schedule,
        containers: containers.clone(),
        ledger: ledger.clone(),
        tenant: tenant(TENANTS[0]),
        name: "teller".to_owned(),
    };
    let messages = Messages {
        scheduler: scheduler.clone(),
        ledger: ledger.clone(),
        containers: containers.clone(),
        plant,
    };
    scheduler.spawn(messages.clone().run());
    let deadlines = Deadlines { scheduler: scheduler.clone(), ledger: ledger.clone(), containers };
    scheduler.spawn(deadlines.run());
    scheduler.spawn(clients::start(client.clone()));
    let was_idle = scheduler.run(MOST_STEPS);
    faults.clear();
    scheduler.stop_deaths();
    ledger.repeat_messages();
    // The end of a run ends its tasks.
    scheduler.spawn(messages.run());
    scheduler.spawn(clients::repeat(client));
    let is_idle = scheduler.run(MOST_STEPS);
    for _ in 0..scheduler.deaths() {
        ledger.count("died");
    }
    let (mut findings, counts) = ledger.close(&log.commits());
    if !(was_idle && is_idle) {
        let detail = format!("it was not idle within {MOST_STEPS} steps");
        findings.push(Finding { rule: Rule::NothingIsLost, detail });
    }
    if findings.is_empty() {
        Ok(counts)
    } else {
        Err(Box::new(Violation { seed, plant, findings }))
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

// Guards: a-transfer-is-whole, no-debit-exceeds-the-available-amount, an-expired-hold-counts-for-nothing
// Guards: a-daily-limit-is-exact, booking-dates-never-go-back, a-command-takes-effect-once, tenants-never-meet
// Guards: money-between-banks-moves-once
#[test]
fn no_schedule_violates_a_rule() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SCHEDULES").unwrap_or(SCHEDULES),
    };
    let schedules = seeds.end - seeds.start;
    let mut sum = Counts::new();
    for seed in seeds {
        match simulate(seed, Plant::None) {
            Ok(counts) => {
                for (what, count) in counts {
                    *sum.entry(what).or_default() += count;
                }
            }
            Err(violation) => panic!("{violation}"),
        }
    }
    println!("{schedules} schedules: {sum:#?}");
    if schedules >= SCHEDULES {
        let never: Vec<_> = CASES.iter().filter(|case| !sum.contains_key(**case)).collect();
        assert_eq!(
            never,
            Vec::<&&str>::new(),
            "schedules without these cases prove nothing of them"
        );
    }
}

#[test]
fn a_schedule_follows_from_its_seed() {
    for seed in 0..5 {
        assert_eq!(simulate(seed, Plant::None), simulate(seed, Plant::None));
    }
}

/// The first schedule with this fault in which the checker finds this rule broken.
fn check_found(plant: Plant, rule: Rule) {
    for seed in 0..SCHEDULES_PER_FAULT {
        let Err(violation) = simulate(seed, plant) else { continue };
        if violation.findings.iter().any(|finding| finding.rule == rule) {
            println!("{violation}");
            return;
        }
    }
    panic!("{plant:?} breaks {rule:?} in none of {SCHEDULES_PER_FAULT} schedules");
}

// Guards: a-transfer-is-whole
#[test]
fn a_leg_without_its_partner_is_found() {
    check_found(Plant::LegWithoutPartner, Rule::TransfersAreWhole);
    check_found(Plant::LegWithoutPartner, Rule::MoneyStaysTheSame);
}

// Guards: an-expired-hold-counts-for-nothing
#[test]
fn an_expired_hold_that_is_captured_is_found() {
    check_found(Plant::ExpiredHoldCaptured, Rule::ExpiredHoldsAreNotCaptured);
}

// Guards: a-daily-limit-is-exact
#[test]
fn a_limit_that_is_given_back_twice_is_found() {
    check_found(Plant::LimitGivenBackTwice, Rule::LimitsAreExact);
    check_found(Plant::LimitGivenBackTwice, Rule::HoldsAreNotExceeded);
}

// Guards: a-command-takes-effect-once
#[test]
fn a_repeated_transfer_that_is_made_again_is_found() {
    check_found(Plant::RepeatedTransferMadeAgain, Rule::EffectsAreSingle);
}

// Guards: money-between-banks-moves-once
#[test]
fn a_step_that_is_not_named_after_its_transfer_is_found() {
    check_found(Plant::StepOfItsOwnName, Rule::EffectsAreSingle);
    check_found(Plant::StepOfItsOwnName, Rule::BanksAgree);
}

// Guards: booking-dates-never-go-back
#[test]
fn a_booking_into_the_past_is_found() {
    check_found(Plant::BookedIntoThePast, Rule::BookingDatesNeverGoBack);
}
