//! Items that somebody edits in the table, past the library.
//!
//! Guards: a-changed-history-shows

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};
use ledgerfold::{
    CommandId, StreamId,
    chain::{ChainVerifier, Fault, Finding},
    command::Loaded,
    ports::EventStore,
};
use ledgerfold_dynamodb::DynamoEventStore;
use ledgerfold_proofs::conformance::requests::{commit, fresh};

use crate::tables;

/// A table with one stream of three commits, with the events 1 and 2, 3 and 4, 5 and 6.
struct History {
    client: Client,
    table: String,
    stream: StreamId,
}

type Item = HashMap<String, AttributeValue>;

impl History {
    async fn new() -> Self {
        let client = Client::from_conf(tables::config().build());
        let table = tables::event_table(&client).await;
        let log = DynamoEventStore::new(client.clone(), &table);
        let nobody = CommandId::new("nobody").expect("visible ASCII");
        let stream = fresh();
        let mut loaded = Loaded::unread(stream.clone());
        for attempt in ["a", "b", "c"] {
            let new = commit(&loaded, attempt, &["one", "two"], 60);
            log.append(&new).await.expect("it can be appended");
            loaded.read_on(&log, &nobody).await.expect("it can be read");
        }
        Self { client, table, stream }
    }

    fn key(&self, version: u64) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.stream.to_string())),
            ("sk".to_owned(), AttributeValue::N(version.to_string())),
        ])
    }

    async fn item(&self, version: u64) -> Item {
        let get = self.client.get_item().table_name(&self.table);
        let answer = get.set_key(Some(self.key(version))).consistent_read(true).send().await;
        answer.expect("the table answers").item.expect("it exists")
    }

    async fn put(&self, item: Item) {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.expect("the table answers");
    }

    async fn verify(&self) -> Vec<Finding> {
        let log = DynamoEventStore::new(self.client.clone(), &self.table);
        let mut walk = ChainVerifier::new(Arc::new(log)).walk(self.stream.clone());
        let mut all = Vec::new();
        while let Some(findings) = walk.next().await.expect("the table answers") {
            all.extend(findings);
        }
        all
    }
}

fn text(item: &Item, name: &str) -> String {
    item[name].as_s().expect("text").clone()
}

#[tokio::test]
async fn an_edited_attribute_is_found_and_its_commit_named() {
    let history = History::new().await;
    assert_eq!(history.verify().await, []);
    let item = history.item(3).await;
    let stamp = text(&item, "m");
    let edits = [
        ("e", AttributeValue::S(text(&item, "e").replace("two", "tww"))),
        ("m", AttributeValue::S(stamp.replace("tester", "nobody"))),
        ("m", AttributeValue::S(stamp.replace("00:01:00", "00:01:01"))),
        ("r", AttributeValue::S("other".to_owned())),
        ("u", AttributeValue::S("other".to_owned())),
        ("h", AttributeValue::B(Blob::new([7; 32]))),
    ];
    for (name, value) in edits {
        let mut edited = item.clone();
        assert_ne!(edited.insert(name.to_owned(), value.clone()), Some(value), "{name}");
        history.put(edited).await;
        let found = history.verify().await;
        let command = CommandId::new("b").ok();
        let stream = history.stream.clone();
        let version = ledgerfold::Version::new(3);
        assert_eq!(found, [Finding { stream, version, command, fault: Fault::Edited }], "{name}");
    }
    history.put(item).await;
    assert_eq!(history.verify().await, []);
}

#[tokio::test]
async fn a_removed_and_an_unreadable_commit_are_found() {
    let history = History::new().await;
    let item = history.item(3).await;
    let mut damaged = item.clone();
    damaged.insert("m".to_owned(), AttributeValue::S("damaged".to_owned()));
    history.put(damaged).await;
    let found = history.verify().await;
    assert!(matches!(&found[..], [Finding { fault: Fault::Unreadable(_), .. }]), "{found:?}");
    assert_eq!(found[0].version.get(), 3);

    let delete = history.client.delete_item().table_name(&history.table);
    delete.set_key(Some(history.key(3))).send().await.expect("the table answers");
    let found = history.verify().await;
    assert!(matches!(&found[..], [Finding { fault: Fault::Missing { .. }, .. }]), "{found:?}");
    assert_eq!(found[0].version.get(), 5);
}
