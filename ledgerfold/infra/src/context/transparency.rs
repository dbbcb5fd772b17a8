//! The transparency log of a context: its bucket, its signing key, and the sealer with its queue.

use ledgerfold::context::{Role, variables};

use super::{Scope, parameters::number, projection::RETENTION};
use crate::{
    document::{Map, Resource, Section, Value, arn, attribute, choose, list, map, reference, sub},
    parts::{
        Alarm, Delivery, Function, Metric, Page, QUEUE_CONSUMER, Statement, bus_rule, dead_letters,
        queue,
    },
    shared::{bucket_over_tls, function_alarms, letters_alarms, undeliverable_alarms},
};

pub(super) const PARAMETERS: [&str; 3] = ["SealEvery", "SealRetentionMode", "SealRetentionDays"];
/// In seconds. A batch of 2,000 commits takes a fraction of it.
const TIMEOUT: i64 = 60;
/// The longest time for which Lambda collects messages, in seconds.
const LONGEST_WINDOW: i64 = 300;
/// Everything that an administrator may do with the signing key. Signing is not among it.
const ADMINISTRATION: [&str; 14] = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyPolicy",
    "kms:GetPublicKey",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
];

/// The parameters of a context with a transparency log.
pub(super) fn parameters() -> Map {
    map! {
        SealEvery: number(60, 1, LONGEST_WINDOW,
            "Seconds for which the sealer collects commits before it signs a checkpoint. Until then only the chain of \
             hashes protects a commit. The stage \"local\" collects for a second."),
        SealRetentionMode: map! {
            Type: "String",
            Default: "GOVERNANCE",
            AllowedValues: list!["GOVERNANCE", "COMPLIANCE"],
            Description: "How the bucket of the transparency log keeps objects. GOVERNANCE lets a special permission \
                          remove them. With COMPLIANCE nobody can, not even the owner of the account.",
        },
        SealRetentionDays: number(3_650, 1, 36_500,
            "Days for which nothing in the transparency log can be removed. COMPLIANCE cannot be shortened."),
    }
}

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let senders = ["SealerRule".to_owned()];
    let hidden = 6 * TIMEOUT + LONGEST_WINDOW;
    Section::new(
        "Transparency log",
        "A sealer adds every commit to a Merkle tree and signs checkpoints of it. Nothing in the bucket can be removed or \
         replaced while it is retained. Keep checkpoints in another account too: see docs/tamper-evidence.md.",
    )
    .holding(bucket())
    .holding([signing_key(scope), event_rule(scope)])
    .holding(queue("SealerQueue", "SealerDeadLetters", &senders, hidden.into(), RETENTION))
    .holding(dead_letters("SealerDeadLetters", &senders))
    .holding(function(scope).resources())
    .holding([mapping()])
    .holding(alarms())
    .output_of("LogBucket")
    .output("SigningKey", arn("SigningKey"))
    .output_of("SealerFunction")
    .output_of("SealerQueue")
    .output_of("SealerDeadLetters")
}

fn bucket() -> [Resource; 2] {
    let [bucket, policy] = bucket_over_tls(
        "LogBucket",
        map! {
            VersioningConfiguration: map! { Status: "Enabled" },
            ObjectLockEnabled: true,
            ObjectLockConfiguration: map! {
                ObjectLockEnabled: "Enabled",
                Rule: map! {
                    DefaultRetention: map! {
                        Mode: reference("SealRetentionMode"),
                        Days: reference("SealRetentionDays"),
                    },
                },
            },
        },
    );
    let kept = map! { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };
    let bucket = bucket.with(kept).because(
        "Tiles, batches, heads and checkpoints. It stays when somebody deletes the stack, because its objects cannot be \
         deleted.",
    );
    [bucket, policy]
}

fn signing_key(scope: &Scope<'_>) -> Resource {
    let properties = map! {
        Description: format!("Signs checkpoints of the transparency log of the context {}.", scope.context.name()),
        KeyUsage: "SIGN_VERIFY",
        KeySpec: "ECC_NIST_P256",
        PendingWindowInDays: 30,
        KeyPolicy: map! {
            Version: "2012-10-17",
            Statement: list![
                map! {
                    Sid: "AdministratorsOfTheAccount",
                    Effect: "Allow",
                    Principal: map! { AWS: sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root") },
                    Action: ADMINISTRATION.into_iter().collect::<Value>(),
                    Resource: "*",
                },
                map! {
                    Sid: "OnlyTheSealerSigns",
                    Effect: "Allow",
                    Principal: map! { AWS: arn("SealerFunctionRole") },
                    Action: list!["kms:GetPublicKey", "kms:Sign"],
                    Resource: "*",
                },
            ],
        },
    };
    let kept = map! { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };
    Resource::new("SigningKey", "AWS::KMS::Key", properties)
        .with(kept)
        .skipping(&[("CKV_AWS_7", "KMS cannot rotate a key that signs.")])
        .because(
            "The permission to sign is here and not in the role, so that no policy of IAM can give it to anybody else. An \
             administrator can change this policy; CloudTrail records that.",
        )
}

fn event_rule(scope: &Scope<'_>) -> Resource {
    let pattern = map! { source: list![scope.source()] };
    let delivery = Delivery::to_queue("SealerQueue", "SealerDeadLetters");
    let description = "Routes every event of the context to the sealer.";
    bus_rule("SealerRule", "sealer", description, pattern, &delivery).because(
        "Replays too: a replay of the archive seals older streams. A sealed commit is passed over.",
    )
}

fn function(scope: &Scope<'_>) -> Function<'static> {
    let origin = sub(format!(
        "${{AWS::StackName}}.${{AWS::Region}}.${{AWS::AccountId}}.ledgerfold/{}",
        scope.context.name()
    ));
    let environment = Map::default()
        .with(variables::EVENT_TABLE, reference("EventTable"))
        .with(variables::PROJECTION_STATES, reference("ProjectionStates"))
        .with(variables::LOG_BUCKET, reference("LogBucket"))
        .with(variables::LOG_ORIGIN, origin)
        .with(variables::SIGNING_KEY, arn("SigningKey"));
    let permissions = vec![
        Statement::allow(&QUEUE_CONSUMER, arn("SealerQueue")),
        Statement::allow(&["dynamodb:Query"], arn("EventTable"))
            .because("Reads the new commits of a stream."),
        Statement::allow(&["dynamodb:GetItem", "dynamodb:PutItem"], arn("ProjectionStates"))
            .on_keys(&["log#size".to_owned()])
            .because("The size of the log."),
        Statement::allow(&["s3:ListBucket"], arn("LogBucket"))
            .because("Without it, S3 answers 403 for a missing object."),
        Statement::allow(&["s3:GetObject", "s3:PutObject"], sub("${LogBucket.Arn}/*"))
            .because("The whole bucket is the log. Object Lock keeps every version."),
    ];
    Function {
        id: "SealerFunction",
        description: "Adds commits to the transparency log, and signs checkpoints.".to_owned(),
        role: Role::Sealer,
        timeout: TIMEOUT.into(),
        variables: environment,
        permissions,
        settings: Map::default(),
    }
}

fn mapping() -> Resource {
    let properties = map! {
        FunctionName: reference("SealerFunction"),
        EventSourceArn: attribute("SealerQueue", "Arn"),
        BatchSize: 1_000,
        MaximumBatchingWindowInSeconds: choose("Protected", reference("SealEvery"), 1),
        FunctionResponseTypes: list!["ReportBatchItemFailures"],
        /// The least that Lambda allows. Conditional writes decide between two sealers.
        ScalingConfig: map! { MaximumConcurrency: 2 },
    };
    Resource::new("SealerMapping", "AWS::Lambda::EventSourceMapping", properties)
}

fn alarms() -> Vec<Alarm> {
    let log = "Run \"aws logs tail ${SealerFunctionLog} --since 1h\"";
    let redrive = "After a fix, run \"ledgerfold dead-letters redrive sealer\".";
    let page = Page::UndeliveredWork;
    let mut alarms = vec![
        Alarm::new("SealerQueueAge", Metric::age("SealerQueue"), Page::LongWaits,
            format!("Sealer: commits have not been in the transparency log for ten minutes. Until they are, only the \
                     chain of hashes protects them. {log} for errors."))
            .over(1, 60).above(600),
        Alarm::new("SealerUnsealed", Metric::of_ours("UnsealedStreams", "SealerFunction"), Page::UnauthorizedWrites,
            format!("Sealer: a stream does not continue its sealed history, or cannot be read. Somebody changed the event \
                     table. {log} for the streams, and run \"ledgerfold verify\"."))
            .over(1, 60),
    ];
    alarms.extend(letters_alarms("SealerDeadLetters",
        &format!("Sealer: messages failed repeatedly, so commits of their streams are not in the transparency log. {log} \
                  for the reasons. {redrive}"),
        &format!("Sealer: messages have been in the dead-letter queue for ten days. SQS deletes them after 14 days. \
                  {redrive}"), page));
    alarms.extend(undeliverable_alarms("Sealer", "sealer", page,
        "Sealer: the bus could deliver events neither to the queue nor to the dead-letter queue. Fix the policies of both \
         queues. The next commit of a stream seals those before it.",
        "Sealer: for 15 minutes the bus has failed to deliver events to the queue. It retries each event for a day. Fix \
         the policy of the queue."));
    alarms.extend(function_alarms("SealerFunction", "Sealer", Page::Functions,
        &format!("Sealer: an invocation failed. {log} for the reason. SQS delivers the messages again, and the next \
                  invocation completes the batch.")));
    alarms
}
