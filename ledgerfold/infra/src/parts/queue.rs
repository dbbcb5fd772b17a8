//! Queues that rules fill. They are encrypted with SQS's own key, because EventBridge cannot use the account's default
//! key for SQS.

use crate::document::{Map, Resource, Value, arn, list, map, reference};

/// The most that SQS allows, in seconds.
const FOURTEEN_DAYS: i64 = 1_209_600;
/// The id of a dead-letter queue ends with this.
pub(crate) const DEAD_LETTERS: &str = "DeadLetters";

/// A queue that receives messages from these rules only, and moves messages that fail repeatedly to `dead_letters`.
pub(crate) fn queue(
    id: &str,
    dead_letters: &str,
    senders: &[String],
    visibility: Value,
    retention: i64,
) -> [Resource; 2] {
    let properties = map! {
        SqsManagedSseEnabled: true,
        VisibilityTimeout: visibility,
        MessageRetentionPeriod: retention,
        RedrivePolicy: map! {
            deadLetterTargetArn: arn(dead_letters),
            maxReceiveCount: reference("MaxReceives"),
        },
    };
    with_policy(id, properties, senders)
}

/// A queue for messages that a queue or these rules could not deliver.
pub(crate) fn dead_letters(id: &str, senders: &[String]) -> [Resource; 2] {
    let properties = map! { SqsManagedSseEnabled: true, MessageRetentionPeriod: FOURTEEN_DAYS };
    with_policy(id, properties, senders)
}

fn with_policy(id: &str, properties: Map, senders: &[String]) -> [Resource; 2] {
    let (sid, source) = match senders {
        [sender] => ("OnlyTheRuleSends", arn(sender)),
        senders => ("OnlyTheRulesSend", senders.iter().map(arn).collect()),
    };
    let statements = list![
        map! {
            Sid: sid,
            Effect: "Allow",
            Principal: map! { Service: "events.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource: arn(id),
            Condition: map! { ArnEquals: map! { "aws:SourceArn": source } },
        },
        map! {
            Sid: "OnlyOverTls",
            Effect: "Deny",
            Principal: "*",
            Action: "sqs:*",
            Resource: arn(id),
            Condition: map! { Bool: map! { "aws:SecureTransport": "false" } },
        },
    ];
    let policy = map! {
        Queues: list![reference(id)],
        PolicyDocument: map! { Version: "2012-10-17", Statement: statements },
    };
    [
        Resource::new(id, "AWS::SQS::Queue", properties),
        Resource::new(format!("{id}Policy"), "AWS::SQS::QueuePolicy", policy),
    ]
}
