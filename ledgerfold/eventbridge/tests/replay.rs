//! Requests for replays, and the meaning of the answers. Recorded answers replace EventBridge behind the SDK.

use aws_sdk_eventbridge::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use ledgerfold::{Timestamp, vocabulary::ReplayName};
use ledgerfold_eventbridge::{ReplayError, ReplayState, Replays, RuleArn, Window};
use ledgerfold_proofs::{
    RecordedAnswer::{self, HangUp, Json},
    RecordedService,
};
use serde_json::{Value, json};

const ARCHIVE: &str = "arn:aws:events:us-east-1:123456789012:archive/orders";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/orders";
const RULE: &str = "arn:aws:events:us-east-1:123456789012:rule/orders/view";

fn client(service: &RecordedService) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(service.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

fn refusal(code: &str) -> RecordedAnswer {
    Json(400, json!({"__type": code, "message": "in its own words"}).to_string())
}

/// The replays of an archive that then gives these answers.
async fn archive(answers: impl IntoIterator<Item = RecordedAnswer>) -> (RecordedService, Replays) {
    let description =
        json!({"ArchiveArn": ARCHIVE, "EventSourceArn": BUS, "CreationTime": 1_700_000_000});
    let description = Json(200, description.to_string());
    let service = RecordedService::start([description].into_iter().chain(answers)).await;
    let replays = Replays::open(client(&service), ARCHIVE).await.expect("it exists");
    (service, replays)
}

fn named(name: &str) -> ReplayName {
    ReplayName(name.to_owned())
}

fn window() -> Window {
    let at = |second| Timestamp::from_second(second).expect("a time");
    Window::new(at(1_700_000_000), at(1_700_003_600)).expect("an hour")
}

async fn start(replays: &Replays) -> Result<ReplayState, ReplayError> {
    replays.start(&named("again"), window(), &[RULE.parse().expect("a rule")]).await
}

// Guards: a-replay-reaches-only-named-rules
#[tokio::test]
async fn a_replay_goes_to_the_archives_bus_and_to_the_named_rules() {
    let (service, replays) = archive([Json(200, json!({"State": "STARTING"}).to_string())]).await;
    assert_eq!(start(&replays).await.expect("it starts"), ReplayState::Starting);
    let requests = service.requests();
    let asked = |request: usize| serde_json::from_str::<Value>(&requests[request]).expect("JSON");
    assert_eq!(asked(0)["ArchiveName"], "orders", "the request needs the name, not the ARN");
    assert_eq!(
        asked(1),
        json!({
            "ReplayName": "again", "EventSourceArn": ARCHIVE,
            "EventStartTime": 1_700_000_000, "EventEndTime": 1_700_003_600,
            "Destination": {"Arn": BUS, "FilterArns": [RULE]},
        })
    );
    assert_eq!(replays.created(), Timestamp::from_second(1_700_000_000).ok());
}

// Guards: a-replay-reaches-only-named-rules
#[tokio::test]
async fn a_replay_without_rules_or_with_a_wrong_name_is_refused_without_a_call() {
    let (service, replays) = archive([]).await;
    let nobody = replays.start(&named("again"), window(), &[]).await;
    assert!(matches!(nobody, Err(ReplayError::NoRules)));
    let rule: RuleArn = RULE.parse().expect("a rule");
    for bad in ["", "with space", "ä", &"x".repeat(65)] {
        let outcome = replays.start(&named(bad), window(), std::slice::from_ref(&rule)).await;
        assert!(matches!(outcome, Err(ReplayError::BadName(_))), "{bad:?} was accepted");
    }
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
async fn each_refusal_has_its_own_error() {
    let outcome = |answer| async { start(&archive([answer]).await.1).await.expect_err("refused") };
    assert!(matches!(
        outcome(refusal("ResourceAlreadyExistsException")).await,
        ReplayError::NameTaken(ReplayName(name)) if name == "again"
    ));
    let full = outcome(refusal("LimitExceededException")).await;
    assert!(matches!(full, ReplayError::TooMany(reason) if reason == "in its own words"));
    let refused = outcome(refusal("ValidationException")).await;
    assert!(matches!(refused, ReplayError::Refused(reason) if reason == "in its own words"));
    assert!(matches!(outcome(refusal("ThrottlingException")).await, ReplayError::Throttled));
    for silence in [HangUp, Json(500, "{}".to_owned())] {
        assert!(matches!(outcome(silence).await, ReplayError::Unavailable(_)));
    }
    let service = RecordedService::start([refusal("ResourceNotFoundException")]).await;
    let unknown = Replays::open(client(&service), "none").await;
    assert!(matches!(unknown, Err(ReplayError::UnknownArchive(name)) if name == "none"));
}

#[tokio::test]
async fn a_replay_is_described_and_listed_page_by_page() {
    let described = json!({
        "ReplayName": "again", "State": "RUNNING", "StateReason": "because",
        "EventStartTime": 1_700_000_000, "EventEndTime": 1_700_003_600,
        "EventLastReplayedTime": 1_700_001_800, "ReplayStartTime": 1_700_009_000,
    });
    let list =
        |next: Value| Json(200, json!({"Replays": [described], "NextToken": next}).to_string());
    let answers = [
        Json(200, described.to_string()),
        list(json!("more")),
        list(Value::Null),
        refusal("ResourceNotFoundException"),
    ];
    let (service, replays) = archive(answers).await;

    let status = replays.describe(&named("again")).await.expect("it exists");
    assert_eq!((status.state, status.reason.as_deref()), (ReplayState::Running, Some("because")));
    assert_eq!(status.window, Some(window()));
    assert_eq!(status.replayed_to, Timestamp::from_second(1_700_001_800).ok());
    assert_eq!(status.ended, None);

    let first = replays.list(None).await.expect("a page");
    assert_eq!(first.replays, [status]);
    let second = replays.list(first.next.as_deref()).await.expect("a page");
    assert_eq!(second.next, None);
    let request: Value = serde_json::from_str(&service.requests()[3]).expect("JSON");
    assert_eq!(request, json!({"EventSourceArn": ARCHIVE, "NextToken": "more"}));

    let unknown = replays.describe(&named("other")).await;
    assert!(matches!(unknown, Err(ReplayError::UnknownReplay(name)) if name == named("other")));
}

#[tokio::test]
async fn only_a_replay_that_has_not_ended_is_cancelled() {
    let state = |state: &str| Json(200, json!({"State": state}).to_string());
    let (_service, replays) = archive([state("RUNNING"), state("CANCELLING")]).await;
    let cancelled = replays.cancel(&named("again")).await.expect("it is cancelled");
    assert_eq!(cancelled, ReplayState::Cancelling);

    let (service, replays) = archive([state("COMPLETED")]).await;
    let over = replays.cancel(&named("again")).await;
    assert!(matches!(over, Err(ReplayError::Over(ReplayState::Completed))));
    assert_eq!(service.requests().len(), 2, "no call to cancel, which an emulator would obey");

    // The replay ended before the call.
    let answers = [state("RUNNING"), refusal("IllegalStatusException"), state("FAILED")];
    let (_service, replays) = archive(answers).await;
    let over = replays.cancel(&named("again")).await;
    assert!(matches!(over, Err(ReplayError::Over(ReplayState::Failed))));
}

#[test]
fn a_window_has_a_length_and_is_archived_ten_minutes_later() {
    let hour = window();
    assert!(Window::new(hour.to(), hour.from()).is_err());
    assert!(Window::new(hour.to(), hour.to()).is_err());
    assert_eq!(hour.settled_at(), Timestamp::from_second(1_700_004_200).expect("a time"));
}

#[test]
fn another_arn_is_not_a_rule() {
    for bad in [BUS, ARCHIVE, "view", "", "arn:aws:sqs:us-east-1:123456789012:rule/x"] {
        assert!(bad.parse::<RuleArn>().is_err(), "{bad} was accepted as a rule");
    }
    assert!("arn:aws-cn:events:cn-north-1:123456789012:rule/view".parse::<RuleArn>().is_ok());
}
