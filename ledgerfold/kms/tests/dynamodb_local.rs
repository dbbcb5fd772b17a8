//! The keyring on DynamoDB Local, at `DYNAMODB_ENDPOINT`, with a stand-in for KMS.

mod stand_in;

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region},
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use ledgerfold_kms::KmsKeyring;
use uuid::Uuid;

mod keyring {
    ledgerfold_proofs::keyring_conformance!(crate::keyring_with_a_new_table());
}

async fn keyring_with_a_new_table() -> KmsKeyring {
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
    let kms = stand_in::kms().await;
    KmsKeyring::new(stand_in::client(&kms), "alias/test", client, table)
}
