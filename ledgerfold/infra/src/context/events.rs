//! The event table and its protection.

use super::{Scope, parameters};
use crate::{
    document::{Resource, Section, arn, choose, import, list, map, no_value, reference, sub},
    parts::{Index, Key, key_if_any, table},
};

/// Nobody needs these actions on the event table.
const CHANGES: [&str; 6] = [
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:UpdateItem",
];

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let section = Section { outputs: parameters::outputs(), ..Section::new("Events", "") }
        .holding([event_table(), bus_policy(scope), bus_key(scope)])
        .output_of("EventTable");
    if !scope.context.keeps_reservations() {
        return section;
    }
    let reservations = table("Reservations", &[Key::STREAM], None::<Index<'_>>).because(
        "Reservations of unique keys, and the results of commands that are recognised for ever. The key is \
         the category with the unique key or the command.",
    );
    section.holding([reservations]).output_of("Reservations")
}

fn event_table() -> Resource {
    let resource = table("EventTable", &[Key::STREAM, Key::VERSION], None);
    let statement = map! {
        Sid: "AppendOnly",
        Effect: "Deny",
        Principal: "*",
        Action: CHANGES.into_iter().collect::<crate::document::Value>(),
        Resource: "*",
    };
    let name = map! {
        /// Other contexts that read these events find the table by this name.
        TableName: sub("${AWS::StackName}-events"),
    };
    let properties = name.and(resource.properties.clone()).and(map! {
        DeletionProtectionEnabled: choose("Protected", true, false),
        StreamSpecification: map! { StreamViewType: "NEW_IMAGE" },
        /// A deny applies to administrators too. To remove personal data by hand, remove this policy first. It names no
        /// role, because the roles refer to this table and CloudFormation allows no cycle.
        ResourcePolicy: map! {
            PolicyDocument: map! { Version: "2012-10-17", Statement: list![statement] },
        },
    });
    let kept = map! { DeletionPolicy: "Delete", UpdateReplacePolicy: "Retain" };
    Resource { properties, ..resource }.with(kept).because(
        "The source of truth. In every stage except \"local\", deletion protection keeps the table when somebody \
         deletes the stack. We do not use the deletion policy Retain, because it accepts no condition and would keep \
         local tables too.",
    )
}

fn bus_policy(scope: &Scope<'_>) -> Resource {
    let source = scope.source();
    let roles = list![
        arn("RelayFunctionRole"),
        choose("HasBusRepairRole", reference("BusRepairRole"), no_value()),
    ];
    let statement = map! {
        Effect: "Deny",
        Principal: "*",
        Action: "events:PutEvents",
        Resource: import("BusArn"),
        Condition: map! {
            "ForAnyValue:StringLike": map! {
                "events:source": list![source.as_str(), format!("{source}.*")],
            },
            ArnNotEquals: map! { "aws:PrincipalArn": roles },
            Bool: map! { "aws:PrincipalIsAWSService": "false" },
        },
    };
    let properties = map! {
        EventBusName: import("BusName"),
        StatementId: format!("OnlyTheRelayPublishes-{}", scope.context.name()),
        Statement: statement,
    };
    Resource::new("BusPolicy", "AWS::Events::EventBusPolicy", properties).because(
        "Only the relay and the repair role may publish with this context's sources. Other contexts publish on the \
         same bus with their own, and replays come from EventBridge itself. One call can put events of several \
         sources, so the condition uses ForAnyValue:\n\
         https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html",
    )
}

fn bus_key(scope: &Scope<'_>) -> Resource {
    let properties = map! {
        Description: format!("Signs the events that the context {} publishes.", scope.context.name()),
        GenerateSecretString: map! { PasswordLength: 43, ExcludePunctuation: true },
        KmsKeyId: key_if_any(),
    };
    Resource::new("BusKey", "AWS::SecretsManager::Secret", properties).because(
        "The relay signs every event with this key. Consumers of this context apply signed events as they are, and \
         read all others from the event table. CloudFormation resolves the key when it deploys a function, so a new \
         key needs a new deployment. While it is in progress, consumers read events from the table.",
    )
}
