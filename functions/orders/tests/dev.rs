//! The development server: the whole service in one process, over HTTP.

use std::time::Duration;

use ledgerfold_dev::Server;
use ledgerfold_testkit::{eventually, http::Client};
use serde_json::{Value, json};

const PROJECTED: Duration = Duration::from_secs(20);

/// Runs a test beside a development server.
async fn beside_a_server(test: impl AsyncFnOnce(Client)) {
    let server = Server::start(&orders::service(), 0).await.expect("a free port");
    let client = Client::new(&format!("http://{}", server.address), None).expect("an address");
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
    let examples = orders::api().examples();
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
    let order = json!({
        "customerId": "c-1",
        "items": [{"sku": "tea", "quantity": 2, "unitPrice": {"amount": 450, "currency": "EUR"}}],
    });
    let first = client.command("/orders", "place", &order).send().await.expect("an answer");
    let again = client.command("/orders", "place", &order).send().await.expect("an answer");
    assert_eq!((first.status(), again.status()), (201, 201));
    let id = first.accepted().expect("a body").id;
    assert_eq!(id, again.accepted().expect("a body").id, "a repeated command has one effect");

    let bad = client.command(&format!("/orders/{id}/pay"), "pay", &json!({})).send().await;
    let problem = bad.expect("an answer").problem().expect("a problem");
    assert_eq!((problem.name(), problem.status), ("invalid-body", 400));
    assert_eq!(status(&client, &format!("/orders/{id}/events")).await.0, 200);
    assert_eq!(status(&client, "/orders/none").await.0, 404);
}
