//! Publishing to the bus and parsing of its messages. Recorded answers replace EventBridge behind the SDK.

use std::{slice::from_ref, sync::Arc};

use aws_sdk_eventbridge::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use ledgerfold::{
    Envelope, Payload,
    command::Loaded,
    ports::{DeadLetter, DeadLetters, EntryError, PayloadError, PayloadStore, Publisher},
    vocabulary::{Content, ContentId},
};
use ledgerfold_eventbridge::{
    BusMessage, CloudEvent, EventBridgePublisher, NotACloudEvent, Origin, SigningKey,
};
use ledgerfold_proofs::{
    RecordedAnswer::{self, HangUp, Json},
    RecordedService,
    conformance::requests::{commit, fresh},
};
use ledgerfold_testkit::bank::{NoteEvent, NoteWritten};
use ledgerfold_testkit::{
    MemoryPayloadStore,
    schemas::{About, Kept, examine},
};
use serde_json::{Value, json};

async fn bus(answer: RecordedAnswer) -> (RecordedService, EventBridgePublisher) {
    let service = RecordedService::start([answer]).await;
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(service.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    let client = Client::from_conf(config.build());
    (service, EventBridgePublisher::new(client, "the-bus", "notes").with_key(key()))
}

fn key() -> SigningKey {
    SigningKey::new("the secret of the notes").expect("it is long enough")
}

/// An event as the relay publishes it.
fn published(envelope: &Envelope) -> CloudEvent {
    CloudEvent::new("notes", envelope).signed(&key()).expect("it is JSON")
}

fn parse(message: &Value) -> BusMessage {
    BusMessage::parse(&message.to_string(), &key()).expect("it was published here")
}

fn is_read(message: &Value) -> bool {
    BusMessage::parse(&message.to_string(), &key()).is_ok()
}

fn envelopes(notes: &[&str]) -> Vec<Envelope> {
    commit(&Loaded::unread(fresh()), "attempt", notes, 60).as_commit().envelopes().collect()
}

#[tokio::test]
async fn each_entry_has_its_own_answer() {
    let answers = json!({"FailedEntryCount": 4, "Entries": [
        {"EventId": "1"}, {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}, {},
        {"ErrorCode": "AccessDeniedException"}, {"ErrorCode": "MalformedDetail"},
    ]});
    let (service, bus) = bus(Json(200, answers.to_string())).await;
    let outcome =
        bus.publish(&envelopes(&["a", "b", "c", "d", "e"])).await.expect("the call succeeds");
    let expected = [
        Ok(()),
        Err(EntryError::NotTaken("ThrottlingException: slow down".to_owned())),
        Err(EntryError::NotTaken("no event id: ".to_owned())),
        Err(EntryError::NotTaken("AccessDeniedException: ".to_owned())),
        Err(EntryError::Invalid("MalformedDetail: ".to_owned())),
    ];
    assert_eq!(outcome, expected);
    let request: Value = serde_json::from_str(&service.requests()[0]).expect("it is JSON");
    let entry = &request["Entries"][1];
    assert_eq!(
        (&entry["Source"], &entry["DetailType"], &entry["EventBusName"]),
        (&json!("ledgerfold.notes"), &json!("NoteWritten"), &json!("the-bus"))
    );
}

#[tokio::test]
async fn a_call_that_fails_is_an_error() {
    let refusal = Json(400, r#"{"__type": "Nope"}"#.to_owned());
    for answer in [HangUp, Json(500, "{}".to_owned()), refusal] {
        let (_service, bus) = bus(answer).await;
        assert!(bus.publish(&envelopes(&["a"])).await.is_err());
    }
}

#[tokio::test]
async fn a_dead_letter_is_an_event_of_the_relays_own() {
    let (commit, reason) = ("order#1 at 5".to_owned(), "ü".repeat(3_000));
    let letter = DeadLetter { commit, reason };
    let (service, bus) = bus(Json(200, r#"{"Entries": [{"EventId": "1"}]}"#.to_owned())).await;
    bus.send(&letter).await.expect("it is accepted");
    let request: Value = serde_json::from_str(&service.requests()[0]).expect("it is JSON");
    let entry = &request["Entries"][0];
    assert_eq!(
        (&entry["Source"], &entry["DetailType"], &entry["EventBusName"]),
        (&json!("ledgerfold.notes.relay"), &json!("CommitUnpublishable"), &json!("the-bus"))
    );
    let detail = entry["Detail"].as_str().expect("it is text");
    let detail: Value = serde_json::from_str(detail).expect("it is JSON");
    assert_eq!(detail, json!({"commit": "order#1 at 5", "reason": "ü".repeat(2_000)}));

    let refused = r#"{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}"#;
    for answer in
        [Json(200, refused.to_owned()), Json(200, r#"{"Entries": []}"#.to_owned()), HangUp]
    {
        let (_service, bus) = self::bus(answer).await;
        assert!(bus.send(&letter).await.is_err(), "it may not have been published");
    }
}

#[test]
fn an_event_is_a_cloud_event() {
    let envelope = envelopes(&["a", "b"]).remove(1);
    let event = serde_json::to_value(CloudEvent::new("notes", &envelope)).expect("it is JSON");
    let expected = json!({
        "specversion": "1.0",
        "id": envelope.event.id.to_string(),
        "source": "/ledgerfold/notes",
        "type": "NoteWritten",
        "subject": envelope.stream.to_string(),
        "time": "1970-01-01T00:01:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:ledgerfold:notes:NoteWritten:1",
        "data": {"text": "b"},
        "sequence": 2,
        "commitfrom": 1,
        "committo": 2,
        "commandid": "attempt",
        "correlationid": "conversation-1",
        "causationid": "event-7",
        "actor": "tester",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    assert_eq!(event, expected);
}

/// The JSON Schema of a message's payload in the AsyncAPI document of a context.
fn documented(message: &str) -> Value {
    let about = About { context: "notes", version: "1", description: "Notes." };
    let sample: NoteEvent = NoteWritten { text: "a".to_owned() }.into();
    let update = examine(&about, &Kept::default(), &[sample]).update;
    let document = update.files().find(|(file, _)| *file == "asyncapi.json");
    let (_, document) = document.expect("there is none yet");
    let mut document: Value = serde_json::from_str(document).expect("it is JSON");
    document["$ref"] = json!(format!("#/components/messages/{message}/payload"));
    document
}

// Guards: the-asyncapi-document-is-exact
#[test]
fn the_asyncapi_document_describes_published_events() {
    let event = published(&envelopes(&["a"]).remove(0));
    let event = serde_json::to_value(event).expect("it is JSON");
    let document = documented("NoteWritten.v1");
    let schema = jsonschema::draft7::options()
        .should_validate_formats(true)
        .build(&document)
        .expect("it holds JSON Schemas");
    schema.validate(&event).expect("it matches its description");
    let properties = &document["components"]["schemas"]["CloudEvent"]["properties"];
    for field in event.as_object().expect("an object").keys() {
        assert!(properties[field].is_object(), "{field} is not documented");
        let mut without = event.clone();
        without.as_object_mut().expect("an object").remove(field);
        let is_read = is_read(&json!({"detail": without}));
        assert_eq!(schema.is_valid(&without), is_read, "without {field}");
    }
    for (field, odd) in [("type", "NoteBurnt"), ("dataschema", "urn:x:1"), ("source", "/elsewhere")]
    {
        let mut other = event.clone();
        other[field] = json!(odd);
        assert!(!schema.is_valid(&other), "{field} may be {odd}");
    }
    let mut other = event.clone();
    other["data"] = json!({"txt": "a"});
    assert!(!schema.is_valid(&other), "the content is not described");
    let mut pointer = event;
    pointer["dataref"] = json!("s3://bucket/0123");
    assert!(!schema.is_valid(&pointer), "content and pointer at once");
    pointer.as_object_mut().expect("an object").remove("data");
    assert!(schema.is_valid(&pointer), "a pointer is not described");
}

/// An event as EventBridge wraps it into a message.
fn message(envelope: &Envelope) -> Value {
    let detail = serde_json::to_value(published(envelope)).expect("it is JSON");
    json!({"version": "0", "id": "x", "source": "ledgerfold.notes", "detail": detail})
}

#[test]
fn a_published_event_is_read_back_and_a_replay_is_recognised() {
    let envelope = envelopes(&["a"]).remove(0);
    let mut message = message(&envelope);
    let fresh = parse(&message);
    assert_eq!((fresh.content, fresh.replay), (envelope.into(), None));
    assert_eq!(fresh.origin, Origin::Relay);
    message["replay-name"] = json!("again");
    let replayed = parse(&message);
    assert_eq!(replayed.replay.map(|replay| replay.0).as_deref(), Some("again"));
}

#[test]
fn a_message_without_a_valid_event_is_refused() {
    let good = message(&envelopes(&["a"]).remove(0));
    for (field, value) in [
        ("specversion", json!("0.3")),
        ("subject", json!("nowhere")),
        ("sequence", json!(-1)),
        ("id", json!("x")),
        ("dataschema", json!("urn:other")),
    ] {
        let mut bad = good.clone();
        bad["detail"][field] = value;
        assert!(!is_read(&bad), "{field} was accepted");
    }
    assert!(is_read(&good));
    assert!(!is_read(&json!("nonsense")));
    assert!(!is_read(&json!({})));
}

/// Checks that a message without the relay's signature becomes a pointer into the log.
fn is_looked_up(message: &Value, envelope: &Envelope) {
    let read = parse(message);
    let (stream, committed) = (envelope.stream.clone(), envelope.commit.1);
    let expected = (Origin::Unknown, Content::Pointer { stream, committed });
    assert_eq!((read.origin, read.content), expected, "{message}");
}

// Guards: only-the-relay-publishes
#[test]
fn an_event_without_the_relays_signature_is_looked_up() {
    let envelope = envelopes(&["a"]).remove(0);
    let good = message(&envelope);
    for (field, value) in [
        ("signature", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("signature", json!("AA")),
        ("signature", json!("")),
        ("signature", json!("no base64")),
        ("data", json!({"text": "forged"})),
        ("type", json!("NoteBurnt")),
        ("dataschema", json!("urn:ledgerfold:notes:NoteWritten:2")),
        ("time", json!("1970-01-01T00:02:00Z")),
        ("actor", json!("somebody")),
        ("causationid", json!("event-8")),
    ] {
        let mut forged = good.clone();
        forged["detail"][field] = value;
        is_looked_up(&forged, &envelope);
    }
    let mut unsigned = good.clone();
    unsigned["detail"].as_object_mut().expect("an object").remove("signature");
    is_looked_up(&unsigned, &envelope);
    let other = SigningKey::new("the secret of the accounts").expect("it is long enough");
    let detail = CloudEvent::new("notes", &envelope).signed(&other).expect("it is JSON");
    is_looked_up(&json!({"detail": detail}), &envelope);
}

#[test]
fn a_signature_of_another_event_proves_nothing() {
    let [first, second] = &envelopes(&["a", "b"])[..] else { unreachable!("there are two") };
    let mut forged = message(second);
    forged["detail"]["signature"] = message(first)["detail"]["signature"].clone();
    is_looked_up(&forged, second);
}

/// A bus may parse the detail and write it again.
#[test]
fn a_signature_survives_a_different_notation_of_the_same_event() {
    let mut envelope = envelopes(&["a"]).remove(0);
    let data = r#"{"b": 1.50, "a": [1e2, "\u00fc", 12345678901234567890]}"#;
    envelope.event.data = Payload::from_text(data.to_owned()).expect("it is JSON");
    let detail = serde_json::to_string(&published(&envelope)).expect("it is JSON");
    let rewritten: Value = serde_json::from_str(&detail).expect("it is JSON");
    let rewritten = serde_json::to_string_pretty(&rewritten).expect("it is JSON");
    assert_ne!(rewritten, detail);
    let message = format!(r#"{{"detail": {rewritten}}}"#);
    let read = BusMessage::parse(&message, &key()).expect("it was published here");
    assert_eq!(read.origin, Origin::Relay);
}

#[tokio::test]
async fn the_weight_of_an_event_is_the_size_that_the_bus_counts() {
    let (_service, bus) = bus(HangUp).await;
    let envelope = envelopes(&["a"]).remove(0);
    let detail = serde_json::to_string(&published(&envelope)).expect("it is JSON");
    let expected = 14 + "ledgerfold.notes".len() + "NoteWritten".len() + detail.len();
    assert_eq!(bus.weigh(&envelope).expect("it is small"), expected);
    let large = envelopes(&[&"x".repeat(256 * 1024)]).remove(0);
    assert!(bus.weigh(&large).is_err());
    assert!(bus.with_call_bytes(1024 * 1024).weigh(&large).is_ok());
}

// Guards: large-content-is-unchanged
#[tokio::test]
async fn an_event_too_large_for_the_bus_is_published_as_a_pointer() {
    let payloads = Arc::new(MemoryPayloadStore::default());
    let (service, bus) = bus(Json(200, r#"{"Entries": [{"EventId": "1"}]}"#.to_owned())).await;
    let bus = bus.with_payloads(payloads.clone());
    let large = envelopes(&[&"x".repeat(300 * 1024)]).remove(0);
    assert!(bus.weigh(&large).expect("a pointer is small") < 2_000);
    let answers = bus.publish(from_ref(&large)).await.expect("the call succeeds");
    assert_eq!((answers, payloads.count()), (vec![Ok(())], 1));

    let request: Value = serde_json::from_str(&service.requests()[0]).expect("it is JSON");
    let detail = request["Entries"][0]["Detail"].as_str().expect("it is text");
    let sent: Value = serde_json::from_str(detail).expect("it is JSON");
    assert_eq!(sent["data"], Value::Null);
    let id = ContentId::of(large.event.data.as_str().as_bytes());
    assert_eq!(sent["dataref"], json!(payloads.uri(&id)));

    let parsed = parse(&json!({"detail": sent.clone()}));
    assert_eq!(parsed.origin, Origin::Relay);
    let (stream, committed) = (large.stream.clone(), large.commit.1);
    assert_eq!(parsed.content, Content::Pointer { stream, committed });
    let pointer = || serde_json::from_value::<CloudEvent>(sent.clone()).expect("it is one");
    let whole = pointer().redeem(&*payloads).await.expect("the content is there");
    assert_eq!(whole.into_envelope().expect("it is whole"), large);
    assert!(pointer().into_envelope().is_err(), "a pointer is not a whole event");
    payloads.damage();
    let damaged = pointer().redeem(&*payloads).await;
    let refused = matches!(damaged, Err(NotACloudEvent::Payload(PayloadError::Damaged(_))));
    assert!(refused, "{damaged:?}");
    payloads.lose();
    assert!(pointer().redeem(&*payloads).await.is_err(), "missing data was accepted");
}

#[test]
fn an_event_with_null_data_is_not_a_pointer() {
    let mut envelope = envelopes(&["a"]).remove(0);
    envelope.event.data = Payload::from_text("null".to_owned()).expect("it is JSON");
    let read = parse(&message(&envelope));
    assert_eq!(read.content, envelope.into());
}

/// The queue delivers it again until the newer program reads it.
#[test]
fn an_event_in_a_newer_format_says_so() {
    let mut message = message(&envelopes(&["a"]).remove(0));
    message["detail"]["ledgerfoldformat"] = json!(1);
    assert!(BusMessage::parse(&message.to_string(), &key()).is_ok());
    message["detail"]["ledgerfoldformat"] = json!(2);
    message["detail"]["sequence"] = json!({"of": "the future"});
    let refused = BusMessage::parse(&message.to_string(), &key()).expect_err("it is of the future");
    assert!(refused.to_string().contains("format 2"), "{refused}");
}
