//! An account with 100,000 entries. The log counts the requests to it.

use serde_json::json;

use crate::{
    filler,
    world::{World, euros},
};

/// The entries of each month from January to October, and of November, the open month.
const OLD: usize = 9_900;
const NEW: usize = 1_000;

/// A request that reads a stream of an account.
const READ: &str = "read account";

/// The world with a long account, in which every function has just started.
async fn long_account() -> (World, String) {
    let mut world = World::at("2026-01-15T00:00:00Z");
    let account = world.open().await;
    for month in 0..10 {
        world.set(&format!("2026-{:02}-15T00:00:00Z", month + 1));
        filler::credit(&world, &account, month * OLD, OLD).await;
    }
    world.set("2026-11-15T00:00:00Z");
    filler::credit(&world, &account, 10 * OLD, NEW).await;
    world.project().await;
    world.restart();
    (world, account)
}

// Guards: a-long-history-costs-no-more
#[tokio::test]
async fn an_account_with_100_000_entries_answers_in_few_requests() {
    let (world, account) = long_account().await;
    check_account(&world, &account).await;
    check_this_month(&world, &account).await;
    check_old_months(&world, &account).await;
    check_commands(&world, &account).await;
}

/// The row has every event, so the log is asked once for newer ones.
async fn check_account(world: &World, account: &str) {
    let path = format!("/accounts/{account}");
    let (requests, shown) = world.log.during(world.shown(&path)).await;
    assert_eq!((&shown["posted"], requests), (&json!(100_000), vec![READ.to_owned()]));
    let path = format!("/accounts/{account}/entries?limit=20");
    let (requests, _) = world.log.during(world.shown(&path)).await;
    // The opening is no entry, so the page of the log with it lacks one.
    assert_eq!(requests, [READ; 3]);
}

/// The row knows the beginning of the newest month. A page of 100 entries is read in two parts, because the first shows the
/// size of the events.
async fn check_this_month(world: &World, account: &str) {
    for (limit, reads) in [(20, 2), (100, 3)] {
        let page = world.page(account, "2026-11", (limit, None));
        let (requests, page) = world.log.during(page).await;
        assert_eq!((page.opening, page.closing, page.entries.len()), (99_000, 100_000, limit));
        assert_eq!(requests, vec![READ; reads], "a page of {limit}");
    }
}

/// The last month ends before the newest one, and the first begins with the account. Each other end takes a binary search
/// over 99,001 events: at most 17 reads, and one for the balance.
async fn check_old_months(world: &World, account: &str) {
    for (month, reads) in [("2026-10", 23), ("2026-05", 41), ("2026-01", 24)] {
        let page = world.page(account, month, (20, None));
        let (requests, page) = world.log.during(page).await;
        assert_eq!((page.closing - page.opening, page.closed), (9_900, true));
        assert_eq!(page.entries.len(), 20);
        assert_eq!(requests, vec![READ; reads], "{month}");
    }
}

/// Each stream is read once, and all of them change in one transaction. The new transfer is not read.
async fn check_commands(world: &World, account: &str) {
    let other = world.open().await;
    let body = json!({"amount": euros(3), "reference": "Cash"});
    for step in ["deposit", "withdraw"] {
        let path = format!("/accounts/{account}/{step}");
        let (requests, answer) = world.log.during(world.post(&path, body.clone())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let expected = [READ, "read settlement", "transaction account settlement transfer"];
        assert_eq!(requests, expected, "{step}");
    }
    for legs in [[account, &other], [&other, account]] {
        let (requests, _) = world.log.during(world.transfer(legs, 1)).await;
        assert_eq!(requests, [READ, READ, "transaction account account transfer"]);
    }
    let path = format!("/accounts/{account}/freeze");
    let freeze = world.post(&path, json!({"reason": "Lost"}));
    let (requests, answer) = world.log.during(freeze).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(requests, [READ, "append account"]);
}
