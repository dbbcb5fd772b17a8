//! The expected counters, computed apart from `Totals`.

use std::{collections::BTreeMap, iter, ops};

use ledgerfold_testkit::bank::AccountEvent;
use ledgerfold_testkit::bank::{EVENTS, MONEY, OPEN};

/// The counters of all accounts, or the part that one of them has in these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// How many events were counted.
    pub(crate) events: i64,
    money: i64,
    open: i64,
}

impl Sum {
    /// The counters of a group.
    pub(crate) fn shown(amounts: &BTreeMap<String, i128>) -> Self {
        let amount = |name: &str| {
            let sum = amounts.get(name).copied().unwrap_or_default();
            i64::try_from(sum).unwrap_or(i64::MAX)
        };
        Self { events: amount(EVENTS), money: amount(MONEY), open: amount(OPEN) }
    }
}

impl From<&AccountEvent> for Sum {
    fn from(event: &AccountEvent) -> Self {
        let one = Self { events: 1, ..Self::default() };
        let signed = |amount| i64::try_from(amount).unwrap_or(i64::MAX);
        match event {
            AccountEvent::Deposited(it) => Self { money: signed(it.amount), ..one },
            AccountEvent::Withdrawn(it) => Self { money: -signed(it.amount), ..one },
            AccountEvent::Opened(_) => Self { open: 1, ..one },
            AccountEvent::Closed(_) => Self { open: -1, ..one },
            _ => one,
        }
    }
}

impl ops::Add for Sum {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            money: self.money + other.money,
            open: self.open + other.open,
        }
    }
}

impl ops::Sub for Sum {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            events: self.events - other.events,
            money: self.money - other.money,
            open: self.open - other.open,
        }
    }
}

impl<'a> iter::Sum<&'a AccountEvent> for Sum {
    fn sum<I: Iterator<Item = &'a AccountEvent>>(events: I) -> Self {
        events.map(Self::from).fold(Self::default(), ops::Add::add)
    }
}

/// Whether one of the first stream's sums, and one of the second's, and so on, add up to this.
pub(crate) fn add_up(streams: &[Vec<Sum>], sum: Sum) -> bool {
    match streams {
        [] => sum == Sum::default(),
        // They have one event more each time.
        [last] => {
            let found = last.binary_search_by_key(&sum.events, |it| it.events);
            found.is_ok_and(|at| last[at] == sum)
        }
        [first, others @ ..] => first.iter().any(|it| add_up(others, sum - *it)),
    }
}
