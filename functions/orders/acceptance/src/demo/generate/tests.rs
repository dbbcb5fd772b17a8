//! Tests of the generated input.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::lines;
use crate::demo::expected;
use crate::demo::script::{self, Line, Script};

fn scripts(lines: Vec<Line>) -> Vec<Script> {
    script::by_order(lines).expect("every order is placed first")
}

#[test]
fn the_generator_makes_the_committed_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    for (file, orders, seed) in [("orders.jsonl", 320, 7), ("orders-small.jsonl", 25, 2)] {
        let committed = fs::read_to_string(folder.join(file)).expect("the file is committed");
        assert!(
            script::parse(&committed).expect("the file is input") == scripts(lines(orders, seed)),
            "generate {file} again: orders-demo generate --orders {orders} --seed {seed}"
        );
    }
}

#[test]
fn another_seed_gives_another_file() {
    assert_ne!(lines(20, 1), lines(20, 2));
    assert_eq!(lines(20, 1), lines(20, 1));
}

#[test]
fn a_small_file_already_shows_every_kind_of_answer() {
    let mut answers: BTreeMap<(u16, Option<String>), usize> = BTreeMap::new();
    for line in lines(25, 2) {
        *answers.entry((line.expect.status, line.expect.problem)).or_default() += 1;
    }
    let kinds: Vec<_> = answers
        .keys()
        .map(|(status, problem)| match problem {
            Some(problem) => format!("{status} {problem}"),
            None => status.to_string(),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "200",
            "201",
            "400",
            "409 amount-mismatch",
            "409 order-already-paid",
            "409 order-already-shipped",
            "409 order-cancelled",
            "409 order-not-paid",
            "409 order-not-shipped",
            "412",
            "422"
        ]
    );
}

#[test]
fn the_big_file_is_a_realistic_mixture() {
    let lines = lines(320, 7);
    let count = lines.len();
    let scripts = scripts(lines);
    let repeats: usize = scripts
        .iter()
        .map(|script| {
            (0..script.lines.len()).filter(|index| script.repeated_by(*index).is_some()).count()
        })
        .sum();
    let mut customers: BTreeMap<String, usize> = BTreeMap::new();
    for order in scripts.iter().filter_map(expected::order) {
        *customers.entry(order.customer).or_default() += 1;
    }

    assert!(customers.values().sum::<usize>() >= 300, "orders that are placed");
    assert!((3..=7).contains(&(repeats * 100 / count)), "{repeats} of {count} lines are repeats");
    assert!(customers.values().any(|orders| *orders > 15), "some customers order often");
    assert_eq!(expected::figures(&scripts).len(), 5, "currencies");
}
