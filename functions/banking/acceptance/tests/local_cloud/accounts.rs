//! The life of an account: opened, limited, frozen and closed.

use acceptance::checks::{has_fields, refused, refused_by_rule, shows_version};
use banking_acceptance::model::{AccountStatus, Capture, Money, OpenAccount, PlaceHold};
use serde_json::{Value, json};

use crate::world::{TestAccount, World, answered, opening, unique};

#[tokio::test]
async fn an_account_shows_the_fields_of_the_contract() {
    let world = World::shared();
    let account = world.euros(500).await;
    world.hold(&account, 120).await;
    let answer = answered(world.bank.account(&account.id), 200).await;
    let body: Value = answer.json().expect("JSON");
    has_fields(
        &body,
        &[
            "id",
            "ownerId",
            "currency",
            "status",
            "posted",
            "held",
            "available",
            "overdraftLimit",
            "dailyLimit",
            "version",
        ],
    );
    shows_version(&answer, 3);
    let expected = json!({
        "id": account.id, "ownerId": account.owner, "currency": "EUR", "status": "open",
        "posted": 500, "held": 120, "available": 380, "overdraftLimit": 0, "dailyLimit": null,
        "version": 3,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_overdraft_is_available_and_no_more() {
    let world = World::shared();
    let body = OpenAccount { overdraft_limit: Some(300), ..opening(&unique("owner"), "EUR") };
    let opened = answered(world.bank.open(&unique("open"), &body), 201).await;
    let id = opened.accepted().expect("a success").id;
    let account = TestAccount { id, owner: body.owner_id.clone(), currency: "EUR".to_owned() };
    assert_eq!(world.shown(&account).await.available, 300);
    let withdraw =
        |amount| world.bank.withdraw(&unique("withdraw"), &account.id, &account.movement(amount));
    refused_by_rule(withdraw(301), "insufficient-funds", "a cent too much").await;
    answered(withdraw(300), 200).await;
    let shown = world.shown(&account).await;
    assert_eq!((shown.posted, shown.available), (-300, 0));
    refused_by_rule(withdraw(1), "insufficient-funds", "nothing is left").await;
}

#[tokio::test]
async fn a_daily_limit_counts_everything_that_leaves_the_account_holds_included() {
    let world = World::shared();
    let account = world.euros(10_000).await;
    let other = world.euros(0).await;
    let limit = Money::euro(1_000);
    answered(world.bank.limit(&unique("limit"), &account.id, Some(&limit)), 200).await;
    assert_eq!(world.shown(&account).await.daily_limit, Some(1_000));
    let withdraw =
        |amount| world.bank.withdraw(&unique("withdraw"), &account.id, &account.movement(amount));
    answered(withdraw(400), 200).await;
    world.transfer(&account, &other, 300).await;
    world.hold(&account, 200).await;
    refused_by_rule(withdraw(101), "daily-limit-exceeded", "a withdrawal").await;
    let transfer = world.bank.transfer(&unique("key"), &account.transfer(&other, 101));
    refused_by_rule(transfer, "daily-limit-exceeded", "a transfer").await;
    let hold = PlaceHold::of(account.money(101), 60);
    let hold = world.bank.hold(&unique("hold"), &account.id, &hold);
    refused_by_rule(hold, "daily-limit-exceeded", "a hold").await;
    answered(withdraw(100), 200).await;

    world.deposit(&account, 1).await;
    refused_by_rule(withdraw(1), "daily-limit-exceeded", "a deposit gives nothing back").await;
    answered(world.bank.limit(&unique("limit"), &account.id, None), 200).await;
    answered(withdraw(101), 200).await;
    assert_eq!(world.shown(&account).await.daily_limit, None);
}

#[tokio::test]
async fn the_limit_of_a_released_hold_comes_back() {
    let world = World::shared();
    let account = world.euros(10_000).await;
    let limit = Money::euro(1_000);
    answered(world.bank.limit(&unique("limit"), &account.id, Some(&limit)), 200).await;
    let hold = world.hold(&account, 1_000).await;
    let withdraw = world.bank.withdraw(&unique("withdraw"), &account.id, &account.movement(1_000));
    refused_by_rule(withdraw.clone(), "daily-limit-exceeded", "it is reserved").await;
    answered(world.bank.release(&unique("release"), &account.id, &hold), 200).await;
    answered(withdraw, 200).await;
}

// Guards: a-frozen-account-pays-nothing-and-a-closed-one-takes-nothing
#[tokio::test]
async fn a_frozen_account_takes_credits_and_neither_debits_nor_holds() {
    let world = World::shared();
    let account = world.euros(1_000).await;
    let other = world.euros(1_000).await;
    let hold = world.hold(&account, 100).await;
    answered(world.bank.freeze(&unique("freeze"), &account.id), 200).await;
    assert_eq!(world.shown(&account).await.status, AccountStatus::Frozen);

    let id = account.id.as_str();
    let capture = Capture { to: other.id.clone(), amount: None };
    let refused = [
        world.bank.withdraw(&unique("key"), id, &account.movement(1)),
        world.bank.transfer(&unique("key"), &account.transfer(&other, 1)),
        world.bank.hold(&unique("key"), id, &PlaceHold::of(account.money(1), 60)),
        world.bank.capture(&unique("key"), id, &hold, &capture),
    ];
    for (index, request) in refused.into_iter().enumerate() {
        refused_by_rule(request, "account-frozen", &format!("request {index}")).await;
    }
    world.deposit(&account, 10).await;
    world.transfer(&other, &account, 10).await;
    assert_eq!(world.balance(&account).await, 1_020);

    answered(world.bank.unfreeze(&unique("unfreeze"), &account.id), 200).await;
    world.transfer(&account, &other, 20).await;
    let shown = world.shown(&account).await;
    assert_eq!((shown.status, shown.posted), (AccountStatus::Open, 1_000));
}

// Guards: a-frozen-account-pays-nothing-and-a-closed-one-takes-nothing
#[tokio::test]
async fn only_an_empty_account_is_closed_and_then_takes_nothing() {
    let world = World::shared();
    let account = world.euros(100).await;
    let other = world.euros(100).await;
    let id = account.id.as_str();
    let close = || world.bank.close(&unique("close"), id);
    refused_by_rule(close(), "account-not-empty", "it has a balance").await;
    let hold = world.hold(&account, 100).await;
    refused_by_rule(close(), "account-not-empty", "it has a hold").await;
    answered(world.bank.release(&unique("release"), id, &hold), 200).await;
    world.transfer(&account, &other, 100).await;
    answered(close(), 200).await;
    assert_eq!(world.shown(&account).await.status, AccountStatus::Closed);

    let refused = [
        world.bank.deposit(&unique("key"), id, &account.movement(1)),
        world.bank.withdraw(&unique("key"), id, &account.movement(1)),
        world.bank.transfer(&unique("key"), &account.transfer(&other, 1)),
        world.bank.transfer(&unique("key"), &other.transfer(&account, 1)),
        world.bank.hold(&unique("key"), id, &PlaceHold::of(account.money(1), 60)),
        world.bank.limit(&unique("key"), id, None),
        world.bank.freeze(&unique("key"), id),
        close(),
    ];
    for (index, request) in refused.into_iter().enumerate() {
        refused_by_rule(request, "account-closed", &format!("request {index}")).await;
    }
    assert_eq!(world.balance(&other).await, 200);
}

#[tokio::test]
async fn a_body_outside_of_the_bounds_is_refused_with_every_error() {
    let world = World::shared();
    let client = world.impatient();
    let account = world.euros(100).await;
    let path = format!("/accounts/{}/deposit", account.id);
    let cases = [
        (path.as_str(), json!({"amount": {"amount": 0, "currency": "EUR"}, "reference": "r"})),
        (path.as_str(), json!({"amount": {"amount": -1, "currency": "EUR"}, "reference": "r"})),
        (
            path.as_str(),
            json!({"amount": {"amount": 1_000_000_000_000_001_u64, "currency": "EUR"}, "reference": "r"}),
        ),
        (path.as_str(), json!({"amount": {"amount": 1.5, "currency": "EUR"}, "reference": "r"})),
        (path.as_str(), json!({"amount": {"amount": 1, "currency": "XXL"}, "reference": "r"})),
        (path.as_str(), json!({"amount": {"amount": 1, "currency": "EUR"}})),
        (path.as_str(), json!({"amount": {"amount": 1, "currency": "EUR"}, "reference": ""})),
        ("/accounts", json!({"ownerId": "o-1", "currency": "EUR", "overdraftLimit": -1})),
        ("/accounts", json!({"ownerId": "no spaces", "currency": "EUR"})),
        ("/accounts", json!({"ownerId": "o-1", "currency": "EUR", "colour": "blue"})),
    ];
    for (path, body) in cases {
        let case = body.to_string();
        let problem = refused(client.command(path, &unique("key"), &body), 400, &case).await;
        assert!(!problem.errors.is_empty(), "{case}: {problem:?}");
    }
    let two = json!({"amount": {"amount": 0, "currency": "EUR"}, "reference": ""});
    let problem = refused(client.command(&path, &unique("key"), &two), 400, "two errors").await;
    assert_eq!(problem.errors.len(), 2, "{problem:?}");
    assert_eq!(world.shown(&account).await.version, 2);
}
