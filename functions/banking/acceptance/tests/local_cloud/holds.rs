//! Holds: reserved money.

use std::time::Duration;

use acceptance::checks::{has_fields, refused_by_rule};
use acceptance::every;
use banking_acceptance::model::{Capture, HoldStatus, Kind, Money, PlaceHold};
use jiff::Timestamp;
use serde_json::Value;

use crate::world::{TestAccount, World, answered, hold_of, moved, token_of, unique};

/// How often a test asks whether a hold has expired.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// The seconds until a hold expires.
const SECONDS: u64 = 2;

fn part(to: &TestAccount, amount: i64) -> Capture {
    Capture { to: to.id.clone(), amount: Some(to.money(amount)) }
}

#[tokio::test]
async fn a_hold_shows_the_fields_of_the_contract() {
    let world = World::shared();
    let account = world.euros(500).await;
    let before = Timestamp::now();
    let body = PlaceHold::of(account.money(120), 3_600);
    let placed = answered(world.bank.hold(&unique("hold"), &account.id, &body), 201).await;
    let id = hold_of(&placed);
    let holds = world.bank.holds(&account.id).consistency_token(&token_of(&placed));
    let page: Value = answered(holds, 200).await.json().expect("JSON");
    has_fields(&page["items"][0], &["id", "amount", "captured", "status", "expiresAt"]);
    let hold = world.holds(&account, &token_of(&placed)).await.remove(0);
    assert_eq!((hold.id, hold.status), (id, HoldStatus::Open));
    assert_eq!((hold.amount, hold.captured), (Money::euro(120), Money::euro(0)));
    let lasts = hold.expires_at.duration_since(before);
    assert!((3_600..3_700).contains(&lasts.as_secs()), "{lasts}");
}

// Guards: available-is-never-overdrawn
#[tokio::test]
async fn a_hold_reserves_money_which_nothing_else_can_take() {
    let world = World::shared();
    let account = world.euros(500).await;
    world.hold(&account, 400).await;
    let shown = world.shown(&account).await;
    assert_eq!((shown.posted, shown.held, shown.available), (500, 400, 100));
    let withdraw = world.bank.withdraw(&unique("key"), &account.id, &account.movement(101));
    refused_by_rule(withdraw, "insufficient-funds", "a withdrawal").await;
    let hold = PlaceHold::of(account.money(101), 60);
    let hold = world.bank.hold(&unique("key"), &account.id, &hold);
    refused_by_rule(hold, "insufficient-funds", "a hold").await;
    world.withdraw(&account, 100).await;
}

// Guards: captures-never-exceed-the-hold
#[tokio::test]
async fn a_hold_is_captured_in_parts_up_to_its_amount() {
    let world = World::shared();
    let account = world.euros(1_000).await;
    let shop = world.euros(0).await;
    let hold = world.hold(&account, 500).await;
    let capture = |body: &Capture| world.bank.capture(&unique("key"), &account.id, &hold, body);
    let first = moved(&answered(capture(&part(&shop, 200)), 201).await);
    let shown = world.shown(&account).await;
    assert_eq!((shown.posted, shown.held, shown.available), (800, 300, 500));
    refused_by_rule(capture(&part(&shop, 301)), "amount-exceeds-hold", "a cent too much").await;
    answered(capture(&part(&shop, 50)), 201).await;
    // Without an amount, it takes all that is left.
    let rest = Capture { to: shop.id.clone(), amount: None };
    let last = answered(capture(&rest), 201).await;
    refused_by_rule(capture(&part(&shop, 1)), "hold-not-open", "nothing is left").await;
    let release = world.bank.release(&unique("key"), &account.id, &hold);
    refused_by_rule(release, "hold-not-open", "nothing to release").await;

    let shown = world.shown(&account).await;
    assert_eq!((shown.posted, shown.held, shown.available), (500, 0, 500));
    assert_eq!(world.balance(&shop).await, 500);
    let amounts: Vec<_> = world.entries(&shop).await.iter().map(|it| it.amount).collect();
    assert_eq!(amounts, [200, 50, 250]);
    let hold = world.holds(&account, &token_of(&last)).await.remove(0);
    assert_eq!((hold.status, hold.captured), (HoldStatus::Captured, Money::euro(500)));
    let shown = world.shown_transfer(&first.id).await;
    assert_eq!(shown.kind, Kind::Capture);
}

#[tokio::test]
async fn the_rest_of_a_released_hold_is_available_again() {
    let world = World::shared();
    let account = world.euros(1_000).await;
    let shop = world.euros(0).await;
    let hold = world.hold(&account, 500).await;
    let capture = world.bank.capture(&unique("key"), &account.id, &hold, &part(&shop, 200));
    answered(capture.clone(), 201).await;
    let released = answered(world.bank.release(&unique("key"), &account.id, &hold), 200).await;
    let shown = world.shown(&account).await;
    assert_eq!((shown.posted, shown.held, shown.available), (800, 0, 800));
    let more = world.bank.capture(&unique("key"), &account.id, &hold, &part(&shop, 1));
    refused_by_rule(more, "hold-not-open", "it is released").await;
    let hold = world.holds(&account, &token_of(&released)).await.remove(0);
    assert_eq!((hold.status, hold.captured), (HoldStatus::Released, Money::euro(200)));
    // A repeated command is still recognised.
    answered(capture, 201).await;
    assert_eq!(world.balance(&shop).await, 200);
}

// Guards: a-hold-expires-exactly-at-its-time
#[tokio::test]
async fn a_hold_expires_exactly_at_its_time() {
    let world = World::shared();
    let account = world.euros(100).await;
    let shop = world.euros(0).await;
    let body = PlaceHold::of(account.money(100), SECONDS);
    let placed = answered(world.bank.hold(&unique("hold"), &account.id, &body), 201).await;
    let id = hold_of(&placed);
    let hold = world.holds(&account, &token_of(&placed)).await.remove(0);

    // The service and this test read the same clock. A decision happens between the request and its answer.
    let mut clock = every(ASK_EVERY);
    let withdrawn = loop {
        clock.tick().await;
        let sent = Timestamp::now();
        let withdraw = world.bank.withdraw(&unique("key"), &account.id, &account.movement(100));
        let answer = withdraw.send().await.expect("an answer");
        if answer.status() == 200 {
            break Timestamp::now();
        }
        assert_eq!(answer.problem().expect("a problem").name(), "insufficient-funds");
        assert!(sent < hold.expires_at, "refused at {sent}, after {}", hold.expires_at);
    };
    assert!(withdrawn >= hold.expires_at, "taken at {withdrawn}, before {}", hold.expires_at);
    let capture = world.bank.capture(&unique("key"), &account.id, &id, &part(&shop, 1));
    refused_by_rule(capture, "hold-expired", "a capture").await;
    let release = world.bank.release(&unique("key"), &account.id, &id);
    refused_by_rule(release, "hold-expired", "a release").await;
    let shown = world.shown(&account).await;
    assert_eq!((shown.posted, shown.held, shown.available), (0, 0, 0));
    let hold = world.holds(&account, &token_of(&placed)).await.remove(0);
    assert_eq!(hold.status, HoldStatus::Expired);
}

// Guards: a-hold-expires-exactly-at-its-time
#[tokio::test]
async fn an_account_shows_an_expired_hold_no_longer_even_without_a_command() {
    let world = World::shared();
    let account = world.euros(100).await;
    let body = PlaceHold::of(account.money(60), SECONDS);
    let placed = answered(world.bank.hold(&unique("hold"), &account.id, &body), 201).await;
    let hold = world.holds(&account, &token_of(&placed)).await.remove(0);
    let mut clock = every(ASK_EVERY);
    loop {
        clock.tick().await;
        let sent = Timestamp::now();
        let shown = world.shown(&account).await;
        if shown.held == 0 {
            assert!(Timestamp::now() >= hold.expires_at, "too early");
            assert_eq!((shown.posted, shown.available), (100, 100));
            return;
        }
        assert_eq!((shown.held, shown.available), (60, 40));
        assert!(sent < hold.expires_at, "still held at {sent}, after {}", hold.expires_at);
    }
}
