//! The template of a key that encrypts everything of a stage.

use crate::{
    document::{Map, Resource, Section, Template, Value, arn, list, map, sub},
    shared::platform_parameter,
};

/// The template of the key. Only a team that wants a key of its own deploys it.
pub fn template() -> Template {
    Template {
        description: "Ledgerfold, a key of your own: it encrypts everything that the stacks of a stage store."
            .to_owned(),
        note: vec![
            "Generated. Do not edit: run the program <context>-admin generate of any context.".to_owned(),
            "Deploy it before the platform, and pass the output KeyArn to all stacks as EncryptionKey. The account's \
             policies say which people and roles may use the key. Services of AWS that act for nobody in the account \
             need the statements below."
                .to_owned(),
        ],
        metadata: Map::default(),
        parameters: platform_parameter(
            "Name of the stack of the platform. The key serves it, and the stacks whose names begin with it.",
        ),
        rules: Map::default(),
        mappings: Map::default(),
        conditions: Map::default(),
        globals: Map::default(),
        sections: vec![section()],
    }
}

fn section() -> Section {
    let properties = map! {
        Description: sub("Encrypts everything that the stacks of ${Platform} store."),
        EnableKeyRotation: true,
        PendingWindowInDays: 30,
        KeyPolicy: map! { Version: "2012-10-17", Statement: statements() },
    };
    let kept = map! { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };
    let key = Resource::new("Key", "AWS::KMS::Key", properties)
        .with(kept)
        .because("Without the key, all data is lost. So it stays when somebody deletes the stack.");
    let alias = map! { AliasName: sub("alias/${Platform}"), TargetKeyId: arn("Key") };
    Section::new("Key", "")
        .holding([key, Resource::new("Alias", "AWS::KMS::Alias", alias)])
        .output("KeyArn", arn("Key"))
}

fn statements() -> Value {
    list![
        map! {
            Sid: "PoliciesOfTheAccount",
            Effect: "Allow",
            Principal: map! { AWS: sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root") },
            Action: "kms:*",
            Resource: "*",
        }; "Leaves administrators, operators and the roles of functions to IAM. Tables, their streams, queues, buckets \
            and functions need no more, because they are used in the name of a role.",
        service("LogGroups", sub("logs.${AWS::Region}.amazonaws.com"), &DATA, map! {
            ArnLike: map! { "kms:EncryptionContext:aws:logs:arn": of_stage("logs", "log-group:${Platform}-*") },
        }); "CloudWatch Logs encrypts in its own name.",
        map! {
            Sid: "EventBridgeFindsTheKey",
            Effect: "Allow",
            Principal: map! { Service: "events.amazonaws.com" },
            Action: "kms:DescribeKey",
            Resource: "*",
        }; "AWS documents no condition for this action: an archive asks without naming its bus.",
        service("BusAndArchive", "events.amazonaws.com".into(), &EVENTS, map! {
            ArnLike: map! {
                "kms:EncryptionContext:aws:events:event-bus:arn": of_stage("events", "event-bus/${Platform}"),
            },
        }); "Both the bus and its archive use the ARN of the bus as the encryption context.",
        service("RulesFillQueues", "events.amazonaws.com".into(), &MESSAGES, map! {
            ArnLike: map! {
                "aws:SourceArn": list![
                    of_stage("events", "rule/${Platform}/${Platform}-*"),
                    of_stage("events", "rule/${Platform}-*"),
                ],
            },
        }); "Without this, rules and schedules cannot send to an encrypted queue, and their dead-letter queues do not \
            accept the messages either.",
        service("AlarmsNotify", "cloudwatch.amazonaws.com".into(), &MESSAGES, map! {
            ArnLike: map! { "kms:EncryptionContext:aws:sns:topicArn": of_stage("sns", "${Platform}-*") },
        }); "Without this, an alarm cannot publish to an encrypted topic, and nobody hears of it.",
    ]
}

const DATA: [&str; 5] =
    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
const EVENTS: [&str; 3] = ["kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"];
const MESSAGES: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

/// Lets a service of AWS use the key for resources of this stage only.
fn service(sid: &str, principal: Value, actions: &[&str], condition: Map) -> Map {
    map! {
        Sid: sid,
        Effect: "Allow",
        Principal: map! { Service: principal },
        Action: actions.iter().copied().collect::<Value>(),
        Resource: "*",
        Condition: condition,
    }
}

fn of_stage(service: &str, resource: &str) -> Value {
    sub(format!(
        "arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"
    ))
}
