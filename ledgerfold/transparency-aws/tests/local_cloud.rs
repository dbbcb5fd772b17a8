//! The ports on S3, KMS and DynamoDB of the local cloud, at `AWS_ENDPOINT_URL`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::types::{
    DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode,
    ObjectLockRule,
};
use ledgerfold::{command::Loaded, ports::EventStore as _};
use ledgerfold_proofs::conformance::{
    requests::{commit, fresh},
    transparency::{LogPorts, Published},
};
use ledgerfold_testkit::{ManualClock, MemoryEventStore};
use ledgerfold_transparency::{Checkpoint, Hash, ObjectStore as _, Sealer, Signer as _};
use ledgerfold_transparency_aws::{DynamoSize, KmsSigner, S3Log};
use ledgerfold_verifier::{Checkpoint as Verified, LogSource, PublicKey, SealedLog, SourceError};
use uuid::Uuid;

/// The configuration of a client, which the SDK has once for each service.
macro_rules! client {
    ($sdk:ident) => {{
        let endpoint = std::env::var("AWS_ENDPOINT_URL")
            .expect("AWS_ENDPOINT_URL names the local cloud; `make test` starts one");
        let config = $sdk::config::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new("us-east-1"))
            .credentials_provider($sdk::config::Credentials::new(
                "test", "test", None, None, "tests",
            ))
            .endpoint_url(endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        config
    }};
}

mod ports {
    ledgerfold_proofs::transparency_conformance!(crate::new_ports());
}

fn s3() -> aws_sdk_s3::Client {
    let config = client!(aws_sdk_s3).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// A bucket with Object Lock.
async fn bucket() -> String {
    let bucket = format!("log-{}", Uuid::new_v4());
    let create = s3().create_bucket().bucket(&bucket).object_lock_enabled_for_bucket(true);
    create.send().await.expect("the name is free");
    let retention =
        DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(1).build();
    let lock = ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .rule(ObjectLockRule::builder().default_retention(retention).build())
        .build();
    let put = s3().put_object_lock_configuration().bucket(&bucket);
    put.object_lock_configuration(lock).send().await.expect("the bucket has Object Lock");
    bucket
}

async fn table(client: &aws_sdk_dynamodb::Client) -> String {
    let table = format!("states-{}", Uuid::new_v4());
    let mut create = client.create_table().table_name(&table);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        create = create
            .attribute_definitions(attribute.build().expect("name and type are set"))
            .key_schema(key.build().expect("name and type are set"));
    }
    let create = create.billing_mode(BillingMode::PayPerRequest);
    create.send().await.expect("the name is free");
    table
}

async fn new_ports() -> LogPorts {
    let log = Arc::new(S3Log::new(s3(), bucket().await, "orders/"));
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(client!(aws_sdk_dynamodb).build());
    let table = table(&dynamodb).await;
    LogPorts {
        objects: log.clone(),
        checkpoints: log.clone(),
        size: Arc::new(DynamoSize::new(dynamodb, table)),
        published: Arc::new(OfBucket(log)),
    }
}

struct OfBucket(Arc<S3Log>);

#[async_trait]
impl Published for OfBucket {
    async fn published(&self) -> Option<String> {
        let found = self.0.get("checkpoint").await.expect("it can be read");
        found.map(|note| String::from_utf8(note).expect("it is text"))
    }
}

// Guards: nobody-removes-a-checkpoint
#[tokio::test]
async fn a_retained_version_cannot_be_removed() {
    let bucket = bucket().await;
    let log = S3Log::new(s3(), &bucket, "");
    assert!(log.create("tile/0/000", vec![1; 32]).await.expect("a write"));
    let versions = s3().list_object_versions().bucket(&bucket).send().await.expect("a list");
    let version = versions.versions()[0].version_id().expect("a version");
    let delete = s3().delete_object().bucket(&bucket).key("tile/0/000").version_id(version);
    delete.send().await.expect_err("the version is retained");
    assert_eq!(log.get("tile/0/000").await.expect("a read"), Some(vec![1; 32]));
}

/// A key of KMS, and its signer.
async fn kms_signer() -> KmsSigner {
    let client = aws_sdk_kms::Client::from_conf(client!(aws_sdk_kms).build());
    let create = client
        .create_key()
        .key_usage(aws_sdk_kms::types::KeyUsageType::SignVerify)
        .key_spec(aws_sdk_kms::types::KeySpec::EccNistP256);
    let key = create.send().await.expect("a key").key_metadata.expect("its description");
    KmsSigner::new(client, key.key_id())
}

/// The objects of a bucket as a verifier reads them.
struct OfLog(Arc<S3Log>);

#[async_trait]
impl LogSource for OfLog {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.get(name).await.map_err(|error| SourceError(error.into()))
    }
}

#[tokio::test]
async fn two_sealers_at_once_write_one_log_that_verifies() {
    let events = Arc::new(MemoryEventStore::with_pages_of(2));
    let mut streams = Vec::new();
    for _ in 0..20 {
        let first = commit(&Loaded::unread(fresh()), "a", &["one", "two"], 60);
        events.append(&first).await.expect("it is free");
        streams.push(first.as_commit().stream().clone());
    }
    let log = Arc::new(S3Log::new(s3(), bucket().await, "notes/"));
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(client!(aws_sdk_dynamodb).build());
    let size = Arc::new(DynamoSize::new(dynamodb.clone(), table(&dynamodb).await));
    let signer = Arc::new(kms_signer().await);
    let name = "ledgerfold.example/both";
    let sealer = || {
        let clock = Arc::<ManualClock>::default();
        Sealer::new(
            name,
            (events.clone(), clock),
            (log.clone(), log.clone()),
            (signer.clone(), size.clone()),
        )
    };
    let (one, other) = (sealer(), sealer());
    // S3 may refuse one of two concurrent writes; the queue delivers again.
    let _ = tokio::join!(one.seal(&streams[..15]), other.seal(&streams[5..]));
    let _ = one.seal(&streams).await;
    one.seal(&streams).await.expect("nobody else seals");

    let keys = signer.keys().await.expect("a key");
    let keys = [PublicKey::parse(&keys[0].verifier_key(name)).expect("a key")];
    let published = log.get("checkpoint").await.expect("a read").expect("a checkpoint");
    let note = String::from_utf8(published).expect("it is text");
    let checkpoint = Verified::verify(&note, &keys).expect("it is signed");
    let sealed = SealedLog::read(&OfLog(log), &[checkpoint]).await.expect("it can be read");
    assert_eq!(sealed.faults(), []);
    assert_eq!(sealed.streams().count(), 20);
    assert!(streams.iter().all(|stream| sealed.commits(&stream.to_string()).len() == 1));
}

#[tokio::test]
async fn a_signature_of_kms_is_verified_without_kms() {
    let signer = kms_signer().await;
    let name = "ledgerfold.example/local";
    let checkpoint = Checkpoint { origin: name.to_owned(), size: 5, root: Hash::of_nothing() };
    let lines = signer.sign(name, &checkpoint.text()).await.expect("a signature");
    let keys = signer.keys().await.expect("a key");
    let key = PublicKey::parse(&keys[0].verifier_key(name)).expect("a key");
    let note = checkpoint.signed(&lines);
    let verified = Verified::verify(&note, std::slice::from_ref(&key)).expect("it is signed");
    assert_eq!((verified.origin.as_str(), verified.size), (name, 5));
    let changed = note.replace("\n5\n", "\n6\n");
    Verified::verify(&changed, &[key]).expect_err("another size is not signed");
}
