//! Closed months.

use std::collections::BTreeMap;

use jiff::{SignedDuration, ToSpan, civil::Date, tz::TimeZone};
use ledgerfold::{Timestamp, ports::Clock};
use ledgerfold_testkit::SeededRandom;
use serde_json::json;

use crate::{
    statement::Statement,
    world::{Answer, World},
};

const NOVEMBER: &str = "2026-11";

async fn with_an_entry_in_november() -> (World, String) {
    let world = World::at("2026-11-30T23:59:59.999Z");
    let account = world.open().await;
    world.deposit(&account, 100).await;
    (world, account)
}

// Guards: a-closed-month-never-changes
#[tokio::test]
async fn a_month_closes_an_hour_after_its_end() {
    let (world, account) = with_an_entry_in_november().await;
    let times = [
        ("2026-11-30T23:59:59.999Z", false),
        ("2026-12-01T00:00:00Z", false),
        ("2026-12-01T00:59:59.999Z", false),
        ("2026-12-01T01:00:00Z", true),
    ];
    for (time, closed) in times {
        world.set(time);
        let statement = world.statement(&account, NOVEMBER, 20).await;
        assert_eq!((statement.closed, statement.hash.is_some()), (closed, closed), "at {time}");
    }
}

// Guards: a-closed-month-never-changes
#[tokio::test]
async fn a_month_closes_at_once_when_a_later_event_is_booked() {
    let (world, account) = with_an_entry_in_november().await;
    world.set("2026-12-01T00:00:00Z");
    assert!(!world.statement(&account, NOVEMBER, 20).await.closed);
    world.freeze_and_unfreeze(&account).await;
    let statement = world.statement(&account, NOVEMBER, 20).await;
    assert!(statement.closed);
    assert_eq!(statement.hash, world.hash_before(&account, Date::constant(2026, 12, 1)));
}

// Guards: a-closed-month-never-changes
#[tokio::test]
async fn an_empty_month_closes_an_hour_after_its_end() {
    let (world, account) = with_an_entry_in_november().await;
    for (time, closed) in [("2027-01-01T00:59:59.999Z", false), ("2027-01-01T01:00:00Z", true)] {
        world.set(time);
        let december = world.check_months(&account, &[NOVEMBER, "2026-12"]).await.pop();
        let december = december.expect("two months");
        assert_eq!((december.closed, december.hash.is_some()), (closed, closed), "at {time}");
        assert!(december.entries.is_empty());
    }
}

// Guards: a-closed-month-never-changes
#[tokio::test]
async fn a_reversal_of_an_old_transfer_books_into_the_open_month_and_refers_back() {
    let (world, account) = with_an_entry_in_november().await;
    let other = world.open().await;
    let transfer = world.transfer([&account, &other], 30).await;
    world.set("2026-12-05T09:00:00Z");
    let path = format!("/accounts/{account}/statements/{NOVEMBER}");
    let closed = world.get(&path).await;
    let reversal = format!("/transfers/{transfer}/reverse");
    let reversal = world.accepted(&reversal, json!({"reason": "Sent twice"})).await;
    world.deposit(&account, 7).await;
    for is_projected in [false, true] {
        if is_projected {
            world.project().await;
        }
        assert_eq!(world.get(&path).await, closed);
    }
    let statements = world.check_months(&account, &[NOVEMBER, "2026-12"]).await;
    let entries = |statement: &Statement| {
        let entries = statement.entries.iter();
        entries.map(|entry| (entry.transaction.clone(), entry.amount)).collect::<Vec<_>>()
    };
    assert_eq!(entries(&statements[0])[1], (transfer.clone(), -30));
    assert_eq!(entries(&statements[1])[0], (reversal.clone(), 30));
    let original = world.shown(&format!("/transfers/{transfer}")).await;
    assert_eq!(original["reversedBy"], json!(reversal));
    let reversing = world.shown(&format!("/transfers/{reversal}")).await;
    assert_eq!(
        (&reversing["kind"], &reversing["reverses"]),
        (&json!("reversal"), &json!(transfer))
    );
}

/// A bank that is used for months at random times, with the first answer of each closed month.
struct Months {
    world: World,
    accounts: [String; 2],
    random: SeededRandom,
    transfers: Vec<String>,
    closed: BTreeMap<String, Answer>,
    latest: Timestamp,
}

impl Months {
    async fn new(seed: u64) -> Self {
        let world = World::at("2026-01-20T12:00:00Z");
        let accounts = [world.open().await, world.open().await];
        for account in &accounts {
            world.deposit(account, 1_000_000).await;
        }
        let random = SeededRandom::new(seed);
        let latest = world.clock.now();
        Self { world, accounts, random, transfers: Vec::new(), closed: BTreeMap::new(), latest }
    }

    fn below(&self, end: u64) -> i64 {
        i64::try_from(self.random.next() % end).expect("a small number")
    }

    /// Mostly forward by days, rarely by months, and sometimes back: never by as much as the margin of a closed month.
    fn tick(&mut self) {
        let minutes = match self.below(10) {
            0 => self.below(100 * 24 * 60),
            1 | 2 => -self.below(60),
            3 => 0,
            _ => self.below(6 * 24 * 60),
        };
        let after = |time: Timestamp, minutes| {
            time.checked_add(SignedDuration::from_mins(minutes)).expect("a time")
        };
        let now = after(self.world.clock.now(), minutes).max(after(self.latest, -59));
        self.latest = self.latest.max(now);
        self.world.clock.set(now);
    }

    async fn step(&mut self) {
        let [first, second] = &self.accounts;
        let [from, to] = if self.below(2) == 0 { [first, second] } else { [second, first] };
        match self.below(8) {
            0 => self.world.deposit(from, 1 + self.below(500)).await,
            1 => self.world.withdraw(from, 1 + self.below(500)).await,
            2 => self.world.freeze_and_unfreeze(from).await,
            3 if !self.transfers.is_empty() => {
                let transfer = self.transfers.remove(0);
                let path = format!("/transfers/{transfer}/reverse");
                self.world.accepted(&path, json!({"reason": "Sent twice"})).await;
            }
            4 => self.world.project().await,
            _ => {
                let transfer = self.world.transfer([from, to], 1 + self.below(500)).await;
                self.transfers.push(transfer);
            }
        }
    }

    /// Checks each month from the opening to today, and that closed months are as they were first shown.
    async fn check(&mut self) {
        let today = self.world.clock.now().to_zoned(TimeZone::UTC).date();
        let months: Vec<_> = Date::constant(2026, 1, 1)
            .series(1.month())
            .take_while(|first| *first <= today)
            .map(|first| first.strftime("%Y-%m").to_string())
            .collect();
        let months: Vec<_> = months.iter().map(String::as_str).collect();
        for account in &self.accounts {
            let statements = self.world.check_months(account, &months).await;
            for (month, _) in months.iter().zip(&statements).filter(|(_, it)| it.closed) {
                let path = format!("/accounts/{account}/statements/{month}");
                let answer = self.world.get(&path).await;
                let first = self.closed.entry(path).or_insert_with(|| answer.clone());
                assert_eq!(answer, *first);
            }
        }
    }
}

// Guards: a-closed-month-never-changes, statements-follow-from-their-entries, booking-dates-never-go-back
#[tokio::test]
async fn closed_months_never_change_in_random_histories() {
    let mut closed = 0;
    for seed in 0..6 {
        let mut months = Months::new(seed).await;
        for step in 0..60 {
            months.tick();
            months.step().await;
            if step % 10 == 9 {
                months.check().await;
            }
        }
        closed += months.closed.len();
    }
    assert!(closed > 50, "only {closed} months were closed");
}
