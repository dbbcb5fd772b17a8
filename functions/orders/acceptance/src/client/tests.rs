//! Tests of the HTTP client against a small server.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{Client, ClientError, Patience};
use ledgerfold_testkit::http::Stack;

const DONE: &str = "HTTP/1.1 200 OK\r\nETag: \"3\"\r\nContent-Length: 2\r\n\r\n{}";
const BUSY: &str =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
const CONTENDED: &str = "HTTP/1.1 409 Conflict\r\nRetry-After: 0\r\nContent-Length: 110\r\n\r\n\
    {\"type\":\"/problems/contention\",\"title\":\"Contention\",\"status\":409,\"detail\":\"Others were first.\",\"instance\":\"1\"}";
const HANG_UP: &str = "";

/// A server that sends these answers, one per connection, and stores the requests.
async fn server(answers: Vec<&'static str>) -> (Client, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&requests);
    tokio::spawn(async move {
        for answer in answers {
            let (mut connection, _) = listener.accept().await.expect("a client");
            let mut request = vec![0; 64 * 1024];
            let length = connection.read(&mut request).await.expect("a request");
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            asked.lock().expect("no test panicked").push(text);
            let closing = answer.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            connection.write_all(closing.as_bytes()).await.expect("the client listens");
        }
    });
    let stack: Stack = serde_json::from_value(serde_json::json!({
        "endpoint": endpoint, "region": "r", "bus": "b", "archive": "a",
        "contexts": {"orders": {"api": format!("{endpoint}/api"), "eventTable": "t", "apiKey": "secret"}},
    }))
    .expect("a stack");
    (Client::new(&stack).expect("a client"), requests)
}

#[tokio::test]
async fn a_request_has_a_token_if_the_stack_has_an_issuer() {
    let (client, requests) = server(vec![DONE, DONE, DONE]).await;
    client.order("o-1").send().await.expect("an answer");
    let client = client.with_token("a.b.c").expect("a token");
    client.get("/orders/o-1").send().await.expect("an answer");
    client.get("/orders/o-1").header("authorization", "Basic x").send().await.expect("an answer");
    let requests = requests.lock().expect("no test panicked").clone();
    let sent = requests.iter().map(|request| {
        let mut lines = request.lines().filter_map(|line| line.strip_prefix("authorization: "));
        (lines.next(), lines.next())
    });
    let expected = [(None, None), (Some("Bearer a.b.c"), None), (Some("Basic x"), None)];
    assert_eq!(sent.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_command_carries_its_headers_and_its_body() {
    let (client, requests) = server(vec![DONE]).await;
    let answer = client.deliver("key-1", "o-1").if_match(2).send().await.expect("an answer");

    assert_eq!((answer.status(), answer.version()), (200, Some(3)));
    let request = requests.lock().expect("no test panicked")[0].clone();
    assert!(request.starts_with("POST /api/orders/o-1/deliver HTTP/1.1\r\n"), "{request}");
    for line in [
        "idempotency-key: key-1",
        "if-match: \"2\"",
        "content-type: application/json",
        "x-api-key: secret",
    ] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} in {request}");
    }
    assert!(request.ends_with("\r\n\r\n{}"), "{request}");
}

#[tokio::test]
async fn query_parameters_are_escaped() {
    let (client, requests) = server(vec![DONE]).await;
    client.events("o-1").query("cursor", "a+b/=&").send().await.expect("an answer");
    let request = requests.lock().expect("no test panicked")[0].clone();
    assert!(request.starts_with("GET /api/orders/o-1/events?cursor=a%2Bb%2F%3D%26 "), "{request}");
}

#[tokio::test]
async fn a_client_waits_as_asked_and_sends_the_same_request_again() {
    let (client, requests) = server(vec![BUSY, CONTENDED, DONE]).await;
    let answer = client.deliver("key-1", "o-1").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let requests = requests.lock().expect("no test panicked");
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| *request == requests[0]));
}

#[tokio::test]
async fn only_a_client_that_expects_crashes_repeats_a_request_to_a_broken_service() {
    let (client, _) = server(vec![BROKEN]).await;
    let answer = client.deliver("key-1", "o-1").send().await.expect("an answer");
    assert_eq!(answer.status(), 502);

    let (client, _) = server(vec![HANG_UP]).await;
    let outcome = client.deliver("key-1", "o-1").send().await;
    assert!(matches!(outcome, Err(ClientError::Transport(_))), "{outcome:?}");

    let (client, requests) = server(vec![BROKEN, HANG_UP, BUSY, DONE]).await;
    let client = client.with_patience(Patience::ThroughCrashes);
    let answer = client.deliver("key-1", "o-1").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(requests.lock().expect("no test panicked").len(), 4);
}

#[tokio::test]
async fn an_impatient_client_returns_the_first_answer() {
    let (client, _) = server(vec![BUSY]).await;
    let client = client.with_patience(Patience::Once);
    let answer = client.deliver("key-1", "o-1").send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_an_error() {
    let (client, _) = server(Vec::new()).await;
    let outcome = client.order("o-1").consistency_token("two\nlines").send().await;
    assert!(matches!(outcome, Err(ClientError::Header("consistency-token"))), "{outcome:?}");
}
