//! Snapshots that somebody edits in the table, past the library.
//!
//! Guards: a-snapshot-is-the-fold-of-its-stream

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};
use ledgerfold::{
    StreamId,
    command::{CommandHandler, SnapshotChecks, SnapshotFault, SnapshotFinding},
};
use ledgerfold_dynamodb::DynamoEventStore;
use ledgerfold_proofs::conformance::requests::{ask, fresh, fresh_address};
use ledgerfold_testkit::{
    ManualClock, SeededRandom,
    bank::{AccountCommand, Accounts, WithoutClaims},
};

use crate::tables;

type Attributes = HashMap<String, AttributeValue>;

/// A table with one account, and the version of its newest snapshot.
struct Account {
    client: Client,
    table: String,
    log: Arc<DynamoEventStore>,
    stream: StreamId,
}

impl Account {
    async fn with_deposits(count: usize) -> Self {
        let client = Client::from_conf(tables::config().build());
        let table = tables::event_table(&client).await;
        let log = Arc::new(DynamoEventStore::new(client.clone(), &table));
        let handler = CommandHandler::<Accounts<WithoutClaims>>::new(
            log.clone(),
            Arc::new(ManualClock::default()),
            Arc::new(SeededRandom::new(1)),
        );
        let stream = fresh();
        let open = ask(&stream, "open", AccountCommand::Open(fresh_address()));
        handler.handle(&open).await.expect("the account is new");
        for attempt in 0..count {
            let deposit = ask(&stream, &format!("d{attempt}"), AccountCommand::Deposit(1));
            handler.handle(&deposit).await.expect("the account is open");
        }
        Self { client, table, log, stream }
    }

    async fn wrong(&self) -> Vec<SnapshotFinding> {
        let checks = SnapshotChecks::default().with::<Accounts<WithoutClaims>>();
        checks.examine(&*self.log, &self.stream).await.expect("the table answers")
    }

    /// The newest item with a snapshot.
    async fn newest(&self) -> Attributes {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk").scan_index_forward(false);
        let stream = AttributeValue::S(self.stream.to_string());
        let answer = query.expression_attribute_values(":pk", stream).send().await;
        let items = answer.expect("the table answers").items.expect("the stream has items");
        items.into_iter().find(|item| item.contains_key("s")).expect("one has a snapshot")
    }

    async fn put(&self, item: Attributes) {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.expect("the table answers");
    }
}

/// The item with another value of an attribute of its snapshot.
fn edited(
    item: &Attributes,
    name: &str,
    edit: impl Fn(&AttributeValue) -> AttributeValue,
) -> Attributes {
    let mut item = item.clone();
    let Some(AttributeValue::M(snapshot)) = item.get_mut("s") else { panic!("no map") };
    let value = snapshot.get_mut(name).expect("the snapshot has it");
    let other = edit(value);
    assert_ne!(*value, other, "{name} is not edited");
    *value = other;
    item
}

#[tokio::test]
async fn an_edited_snapshot_of_the_table_is_named_with_its_stream_and_version() {
    let account = Account::with_deposits(12).await;
    assert_eq!(account.wrong().await, []);
    let item = account.newest().await;
    let richer = edited(&item, "d", |state| {
        let text = state.as_s().expect("text");
        AttributeValue::S(text.replace("\"balance\":", "\"balance\":1"))
    });
    let forgetful = edited(&item, "r", |_| AttributeValue::B(Blob::new([])));
    let other_schema = edited(&item, "f", |_| AttributeValue::S("another".to_owned()));
    let mut found = Vec::new();
    for item in [richer, forgetful, other_schema, item] {
        account.put(item).await;
        found.push(account.wrong().await);
    }
    let faults = |found: &[SnapshotFinding]| -> Vec<_> {
        found.iter().map(|finding| (finding.stream.clone(), finding.fault.clone())).collect()
    };
    let fault = |fault| vec![(account.stream.clone(), fault)];
    let [richer, forgetful, other_schema, restored] = &found[..] else { panic!("{found:?}") };
    assert_eq!(faults(richer), fault(SnapshotFault::State));
    assert_eq!(faults(forgetful), fault(SnapshotFault::Commands));
    assert_eq!(richer[0].version, forgetful[0].version);
    // Loads ignore a snapshot of another schema, so it changes nothing.
    assert_eq!((&other_schema[..], &restored[..]), (&[][..], &[][..]));
}
