//! Statements over several months.

use serde_json::json;

use crate::{
    statement::Statement,
    world::{World, euros},
};

/// The months from the opening to the open month.
const MONTHS: [&str; 6] = ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"];

/// An account with entries in January and May, other events in April, and nothing in the months between.
async fn half_a_year() -> (World, String) {
    let world = World::at("2026-01-15T12:00:00Z");
    let account = world.open().await;
    let other = world.open().await;
    world.deposit(&account, 1_000).await;
    world.set("2026-01-31T23:59:59.999Z");
    world.withdraw(&account, 100).await;
    world.transfer([&account, &other], 50).await;
    world.set("2026-04-10T00:00:00Z");
    world.freeze_and_unfreeze(&account).await;
    world.set("2026-05-01T00:00:00Z");
    world.transfer([&other, &account], 5).await;
    let hold = json!({"amount": euros(7), "reference": "Hotel", "expiresIn": 60});
    world.accepted(&format!("/accounts/{account}/holds"), hold).await;
    world.set("2026-05-31T23:59:59.999Z");
    // Its commit also releases the hold.
    world.deposit(&account, 45).await;
    world.set("2026-06-10T12:00:00Z");
    (world, account)
}

fn totals(statement: &Statement) -> (i64, i64, usize, bool) {
    let Statement { opening, closing, entries, closed, .. } = statement;
    (*opening, *closing, entries.len(), *closed)
}

// Guards: statements-follow-from-their-entries
#[tokio::test]
async fn each_month_opens_with_the_closing_balance_of_the_month_before() {
    let (world, account) = half_a_year().await;
    for is_projected in [false, true] {
        if is_projected {
            world.project().await;
        }
        let statements = world.check_months(&account, &MONTHS).await;
        let totals: Vec<_> = statements.iter().map(totals).collect();
        let expected = [
            (0, 850, 3, true),
            (850, 850, 0, true),
            (850, 850, 0, true),
            (850, 850, 0, true),
            (850, 900, 2, true),
            (900, 900, 0, false),
        ];
        assert_eq!(totals, expected, "projected: {is_projected}");
    }
}

#[tokio::test]
async fn months_before_the_opening_and_in_the_future_have_no_statement() {
    let (world, account) = half_a_year().await;
    for month in ["2025-12", "2026-07", "0000-01", "9999-12"] {
        let answer = world.get(&format!("/accounts/{account}/statements/{month}")).await;
        assert_eq!(answer.status, 404, "{month}: {answer:?}");
    }
    assert_eq!(world.get("/accounts/missing/statements/2026-01").await.status, 404);
}

// Guards: a-closed-month-never-changes
#[tokio::test]
async fn a_month_without_events_has_the_hash_of_the_commits_before_it() {
    let (world, account) = half_a_year().await;
    let statements = world.check_months(&account, &MONTHS).await;
    let hashes: Vec<_> = statements.iter().map(|statement| statement.hash.clone()).collect();
    assert!(hashes[..5].iter().all(Option::is_some), "{hashes:?}");
    assert_eq!(hashes[5], None);
    assert_eq!(hashes[1], hashes[0]);
    assert_eq!(hashes[2], hashes[0]);
    // April has no entries, but commits.
    assert_ne!(hashes[3], hashes[0]);
    let last = world.commits(&account).last().map(|commit| commit.hash().to_string());
    assert_eq!(hashes[4], last);
}

/// All events of a commit come from one decision at one time, and a booking date follows from that time and from the
/// dates before. So no month begins inside a commit, and the hash of a commit covers whole months.
// Guards: booking-dates-never-go-back
#[tokio::test]
async fn all_events_of_a_commit_have_the_same_booking_date() {
    let (world, account) = half_a_year().await;
    let commits = world.commits(&account);
    let dates = |commit| crate::world::events(commit).into_iter().map(|it| it.event.booked_on());
    let dates: Vec<Vec<_>> = commits.iter().map(|commit| dates(commit).collect()).collect();
    assert!(dates.iter().any(|dates| dates.len() == 2), "{dates:?}");
    assert!(dates.iter().all(|dates| dates.iter().all(|date| *date == dates[0])), "{dates:?}");
    assert!(dates.concat().is_sorted(), "{dates:?}");
}

// Guards: a-closed-month-never-changes, booking-dates-never-go-back
#[tokio::test]
async fn a_clock_that_runs_back_over_the_border_of_a_month_books_into_the_new_month() {
    let world = World::at("2026-11-30T12:00:00Z");
    let account = world.open().await;
    let other = world.open().await;
    world.deposit(&account, 100).await;
    world.set("2026-12-01T00:00:00Z");
    world.deposit(&account, 10).await;
    let november = format!("/accounts/{account}/statements/2026-11");
    let closed = world.get(&november).await;
    world.set("2026-11-30T23:59:59.999Z");
    world.transfer([&account, &other], 1).await;
    world.freeze_and_unfreeze(&account).await;
    assert_eq!(world.get(&november).await, closed);
    let statements = world.check_months(&account, &["2026-11", "2026-12"]).await;
    let totals: Vec<_> = statements.iter().map(totals).collect();
    assert_eq!(totals, [(0, 100, 1, true), (100, 109, 2, false)]);
    // The other account has not reached December.
    let statements = world.check_months(&other, &["2026-11"]).await;
    assert_eq!(self::totals(&statements[0]), (0, 1, 1, false));
    assert_eq!(world.get(&format!("/accounts/{other}/statements/2026-12")).await.status, 404);
}
