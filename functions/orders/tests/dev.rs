//! The development server: the whole service in one process, over HTTP.

use std::{fs, path::PathBuf, time::Duration};

use ledgerfold::{Caller, Subject};
use ledgerfold_dev::{Auth, DevError, JournalError, Options, Server};
use ledgerfold_testkit::{eventually, http::Client};
use serde_json::{Value, json};

const PROJECTED: Duration = Duration::from_secs(20);

/// Runs a test beside a development server.
async fn beside_a_server(test: impl AsyncFnOnce(Client)) {
    beside_a_server_with(None, test).await;
}

/// The same with a file that keeps the state.
async fn beside_a_server_with(state: Option<PathBuf>, test: impl AsyncFnOnce(Client)) {
    let options = Options { port: 0, state, auth: Auth::Token };
    // The connections of an earlier server end a moment after it, and hold its file until then.
    let server = eventually("the server starts", PROJECTED, async || {
        Server::start(&orders::service(), &options).await.map_err(|error| error.to_string())
    })
    .await
    .expect("a free port and file");
    let client = Client::new(&format!("http://{}", server.address), None).expect("an address");
    let token = server.token.clone().expect("callers need a token");
    let client = client.with_token(&token).expect("a token is a valid header");
    tokio::select! {
        () = server.run() => unreachable!("the server runs without an end"),
        () = test(client) => (),
    }
}

async fn status(client: &Client, path: &str) -> (u16, Value) {
    let answer = client.get(path).send().await.expect("the server answers");
    (answer.status(), answer.json().unwrap_or_default())
}

#[tokio::test]
async fn the_printed_examples_work_and_every_read_model_follows() {
    beside_a_server(examples_work).await;
}

async fn examples_work(client: Client) {
    let dev = Subject::new("dev").expect("a subject");
    let examples = orders::api().examples(&Caller { subject: dev, ..Caller::anonymous() });
    assert!(examples.len() > 5, "{examples:?}");
    for example in examples {
        let answer = match &example.command {
            Some((key, body)) => client.command(&example.path, key, body).send().await,
            None => client.get(&example.path).send().await,
        };
        let status = answer.expect("the server answers").status();
        assert!((200..300).contains(&status), "{} {}: {status}", example.method, example.path);
    }
    eventually("the order is listed and counted", PROJECTED, async || {
        let (_, listed) = status(&client, "/customers/c-1/orders").await;
        let (_, dashboard) = status(&client, "/dashboard?from=2020-01-01&to=2020-01-02").await;
        match (listed["items"].as_array().map(Vec::len), &dashboard["days"]) {
            (Some(1), Value::Array(_)) => Ok(()),
            _ => Err(format!("{listed} {dashboard}")),
        }
    })
    .await
    .expect("the projections follow");
}

#[tokio::test]
async fn requests_take_the_same_path_as_behind_the_gateway() {
    beside_a_server(the_same_path).await;
}

async fn the_same_path(client: Client) {
    let id = place(&client, "place").await;
    assert_eq!(id, place(&client, "place").await, "a repeated command has one effect");

    let bad = client.command(&format!("/orders/{id}/pay"), "pay", &json!({})).send().await;
    let problem = bad.expect("an answer").problem().expect("a problem");
    assert_eq!((problem.name(), problem.status), ("invalid-body", 400));
    assert_eq!(status(&client, &format!("/orders/{id}/events")).await.0, 200);
    assert_eq!(status(&client, "/orders/none").await.0, 404);
}

fn order() -> Value {
    json!({
        "customerId": "c-1",
        "items": [{"sku": "tea", "quantity": 2, "unitPrice": {"amount": 450, "currency": "EUR"}}],
    })
}

async fn place(client: &Client, key: &str) -> String {
    let placed = client.command("/orders", key, &order()).send().await.expect("an answer");
    assert_eq!(placed.status(), 201);
    placed.accepted().expect("a body").id
}

async fn listed(client: &Client, count: usize) {
    eventually("the customer's list is projected", PROJECTED, async || {
        let (_, list) = status(client, "/customers/c-1/orders").await;
        let found = list["items"].as_array().map_or(0, Vec::len);
        if found == count { Ok(()) } else { Err(list.to_string()) }
    })
    .await
    .expect("the projection follows");
}

#[tokio::test]
async fn the_state_survives_a_restart_and_a_torn_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("orders.journal");
    beside_a_server_with(Some(file.clone()), async |client| {
        let id = place(&client, "one").await;
        listed(&client, 1).await;
        let options = Options { port: 0, state: Some(file.clone()), auth: Auth::Token };
        let second = Server::start(&orders::service(), &options).await.err();
        assert!(matches!(second, Some(DevError::State(JournalError::InUse(_)))), "{second:?}");
        assert_eq!(status(&client, &format!("/orders/{id}")).await.0, 200);
    })
    .await;
    let mut content = fs::read(&file).expect("the state");
    content.extend(br#"{"stored":{"commi"#);
    fs::write(&file, content).expect("a torn line");
    beside_a_server_with(Some(file.clone()), async |client| {
        let id = place(&client, "one").await;
        let (_, shown) = status(&client, &format!("/orders/{id}")).await;
        assert_eq!(shown["version"], 1, "the repeated command has no second effect");
        place(&client, "two").await;
        listed(&client, 2).await;
    })
    .await;
    beside_a_server_with(Some(file), async |client| listed(&client, 2).await).await;
}

#[tokio::test]
async fn a_damaged_state_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("orders.journal");
    fs::write(&file, "{\"handled\":0}\nno state\n{\"handled\":0}\n").expect("a file");
    let options = Options { port: 0, state: Some(file), auth: Auth::Token };
    let refusal = Server::start(&orders::service(), &options).await.err();
    let damaged = matches!(refusal, Some(DevError::State(JournalError::Damaged { line: 2, .. })));
    assert!(damaged, "{refusal:?}");
}

#[tokio::test]
async fn a_caller_without_a_token_is_refused_unless_the_server_has_no_authentication() {
    for (auth, answers) in [(Auth::Token, 401), (Auth::None, 404)] {
        let options = Options { port: 0, state: None, auth };
        let server = Server::start(&orders::service(), &options).await.expect("a free port");
        let client = Client::new(&format!("http://{}", server.address), None).expect("an address");
        let ask = async {
            let answer = client.get("/orders/none").send().await.expect("an answer");
            assert_eq!(answer.status(), answers, "{auth:?}");
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge, (auth == Auth::Token).then_some("Bearer"));
        };
        tokio::select! {
            () = server.run() => unreachable!("the server runs without an end"),
            () = ask => (),
        }
    }
}
