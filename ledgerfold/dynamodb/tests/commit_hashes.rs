//! The test vectors of the hashes of commits: items as this crate stores them, with the hash of each.
//!
//! `scripts/commit_hashes.py` computes the same hashes from the same file, without any code of this crate. To write the
//! file again after a change of the format, run this test with `WRITE_VECTORS=1`.
//!
//! Guards: a-changed-history-shows

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::PathBuf,
    sync::OnceLock,
};

use aws_sdk_dynamodb::types::AttributeValue;
use ledgerfold::{
    Actor, CausationId, CommandId, CommandName, CorrelationId, EventId, EventType, Payload,
    SchemaVersion, Timestamp, Version,
    vocabulary::{
        CommandStamp, Commit, CommitEvent, CommitHash, CommitRef, Fingerprint, Metadata,
        RecentCommands, Snapshot, StateSchema,
    },
};
use ledgerfold_dynamodb::CommitItem;
use serde_json::{Value, json};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors/commit-hashes.json")
}

/// A commit of the stream `acme/order#1` with events of this content, which may follow another commit.
fn commit(previous: Option<&Commit>, data: &[&str], change: fn(&mut Parts)) -> Commit {
    let from = previous.map_or(Version::new(1), |previous| previous.to().next());
    let id = CommandId::new(format!("4edde2f3-9e3f-8d71-857a-{:012}", from.get())).expect("an id");
    let event = |(at, data): (u8, &&str)| CommitEvent {
        id: EventId::new(1_700_000_000_000 + from.get(), &[at; 10]),
        event_type: EventType::new("OrderPlaced").expect("a type"),
        schema_version: SchemaVersion::new(1 + u32::from(at)),
        data: Payload::from_text((*data).to_owned()).expect("JSON"),
    };
    let mut parts = Parts {
        events: (0..).zip(data).map(event).collect(),
        metadata: Metadata {
            recorded_at: "2026-11-23T09:08:50.638Z".parse().expect("an instant"),
            correlation_id: CorrelationId::from(&id),
            causation_id: CausationId::from(&id),
            actor: Actor::new("auth0|ada").expect("an actor"),
            traceparent: None,
        },
        command: CommandStamp {
            id,
            name: CommandName::from_static("PlaceOrder"),
            fingerprint: Fingerprint::restore("1AAAAAAAAAAAAAAAAAAAAA"),
            siblings: Vec::new(),
        },
        snapshot: None,
    };
    change(&mut parts);
    let unhashed = parts.clone().restore(from, CommitHash::restore(&[0; 32]).expect("32 bytes"));
    parts.restore(from, CommitHash::of(&unhashed, previous.map(Commit::hash)))
}

#[derive(Clone)]
struct Parts {
    events: Vec<CommitEvent>,
    command: CommandStamp,
    metadata: Metadata,
    snapshot: Option<Snapshot>,
}

impl Parts {
    fn restore(self, from: Version, hash: CommitHash) -> Commit {
        let stream = "acme/order#1".parse().expect("a stream");
        let versions = (from, from.advance(self.events.len() - 1));
        let commit =
            Commit::restore(stream, versions, self.events, self.command, self.metadata, hash);
        commit.expect("the versions add up").with_snapshot(self.snapshot)
    }
}

fn siblings(parts: &mut Parts) {
    let place = |stream: &str, from| CommitRef {
        stream: stream.parse().expect("a stream"),
        from: Version::new(from),
    };
    parts.command.siblings = vec![place("acme/account#7", 3), place("acme/account#8", 1)];
}

fn ids(parts: &mut Parts) {
    parts.metadata.correlation_id = CorrelationId::new("conversation-1").expect("an id");
    parts.metadata.causation_id = CausationId::new("event-7").expect("an id");
}

fn traceparent(parts: &mut Parts) {
    let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    parts.metadata.traceparent = Some(example.parse().expect("a traceparent"));
}

fn snapshot(parts: &mut Parts) {
    parts.snapshot = Some(Snapshot {
        schema: StateSchema::restore("AAAAAAAAAAAAAAAAAAAAAA"),
        state: Payload::from_text(r#"{"total":1.0}"#.to_owned()).expect("JSON"),
        recent: RecentCommands::default(),
    });
}

fn nanosecond(parts: &mut Parts) {
    parts.metadata.recorded_at = Timestamp::new(1_700_000_000, 1).expect("an instant");
}

/// The vectors: a name, the commit, and the commit before it.
fn vectors() -> Vec<(&'static str, Commit, Option<Commit>)> {
    let first = commit(None, &[r#"{"total":1299}"#], |_| {});
    let of_one = |name, data: &str, change| (name, commit(None, &[data], change), None);
    let second = commit(Some(&first), &[r#"{"paid":true}"#], |_| {});
    let all: fn(&mut Parts) = |parts| {
        siblings(parts);
        ids(parts);
        traceparent(parts);
        snapshot(parts);
    };
    let third = commit(Some(&second), &[r#"{"a":1}"#, r#"{"b":[]}"#, "null"], all);
    vec![
        ("one event", first.clone(), None),
        ("a second commit, which follows the first", second.clone(), Some(first)),
        ("a third commit, with everything a commit can have", third, Some(second)),
        ("several events", commit(None, &["{}", r#"{"a":"b"}"#, "[1,2]"], |_| {}), None),
        of_one("a snapshot, which the hash does not cover", r#"{"total":1299}"#, snapshot),
        of_one("siblings", "{}", siblings),
        of_one("a traceparent", "{}", traceparent),
        of_one("a correlation id and a causation id of their own", "{}", ids),
        of_one("a time with nanoseconds", "{}", nanosecond),
        of_one("numbers", r#"{"a":1.0,"b":1e3,"c":-0,"d":123456789012345678901234567890}"#, |_| {}),
        of_one("escapes", r#"{"a":"\u00e9\u2028\/","\u0062":"\ud83d\ude00"}"#, |_| {}),
        of_one("characters beyond ASCII", "{\"a\":\"é😀\"}", |_| {}),
        of_one("spaces between tokens", "{ \"a\" : [ 1 , 2 ],\n\t\"b\":null }", |_| {}),
        of_one("text that looks like an event", r#"{"a":"\",\"d\":{}}]","d":{"d":1}}"#, |_| {}),
    ]
}

/// An attribute in the JSON form of DynamoDB. Bytes are hexadecimal here, because no other attribute has bytes.
fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::B(bytes) => json!({"B": hex(bytes.as_ref())}),
        AttributeValue::L(list) => json!({"L": list.iter().map(to_json).collect::<Vec<_>>()}),
        AttributeValue::M(map) => {
            let map: BTreeMap<_, _> = map.iter().map(|(key, it)| (key, to_json(it))).collect();
            json!({"M": map})
        }
        other => unreachable!("no commit has {other:?}"),
    }
}

fn from_json(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|it| it.iter().next()).expect("an attribute");
    let text = || value.as_str().expect("text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(unhex(&text()).into()),
        "L" => AttributeValue::L(value.as_array().expect("a list").iter().map(from_json).collect()),
        "M" => {
            let map = value.as_object().expect("a map").iter();
            AttributeValue::M(map.map(|(key, it)| (key.clone(), from_json(it))).collect())
        }
        other => unreachable!("no commit has {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(pair).collect()
}

fn document() -> Value {
    let vector = |(name, commit, previous): &(&str, Commit, Option<Commit>)| {
        let item = CommitItem::from(commit).into_attributes().expect("a commit is an item");
        json!({
            "name": name,
            "previous": previous.as_ref().map(|previous| previous.hash().to_string()),
            "item": to_json(&AttributeValue::M(item))["M"],
            "hash": commit.hash().to_string(),
        })
    };
    vectors().iter().map(vector).collect()
}

/// The vectors in the file, after it was written if that was asked for. Only once, because tests run concurrently.
fn stored() -> &'static Value {
    static STORED: OnceLock<Value> = OnceLock::new();
    STORED.get_or_init(|| {
        if std::env::var_os("WRITE_VECTORS").is_some() {
            let text = serde_json::to_string_pretty(&document()).expect("JSON");
            fs::create_dir_all(path().parent().expect("a folder")).expect("the folder is made");
            fs::write(path(), text + "\n").expect("the file is written");
        }
        let text = fs::read_to_string(path()).expect("the file exists");
        serde_json::from_str(&text).expect("JSON")
    })
}

#[test]
fn the_vectors_are_the_items_and_hashes_of_today() {
    assert_eq!(
        *stored(),
        document(),
        "run this test with WRITE_VECTORS=1 if you changed the format"
    );
}

#[test]
fn the_item_of_a_vector_gives_its_hash() {
    for vector in stored().as_array().expect("a list") {
        let item = vector["item"].as_object().expect("an item").iter();
        let item: HashMap<_, _> =
            item.map(|(key, value)| (key.clone(), from_json(value))).collect();
        let commit = CommitItem::from_attributes(item).and_then(CommitItem::into_commit);
        let commit = commit.expect("a commit");
        let previous = vector["previous"]
            .as_str()
            .map(|hash| CommitHash::restore(&unhex(hash)).expect("32 bytes"));
        let hash = CommitHash::of(&commit, previous);
        assert_eq!(hash.to_string(), vector["hash"], "{}", vector["name"]);
        assert_eq!(hash, commit.hash(), "{}", vector["name"]);
    }
}
