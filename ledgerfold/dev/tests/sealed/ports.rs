//! The service over ports in memory.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ledgerfold::{
    Timestamp,
    context::{CommandPorts, Context},
    keyring::CACHED_FOR,
};
use ledgerfold_lambda::{Service, http::ApiError};
use ledgerfold_testkit::bank::Accounts;
use serde_json::{Value, json};
use std::sync::Arc;
use tracing::Level;

use crate::{
    service::service,
    stage::{LogLines, Stage},
};

/// A name that nothing may contain.
const SENTINEL: &str = "Sentinella Quux";

/// How `Debug` shows the reservation of an address.
const RESERVED: &str = "kind: Category(\"email\"), value: \"h1.t1.";

/// The ways in which a store could contain a text.
fn encodings(text: &str) -> Vec<String> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<_> = text.bytes().map(|byte| byte.to_string()).collect();
    let mut all = vec![text.to_owned(), text.to_lowercase(), hex, list.join(", ")];
    // The characters of base64 in the middle depend on the bytes before the text, modulo 3.
    all.extend((0..3).map(|before| {
        let bytes = ["_".repeat(before).as_bytes(), text.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(bytes);
        encoded[before * 2..encoded.len() - 3].to_owned()
    }));
    all
}

fn assert_absent(place: &str, content: &str) {
    for encoding in encodings(SENTINEL) {
        assert!(!content.contains(&encoding), "{place} contains {encoding}: {content}");
    }
}

#[test]
fn the_search_finds_each_encoding() {
    for prefix in ["", "a", "ab", "abc"] {
        let encoded = STANDARD_NO_PAD.encode(format!("{prefix}{SENTINEL}."));
        assert!(encodings(SENTINEL).iter().any(|it| encoded.contains(it)), "{prefix}");
    }
    let listed = format!("{:?}", format!("a{SENTINEL}.").as_bytes());
    assert!(encodings(SENTINEL).iter().any(|it| listed.contains(it)));
}

// Guards: plaintext-is-never-written
#[tokio::test]
async fn personal_data_is_in_nothing_that_is_stored_logged_or_answered_as_an_error() {
    let lines = LogLines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_max_level(Level::TRACE);
    let log = log.with_writer(move || writer.clone()).finish();
    let _log = tracing::subscriber::set_default(log);

    let stage = Stage::open();
    let email = format!("{}@example.org", SENTINEL.replace(' ', "."));
    let id = stage.register("k-1", SENTINEL, &email).await;
    let rename = format!("/patients/{id}/rename");
    for number in 1..4 {
        let body = json!({"name": format!("{SENTINEL} {number}")});
        assert_eq!(stage.post(&rename, &format!("r-{number}"), &body).await.status, 200);
    }
    stage.project().await;
    let shown = stage.get(&format!("/patients/{id}")).await.json();
    assert_eq!(shown["name"], format!("{SENTINEL} 3"), "the query opens it");

    let refused = [
        // Another patient has the address.
        stage.post("/patients", "k-2", &json!({"name": SENTINEL, "email": email})).await,
        // The key was used for another request.
        stage.post("/patients", "k-1", &json!({"name": "Bob", "email": SENTINEL})).await,
        // There is no such patient.
        stage.post("/patients/none/rename", "r-5", &json!({"name": SENTINEL})).await,
        // The body is invalid.
        stage.post("/patients", "k-3", &json!({"name": [SENTINEL], "email": SENTINEL})).await,
        stage.post("/patients", "k-4", &json!({"name": SENTINEL.repeat(9), "email": ""})).await,
        stage.post("/patients", "k-5", &json!(SENTINEL)).await,
    ];
    let statuses: Vec<_> = refused.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [409, 422, 404, 400, 400, 400], "{refused:?}");
    assert!(!refused[0].text.contains("h1."), "{refused:?}");
    stage.keyring.fail(true);
    let ada = json!({"name": SENTINEL, "email": email});
    let unavailable = stage.post("/patients", "k-6", &ada).await;
    assert_absent("an answer", &unavailable.text);
    for answer in &refused {
        assert_absent("an answer", &answer.text);
    }

    let commits = stage.log.commits();
    assert!(commits.iter().any(|commit| format!("{commit:?}").contains("snapshot: Some")));
    let stored = format!("{:?} {:?}", stage.log, stage.read_side);
    for known in ["patient-name", RESERVED, "k1.s1."] {
        assert!(stored.contains(known), "the search would not see {known}: {stored}");
    }
    assert_absent("a store", &stored);
    let logged = lines.text();
    assert!(logged.contains("unavailable"), "{logged}");
    assert_absent("the log", &logged);
}

// Guards: remembered-keys-cost-no-request
#[tokio::test]
async fn a_command_and_a_query_about_a_remembered_person_ask_for_no_key() {
    let stage = Stage::open();
    let id = stage.register("k-1", "Ada", "ada@example.org").await;
    // The key of the tenant, and that of the patient.
    assert_eq!(stage.keyring.calls(), 2);
    let rename = format!("/patients/{id}/rename");
    assert_eq!(stage.post(&rename, "r-1", &json!({"name": "Ada King"})).await.status, 200);
    assert_eq!(stage.keyring.calls(), 2);
    // The state is cached, so the command costs one append and nothing else.
    let reads = stage.log.reads();
    assert_eq!(stage.post(&rename, "r-2", &json!({"name": "Ada Byron"})).await.status, 200);
    assert_eq!((stage.keyring.calls(), stage.log.reads()), (2, reads));
    assert_eq!(stage.log.commits().len(), 3);

    // The query function has a cache of its own.
    assert_eq!(stage.get(&format!("/patients/{id}")).await.status, 200);
    assert_eq!(stage.keyring.calls(), 3);
    assert_eq!(stage.get(&format!("/patients/{id}")).await.status, 200);
    assert_eq!(stage.keyring.calls(), 3);
}

// Guards: without-keys-nothing-happens
#[tokio::test]
async fn without_keys_a_request_is_answered_with_503_and_changes_nothing() {
    let stage = Stage::open();
    let ada = json!({"name": "Ada", "email": "ada@example.org"});
    stage.keyring.fail(true);
    let refused = stage.post("/patients", "k-1", &ada).await;
    assert_eq!((refused.status, refused.has_header("Retry-After")), (503, true), "{refused:?}");
    assert_eq!(stage.log.commits(), []);
    assert!(!format!("{:?}", stage.log).contains(RESERVED), "nothing is reserved");
    stage.keyring.fail(false);
    let accepted = stage.post("/patients", "k-1", &ada).await;
    assert_eq!(accepted.status, 201, "{accepted:?}");

    let id = accepted.json()["id"].as_str().expect("an id").to_owned();
    stage.keyring.fail(true);
    let refused = stage.get(&format!("/patients/{id}")).await;
    assert_eq!((refused.status, refused.has_header("Retry-After")), (503, true), "{refused:?}");
    // The command function remembers its keys.
    let rename = stage.post(&format!("/patients/{id}/rename"), "r-1", &json!({"name": "A"})).await;
    assert_eq!(rename.status, 200, "{rename:?}");
    stage.keyring.fail(false);
    assert_eq!(stage.get(&format!("/patients/{id}")).await.status, 200);
}

// Guards: an-erased-value-opens-to-erased
#[tokio::test]
async fn after_an_erasure_the_answer_is_410_once_the_remembered_key_expires() {
    let stage = Stage::open();
    let ada = json!({"name": "Ada", "email": "ada@example.org"});
    let first = stage.post("/patients", "k-1", &ada).await;
    let id = first.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/patients/{id}");
    let rename = format!("/patients/{id}/rename");
    assert_eq!(stage.get(&path).await.status, 200);
    stage.erase(&id).await;
    assert_eq!(stage.get(&path).await.status, 200, "the key is remembered");

    stage.clock.set(Timestamp::UNIX_EPOCH + CACHED_FOR);
    let problem = |answer: Value| answer["type"].clone();
    let shown = stage.get(&path).await;
    assert_eq!((shown.status, problem(shown.json())), (410, json!("/problems/erased")));
    let late = stage.post(&rename, "r-1", &json!({"name": "Eve"})).await;
    assert_eq!((late.status, problem(late.json())), (410, json!("/problems/erased")));
    // A repetition changes nothing and gets its first answer.
    let repeated = stage.post("/patients", "k-1", &ada).await;
    assert_eq!((repeated.status, repeated.text), (first.status, first.text));
    assert_eq!(stage.log.commits().len(), 1);
}

#[test]
fn the_document_has_the_examples_and_the_answer_to_erased_data() {
    let document = service().api().openapi().expect("the declaration is right");
    let register = &document["paths"]["/patients"]["post"];
    let example = &register["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(*example, json!({"name": "Ada Lovelace", "email": "ada@example.org"}));
    assert!(!register["responses"]["410"].is_null(), "{register}");
    assert!(!document["paths"]["/patients/{id}"]["get"]["responses"]["410"].is_null());
    let schema = &document["components"]["schemas"]["RegisterPatient"]["properties"]["email"];
    assert_eq!((&schema["type"], &schema["maxLength"]), (&json!("string"), &json!(100)));
}

#[test]
fn a_service_with_sealing_operations_does_not_open_in_a_context_that_does_not_seal() {
    let bank = Context::new("bank").decider::<Accounts>();
    let service = Service::new(bank, service().api().clone());
    let ports = CommandPorts::new(
        Arc::<ledgerfold_testkit::MemoryEventStore>::default(),
        Arc::<ledgerfold_testkit::ManualClock>::default(),
        Arc::new(ledgerfold_testkit::SeededRandom::new(1)),
    );
    let refused = service.commands(&ports).err();
    assert_eq!(refused, Some(ApiError::NoKeys { path: "/patients", context: "bank" }));
}
