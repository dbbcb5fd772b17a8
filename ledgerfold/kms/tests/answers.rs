//! The calls of KMS and DynamoDB, and the meaning of their answers. Recorded answers replace both behind the SDK.

mod stand_in;

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig};
use base64::{Engine, engine::general_purpose::STANDARD};
use ledgerfold::{
    TenantId,
    keyring::{CachedKeys, provide_keys},
    ports::{KeyEraser, KeyReader, Keyring, KeyringError, PortError},
    sealed::{DataSubject, KeyState, KeyVersion, SubjectPseudonym, TenantKey},
    vocabulary::ErasureRequest,
};
use ledgerfold_kms::KmsKeyring;
use ledgerfold_proofs::{
    RecordedAnswer::{self, HangUp, Json},
    RecordedService,
};
use ledgerfold_testkit::{ManualClock, SeededRandom};
use serde_json::{Value, json};

/// A check of an error's meaning.
type Meaning = fn(&PortError) -> bool;

const THROTTLED: Meaning = |error| matches!(error, PortError::Throttled);
const UNAVAILABLE: Meaning = |error| matches!(error, PortError::Unavailable(_));
const REFUSED: Meaning = |error| matches!(error, PortError::Refused(_));

const ATTEMPTS: u32 = 3;

/// A keyring over a KMS and a table with these answers.
async fn over(
    kms: RecordedService,
    table: impl IntoIterator<Item = RecordedAnswer>,
) -> (RecordedService, KmsKeyring) {
    let table = RecordedService::start(table).await;
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(1));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(table.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retries);
    let dynamo = aws_sdk_dynamodb::Client::from_conf(config.build());
    (table, KmsKeyring::new(stand_in::client(&kms), "alias/test", dynamo, "keys"))
}

fn acme() -> TenantId {
    TenantId::new("acme").expect("a tenant")
}

fn ada() -> SubjectPseudonym {
    let key = TenantKey::from_bytes(KeyVersion::FIRST, &[1; 32]).expect("32 bytes");
    key.pseudonym(&DataSubject::new("ada").expect("visible ASCII"))
}

fn nothing() -> RecordedAnswer {
    Json(200, "{}".to_owned())
}

fn item(attributes: &Value) -> RecordedAnswer {
    Json(200, json!({"Item": attributes}).to_string())
}

fn active(wrapped: &str) -> Value {
    json!({"pk": {"S": "x"}, "v": {"N": "1"}, "w": {"B": wrapped}})
}

fn refusal(status: u16, code: &str) -> RecordedAnswer {
    Json(status, json!({"__type": code, "message": "no"}).to_string())
}

fn body(service: &RecordedService, at: usize) -> Value {
    serde_json::from_str(&service.requests()[at]).expect("JSON")
}

/// CloudTrail records the encryption context in clear.
// Guards: keys-are-wrapped-for-one-subject
#[tokio::test]
async fn a_key_is_wrapped_for_its_tenant_and_pseudonym_and_stored_if_there_is_none() {
    let kms = stand_in::kms().await;
    let (table, keyring) = over(kms.clone(), [nothing(), nothing()]).await;
    let state = keyring.provide_subject_key(&acme(), &ada()).await.expect("it is made");
    assert!(matches!(state, KeyState::Active { version: KeyVersion::FIRST, .. }), "{state:?}");

    let context = json!({"tenant": "acme", "subject": ada().as_str()});
    assert_eq!(body(&kms, 0)["EncryptionContext"], context);
    let pk = json!({"S": format!("subject#acme#{}", ada())});
    assert_eq!(body(&table, 0)["Key"]["pk"], pk);
    assert_eq!(body(&table, 0)["ConsistentRead"], true);
    let put = body(&table, 1);
    assert_eq!(put["ConditionExpression"], "attribute_not_exists(pk)");
    assert_eq!(put["Item"]["pk"], pk);
    assert_eq!(put["Item"]["v"]["N"], "1");

    // The stored item gives the same key again.
    let wrapped = put["Item"]["w"]["B"].as_str().expect("base64");
    let (_table, again) = over(kms, [item(&active(wrapped))]).await;
    assert_eq!(again.subject_key(&acme(), &ada()).await.expect("it is read"), Some(state));
}

// Guards: keys-are-wrapped-for-one-subject
#[tokio::test]
async fn a_key_in_the_item_of_another_owner_is_damaged() {
    let kms = stand_in::kms().await;
    let (table, keyring) = over(kms.clone(), [nothing(), nothing()]).await;
    keyring.provide_subject_key(&acme(), &ada()).await.expect("it is made");
    let put = body(&table, 1);
    let wrapped = put["Item"]["w"]["B"].as_str().expect("base64");

    let moved = || item(&active(wrapped));
    let (_table, keyring) = over(kms, [moved(), moved()]).await;
    let other = TenantId::new("other").expect("a tenant");
    let error = keyring.subject_key(&other, &ada()).await.expect_err("another tenant");
    assert!(matches!(error, KeyringError::Damaged { .. }), "{error:?}");
    let error = keyring.tenant_key(&acme()).await.expect_err("not of the tenant");
    assert!(matches!(error, KeyringError::Damaged { .. }), "{error:?}");
}

/// Two containers provide the first key of a subject at once.
// Guards: a-subject-has-one-key
#[tokio::test]
async fn who_loses_the_race_gets_the_key_of_the_winner() {
    let kms = stand_in::kms().await;
    let (table, keyring) = over(kms.clone(), [nothing(), nothing()]).await;
    let winner = keyring.provide_subject_key(&acme(), &ada()).await.expect("it is made");
    let put = body(&table, 1);
    let wrapped = put["Item"]["w"]["B"].as_str().expect("base64");

    let lost = |item: Option<Value>| {
        let mut body = json!({"__type": "ConditionalCheckFailedException", "message": "no"});
        body["Item"] = item.unwrap_or_default();
        Json(400, body.to_string())
    };
    let (_table, keyring) = over(kms.clone(), [nothing(), lost(Some(active(wrapped)))]).await;
    let loser = keyring.provide_subject_key(&acme(), &ada()).await.expect("it is read");
    assert_eq!(loser, winner);
    // The refusal may bring no item.
    let answers = [nothing(), lost(None), item(&active(wrapped))];
    let (_table, keyring) = over(kms.clone(), answers).await;
    let loser = keyring.provide_subject_key(&acme(), &ada()).await.expect("it is read");
    assert_eq!(loser, winner);
    // The winner may be an erasure.
    let erased = json!({"pk": {"S": "x"}, "e": {"N": "1"}});
    let (_table, keyring) = over(kms, [nothing(), lost(Some(erased))]).await;
    let loser = keyring.provide_subject_key(&acme(), &ada()).await.expect("it is read");
    assert_eq!(loser, KeyState::Erased { through: KeyVersion::FIRST });
}

/// A person who is new costs a read, a request to KMS and a write. So does the tenant, once.
// Guards: remembered-keys-cost-no-request
#[tokio::test]
async fn a_remembered_person_costs_no_request() {
    let kms = stand_in::kms().await;
    let answers = [nothing(), nothing(), nothing(), nothing()];
    let (table, keyring) = over(kms.clone(), answers).await;
    let cache = CachedKeys::new(Arc::new(keyring), Arc::new(ManualClock::default()));
    let subjects = [DataSubject::new("ada").expect("visible ASCII")];
    for _ in 0..3 {
        let random = SeededRandom::new(1);
        provide_keys(&cache, &random, &acme(), &subjects).await.expect("they are provided");
        assert_eq!((kms.requests().len(), table.requests().len()), (2, 4));
    }
}

#[tokio::test]
async fn a_failure_of_the_table_is_retried_and_then_reported_by_its_meaning() {
    let throttled = || refusal(400, "ThrottlingException");
    let answers = [throttled(), throttled(), item(&json!({"pk": {"S": "x"}, "e": {"N": "3"}}))];
    let (table, keyring) = over(stand_in::kms().await, answers).await;
    let state = keyring.subject_key(&acme(), &ada()).await.expect("the third attempt succeeds");
    let through = KeyVersion::new(3).expect("not 0");
    assert_eq!(state, Some(KeyState::Erased { through }));
    assert_eq!(table.requests().len(), 3);

    for (answer, is_expected) in [
        (throttled(), THROTTLED),
        (HangUp, UNAVAILABLE),
        (refusal(400, "ResourceNotFoundException"), REFUSED),
    ] {
        let answers = vec![answer.clone(); 3];
        let (_table, keyring) = over(stand_in::kms().await, answers.clone()).await;
        let read = keyring.subject_key(&acme(), &ada()).await.map(drop);
        let (_table, keyring) = over(stand_in::kms().await, answers).await;
        let erased = keyring.erase(&acme(), &ada(), &ErasureRequest::example()).await.map(drop);
        for outcome in [read, erased] {
            let Err(KeyringError::Port(error)) = &outcome else {
                unreachable!("{answer:?}: {outcome:?}")
            };
            assert!(is_expected(error), "{answer:?}: {error:?}");
        }
    }
}

/// None of these means that the key is lost.
#[tokio::test]
async fn a_failure_of_kms_is_reported_by_its_meaning() {
    let stored = active(&STANDARD.encode("wrapped"));
    for (code, is_expected) in [
        ("ThrottlingException", THROTTLED),
        ("KeyUnavailableException", UNAVAILABLE),
        ("SomethingNew", UNAVAILABLE),
        ("DisabledException", REFUSED),
        ("IncorrectKeyException", REFUSED),
        ("AccessDeniedException", REFUSED),
    ] {
        let kms = RecordedService::answering(move |_| refusal(400, code)).await;
        let (_table, keyring) = over(kms, [item(&stored), nothing()]).await;
        let opened = keyring.subject_key(&acme(), &ada()).await.map(drop);
        let made = keyring.provide_subject_key(&acme(), &ada()).await.map(drop);
        for outcome in [opened, made] {
            let Err(KeyringError::Port(error)) = &outcome else {
                unreachable!("{code}: {outcome:?}")
            };
            assert!(is_expected(error), "{code}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_item_that_is_no_key_is_damaged() {
    let blob = STANDARD.encode("x");
    for bad in [
        json!({"pk": {"S": "x"}}),
        json!({"pk": {"S": "x"}, "v": {"N": "0"}, "w": {"B": blob}}),
        json!({"pk": {"S": "x"}, "v": {"S": "1"}, "w": {"B": blob}}),
        json!({"pk": {"S": "x"}, "w": {"B": blob}}),
        json!({"pk": {"S": "x"}, "v": {"N": "1"}, "w": {"S": "x"}}),
        json!({"pk": {"S": "x"}, "v": {"N": "1"}, "w": {"B": blob}}),
    ] {
        let (_table, keyring) = over(stand_in::kms().await, [item(&bad)]).await;
        let error = keyring.subject_key(&acme(), &ada()).await.expect_err("it is no key");
        assert!(matches!(error, KeyringError::Damaged { .. }), "{bad}: {error:?}");
    }
}
