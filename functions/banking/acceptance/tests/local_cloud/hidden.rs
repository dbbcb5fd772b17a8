//! For a caller, accounts of somebody else do not exist.
//!
//! Guards: everybody-sees-only-their-own

use acceptance::checks::refused;
use banking_acceptance::model::{Capture, Hold, Page, PlaceHold};
use banking_acceptance::{Caller, Client, Patience, Request, eventually};
use futures::future::join_all;
use serde_json::Value;

use crate::world::{PROJECTED, TestAccount, World, answered, this_month, unique};

/// All reads of an account, its hold and its transfer.
fn reads<'a>(
    client: &'a Client,
    account: &str,
    hold: &str,
    transfer: &str,
    owner: &str,
) -> Vec<Request<'a>> {
    vec![
        client.account(account),
        client.account(account).query("version", 1),
        client.account(account).query("at", "2100-01-01T00:00:00Z"),
        client.account(account).if_none_match("\"1\""),
        client.entries(account),
        client.entries(account).query("limit", 1),
        client.holds(account),
        client.get(&format!("/accounts/{account}/holds/{hold}")),
        client.statement(account, this_month()),
        client.shown_transfer(transfer),
        client.accounts_of(owner),
    ]
}

/// All commands of an account, its hold and its transfer, with this key.
fn commands<'a>(
    client: &'a Client,
    key: &str,
    account: &TestAccount,
    to: &TestAccount,
    hold: &str,
    transfer: &str,
) -> Vec<Request<'a>> {
    let id = account.id.as_str();
    let capture = Capture { to: to.id.clone(), amount: None };
    vec![
        client.deposit(key, id, &account.movement(1)),
        client.withdraw(key, id, &account.movement(1)),
        client.withdraw(key, id, &account.movement(1)).if_match(1),
        client.transfer(key, &account.transfer(to, 1)),
        client.reverse(key, transfer),
        client.hold(key, id, &PlaceHold::of(account.money(1), 60)),
        client.capture(key, id, hold, &capture),
        client.release(key, id, hold),
        client.limit(key, id, None),
        client.freeze(key, id),
        client.unfreeze(key, id),
        client.close(key, id),
    ]
}

#[tokio::test]
async fn a_stranger_gets_the_answers_for_an_account_that_does_not_exist() {
    let Some(world) = World::with_callers() else { return };
    let account = world.euros(1_000).await;
    let other = world.euros(1_000).await;
    let hold = world.hold(&account, 100).await;
    let transfer = world.transfer(&other, &account, 10).await.id;
    let own = world.account_of("stranger", 500, "EUR").await;
    let stranger = world.owner_of(&own).with_patience(Patience::Once);
    let missing = TestAccount { id: "missing".to_owned(), ..account.clone() };
    let before = world.shown(&account).await;

    let hidden = reads(&stranger, &account.id, &hold, &transfer, &account.owner);
    let absent = reads(&stranger, "missing", "missing", "missing", "missing");
    for (index, (hidden, absent)) in hidden.into_iter().zip(absent).enumerate() {
        let case = format!("read {index}");
        let hidden = refused(hidden, 404, &case).await;
        let absent = refused(absent, 404, &case).await;
        assert_eq!((hidden.r#type, hidden.detail), (absent.r#type, absent.detail), "{case}");
    }
    let key = unique("key");
    let hidden = commands(&stranger, &key, &account, &own, &hold, &transfer);
    let absent = commands(&stranger, &key, &missing, &own, "missing", "missing");
    for (index, (hidden, absent)) in hidden.into_iter().zip(absent).enumerate() {
        let case = format!("command {index}");
        let hidden = refused(hidden, 404, &case).await;
        let absent = refused(absent, 404, &case).await;
        assert_eq!((hidden.r#type, hidden.detail), (absent.r#type, absent.detail), "{case}");
    }
    assert_eq!(world.shown(&account).await, before);
    assert_eq!(world.balance(&own).await, 500);
}

#[tokio::test]
async fn a_repeated_request_of_somebody_else_finds_nothing_either() {
    let Some(world) = World::with_callers() else { return };
    let account = world.euros(1_000).await;
    let own = world.account_of("stranger", 500, "EUR").await;
    let stranger = world.owner_of(&own);
    let hold = world.hold(&account, 100).await;
    let key = unique("key");
    let body = account.transfer(&own, 10);
    let part = Capture { to: own.id.clone(), amount: Some(account.money(5)) };
    let placed = PlaceHold::of(account.money(1), 60);
    let statuses = async |client: &Client| {
        let requests = [
            client.transfer(&key, &body),
            client.withdraw(&key, &account.id, &account.movement(1)),
            client.hold(&key, &account.id, &placed),
            client.capture(&key, &account.id, &hold, &part),
        ];
        let answers = join_all(requests.map(Request::send)).await.into_iter();
        answers.map(|answer| answer.expect("an answer").status()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&world.owner_of(&account)).await, [201, 200, 201, 201]);
    let before = world.shown(&account).await;
    assert_eq!(statuses(&stranger).await, [404; 4]);
    assert_eq!(world.shown(&account).await, before);
}

#[tokio::test]
async fn a_hold_is_found_under_its_own_account_only() {
    let world = World::shared();
    let account = world.euros(1_000).await;
    let other = world.euros(1_000).await;
    let hold = world.hold(&account, 100).await;
    let capture = Capture { to: account.id.clone(), amount: None };
    let wrong = [
        world.bank.capture(&unique("key"), &other.id, &hold, &capture),
        world.bank.release(&unique("key"), &other.id, &hold),
        world.bank.get(&format!("/accounts/{}/holds/{hold}", other.id)),
    ];
    for (index, request) in wrong.into_iter().enumerate() {
        refused(request, 404, &format!("request {index}")).await;
    }
    assert_eq!(world.shown(&account).await.held, 100);
}

#[tokio::test]
async fn a_cursor_of_somebody_else_opens_nothing() {
    let Some(world) = World::with_callers() else { return };
    let account = world.euros(1_000).await;
    world.deposit(&account, 1).await;
    world.account_of(&account.owner, 0, "EUR").await;
    world.hold(&account, 100).await;
    world.hold(&account, 100).await;
    let own = world.account_of("stranger", 500, "EUR").await;
    let stranger = world.client(Caller::owner("stranger")).with_patience(Patience::Once);
    let lists = [
        (format!("/accounts/{}/entries", account.id), format!("/accounts/{}/entries", own.id)),
        (format!("/accounts/{}/holds", account.id), format!("/accounts/{}/holds", own.id)),
        (format!("/owners/{}/accounts", account.owner), "/owners/stranger/accounts".to_owned()),
    ];
    for (theirs, mine) in lists {
        let cursor = cursor_of(&world, &theirs).await;
        let request = stranger.get(&theirs).query("cursor", &cursor);
        refused(request, 404, &theirs).await;
        // On another list, the cursor is damaged.
        refused(stranger.get(&mine).query("cursor", &cursor), 400, &mine).await;
    }
    let holds: Page<Hold> =
        answered(stranger.holds(&own.id), 200).await.json().expect("a page of holds");
    assert!(holds.items.is_empty());
}

/// The cursor of a list's second page, when it is projected.
async fn cursor_of(world: &World, path: &str) -> String {
    eventually("the list has a second page", PROJECTED, async || {
        let request = world.bank.get(path).query("limit", 1);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let page: Page<Value> = answer.json().map_err(|error| error.to_string())?;
        page.next_cursor.ok_or_else(|| format!("{} listed", page.items.len()))
    })
    .await
    .expect("the list is projected")
}
