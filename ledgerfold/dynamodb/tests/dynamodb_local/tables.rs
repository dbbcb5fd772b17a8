//! Tables for tests, with the same keys and indexes as in the template.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Builder, Config, Credentials, Region},
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType,
    },
};
use ledgerfold_dynamodb::{
    DynamoDeadlineStore, DynamoEventStore, DynamoExportProgress, DynamoGenerationStore,
    DynamoPartStore, DynamoQuarantine, DynamoReadTable, DynamoRowStore, DynamoSkips,
    DynamoTallyStore,
};
use ledgerfold_proofs::conformance::{reservations::Reserving, skips::Desk};

use ScalarAttributeType::{N, S};

use crate::temporary::Temporary;

/// The configuration of a client of the DynamoDB at `DYNAMODB_ENDPOINT`.
pub(crate) fn config() -> Builder {
    let endpoint = std::env::var("DYNAMODB_ENDPOINT")
        .expect("DYNAMODB_ENDPOINT names a DynamoDB Local; `make test` starts one");
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}

/// A log whose tables are deleted when it is dropped.
pub(crate) async fn event_store() -> Temporary {
    log_over(Client::from_conf(config().build())).await
}

/// A log that uses this client.
pub(crate) async fn log_over(client: Client) -> Temporary {
    let (log, reservations) = (event_table(&client).await, reservation_table(&client).await);
    let store = DynamoEventStore::new(client, &log).with_reservations(&reservations);
    Temporary { store, tables: [log, reservations] }
}

/// A log whose reservations are listed in small pages.
pub(crate) async fn reserving() -> Reserving {
    let client = Client::from_conf(config().build());
    let (log, reservations) = (event_table(&client).await, reservation_table(&client).await);
    let store = DynamoEventStore::new(client, log).with_reservations(reservations);
    Reserving::of(store.with_reservations_in_pages_of(2))
}

pub(crate) async fn row_store() -> DynamoRowStore {
    rows_over(Client::from_conf(config().build())).await
}

/// Rows with an index that lists them.
pub(crate) async fn rows_over(client: Client) -> DynamoRowStore {
    let table = indexed_table(&client, "by-list").await;
    DynamoRowStore::new(client, table).listed_by("by-list")
}

/// Rows of several generations, which are removed in small pages.
pub(crate) async fn read_table_of_rows() -> DynamoReadTable {
    read_table_over(Client::from_conf(config().build())).await.in_pages_of(3)
}

pub(crate) async fn read_table_over(client: Client) -> DynamoReadTable {
    let table = indexed_table(&client, "by-list").await;
    DynamoReadTable::new(client, table).listed_by("by-list")
}

/// Deadlines in small pages, so that lists have several.
pub(crate) async fn deadline_store() -> DynamoDeadlineStore {
    let client = Client::from_conf(config().build());
    let table = deadline_table(&client).await;
    DynamoDeadlineStore::new(client, table, DUE_INDEX).with_pages_of(2)
}

/// The index over due times.
pub(crate) const DUE_INDEX: &str = "by-due";

/// A table of deadlines.
pub(crate) async fn deadline_table(client: &Client) -> String {
    indexed_table(client, DUE_INDEX).await
}

async fn indexed_table(client: &Client, index: &str) -> String {
    let index = GlobalSecondaryIndex::builder()
        .index_name(index)
        .key_schema(key("ix", KeyType::Hash))
        .key_schema(key("io", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .expect("name and keys are set");
    table(client, &[("pk", S), ("ix", S), ("io", S)], &["pk"], Some(index)).await
}

pub(crate) async fn tally_store() -> DynamoTallyStore {
    tallies_over(Client::from_conf(config().build())).await
}

pub(crate) async fn tallies_over(client: Client) -> DynamoTallyStore {
    let table = table(&client, &[("pk", S), ("sk", S)], &["pk", "sk"], None).await;
    DynamoTallyStore::new(client, table)
}

pub(crate) async fn part_store() -> DynamoPartStore {
    let client = Client::from_conf(config().build());
    let table = keyed_table(&client).await;
    DynamoPartStore::new(client, table)
}

/// Counters of several generations, which are removed in small pages.
pub(crate) async fn read_table_of_tallies() -> DynamoReadTable {
    let client = Client::from_conf(config().build());
    let table = keyed_table(&client).await;
    DynamoReadTable::new(client, table).in_pages_of(3)
}

pub(crate) async fn generation_store() -> DynamoGenerationStore {
    generations_over(Client::from_conf(config().build())).await
}

pub(crate) async fn generations_over(client: Client) -> DynamoGenerationStore {
    let table = keyed_table(&client).await;
    DynamoGenerationStore::new(client, table)
}

/// A quarantine in small pages, so that lists have several.
pub(crate) async fn quarantine() -> DynamoQuarantine {
    let client = Client::from_conf(config().build());
    let table = keyed_table(&client).await;
    DynamoQuarantine::new(client, table, "pages").in_pages_of(3)
}

/// The progress of an export in small pages.
pub(crate) async fn export_progress() -> DynamoExportProgress {
    let client = Client::from_conf(config().build());
    let table = keyed_table(&client).await;
    DynamoExportProgress::new(client, table).in_pages_of(3)
}

pub(crate) async fn skips_over(client: Client) -> DynamoSkips {
    let table = keyed_table(&client).await;
    DynamoSkips::new(client, table, "pages")
}

/// A quarantine with the skips of its projection.
pub(crate) async fn desk() -> Desk {
    let client = Client::from_conf(config().build());
    let table = keyed_table(&client).await;
    Desk {
        quarantine: Arc::new(DynamoQuarantine::new(client.clone(), &table, "pages")),
        register: Arc::new(DynamoSkips::new(client, table, "pages")),
    }
}

/// A table with two string keys, as for counters and for the states of projections.
pub(crate) async fn keyed_table(client: &Client) -> String {
    table(client, &[("pk", S), ("sk", S)], &["pk", "sk"], None).await
}

/// A table of commits.
pub(crate) async fn event_table(client: &Client) -> String {
    table(client, &[("pk", S), ("sk", N)], &["pk", "sk"], None).await
}

/// A table of unique keys and of commands that are recognised for ever.
pub(crate) async fn reservation_table(client: &Client) -> String {
    table(client, &[("pk", S)], &["pk"], None).await
}

async fn table(
    client: &Client,
    attributes: &[(&str, ScalarAttributeType)],
    keys: &[&str],
    index: Option<GlobalSecondaryIndex>,
) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("t-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let attribute = |(name, kind): &(&str, ScalarAttributeType)| {
        let attribute = AttributeDefinition::builder().attribute_name(*name);
        attribute.attribute_type(kind.clone()).build().expect("name and type are set")
    };
    let kinds = [KeyType::Hash, KeyType::Range];
    client
        .create_table()
        .table_name(&name)
        .set_attribute_definitions(Some(attributes.iter().map(attribute).collect()))
        .set_key_schema(Some(keys.iter().zip(kinds).map(|(name, kind)| key(name, kind)).collect()))
        .set_global_secondary_indexes(index.map(|index| vec![index]))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .expect("the table can be created");
    name
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
    key.build().expect("name and type are set")
}
