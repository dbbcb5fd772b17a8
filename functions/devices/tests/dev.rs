//! The development server: the whole service in one process, over HTTP.

use std::time::Duration;

use ledgerfold_dev::{Auth, Options, Server};
use ledgerfold_testkit::{eventually, http::Client};
use reqwest::Method;
use serde_json::{Value, json};

const PROJECTED: Duration = Duration::from_secs(20);

/// Runs a test beside a development server.
async fn beside_a_server(test: impl AsyncFnOnce(Client)) {
    let options = Options { port: 0, state: None, auth: Auth::Token };
    let server = Server::start(&devices::service(), &options).await.expect("a free port");
    let client = Client::new(&format!("http://{}", server.address), None).expect("an address");
    let token = server.token.clone().expect("callers need a token");
    let client = client.with_token(&token).expect("a token is a valid header");
    tokio::select! {
        () = server.run() => unreachable!("the server runs without an end"),
        () = test(client) => (),
    }
}

#[tokio::test]
async fn a_batch_is_shown_in_its_timeline() {
    beside_a_server(async |client| {
        let body = json!({"id": "d-1", "model": "Thermo 7", "site": "s-1"});
        let registered = client.command("/devices", "key", &body).send().await.expect("an answer");
        assert_eq!(registered.status(), 201);
        let reading = json!({"seq": 1, "at": "2026-11-29T08:00:00Z", "metric": "t", "value": 21.5});
        let batch = json!({"epoch": 1, "readings": [reading]});
        let sent = client.request(Method::POST, "/devices/d-1/readings").json(&batch);
        assert_eq!(sent.send().await.expect("an answer").status(), 200);
        eventually("the reading is shown", PROJECTED, async || {
            let timeline = client.get("/devices/d-1/timeline?metric=t").send().await;
            let timeline: Value = timeline.expect("an answer").json().expect("JSON");
            if timeline["items"][0]["value"] == 21.5 { Ok(()) } else { Err(timeline.to_string()) }
        })
        .await
        .expect("it is projected");
    })
    .await;
}
