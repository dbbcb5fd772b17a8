//! Unreadable deadlines.

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use ledgerfold::{
    CorrelationId, DeadlineName, Timestamp,
    ports::{Cause, Deadline, DeadlineKey, DeadlineStore, Written},
};
use ledgerfold_dynamodb::DynamoDeadlineStore;
use ledgerfold_proofs::conformance::{deadline_store::fresh_process, requests::fresh};

use crate::tables::{DUE_INDEX, config, deadline_table};

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[tokio::test]
async fn an_unreadable_item_blocks_no_other_deadline() {
    let client = Client::from_conf(config().build());
    let table = deadline_table(&client).await;
    let store = DynamoDeadlineStore::new(client.clone(), &table, DUE_INDEX);
    let process = fresh_process();
    for part in 0..store.parts() {
        let put = client
            .put_item()
            .table_name(&table)
            .item("pk", text(&format!("garbage-{part}")))
            .item("ix", text(&format!("{process}#{part}")))
            .item("io", text("1970-01-01T00:00:00.000000000Z#garbage"));
        put.send().await.expect("it can be put");
    }
    let (stream, name) = (fresh(), DeadlineName::from_static("return"));
    let cause = Cause {
        event: "018bcfe5-6800-7000-8000-000000000000".parse().expect("a UUID"),
        correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
        traceparent: None,
    };
    let key = DeadlineKey { process: process.clone(), stream, name };
    let deadline = Deadline { key, due: Timestamp::UNIX_EPOCH, cause };
    let scheduled = store.schedule(&deadline).await.expect("it can be stored");
    assert_eq!(scheduled, Written::Done);

    let (mut found, mut unreadable) = (Vec::new(), 0);
    for part in 0..store.parts() {
        let page = store.due(&process, part, Timestamp::UNIX_EPOCH, None).await;
        let page = page.expect("it can be read");
        for listed in page.items {
            match listed {
                Ok(pending) => found.push(pending.deadline),
                Err(_) => unreadable += 1,
            }
        }
    }
    assert_eq!((found, unreadable), (vec![deadline], 8));
}
