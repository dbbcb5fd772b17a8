//! The meaning of the answers of S3, KMS and DynamoDB. Recorded answers replace them behind the SDK.

use ledgerfold::ports::PortError;
use ledgerfold_proofs::{
    RecordedAnswer::{self, HangUp, Json},
    RecordedService,
};
use ledgerfold_transparency::{CheckpointStore, HeadStore, LogError, ObjectStore, Signer};
use ledgerfold_transparency_aws::{DynamoSize, KmsSigner, S3Log};

macro_rules! client {
    ($sdk:ident, $service:expr) => {
        $sdk::config::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new("us-east-1"))
            .credentials_provider($sdk::config::Credentials::new(
                "test", "test", None, None, "tests",
            ))
            .endpoint_url($service.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config($sdk::config::retry::RetryConfig::disabled())
    };
}

async fn s3(answers: impl IntoIterator<Item = RecordedAnswer>) -> (RecordedService, S3Log) {
    let service = RecordedService::start(answers).await;
    let config = client!(aws_sdk_s3, service).force_path_style(true);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    (service, S3Log::new(client, "bucket", "orders/"))
}

fn refusal(status: u16, code: &str) -> RecordedAnswer {
    Json(status, format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
}

async fn create(answer: RecordedAnswer) -> Result<bool, LogError> {
    let (_service, log) = s3([answer]).await;
    ObjectStore::create(&log, "tile/0/000", vec![1]).await
}

async fn get(answer: RecordedAnswer) -> Result<Option<Vec<u8>>, LogError> {
    let (_service, log) = s3([answer]).await;
    ObjectStore::get(&log, "tile/0/000").await
}

#[tokio::test]
async fn an_object_that_exists_is_not_created() {
    assert!(create(Json(200, String::new())).await.expect("a write"));
    assert!(!create(refusal(412, "PreconditionFailed")).await.expect("a write"));
}

/// A missing permission must not look like a missing object: the sealer would believe that a batch is free.
#[tokio::test]
async fn only_a_missing_object_is_absent() {
    assert_eq!(get(refusal(404, "NoSuchKey")).await.expect("a read"), None);
    for (status, code) in [(403, "AccessDenied"), (404, "NoSuchBucket"), (503, "SlowDown")] {
        assert!(get(refusal(status, code)).await.is_err(), "{code}");
        assert!(create(refusal(status, code)).await.is_err(), "{code}");
    }
    assert!(create(refusal(409, "ConditionalRequestConflict")).await.is_err());
    assert!(create(HangUp).await.is_err());
}

#[tokio::test]
async fn a_checkpoint_is_published_again_if_another_sealer_was_faster() {
    let (_service, log) = s3([
        refusal(404, "NoSuchKey"),
        refusal(412, "PreconditionFailed"),
        Json(200, "origin\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n".to_owned()),
        Json(200, String::new()),
    ])
    .await;
    log.publish(5, "a note").await.expect("it is published");
    let larger = "origin\n9\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n".to_owned();
    let (_service, log) = s3([Json(200, larger)]).await;
    log.publish(5, "a note").await.expect("a larger one is published");
}

#[tokio::test]
async fn a_failed_condition_of_the_size_is_an_answer() {
    let conflict = r#"{"__type": "ConditionalCheckFailedException"}"#;
    let throttled = r#"{"__type": "ThrottlingException"}"#;
    let answers = [
        Json(400, conflict.to_owned()),
        Json(200, "{}".to_owned()),
        Json(400, throttled.to_owned()),
    ];
    let service = RecordedService::start(answers).await;
    let client = aws_sdk_dynamodb::Client::from_conf(client!(aws_sdk_dynamodb, service).build());
    let size = DynamoSize::new(client, "states");
    assert!(!size.advance(3, 5).await.expect("an answer"));
    assert_eq!(size.size().await.expect("no item"), 0);
    let error = size.advance(3, 5).await.expect_err("it is throttled");
    assert!(matches!(error, LogError::Port(PortError::Throttled)), "{error}");
}

#[tokio::test]
async fn a_missing_permission_of_the_key_is_an_operators_task() {
    let denied = Json(400, r#"{"__type": "AccessDeniedException"}"#.to_owned());
    let empty = Json(200, "{}".to_owned());
    for answer in [denied, empty] {
        let service = RecordedService::start([answer]).await;
        let client = aws_sdk_kms::Client::from_conf(client!(aws_sdk_kms, service).build());
        let error = KmsSigner::new(client, "key").sign("log", "text").await;
        assert!(matches!(error, Err(LogError::Port(PortError::Refused(_)))), "{error:?}");
    }
}
