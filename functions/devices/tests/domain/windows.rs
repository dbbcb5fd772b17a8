//! Windows beside a set of numbers.

use std::collections::BTreeSet;

use devices::domain::window::{Arrival, take, up_to, with, without};
use devices_events::{Window, numbers, ranges_of};
use ledgerfold::ports::Random;
use ledgerfold_testkit::SeededRandom;

fn draw(random: &SeededRandom, below: u64) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % below
}

// Guards: each-reading-is-taken-once
#[test]
fn a_window_knows_exactly_which_numbers_arrived() {
    let random = SeededRandom::new(1);
    for _ in 0..300 {
        let mut window = Window::default();
        let mut arrived = BTreeSet::new();
        for _ in 0..80 {
            let seq = draw(&random, 60) + 1;
            let expected = if arrived.insert(seq) { Arrival::New } else { Arrival::Duplicate };
            assert_eq!(take(&mut window, seq), expected, "{seq}");
            let highest = arrived.last().copied().unwrap_or_default();
            let missing = ranges_of((1..highest).filter(|seq| !arrived.contains(seq)));
            assert_eq!((window.highest, &window.missing), (highest, &missing));
            let first = (1..).find(|seq| !arrived.contains(seq)).unwrap_or_default();
            assert_eq!(up_to(&window), first - 1);
        }
    }
}

#[test]
fn a_jump_costs_one_range_and_the_ends_of_the_range_of_numbers_are_safe() {
    let mut window = Window::default();
    for seq in [u64::MAX, 1, u64::MAX - 1, 3] {
        assert_eq!(take(&mut window, seq), Arrival::New);
    }
    assert_eq!(window.missing, [[2, 2], [4, u64::MAX - 2]]);
    assert_eq!(take(&mut window, u64::MAX), Arrival::Duplicate);
    window.forgotten = 2;
    window.missing.remove(0);
    assert_eq!(take(&mut window, 2), Arrival::Forgotten);
}

#[test]
fn ranges_are_sets() {
    let random = SeededRandom::new(2);
    for _ in 0..500 {
        let set = || (0..draw(&random, 12)).map(|_| draw(&random, 30)).collect::<BTreeSet<_>>();
        let (one, other) = (set(), set());
        let (some, others) = (ranges_of(one.clone()), ranges_of(other.clone()));
        let rest = without(&some, &others);
        let expected: Vec<_> = one.difference(&other).copied().collect();
        assert_eq!(numbers(&rest).collect::<Vec<_>>(), expected, "{some:?} without {others:?}");
        let joined = with(&rest, &others);
        let union: BTreeSet<_> = expected.into_iter().chain(other).collect();
        assert_eq!(joined, ranges_of(union));
    }
    assert_eq!(without(&[[1, u64::MAX]], &[[2, u64::MAX]]), [[1, 1]]);
}
