//! The meaning of SQS's answers. Recorded answers replace SQS behind the SDK.

use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use ledgerfold::ports::{DeadlineQueue, DeadlineQueueError, DueDeadline, PortError};
use ledgerfold_proofs::{
    RecordedAnswer::{self, HangUp, Json},
    RecordedService,
};
use ledgerfold_sqs::{SqsDeadlineQueue, parse};

async fn queue(answer: RecordedAnswer) -> (RecordedService, SqsDeadlineQueue) {
    let service = RecordedService::start([answer]).await;
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(service.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    (service, SqsDeadlineQueue::new(Client::from_conf(config.build()), "https://sqs/1/due"))
}

fn due(stream: usize) -> DueDeadline {
    let event = "018bcfe5-6800-7000-8000-000000000000";
    let key = format!("lending#default/account#a{stream}#return");
    parse(&format!(r#"{{"format":1,"deadline":"{key}","event":"{event}"}}"#)).expect("a deadline")
}

async fn send(
    answer: RecordedAnswer,
) -> Result<Vec<Result<(), DeadlineQueueError>>, DeadlineQueueError> {
    let (_service, queue) = queue(answer).await;
    queue.send(&[due(0), due(1), due(2), due(3)]).await
}

// Guards: a-deadline-fires-in-time
#[tokio::test]
async fn each_deadline_of_a_call_has_its_own_result() {
    let taken = |id: usize| format!(r#"{{"Id":"{id}","MessageId":"m","MD5OfMessageBody":"x"}}"#);
    let refused = |id: usize, code: &str| {
        format!(r#"{{"Id":"{id}","Code":"{code}","Message":"no","SenderFault":false}}"#)
    };
    // The order is not that of the request, and the last deadline has no answer.
    let answer = format!(
        r#"{{"Successful":[{}],"Failed":[{},{}]}}"#,
        taken(2),
        refused(1, "InternalError"),
        refused(0, "AccessDenied")
    );
    let results = send(Json(200, answer)).await.expect("the call succeeds");
    assert!(
        matches!(
            &results[..],
            [
                Err(DeadlineQueueError(PortError::Refused(_))),
                Err(DeadlineQueueError(PortError::Unavailable(_))),
                Ok(()),
                Err(DeadlineQueueError(PortError::Unavailable(_))),
            ]
        ),
        "{results:?}"
    );
}

#[tokio::test]
async fn a_failed_call_is_throttling_an_outage_or_a_missing_permission() {
    let failed = |status, code: &str| {
        Json(status, format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"no"}}"#))
    };
    let outcome = send(failed(403, "AccessDenied")).await;
    assert!(matches!(outcome, Err(DeadlineQueueError(PortError::Refused(_)))), "{outcome:?}");
    let outcome = send(failed(400, "RequestThrottled")).await;
    assert!(matches!(outcome, Err(DeadlineQueueError(PortError::Throttled))), "{outcome:?}");
    for answer in [failed(500, "InternalFailure"), HangUp] {
        let outcome = send(answer).await;
        assert!(
            matches!(outcome, Err(DeadlineQueueError(PortError::Unavailable(_)))),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_call_names_its_queue_and_every_deadline() {
    let (service, queue) = queue(Json(200, r#"{"Successful":[],"Failed":[]}"#.to_owned())).await;
    queue.send(&[due(7), due(8)]).await.expect("the call succeeds");
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    for part in [
        "https://sqs/1/due",
        "lending#default/account#a7#return",
        "lending#default/account#a8#return",
    ] {
        assert!(requests[0].contains(part), "{}", requests[0]);
    }
}
