//! Reasons why DynamoDB cancels a transaction. They are listed by position, and each position means something else.
//! The answers are recorded, because no emulator produces all of them.

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use ledgerfold::{
    Category, Claim, CommandId, ReservedKey, StreamId, TenantId, UniqueKey, Version,
    command::Loaded,
    ports::{
        AppendError, Correction, EventStore, PortError, Reservations, StoreError, Transaction,
        Written,
    },
};
use ledgerfold_dynamodb::{CommitItem, DynamoEventStore};
use ledgerfold_proofs::{
    RecordedAnswer::{self, Json},
    RecordedService,
    conformance::{
        event_store::asked,
        requests::{commit, fresh},
    },
};
use ledgerfold_testkit::bank::{Accounts, Plain};
use serde_json::{Value, json};

/// A transaction of five actions in this order: a commit, a stream that must not have changed, a command to recognise
/// for ever, a key to take, a key to give back.
struct Case {
    written: StreamId,
    watched: StreamId,
    transaction: Transaction,
}

fn reserved_key(value: &str) -> ReservedKey {
    ReservedKey { tenant: TenantId::default_tenant(), key: key(value) }
}

fn key(value: &str) -> UniqueKey {
    UniqueKey::new(Category::from_static("email"), value).expect("it is short")
}

impl Case {
    fn new() -> Self {
        let (written, watched) = (fresh(), fresh());
        let new = commit(&Loaded::unread(written.clone()), "attempt", &["note"], 60);
        let seen = Loaded::<Accounts<Plain>>::unread(watched.clone()).stream_version();
        let claims = [
            (written.clone(), Claim::Reserve(key("taken"))),
            (written.clone(), Claim::Release(key("given"))),
        ];
        let once = asked(&CommandId::new("attempt").expect("visible ASCII"));
        let transaction = Transaction::new(vec![new], vec![seen], claims, Some(once));
        Self { written, watched, transaction: transaction.expect("it is a small one") }
    }

    /// The error for a transaction that is cancelled for these reasons, each with the conflicting item.
    async fn refused(&self, reasons: &[(&str, Option<Value>)]) -> AppendError {
        let (service, store) = store([cancelled(reasons)]).await;
        let outcome = store.transact(&self.transaction).await;
        assert_eq!(
            service.requests().len(),
            1,
            "the refusal includes the item, so it is not read again"
        );
        outcome.expect_err("it was cancelled")
    }

    /// The item of another commit with the same version, as DynamoDB returns it.
    fn winner(&self) -> Value {
        let other = commit(&Loaded::unread(self.written.clone()), "other", &["first"], 60);
        let item = CommitItem::from(other.as_commit()).into_attributes().expect("it is a commit");
        let item: serde_dynamo::Item = item.into();
        serde_json::to_value(item).expect("it is JSON")
    }

    /// The place of an earlier commit of the same command.
    fn earlier(&self) -> Value {
        let place = json!({"M": {"s": {"S": self.watched.to_string()}, "v": {"N": "7"}}});
        json!({"pk": {"S": "command#attempt"}, "f": {"S": "1first"}, "at": {"L": [place]}})
    }

    fn holder(&self) -> Value {
        json!({"pk": {"S": "key#email#taken"}, "h": {"S": self.watched.to_string()}})
    }
}

/// The answer to a transaction that is cancelled for these reasons.
fn cancelled(reasons: &[(&str, Option<Value>)]) -> RecordedAnswer {
    let reasons: Vec<_> = reasons
        .iter()
        .map(|(code, item)| match item {
            Some(item) => json!({"Code": code, "Item": item}),
            None => json!({"Code": code}),
        })
        .collect();
    let answer = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "cancelled", "CancellationReasons": reasons,
    });
    Json(400, answer.to_string())
}

async fn store<const ANSWERS: usize>(
    answers: [RecordedAnswer; ANSWERS],
) -> (RecordedService, DynamoEventStore) {
    let (service, client) = recorded(answers).await;
    (service, DynamoEventStore::new(client, "events").with_reservations("reservations"))
}

async fn recorded<const ANSWERS: usize>(
    answers: [RecordedAnswer; ANSWERS],
) -> (RecordedService, Client) {
    let service = RecordedService::start(answers).await;
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(service.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    (service, Client::from_conf(config.build()))
}

const FAILED: &str = "ConditionalCheckFailed";
const NONE: (&str, Option<Value>) = ("None", None);

#[tokio::test]
async fn a_lost_race_is_reported_first_with_the_winner() {
    let case = Case::new();
    let reasons = [
        (FAILED, Some(case.winner())),
        (FAILED, None),
        (FAILED, Some(case.earlier())),
        (FAILED, Some(case.holder())),
        (FAILED, None),
    ];
    let refused = case.refused(&reasons).await;
    let AppendError::Conflict { winner } = &refused else { unreachable!("{refused:?}") };
    assert_eq!((winner.stream(), winner.command().id.as_str()), (&case.written, "other"));
}

#[tokio::test]
async fn each_reason_is_identified_by_its_position() {
    let case = Case::new();
    let changed = case.refused(&[NONE, (FAILED, None), NONE, NONE, NONE]).await;
    let AppendError::Changed { stream, version } = &changed else { unreachable!("{changed:?}") };
    assert_eq!((stream, *version), (&case.watched, Version::NONE));

    let repeated = case.refused(&[NONE, NONE, (FAILED, Some(case.earlier())), NONE, NONE]).await;
    let AppendError::Repeated { record } = &repeated else { unreachable!("{repeated:?}") };
    let place = &record.commits[0];
    assert_eq!((&place.stream, place.from), (&case.watched, Version::new(7)));
    assert_eq!(record.fingerprint.as_str(), "1first");

    let reserved = case.refused(&[NONE, NONE, NONE, (FAILED, Some(case.holder())), NONE]).await;
    let AppendError::Reserved { key: taken, holder } = &reserved else {
        unreachable!("{reserved:?}")
    };
    assert_eq!((taken, holder), (&reserved_key("taken"), &case.watched));
}

#[tokio::test]
async fn a_key_that_cannot_be_given_back_is_reported_with_the_state_of_the_build() {
    let case = Case::new();
    let reasons = [NONE, NONE, NONE, NONE, (FAILED, None)];
    let record = json!({"Item": {
        "pk": {"S": "claims#note"}, "n": {"N": "9"},
        "record": {"M": {
            "number": {"N": "9"},
            "state": {"M": {"Complete": {"M": {"revision": {"N": "3"}}}}},
        }},
    }});
    for (recorded, expected) in [(json!({}), None), (record, Some(3))] {
        let answers = [cancelled(&reasons), Json(200, recorded.to_string())];
        let (service, store) = store(answers).await;
        let not_ours = store.transact(&case.transaction).await.expect_err("it was cancelled");
        let AppendError::NotReserved { key: given, stream, complete } = &not_ours else {
            unreachable!("{not_ours:?}")
        };
        assert_eq!((given, stream, *complete), (&reserved_key("given"), &case.written, expected));
        assert_eq!(service.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_correction_that_was_overtaken_is_superseded_and_nothing_else_is() {
    let correct = async |answer: RecordedAnswer| {
        let (_service, store) = store([answer]).await;
        let to = Loaded::<Accounts<Plain>>::unread(fresh()).stream_version();
        store.correct(&reserved_key("taken"), &Correction::Reserve { to }).await
    };
    for reasons in
        [[(FAILED, None), NONE], [NONE, (FAILED, None)], [NONE, ("TransactionConflict", None)]]
    {
        let outcome = correct(cancelled(&reasons)).await;
        assert!(matches!(outcome, Ok(Written::Superseded)), "{reasons:?}: {outcome:?}");
    }
    let invalid = correct(cancelled(&[("ValidationError", None), NONE])).await;
    assert!(matches!(invalid, Err(StoreError::Port(PortError::Refused(_)))), "{invalid:?}");
}

#[tokio::test]
async fn other_errors_are_never_treated_as_a_conflict() {
    let case = Case::new();
    let busy = case.refused(&[("TransactionConflict", None), NONE, NONE, NONE, NONE]).await;
    assert!(matches!(busy, AppendError::Busy), "{busy:?}");
    for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
        let throttled = case.refused(&[(code, None), NONE, NONE, NONE, NONE]).await;
        let throttled_is =
            matches!(throttled, AppendError::Store(StoreError::Port(PortError::Throttled)));
        assert!(throttled_is, "{code}: {throttled:?}");
    }
    for code in ["ValidationError", "ItemCollectionSizeLimitExceeded", "AccessDenied"] {
        let refused = case.refused(&[(code, None), NONE, NONE, NONE, NONE]).await;
        let is_refused =
            matches!(refused, AppendError::Store(StoreError::Port(PortError::Refused(_))));
        assert!(is_refused, "{code}: {refused:?}");
    }
    let unknown = case.refused(&[("SomethingNew", None), NONE, NONE, NONE, NONE]).await;
    let is_retried =
        matches!(unknown, AppendError::Store(StoreError::Port(PortError::Unavailable(_))));
    assert!(is_retried, "{unknown:?}");
}

#[tokio::test]
async fn a_put_that_conflicts_with_a_transaction_is_busy() {
    let answer = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        "message": "busy",
    });
    let (_service, store) = store([Json(400, answer.to_string())]).await;
    let new = commit(&Loaded::unread(fresh()), "attempt", &["note"], 60);
    let busy = store.append(&new).await;
    assert!(matches!(busy, Err(AppendError::Busy)), "{busy:?}");
}

#[tokio::test]
async fn a_log_without_a_reservation_table_says_so() {
    let (service, client) = recorded([Json(200, "{}".to_owned())]).await;
    let store = DynamoEventStore::new(client, "events");
    let outcome = store.transact(&Case::new().transaction).await;
    assert_eq!(service.requests().len(), 0);
    assert!(
        matches!(outcome, Err(AppendError::Store(StoreError::Port(PortError::Refused(_))))),
        "{outcome:?}"
    );
}
