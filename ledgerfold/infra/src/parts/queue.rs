//! Queues that rules or functions fill. Without a key of the customer they are encrypted with SQS's own, because
//! EventBridge cannot use the account's default key for SQS.

use super::encryption::{key_if_any, with_key};
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
    with_policy(id, consumed(dead_letters, visibility, retention), senders)
}

/// A queue for messages that a queue or these rules could not deliver.
pub(crate) fn dead_letters(id: &str, senders: &[String]) -> [Resource; 2] {
    with_policy(id, kept(), senders)
}

/// A queue that receives messages from this role of a function only, with its dead-letter queue. Only SQS itself sends to
/// the latter.
pub(crate) fn queue_of_role(
    id: &str,
    dead_letters: &str,
    role: &str,
    visibility: Value,
    retention: i64,
) -> [Resource; 4] {
    let sender = map! {
        Sid: "OnlyTheRoleSends",
        Effect: "Allow",
        Principal: map! { AWS: arn(role) },
        Action: "sqs:SendMessage",
        Resource: arn(id),
    };
    let properties = consumed(dead_letters, visibility, retention);
    let [queue, policy] = with_statements(id, properties, list![sender, over_tls(id)]);
    let [letters, letters_policy] =
        with_statements(dead_letters, kept(), list![over_tls(dead_letters)]);
    [queue, policy, letters, letters_policy]
}

/// A queue has one kind of encryption or the other.
fn encrypted() -> Map {
    map! { SqsManagedSseEnabled: with_key(false, true), KmsMasterKeyId: key_if_any() }
}

/// The properties of a queue with a consumer.
fn consumed(dead_letters: &str, visibility: Value, retention: i64) -> Map {
    encrypted().and(map! {
        VisibilityTimeout: visibility,
        MessageRetentionPeriod: retention,
        RedrivePolicy: map! {
            deadLetterTargetArn: arn(dead_letters),
            maxReceiveCount: reference("MaxReceives"),
        },
    })
}

/// The properties of a dead-letter queue.
fn kept() -> Map {
    encrypted().and(map! { MessageRetentionPeriod: FOURTEEN_DAYS })
}

fn with_policy(id: &str, properties: Map, senders: &[String]) -> [Resource; 2] {
    let (sid, source) = match senders {
        [sender] => ("OnlyTheRuleSends", arn(sender)),
        senders => ("OnlyTheRulesSend", senders.iter().map(arn).collect()),
    };
    let rules = map! {
        Sid: sid,
        Effect: "Allow",
        Principal: map! { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: arn(id),
        Condition: map! { ArnEquals: map! { "aws:SourceArn": source } },
    };
    with_statements(id, properties, list![rules, over_tls(id)])
}

fn over_tls(id: &str) -> Map {
    map! {
        Sid: "OnlyOverTls",
        Effect: "Deny",
        Principal: "*",
        Action: "sqs:*",
        Resource: arn(id),
        Condition: map! { Bool: map! { "aws:SecureTransport": "false" } },
    }
}

fn with_statements(id: &str, properties: Map, statements: Value) -> [Resource; 2] {
    let policy = map! {
        Queues: list![reference(id)],
        PolicyDocument: map! { Version: "2012-10-17", Statement: statements },
    };
    [
        Resource::new(id, "AWS::SQS::Queue", properties),
        Resource::new(format!("{id}Policy"), "AWS::SQS::QueuePolicy", policy),
    ]
}
