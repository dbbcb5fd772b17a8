//! The development server of a context that seals.

use std::{fs, time::Duration};

use ledgerfold::Caller;
use ledgerfold_dev::{Auth, Options, Server};
use ledgerfold_testkit::{eventually, http::Client};

use crate::service::service;

const STARTED: Duration = Duration::from_secs(20);

/// Sends the printed examples to a server with this state, and returns the last answer, which shows the patient.
async fn shown(options: &Options) -> String {
    // The connections of an earlier server end a moment after it, and hold its file until then.
    let server = eventually("the server starts", STARTED, async || {
        Server::start(&service(), options).await.map_err(|error| error.to_string())
    });
    let server = server.await.expect("a free port and file");
    let client = Client::new(&format!("http://{}", server.address), None).expect("an address");
    let ask = async {
        let mut last = String::new();
        for example in service().api().examples(&Caller::anonymous()) {
            let answer = match &example.command {
                Some((key, body)) => client.command(&example.path, key, body).send().await,
                None => client.get(&example.path).send().await,
            };
            let answer = answer.expect("the server answers");
            assert!((200..300).contains(&answer.status()), "{example:?}: {answer:?}");
            let body: serde_json::Value = answer.json().expect("JSON");
            last = body["name"].as_str().unwrap_or_default().to_owned();
        }
        last
    };
    tokio::select! {
        () = server.run() => unreachable!("the server runs without an end"),
        shown = ask => shown,
    }
}

#[tokio::test]
async fn the_examples_work_and_a_restarted_server_opens_what_an_earlier_one_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let options = Options { port: 0, state: Some(state.clone()), auth: Auth::None };
    assert_eq!(shown(&options).await, "Ada Lovelace");
    assert_eq!(shown(&options).await, "Ada Lovelace");
    let stored = fs::read_to_string(state).expect("the file exists");
    assert!(stored.contains("patient-name"), "{stored}");
    for secret in ["Lovelace", "example.org"] {
        assert!(!stored.contains(secret), "{stored}");
    }
}
