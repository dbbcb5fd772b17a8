//! The development server: the whole service in one process, over HTTP.

use std::time::Duration;

use ledgerfold_dev::{Auth, Options, Server};
use ledgerfold_testkit::{eventually, http::Client};
use serde_json::{Value, json};

const PROJECTED: Duration = Duration::from_secs(20);

/// Runs a test beside a development server.
async fn beside_a_server(test: impl AsyncFnOnce(Client)) {
    let options = Options { port: 0, state: None, auth: Auth::Token };
    let server = Server::start(&banking::service(), &options).await.expect("a free port");
    let client = Client::new(&format!("http://{}", server.address), None).expect("an address");
    let token = server.token.clone().expect("callers need a token");
    let client = client.with_token(&token).expect("a token is a valid header");
    tokio::select! {
        () = server.run() => unreachable!("the server runs without an end"),
        () = test(client) => (),
    }
}

fn euros(amount: u64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// Opens an account and pays 900 cents into it. Returns its path and the token of the deposit.
async fn account_with_money(client: &Client) -> (String, String) {
    let body = json!({"ownerId": "o-1", "currency": "EUR"});
    let opened = client.command("/accounts", "open", &body).send().await.expect("an answer");
    let opened: Value = opened.json().expect("JSON");
    let path = format!("/accounts/{}", opened["id"].as_str().expect("an id"));
    let body = json!({"amount": euros(900), "reference": "Salary"});
    let deposit = client.command(&format!("{path}/deposit"), "pay", &body);
    let paid = deposit.send().await.expect("an answer");
    assert_eq!(paid.status(), 200);
    let token = paid.header("consistency-token").expect("a token").to_owned();
    (path, token)
}

#[tokio::test]
async fn the_trial_balance_includes_the_command_of_a_token() {
    beside_a_server(async |client| {
        let (_, token) = account_with_money(&client).await;
        let ask = || client.get("/trial-balance").header("consistency-token", &token);
        let seen = ask().send().await.expect("an answer");
        assert_eq!(seen.status(), 200);
        let seen: Value = seen.json().expect("JSON");
        assert_eq!(seen["currencies"][0]["customers"], 900);
        eventually("the other leg is counted", PROJECTED, async || {
            let seen: Value = ask().send().await.expect("an answer").json().expect("JSON");
            match &seen["currencies"][0]["difference"] {
                difference if *difference == json!(0) => Ok(()),
                _ => Err(format!("{seen}")),
            }
        })
        .await
        .expect("both legs are counted");
    })
    .await;
}

#[tokio::test]
async fn a_hold_expires_at_its_time_before_any_deadline() {
    beside_a_server(async |client| {
        let (path, _) = account_with_money(&client).await;
        let body = json!({"amount": euros(400), "reference": "Hotel", "expiresIn": 1});
        let holds = format!("{path}/holds");
        let placed = client.command(&holds, "hold", &body).send().await.expect("an answer");
        assert_eq!(placed.status(), 201);
        let placed: Value = placed.json().expect("JSON");
        eventually("the hold expires", PROJECTED, async || {
            let seen: Value =
                client.get(&path).send().await.expect("an answer").json().expect("JSON");
            if seen["held"] == 0 { Ok(()) } else { Err(format!("{seen}")) }
        })
        .await
        .expect("it expires after a second");
        let release = format!("{holds}/{}/release", placed["id"].as_str().expect("an id"));
        let refused = client.command(&release, "release", &json!({})).send().await;
        let refused: Value = refused.expect("an answer").json().expect("JSON");
        assert_eq!(refused["type"], "/problems/hold-expired");
    })
    .await;
}
