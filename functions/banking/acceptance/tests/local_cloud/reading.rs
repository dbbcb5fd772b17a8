//! Versions, conditions, and accounts in the past.

use acceptance::checks::{problem, refused};
use banking_acceptance::eventually;
use banking_acceptance::model::{Account, Page};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use crate::world::{PROJECTED, World, answered, opening, token_of, unique};

#[tokio::test]
async fn a_command_with_an_outdated_version_is_refused() {
    let world = World::shared();
    let account = world.euros(100).await;
    let client = world.impatient();
    let freeze = |version| client.freeze(&unique("freeze"), &account.id).if_match(version);
    refused(freeze(1), 412, "an outdated version").await;
    refused(freeze(3), 412, "a future version").await;
    let frozen = answered(freeze(2), 200).await;
    assert_eq!((frozen.version(), frozen.header("etag")), (Some(3), Some("\"3\"")));
    for (name, tag) in
        [("if-match", "W/\"3\""), ("if-match", "\"3\", \"4\""), ("if-none-match", "*")]
    {
        let request = client.unfreeze(&unique("key"), &account.id).header(name, tag);
        refused(request, 400, tag).await;
    }
    assert_eq!(world.shown(&account).await.version, 3);
}

#[tokio::test]
async fn a_known_version_is_answered_without_a_body() {
    let world = World::shared();
    let account = world.euros(100).await;
    let shown = answered(world.bank.account(&account.id), 200).await;
    let tag = shown.header("etag").expect("a tag").to_owned();
    assert_eq!(tag, "\"2\"");
    assert_eq!(shown.header("cache-control"), Some("private, no-cache"));
    assert_eq!(shown.header("vary"), Some("Authorization, Consistency-Token"));
    let known = answered(world.bank.account(&account.id).if_none_match(&tag), 304).await;
    assert_eq!((known.text().as_str(), known.header("etag")), ("", Some("\"2\"")));
    world.deposit(&account, 1).await;
    let newer = answered(world.bank.account(&account.id).if_none_match(&tag), 200).await;
    assert_eq!(newer.version(), Some(3));
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let world = World::shared();
    let account = world.euros(100).await;
    let deposit = world.deposit(&account, 1).await.version;
    let transfer = world.transfer_at(&account, deposit).await;
    for path in [
        format!("/accounts/{}", account.id),
        format!("/accounts/{}/entries", account.id),
        format!("/transfers/{transfer}"),
    ] {
        let get = answered(world.bank.get(&path), 200).await;
        let head = answered(world.bank.request(Method::HEAD, &path), 200).await;
        assert_eq!(head.text(), "", "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
        assert_eq!(head.media_type(), get.media_type(), "{path}");
    }
    let missing = world.impatient();
    let missing = missing.request(Method::HEAD, "/accounts/missing").send().await;
    assert_eq!(missing.expect("an answer").status(), 404);
}

#[tokio::test]
async fn an_account_is_shown_as_it_was() {
    let world = World::shared();
    let account = world.euros(100).await;
    let paid = world.deposit(&account, 50).await.version;
    world.hold(&account, 30).await;
    let of_version = |version| world.bank.account(&account.id).query("version", version);
    for (version, posted, held) in [(1, 0, 0), (2, 100, 0), (3, 150, 0), (4, 150, 30)] {
        let answer = answered(of_version(version), 200).await;
        let shown: Account = answer.json().expect("an account");
        assert_eq!((shown.version, shown.posted, shown.held), (version, posted, held));
        assert_eq!(shown.available, posted - held);
    }
    refused(of_version(5), 404, "a version that does not exist yet").await;
    refused(of_version(0), 400, "version 0").await;

    let paid = world.transfer_at(&account, paid).await;
    let recorded = world.shown_transfer(&paid).await.recorded_at;
    let at = |time: Timestamp| world.bank.account(&account.id).query("at", time);
    let shown: Account = answered(at(recorded), 200).await.json().expect("an account");
    assert_eq!((shown.version, shown.posted), (3, 150));
    refused(at("2020-01-01T00:00:00Z".parse().expect("a time")), 404, "before it existed").await;
    let both = at(recorded).query("version", 1);
    refused(both, 400, "a version and a time").await;
}

#[tokio::test]
async fn a_query_with_a_token_includes_the_command() {
    let world = World::shared();
    let owner = unique("owner");
    let mut token = String::new();
    for _ in 0..3 {
        let body = opening(&owner, "EUR");
        token = token_of(&answered(world.bank.open(&unique("open"), &body), 201).await);
    }
    let list = world.bank.accounts_of(&owner).consistency_token(&token);
    eventually("all three accounts are listed", PROJECTED, async || {
        let page: Page<Value> =
            list.clone().send().await.and_then(|it| it.json()).map_err(|it| it.to_string())?;
        if page.items.len() == 3 { Ok(()) } else { Err(format!("{page:?}")) }
    })
    .await
    .expect("the list is projected");
    // Without the token, the third account may not be in the list yet.
    let accounts: Vec<Account> = list.query("limit", 1).all_pages().await.expect("pages");
    assert_eq!(accounts.len(), 3);
    assert!(accounts.iter().all(|account| account.owner_id == owner && account.posted == 0));
}

#[tokio::test]
async fn a_path_that_does_not_exist_and_a_wrong_method_are_refused() {
    let world = World::shared();
    let client = world.impatient();
    let account = world.euros(100).await;
    refused(client.get("/accounts"), 405, "no list of all accounts").await;
    let put = client.request(Method::PUT, &format!("/accounts/{}", account.id));
    let answer = put.send().await.expect("an answer");
    problem(&answer, 405, "PUT");
    refused(client.get("/nothing"), 404, "no such path").await;
    let keyless = client.request(Method::POST, &format!("/accounts/{}/freeze", account.id));
    let keyless = keyless.json(&serde_json::json!({"reason": "none"}));
    refused(keyless, 400, "no key").await;
}
