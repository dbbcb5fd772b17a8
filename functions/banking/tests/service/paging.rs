//! Long lists come in pages.

use serde_json::json;

use crate::{filler, world::World};

const ENTRIES: usize = 10_000;

// Guards: statements-follow-from-their-entries
#[tokio::test]
async fn a_statement_of_10_000_entries_comes_in_pages() {
    let world = World::at("2026-11-01T00:00:00Z");
    let account = world.open().await;
    filler::credit(&world, &account, 0, ENTRIES).await;
    world.project().await;
    let page = world.page(&account, "2026-11", (100, None)).await;
    assert_eq!((page.entries.len(), page.next_cursor.is_some()), (100, true));
    let open = world.statement(&account, "2026-11", 100).await;
    assert_eq!((open.entries.len(), open.opening, open.closing), (ENTRIES, 0, 10_000));
    assert!(open.entries.iter().map(|entry| entry.version).eq(2..=10_001));
    assert_eq!(open.entries, world.entries(&account, 100).await);

    world.set("2026-12-01T00:00:00Z");
    world.deposit(&account, 5).await;
    world.project().await;
    let closed = world.statement(&account, "2026-11", 100).await;
    assert_eq!((&closed.entries, closed.opening, closed.closing), (&open.entries, 0, 10_000));
    let december = world.statement(&account, "2026-12", 100).await;
    assert_eq!((december.entries.len(), december.opening, december.closing), (1, 10_000, 10_005));
}

#[tokio::test]
async fn events_that_are_no_entries_stand_between_entries_and_count_for_no_page() {
    let world = World::at("2026-11-01T00:00:00Z");
    let account = world.open().await;
    for _ in 0..30 {
        world.deposit(&account, 1).await;
        world.freeze_and_unfreeze(&account).await;
    }
    for _ in 0..10 {
        world.freeze_and_unfreeze(&account).await;
    }
    let whole = world.statement(&account, "2026-11", 100).await;
    assert_eq!(whole.entries.len(), 30);
    for limit in [1, 2, 7, 30] {
        assert_eq!(world.statement(&account, "2026-11", limit).await, whole, "pages of {limit}");
        assert_eq!(world.entries(&account, limit).await, whole.entries, "pages of {limit}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list() {
    let world = World::at("2026-10-01T00:00:00Z");
    let account = world.open().await;
    let other = world.open().await;
    for month in ["2026-10-02T00:00:00Z", "2026-11-02T00:00:00Z"] {
        world.set(month);
        for account in [&account, &other] {
            world.deposit(account, 1).await;
            world.deposit(account, 2).await;
        }
    }
    let october = format!("/accounts/{account}/statements/2026-10");
    let cursor = world.page(&account, "2026-10", (1, None)).await.next_cursor.expect("a page");
    let next = world.page(&account, "2026-10", (1, Some(&cursor))).await;
    assert_eq!(next.entries.first().map(|entry| entry.amount), Some(2));
    let elsewhere = [
        format!("/accounts/{account}/statements/2026-11?cursor={cursor}"),
        format!("/accounts/{other}/statements/2026-10?cursor={cursor}"),
        format!("/accounts/{account}/entries?cursor={cursor}"),
        format!("{october}?cursor=damaged"),
        format!("{october}?limit=101"),
        format!("{october}?limit=0"),
    ];
    for path in elsewhere {
        let answer = world.get(&path).await;
        assert_eq!((answer.status, &answer.json()["status"]), (400, &json!(400)), "{path}");
    }
}

// Guards: statements-follow-from-their-entries
#[tokio::test]
async fn all_pages_show_one_statement_although_money_moves_meanwhile() {
    let world = World::at("2026-11-01T00:00:00Z");
    let account = world.open().await;
    for _ in 0..30 {
        world.deposit(&account, 1).await;
    }
    let mut pages = vec![world.page(&account, "2026-11", (10, None)).await];
    // The next page is asked for after another deposit, and the last one after the end of the month.
    for time in ["2026-11-30T00:00:00Z", "2026-12-02T00:00:00Z"] {
        world.set(time);
        world.deposit(&account, 100).await;
        let cursor = pages.last().and_then(|page| page.next_cursor.clone()).expect("a next page");
        pages.push(world.page(&account, "2026-11", (10, Some(&cursor))).await);
    }
    let entries: Vec<_> = pages.iter().flat_map(|page| &page.entries).collect();
    assert_eq!(entries.len(), 30);
    for page in &pages {
        assert_eq!((page.opening, page.closing, page.closed), (0, 30, false));
        assert_eq!(page.hash, None);
    }
    assert_eq!(pages[2].next_cursor, None);
    let whole = world.statement(&account, "2026-11", 10).await;
    assert_eq!((whole.entries.len(), whole.closing, whole.closed), (31, 130, true));
}

#[tokio::test]
async fn a_further_page_of_an_old_month_searches_for_nothing() {
    let world = World::at("2026-09-01T00:00:00Z");
    let account = world.open().await;
    for month in ["2026-09", "2026-10", "2026-11"] {
        world.set(&format!("{month}-15T00:00:00Z"));
        filler::credit(&world, &account, 1_000, 1_000).await;
    }
    world.project().await;
    let first = world.page(&account, "2026-10", (20, None)).await;
    let cursor = first.next_cursor.clone().expect("a next page");
    let (requests, page) =
        world.log.during(world.page(&account, "2026-10", (20, Some(&cursor)))).await;
    assert_eq!((page.opening, page.closing), (first.opening, first.closing));
    assert!(requests.len() <= 6, "{requests:?}");
}
