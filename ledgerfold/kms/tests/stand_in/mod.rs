//! A KMS behind the SDK that wraps keys, and unwraps them only in the same encryption context.

use std::time::Duration;

use aws_sdk_kms::config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig};
use base64::{Engine, engine::general_purpose::STANDARD};
use ledgerfold_proofs::{
    RecordedAnswer::{self, Json},
    RecordedService,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A client of a service with the protocol of KMS.
pub(crate) fn client(service: &RecordedService) -> aws_sdk_kms::Client {
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(service.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retries);
    aws_sdk_kms::Client::from_conf(config.build())
}

/// A KMS with any number of keys.
pub(crate) async fn kms() -> RecordedService {
    RecordedService::answering(|body| {
        let request: Value = serde_json::from_str(body).expect("a request of KMS is JSON");
        match request.get("CiphertextBlob") {
            None => generate(&request),
            Some(wrapped) => decrypt(&request, wrapped.as_str().expect("base64")),
        }
    })
    .await
}

/// The name of a wrapped key is all that binds it to its context here.
fn binding(request: &Value) -> Value {
    json!({"key": request["KeyId"], "context": request["EncryptionContext"]})
}

fn generate(request: &Value) -> RecordedAnswer {
    assert_eq!(request["KeySpec"], "AES_256");
    let halves = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes);
    let plaintext = STANDARD.encode(halves.concat());
    let wrapped = json!({"bound to": binding(request), "key": plaintext}).to_string();
    let blob = STANDARD.encode(wrapped);
    Json(200, json!({"CiphertextBlob": blob, "KeyId": "k", "Plaintext": plaintext}).to_string())
}

fn decrypt(request: &Value, wrapped: &str) -> RecordedAnswer {
    let wrapped = STANDARD.decode(wrapped).expect("base64");
    let wrapped: Value = serde_json::from_slice(&wrapped).unwrap_or_default();
    if wrapped["bound to"] == binding(request) {
        return Json(200, json!({"KeyId": "k", "Plaintext": wrapped["key"]}).to_string());
    }
    Json(400, json!({"__type": "InvalidCiphertextException"}).to_string())
}
