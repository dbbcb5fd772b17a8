//! The meaning of S3's answers. Recorded answers replace S3 behind the SDK.

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use ledgerfold::{
    ports::{PayloadError, PayloadStore, PortError},
    vocabulary::ContentId,
};
use ledgerfold_proofs::{
    RecordedAnswer::{self, HangUp, Json},
    RecordedService,
};
use ledgerfold_s3::S3PayloadStore;

async fn store(answer: RecordedAnswer) -> (RecordedService, S3PayloadStore) {
    let service = RecordedService::start([answer]).await;
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(service.endpoint())
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    (service, S3PayloadStore::new(Client::from_conf(config.build()), "bucket", "orders/"))
}

fn refusal(status: u16, code: &str) -> RecordedAnswer {
    Json(status, format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
}

async fn put(answer: RecordedAnswer) -> Result<(), PayloadError> {
    let (_service, store) = store(answer).await;
    store.put(&ContentId::of(b"{}"), "{}".to_owned()).await
}

async fn fetch(answer: RecordedAnswer) -> Result<String, PayloadError> {
    let (_service, store) = store(answer).await;
    ContentId::of(b"{}").fetch(&store).await
}

#[tokio::test]
async fn existing_content_counts_as_written() {
    put(Json(200, String::new())).await.expect("it is put");
    put(refusal(412, "PreconditionFailed")).await.expect("it exists");
}

/// None of these answers means that the content is lost, so readers of a commit retry.
#[tokio::test]
async fn an_outage_or_a_missing_permission_is_not_damage() {
    let passing = [
        (500, "InternalError"),
        (503, "SlowDown"),
        (400, "RequestTimeout"),
        (400, "ExpiredToken"),
        (409, "ConditionalRequestConflict"),
        (400, "KMS.ThrottlingException"),
        (418, "SomethingNew"),
    ];
    for answer in passing.map(|(status, code)| refusal(status, code)).into_iter().chain([HangUp]) {
        for outcome in [put(answer.clone()).await, fetch(answer).await.map(drop)] {
            assert!(
                matches!(
                    outcome,
                    Err(PayloadError::Port(PortError::Unavailable(_) | PortError::Throttled))
                ),
                "{outcome:?}"
            );
        }
    }
    let refused = [(403, "AccessDenied"), (400, "KMS.DisabledException"), (404, "NoSuchBucket")];
    for answer in refused.map(|(status, code)| refusal(status, code)) {
        for outcome in [put(answer.clone()).await, fetch(answer).await.map(drop)] {
            assert!(
                matches!(outcome, Err(PayloadError::Port(PortError::Refused(_)))),
                "{outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn fetched_content_is_verified() {
    assert_eq!(fetch(Json(200, "{}".to_owned())).await.expect("it is the same"), "{}");
    let other = fetch(Json(200, "{ }".to_owned())).await;
    assert!(matches!(other, Err(PayloadError::Damaged(_))), "{other:?}");
    let missing = fetch(refusal(404, "NoSuchKey")).await;
    assert!(matches!(missing, Err(PayloadError::Missing(_))), "{missing:?}");
    let hung_up = fetch(HangUp).await;
    assert!(matches!(hung_up, Err(PayloadError::Port(PortError::Unavailable(_)))), "{hung_up:?}");
}

#[tokio::test]
async fn the_uri_points_to_the_content() {
    let (_service, store) = store(HangUp).await;
    let id = ContentId::of(b"{}");
    assert_eq!(store.uri(&id), format!("s3://bucket/orders/{id}"));
}
