//! Public events on the bus: their source and schema, their signature, and their AsyncAPI document.

use ledgerfold::{
    Envelope,
    command::Loaded,
    ports::Publisher,
    vocabulary::{Content, Form, PublicForm, ReplayName},
};
use ledgerfold_eventbridge::{
    BusMessage, CloudEvent, EventBridgePublisher, Label, Origin, SigningKey,
};
use ledgerfold_proofs::conformance::requests::{commit, fresh};
use ledgerfold_testkit::bank::{
    AccountClosed, AccountOpened, Deposited, MoneyMoved, PublicAccountEvent, PublicAccounts,
};
use ledgerfold_testkit::schemas::{About, Kept, examine};
use serde_json::{Value, json};

fn key() -> SigningKey {
    SigningKey::new("the secret of the bank").expect("it is long enough")
}

/// A deposit as it is stored, and as other contexts see it.
fn deposit() -> (Envelope, Envelope) {
    let commit = commit(&Loaded::unread(fresh()), "attempt", &["a"], 60);
    let mut stored = commit.as_commit().envelopes().next().expect("it has an event");
    stored.event.event_type = ledgerfold::EventType::new("Deposited").expect("letters");
    stored.event.data = ledgerfold::Payload::encode(&Deposited { amount: 900 }).expect("JSON");
    let public = stored.published_as(PublicForm::by::<PublicAccounts>());
    (stored, public.expect("the mapping has no defect").expect("deposits are public"))
}

fn message(envelope: &Envelope) -> Value {
    json!({"detail": CloudEvent::new("bank", envelope).signed(&key()).expect("it is JSON")})
}

#[test]
fn a_public_event_has_a_source_and_a_schema_of_its_own_and_the_place_of_its_event() {
    let (stored, public) = deposit();
    let detail = message(&public)["detail"].clone();
    let expected = json!({
        "id": stored.event.id, "source": "/ledgerfold/bank.public", "type": "MoneyMoved",
        "dataschema": "urn:ledgerfold:bank.public:MoneyMoved:1", "data": {"amount": 900},
        "subject": stored.stream, "sequence": 1, "commitfrom": 1, "committo": 1,
    });
    for (field, value) in expected.as_object().expect("an object") {
        assert_eq!(detail[field], *value, "{field}");
    }
    assert_eq!(message(&stored)["detail"]["source"], "/ledgerfold/bank");
}

#[test]
fn both_forms_are_read_back_and_kept_apart() {
    let (stored, public) = deposit();
    for (envelope, form) in [(stored, Form::Private), (public, Form::Public)] {
        let mut message = message(&envelope);
        message["replay-name"] = json!("again");
        let read = BusMessage::parse(&message.to_string(), &key()).expect("it was published here");
        let (event, replay) = (envelope.event.id, Some(ReplayName("again".to_owned())));
        assert_eq!((read.origin, read.content), (Origin::Relay, Content::from(envelope)));
        let label = BusMessage::label(&message.to_string()).expect("it was published here");
        assert_eq!(label, Label { event, form, replay });
    }
}

// Guards: other-contexts-see-the-public-form
#[test]
fn a_signature_of_one_form_does_not_cover_the_other() {
    let (stored, public) = deposit();
    let source = message(&public)["detail"]["source"].clone();
    let mut forged = message(&stored);
    forged["detail"]["source"] = source;
    let read = BusMessage::parse(&forged.to_string(), &key()).expect("it is a message");
    assert_eq!(read.origin, Origin::Unknown);
    assert!(matches!(read.content, Content::Pointer { .. }), "only the log decides");
}

#[test]
fn the_weight_of_a_public_event_counts_its_own_source() {
    let config = aws_sdk_eventbridge::config::Config::builder()
        .behavior_version(aws_sdk_eventbridge::config::BehaviorVersion::latest());
    let client = aws_sdk_eventbridge::Client::from_conf(config.build());
    let bus = EventBridgePublisher::new(client, "the-bus", "bank").with_key(key());
    let (_, public) = deposit();
    let detail = message(&public)["detail"].to_string();
    let expected = 14 + "ledgerfold.bank.public".len() + "MoneyMoved".len() + detail.len();
    assert_eq!(bus.weigh(&public).expect("it is small"), expected);
}

#[test]
fn the_asyncapi_document_describes_public_events() {
    let about = About {
        context: "bank.public",
        version: "1.0.0",
        description: "The public events of accounts.",
    };
    let samples: [PublicAccountEvent; 3] =
        [AccountOpened {}.into(), MoneyMoved { amount: 900 }.into(), AccountClosed {}.into()];
    let update = examine(&about, &Kept::default(), &samples).update;
    let (_, text) = update.files().find(|(file, _)| *file == "asyncapi.json").expect("it is new");
    let mut document: Value = serde_json::from_str(text).expect("it is JSON");
    let headers = &document["components"]["messages"]["MoneyMoved.v1"]["headers"]["properties"];
    assert_eq!(headers["source"]["const"], "ledgerfold.bank.public");
    document["$ref"] = json!("#/components/messages/MoneyMoved.v1/payload");
    let schema = jsonschema::draft7::new(&document).expect("it holds JSON Schemas");
    let (stored, public) = deposit();
    assert!(schema.is_valid(&message(&public)["detail"]));
    assert!(!schema.is_valid(&message(&stored)["detail"]), "another form was accepted");
}
