//! The keyring on DynamoDB Local, at `DYNAMODB_ENDPOINT`, with a stand-in for KMS.

mod stand_in;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region},
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
        ScalarAttributeType,
    },
};
use ledgerfold::{
    TenantId,
    ports::{KeyEraser, Keyring},
    sealed::DataSubject,
    vocabulary::{ErasureRequest, ErasureState},
};
use ledgerfold_kms::KmsKeyring;
use uuid::Uuid;

type Item = HashMap<String, AttributeValue>;

mod keyring {
    ledgerfold_proofs::keyring_conformance!(crate::keyring_with_a_new_table());
}

async fn keyring_with_a_new_table() -> KmsKeyring {
    keyring_with(&new_table().await).await
}

async fn keyring_with((client, table): &(Client, String)) -> KmsKeyring {
    let kms = stand_in::kms().await;
    KmsKeyring::new(stand_in::client(&kms), "alias/test", client.clone(), table)
}

/// Every item of the table, by its key.
async fn items((client, table): &(Client, String)) -> BTreeMap<String, Item> {
    let mut pages = client.scan().table_name(table).consistent_read(true).into_paginator().send();
    let mut items = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for item in page.expect("the table can be read").items.unwrap_or_default() {
            items.insert(item["pk"].as_s().expect("a text").clone(), item);
        }
    }
    items
}

// Guards: an-erasure-changes-one-item
#[tokio::test]
async fn an_erasure_of_one_of_many_changes_one_item_and_leaves_the_others_to_the_byte() {
    let table = new_table().await;
    let keyring = keyring_with(&table).await;
    let tenant = TenantId::default_tenant();
    let key = keyring.provide_tenant_key(&tenant).await.expect("it is made");
    let subjects: Vec<_> = (0..100)
        .map(|number| DataSubject::new(format!("p-{number}")).expect("a subject"))
        .map(|subject| key.pseudonym(&subject))
        .collect();
    for subject in &subjects {
        keyring.provide_subject_key(&tenant, subject).await.expect("it is made");
    }
    let before = items(&table).await;
    let erased = keyring.erase(&tenant, &subjects[42], &ErasureRequest::example()).await;
    assert!(matches!(erased, Ok(ErasureState::Erased(_))), "{erased:?}");
    let after = items(&table).await;
    let changed: Vec<_> = before.iter().filter(|(pk, item)| after[*pk] != **item).collect();
    let expected = format!("subject#{tenant}#{}", subjects[42]);
    assert_eq!(changed.iter().map(|(pk, _)| pk.as_str()).collect::<Vec<_>>(), [expected.as_str()]);
    assert_eq!(after.len(), before.len());
    let names: BTreeSet<_> = after[&expected].keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["pk", "e", "r"]), "the wrapped key is gone");
}

async fn new_table() -> (Client, String) {
    let endpoint = std::env::var("DYNAMODB_ENDPOINT")
        .expect("DYNAMODB_ENDPOINT names a DynamoDB Local; `make test` starts one");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    let client = Client::from_conf(config.build());
    let table = format!("keys-{}", Uuid::new_v4());
    let pk =
        AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
    client
        .create_table()
        .table_name(&table)
        .attribute_definitions(pk.build().expect("name and type are set"))
        .key_schema(key.build().expect("name and type are set"))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .expect("the table can be created");
    (client, table)
}
