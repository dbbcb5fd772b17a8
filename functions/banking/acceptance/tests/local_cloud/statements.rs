//! Entries and statements.

use acceptance::checks::{has_fields, refused};
use banking_acceptance::model::{Entry, Page, Statement};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::Value;

use crate::world::{TestAccount, World, answered, this_month};

fn last_month() -> String {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    today.first_of_month().saturating_sub(1.day()).strftime("%Y-%m").to_string()
}

/// All pages of a statement as one.
async fn statement(world: &World, account: &TestAccount, month: &str, limit: u32) -> Statement {
    let request = world.bank.statement(&account.id, month).query("limit", limit);
    let first: Statement = answered(request.clone(), 200).await.json().expect("a statement");
    let mut whole = first.clone();
    while let Some(cursor) = whole.next_cursor.take() {
        let next = request.clone().query("cursor", cursor);
        let next: Statement = answered(next, 200).await.json().expect("a statement");
        assert_eq!((next.opening, next.closing), (first.opening, first.closing));
        whole.entries.extend(next.entries);
        whole.next_cursor = next.next_cursor;
    }
    whole
}

#[tokio::test]
async fn entries_show_the_fields_of_the_contract_and_come_in_pages_oldest_first() {
    let world = World::shared();
    let account = world.euros(0).await;
    for amount in 1..=7 {
        world.deposit(&account, amount).await;
    }
    let page: Page<Value> =
        answered(world.bank.entries(&account.id), 200).await.json().expect("a page");
    assert_eq!((page.items.len(), &page.next_cursor), (7, &None));
    let fields = [
        "transaction",
        "amount",
        "balanceAfter",
        "counterparty",
        "reference",
        "bookedOn",
        "recordedAt",
        "version",
    ];
    has_fields(&page.items[0], &fields);

    for limit in [1, 2, 3, 7] {
        let entries: Vec<Entry> = world
            .bank
            .entries(&account.id)
            .query("limit", limit)
            .all_pages()
            .await
            .expect("the entries can be read");
        let amounts: Vec<_> = entries.iter().map(|it| (it.amount, it.version)).collect();
        let expected: Vec<_> = (1..=7).zip(2..).collect();
        assert_eq!(amounts, expected, "pages of {limit}");
    }
    for limit in ["0", "101", "x"] {
        let request = world.impatient();
        let request = request.entries(&account.id).query("limit", limit);
        refused(request, 400, &format!("limit={limit}")).await;
    }
    let damaged = world.impatient();
    refused(damaged.entries(&account.id).query("cursor", "damaged"), 400, "a cursor").await;
}

// Guards: statements-follow-from-their-entries
#[tokio::test]
async fn the_statement_of_this_month_leads_from_the_opening_to_the_closing() {
    let world = World::shared();
    let account = world.euros(1_000).await;
    let other = world.euros(0).await;
    for amount in [10, 20, 30] {
        world.transfer(&account, &other, amount).await;
    }
    // A hold is no entry.
    world.hold(&account, 100).await;
    let month = this_month();
    let request = world.bank.statement(&account.id, &month);
    let body: Value = answered(request, 200).await.json().expect("JSON");
    for field in ["from", "to", "opening", "closing", "entries", "closed"] {
        assert!(body.get(field).is_some(), "{field} in {body}");
    }
    let whole = statement(&world, &account, &month, 100).await;
    let first: Date = format!("{month}-01").parse().expect("a day");
    assert_eq!((whole.from, whole.to), (first, first.last_of_month()));
    assert_eq!((whole.opening, whole.closing, whole.closed), (0, 940, false));
    let amounts: Vec<_> = whole.entries.iter().map(|entry| entry.amount).collect();
    assert_eq!(amounts, [1_000, -10, -20, -30]);
    assert_eq!(whole.entries, world.entries(&account).await);
    let sum: i64 = amounts.iter().sum();
    assert_eq!(whole.opening + sum, whole.closing);
    assert_eq!(whole.entries.last().map(|entry| entry.balance_after), Some(whole.closing));

    for limit in [1, 3] {
        let paged = statement(&world, &account, &month, limit).await;
        assert_eq!(paged, whole, "pages of {limit}");
    }
}

#[tokio::test]
async fn a_text_that_is_no_month_is_refused() {
    let world = World::shared();
    let account = world.euros(100).await;
    let client = world.impatient();
    for month in ["2026-13", "2026-00", "2026", "2026-1", "november", "2026-11-01"] {
        refused(client.statement(&account.id, month), 400, month).await;
    }
    refused(client.statement("missing", this_month()), 404, "no such account").await;
}

#[tokio::test]
async fn the_month_before_the_first_entry_is_closed_at_the_opening_of_this_one() {
    let world = World::shared();
    let account = world.euros(100).await;
    let answer = world.bank.statement(&account.id, last_month()).send().await.expect("an answer");
    // The account did not exist yet.
    if answer.status() == 404 {
        return;
    }
    let before: Statement = answer.expect_status(200).and_then(|it| it.json()).expect("one");
    assert_eq!((before.opening, before.closing, before.closed), (0, 0, true));
    assert!(before.entries.is_empty());
    let now = statement(&world, &account, &this_month(), 100).await;
    assert_eq!(before.closing, now.opening);
}
