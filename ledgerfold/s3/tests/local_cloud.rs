//! Payloads on the S3 of the local cloud, at `AWS_ENDPOINT_URL`.

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region},
};
use ledgerfold::{
    ports::{PayloadError, PayloadStore},
    vocabulary::ContentId,
};
use ledgerfold_s3::{S3ExportFiles, S3PayloadStore};
use uuid::Uuid;

fn client() -> Client {
    let endpoint = std::env::var("AWS_ENDPOINT_URL")
        .expect("AWS_ENDPOINT_URL names the local cloud; `make test` starts one");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

mod export_files {
    ledgerfold_proofs::export_files_conformance!(crate::export_files());
}

/// The objects of an export in a bucket of its own, which nobody empties, because the local cloud forgets everything.
async fn export_files() -> S3ExportFiles {
    let (client, bucket) = (client(), format!("export-{}", Uuid::new_v4()));
    client.create_bucket().bucket(&bucket).send().await.expect("the name is free");
    S3ExportFiles::new(client, bucket, "orders/")
}

#[tokio::test]
async fn content_is_stored_once_and_read_back_unchanged() {
    let (client, bucket) = (client(), format!("payloads-{}", Uuid::new_v4()));
    client.create_bucket().bucket(&bucket).send().await.expect("the name is free");
    let store = S3PayloadStore::new(client.clone(), &bucket, "notes/");
    let content = format!(r#"{{"text": "{}"}}"#, "ä".repeat(200_000));
    let id = ContentId::keep(&store, content.clone()).await.expect("it is stored");
    assert_eq!(ContentId::keep(&store, content.clone()).await.expect("it exists"), id);
    assert!(id.fetch(&store).await.expect("it exists") == content, "another content");
    let listed = client.list_objects_v2().bucket(&bucket).send().await.expect("it exists");
    assert_eq!(listed.contents().len(), 1);

    let nowhere = ContentId::of(b"never kept");
    let missing = store.get(&nowhere).await;
    assert!(matches!(missing, Err(PayloadError::Missing(_))), "{missing:?}");

    let key = format!("notes/{id}");
    client.delete_object().bucket(&bucket).key(key).send().await.expect("it exists");
    client.delete_bucket().bucket(&bucket).send().await.expect("it is empty");
}
