//! Figures of the model at small sizes. They are counted in virtual time, so they are the same on every machine.

use std::time::Duration;

use ledgerfold_scale::{Burst, Setting, Template, burst, run};

/// Commands that follow each other slowly, on existing streams and without queries. Each event is counted alone.
fn slowly(streams: u64) -> Setting {
    let setting = Setting::new(streams, 2);
    let template = Template { counter_batch: 1, ..Template::default() };
    Setting { template, creations: 0.0, queries: 0.0, load: Duration::from_secs(50), ..setting }
}

/// Whether the run has used up this limit.
fn exhausts(setting: &Setting, limit: &str) -> bool {
    run(setting).limits.iter().any(|(name, used)| name == limit && *used > 0.9)
}

#[test]
fn the_requests_of_a_command_are_counted() {
    let figures = run(&slowly(100_000));
    assert_eq!((figures.commands, figures.failed, figures.missing), (100, 0, 0));
    let requests: Vec<_> = figures.requests.iter().map(|(name, each)| (*name, *each)).collect();
    // A load, a commit, a row, and a transaction for the counters. Each projection reads its generation and its row or
    // memo.
    let expected = [
        ("BatchGetItem", 2.0),
        ("GetItem", 2.0),
        ("PutEvents", 1.0),
        ("PutItem", 2.0),
        ("Query", 1.0),
        ("TransactWriteItems", 1.0),
    ];
    assert_eq!(requests, expected);
    // One for the row and one for its index, 2 for the memo and 2 for the counters, and one for the commit. One commit of
    // 20 has a snapshot, and more units.
    let commits = figures.write_units - 6.0;
    assert!((1.0..1.2).contains(&commits), "{commits}");
    assert_eq!((figures.throttled, figures.conflicts), (0.0, 0.0));
}

// Guards: a-command-costs-the-same-for-many-streams
#[test]
fn a_command_costs_the_same_for_few_and_many_streams() {
    let price = |streams| run(&slowly(streams)).price;
    let prices = [1_000, 10_000, 100_000, 10_000_000].map(price);
    let lowest = prices.iter().copied().fold(f64::MAX, f64::min);
    let highest = prices.iter().copied().fold(f64::MIN, f64::max);
    assert!(highest / lowest < 1.03, "{prices:?}");
}

#[test]
fn a_seed_gives_the_same_figures_again() {
    let setting = Setting { load: Duration::from_secs(1), ..Setting::new(1_000, 200) };
    let [one, other] = [run(&setting), run(&setting)];
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
    let different = run(&Setting { seed: 2, ..setting });
    assert_ne!(format!("{one:?}"), format!("{different:?}"));
}

#[test]
fn commands_on_one_stream_exhaust_its_key() {
    let hot = Setting { hot: 0.5, load: Duration::from_secs(2), ..Setting::new(10_000, 1_000) };
    assert!(run(&hot).throttled > 0.0);
    assert!(exhausts(&hot, "writes of the key default/account#s0 of the event table"));
    let even = run(&Setting { hot: 0.0, ..hot });
    assert_eq!((even.failed, even.throttled), (0, 0.0));
}

#[test]
fn a_small_table_throttles_what_a_grown_one_takes() {
    let setting = Setting { load: Duration::from_secs(2), ..Setting::new(10_000, 1_000) };
    assert_eq!(run(&setting).throttled, 0.0);
    let small = run(&Setting { partitions: Some(1), ..setting });
    assert!(small.throttled > 0.0, "{small:?}");
}

/// The projector of counters keeps up at 1,000 commands a second with its two functions, and few transactions meet.
// Guards: each-event-is-counted-once
#[test]
fn counters_keep_up_with_a_thousand_commands_a_second() {
    let figures = run(&Setting { load: Duration::from_secs(4), ..Setting::new(100_000, 1_000) });
    assert_eq!((figures.failed, figures.missing), (0, 0));
    let transactions = figures.requests["TransactWriteItems"];
    assert!(figures.conflicts < 0.05 * transactions, "{figures:?}");
    assert!(transactions < 0.1, "one transaction counts many commands: {transactions}");
    // A commit, sometimes with a snapshot, takes 1 unit, a row with its index 2, and an event that is counted alone 4.
    assert!(figures.write_units < 5.5, "{}", figures.write_units);
    let used = figures.limits.iter().find(|(name, _)| name == "functions of totals");
    assert!(used.is_some_and(|(_, used)| *used < 0.8), "{used:?}");
}

#[test]
fn a_single_list_exhausts_the_key_of_its_index() {
    let template = Template { projectors: 100, ..Template::default() };
    let setting = Setting { template, load: Duration::from_secs(2), ..Setting::new(10_000, 1_500) };
    let limit = "writes of the key open of the index of rows";
    assert!(exhausts(&Setting { has_one_list: true, ..setting.clone() }, limit));
    assert!(!exhausts(&setting, limit));
}

/// Two minutes from the moment at which they are due, which one sweep has just missed.
const IN_TIME: Duration = Duration::from_secs(120);

// Guards: a-deadline-fires-in-time
#[test]
fn a_burst_of_30_000_deadlines_fires_within_two_minutes() {
    let figures = burst(&Burst::of(30_000));
    assert_eq!((figures.done, figures.waiting), (30_000, 0));
    assert!(figures.duration < IN_TIME, "{:?}", figures.duration);
    // The first sweep came a second too early. The second one sends each deadline once.
    assert_eq!(figures.sweeps, [(0, 0), (30_000, 0)]);
    assert_eq!((figures.postponed, figures.outdated, figures.throttled), (0, 0, 0));
    // Each sweep lists eight parts and the failed deadlines. A part of the second one has about 3,750 deadlines, in pages
    // of 100 and calls of 10.
    let counted = |name: &str| figures.requests.get(name).copied().unwrap_or_default();
    assert_eq!((counted("Query of deadlines"), counted("SendMessageBatch")), (316, 3_003));
    // For each deadline: read it, load its stream, commit, and remove it.
    for name in ["GetItem", "Query", "PutItem", "DeleteItem"] {
        assert_eq!(counted(name), 30_000, "{name}");
    }
    assert!((3_000..4_500).contains(&figures.invocations), "{}", figures.invocations);
}

/// One worker with one deadline at a time is what a single function was that fired them one after the other.
#[test]
fn one_after_the_other_the_same_burst_takes_longer() {
    let alone = burst(&Burst { workers: 1, batch: 1, ..Burst::of(6_000) });
    assert!(alone.duration > IN_TIME, "{:?}", alone.duration);
    assert_eq!((alone.done, alone.waiting), (6_000, 0));
    let (first, later) = alone.sweeps.split_at(2);
    assert_eq!(first, [(0, 0), (6_000, 0)]);
    assert!(later.iter().all(|(sent, already)| *sent == 0 && *already > 0), "{later:?}");
}

/// Queries and batches together read more than one key answers, and no copy of the record is a limit.
#[test]
fn many_queries_do_not_exhaust_the_record_of_generations() {
    let load = Duration::from_secs(2);
    let setting = Setting { queries: 1.0, load, ..Setting::new(10_000, 3_500) };
    let figures = run(&setting);
    let limits = figures.limits.iter().filter(|(name, _)| name.contains("projection states"));
    let used: Vec<_> = limits.collect();
    assert!(!used.is_empty() && used.iter().all(|(_, used)| *used < 0.5), "{used:?}");
}
