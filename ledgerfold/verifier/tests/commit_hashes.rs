//! The test vectors of the hashes of commits, which the library and `scripts/commit_hashes.py` also compute.
//!
//! Guards: a-changed-history-shows, three-implementations-agree-on-the-log

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use ledgerfold_verifier::{Digest, Item};
use serde_json::{Map, Value, json};

fn unhex(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The item of a vector in the JSON form of DynamoDB, which has bytes in base64.
fn item(vector: &Value) -> Map<String, Value> {
    let mut item = vector["item"].as_object().expect("an item").clone();
    let hash = unhex(item["h"]["B"].as_str().expect("a hash"));
    item.insert("h".to_owned(), json!({"B": STANDARD.encode(hash)}));
    item
}

#[test]
fn commits_of_the_vectors_have_their_hashes() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors/commit-hashes.json");
    let vectors: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    let vectors = vectors.as_array().expect("a list");
    assert!(vectors.len() > 5);
    for vector in vectors {
        let parsed = Item::parse(&item(vector)).expect("an item");
        let commit = parsed.commit(None).expect("its events are in the item");
        let previous = vector["previous"].as_str();
        let previous = previous.map(|hash| Digest(unhex(hash).try_into().expect("32 bytes")));
        assert!(commit.follows(previous), "{}", vector["name"]);
        assert_eq!(commit.hash.to_string(), vector["hash"], "{}", vector["name"]);
    }
}

#[test]
fn an_item_that_is_no_commit_is_refused_with_its_place() {
    let vectors = include_str!("../../../docs/vectors/commit-hashes.json");
    let vectors: Value = serde_json::from_str(vectors).expect("JSON");
    let whole = item(&vectors[0]);
    for name in ["pk", "sk", "to", "e", "m", "h"] {
        let mut damaged = whole.clone();
        damaged.remove(name);
        let refused = Item::parse(&damaged).expect_err("an attribute is missing");
        assert_eq!(refused.stream.is_none(), name == "pk", "{name}");
        assert_eq!(refused.from.is_none(), name == "sk", "{name}");
    }
    let mut newer = whole.clone();
    newer.insert("format".to_owned(), json!({"N": "2"}));
    assert!(Item::parse(&newer).is_err());
    let mut damaged = whole;
    damaged.insert("e".to_owned(), json!({"S": "[{}]"}));
    let refused = Item::parse(&damaged).expect("an item").commit(None);
    assert_eq!(refused.expect_err("an event is malformed").from, Some(1));
}
