//! Several quarantines in one table.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{Parked, Quarantine},
};
use ledgerfold_dynamodb::DynamoQuarantine;
use ledgerfold_proofs::conformance::requests::fresh;

use crate::tables;

fn entry(stream: &StreamId) -> Parked {
    let now = Timestamp::UNIX_EPOCH;
    let (position, version, owed_version) = (None, None, Version::new(1));
    let reason = "it has no place".to_owned();
    Parked {
        stream: stream.clone(),
        position,
        version,
        owed_version,
        reason,
        since: now,
        attempts: 0,
        tried: now,
    }
}

#[tokio::test]
async fn projections_and_their_generations_are_kept_apart() {
    let client = Client::from_conf(tables::config().build());
    let table = tables::keyed_table(&client).await;
    let stream = fresh();
    let scopes = ["order", "order-view", "order-view@2"];
    for scope in scopes {
        let quarantine = DynamoQuarantine::new(client.clone(), &table, scope);
        quarantine.park(&entry(&stream)).await.expect("it can be parked");
    }
    let first = DynamoQuarantine::new(client.clone(), &table, "order-view");
    first.release(&stream, Version::new(1)).await.expect("it can be released");
    assert_eq!(first.list(None).await.expect("it can be listed").items, []);
    let left = DynamoQuarantine::everything(&client, &table).await.expect("it can be scanned");
    let scopes: BTreeSet<_> = left.iter().map(|scoped| scoped.scope.as_str()).collect();
    assert_eq!(scopes, BTreeSet::from(["order", "order-view@2"]));
}
