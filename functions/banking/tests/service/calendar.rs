//! The ends of the calendar.

use banking::queries::YearMonth;

use crate::world::World;

#[test]
fn a_month_has_four_digits_a_hyphen_and_two_digits() {
    for text in ["0000-01", "0001-12", "2026-11", "9999-12"] {
        let month: YearMonth = text.parse().expect("a month");
        assert_eq!(month.to_string(), text);
    }
    for text in [
        "", "2026", "2026-", "2026-0", "2026-00", "2026-13", "2026-1", "26-11", "202611",
        "2026111", "2026-1x", "+026-11", "-026-11", " 026-11", "2026/11", "2026-W1", "10000-1",
        "2026-٣",
    ] {
        assert!(text.parse::<YearMonth>().is_err(), "{text:?}");
    }
}

#[tokio::test]
async fn the_first_years_have_statements() {
    let world = World::at("0000-01-01T00:00:00Z");
    let account = world.open().await;
    world.deposit(&account, 5).await;
    world.set("0001-02-01T00:00:00Z");
    world.deposit(&account, 6).await;
    let months = ["0000-01", "0000-12", "0001-01", "0001-02"];
    let statements = world.check_months(&account, &months).await;
    let closings: Vec<_> = statements.iter().map(|it| (it.closing, it.closed)).collect();
    assert_eq!(closings, [(5, true), (5, true), (5, true), (11, false)]);
}

/// The last time is in December 9999, so this month never ends.
#[tokio::test]
async fn the_last_month_of_the_calendar_never_closes() {
    let world = World::at("9999-11-30T23:00:00Z");
    let account = world.open().await;
    world.deposit(&account, 5).await;
    world.set("9999-12-30T21:59:59Z");
    world.deposit(&account, 6).await;
    let statements = world.check_months(&account, &["9999-11", "9999-12"]).await;
    let totals: Vec<_> = statements.iter().map(|it| (it.opening, it.closing, it.closed)).collect();
    assert_eq!(totals, [(0, 5, true), (5, 11, false)]);
}

/// A clock that was once far ahead moves the booking date of an account for ever. The months between are empty and closed.
#[tokio::test]
async fn a_clock_that_was_far_ahead_leaves_empty_months_behind() {
    let world = World::at("2026-11-10T00:00:00Z");
    let account = world.open().await;
    world.deposit(&account, 5).await;
    world.set("2040-01-01T00:00:00Z");
    world.deposit(&account, 6).await;
    world.set("2026-11-11T00:00:00Z");
    world.deposit(&account, 7).await;
    let months = ["2026-11", "2026-12", "2039-12", "2040-01"];
    let statements = world.check_months(&account, &months).await;
    let totals: Vec<_> = statements.iter().map(|it| (it.closing, it.entries.len())).collect();
    assert_eq!(totals, [(5, 1), (5, 0), (5, 0), (18, 2)]);
    let closed: Vec<_> = statements.iter().map(|it| it.closed).collect();
    assert_eq!(closed, [true, true, true, false]);
    assert_eq!(world.get(&format!("/accounts/{account}/statements/2040-02")).await.status, 404);
}
