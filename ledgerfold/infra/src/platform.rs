//! The template of the platform, which all contexts of a stage share.

use crate::{
    context::parameters,
    document::{Map, Resource, Section, Template, Value, arn, choose, list, map, reference, sub},
    parts::trusted_by,
};

/// The template of the platform.
pub fn template() -> Template {
    let sections = vec![bus(), topic(), access_logs()];
    Template {
        description: "Ledgerfold, the platform: the bus with its archive, the topic of alarms, and the account's role \
                      for access logs."
            .to_owned(),
        note: vec![
            "Generated. Do not edit: run the program <context>-admin generate of any context.".to_owned(),
            "Shared by the contexts of a stage. Deploy it before them: their stacks import its outputs, so \
             CloudFormation refuses to delete it while they exist. The bus and its archive are named after the stack. \
             Names of archives are limited to 48 characters, and so is the stack's name."
                .to_owned(),
        ],
        metadata: Map::default(),
        parameters: platform_parameters(),
        mappings: Map::default(),
        conditions: conditions(),
        globals: Map::default(),
        sections,
    }
}

fn platform_parameters() -> Map {
    parameters::stage("sets no role for access logs").and(map! {
        ArchiveRetention: map! {
            Type: "Number",
            Default: 0,
            MinValue: 0,
            MaxValue: 36_500,
            Description: "Days that the archive keeps events. 0 keeps them for ever.",
        },
        AlarmTopic: map! {
            Type: "String",
            Default: "",
            AllowedPattern: "|arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+",
            ConstraintDescription: "the ARN of an SNS topic, or empty.",
            Description: "ARN of the SNS topic that alarms notify. If empty, this stack creates one; subscribe to it, \
                          or alarms notify nobody.",
        },
        ApiLogRole: map! {
            Type: "String",
            Default: "create",
            AllowedValues: list!["create", "existing"],
            Description: "API Gateway uses one role per account and region to write access logs. \"create\" sets it; \
                          \"existing\" keeps the role that the account already has.",
        },
    })
}

fn conditions() -> Map {
    let not_local = map! { Condition: "Protected" };
    let create = list![not_local, parameters::equals("ApiLogRole", "create")];
    parameters::protected().and(map! {
        CreateAlarmTopic: parameters::equals("AlarmTopic", ""),
        CreateApiLogRole: Map::default().with("Fn::And", create),
    })
}

/// An output that the stacks of contexts import.
fn exported(section: Section, name: &str, value: Value) -> Section {
    let mut section = section;
    let output = map! {
        Value: value,
        Export: map! { Name: sub(format!("${{AWS::StackName}}-{name}")) },
    };
    section.outputs.set(name, output, None);
    section
}

fn bus() -> Section {
    let bus = map! {
        Name: reference("AWS::StackName"),
        Description: "Carries the events of every context.",
    };
    let archive = map! {
        ArchiveName: reference("AWS::StackName"),
        Description: "Keeps every event of the bus.",
        SourceArn: arn("Bus"),
        RetentionDays: reference("ArchiveRetention"),
    };
    let archive = Resource::new("Archive", "AWS::Events::Archive", archive).because(
        "Keeps published events, so that a consumer can get them again. Read tables are rebuilt from the event table \
         instead.",
    );
    let section = Section::new("Bus", "")
        .holding([Resource::new("Bus", "AWS::Events::EventBus", bus), archive]);
    let outputs = [
        ("BusName", reference("Bus")),
        ("BusArn", arn("Bus")),
        ("ArchiveName", reference("Archive")),
        ("ArchiveArn", arn("Archive")),
    ];
    outputs.into_iter().fold(section, |section, (name, value)| exported(section, name, value))
}

fn topic() -> Section {
    let only_here = map! { "aws:SourceAccount": reference("AWS::AccountId") };
    let publish = map! {
        Sid: "OnlyAlarmsOfThisAccountPublish",
        Effect: "Allow",
        Principal: map! { Service: "cloudwatch.amazonaws.com" },
        Action: "sns:Publish",
        Resource: reference("Topic"),
        Condition: map! { StringEquals: only_here },
    };
    let over_tls = map! {
        Sid: "OnlyOverTls",
        Effect: "Deny",
        Principal: "*",
        Action: "sns:Publish",
        Resource: reference("Topic"),
        Condition: map! { Bool: map! { "aws:SecureTransport": "false" } },
    };
    let policy = map! {
        Topics: list![reference("Topic")],
        PolicyDocument: map! { Version: "2012-10-17", Statement: list![publish, over_tls] },
    };
    let condition = map! { Condition: "CreateAlarmTopic" };
    let topic = Resource::new("Topic", "AWS::SNS::Topic", Map::default())
        .with(condition.clone())
        .because(
            "Not encrypted: CloudWatch cannot publish to a topic with SNS's own key. Descriptions of alarms have no \
             personal data.",
        );
    let policy = Resource::new("TopicPolicy", "AWS::SNS::TopicPolicy", policy).with(condition);
    let notified = choose("CreateAlarmTopic", reference("Topic"), reference("AlarmTopic"));
    exported(Section::new("Alarms", "").holding([topic, policy]), "AlarmTopicArn", notified)
}

fn access_logs() -> Section {
    let kept = map! {
        Condition: "CreateApiLogRole",
        DeletionPolicy: "Retain",
        UpdateReplacePolicy: "Retain",
    };
    let logs =
        "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
    let role = trusted_by("apigateway.amazonaws.com").with("ManagedPolicyArns", list![sub(logs)]);
    let role = Resource::new("ApiGatewayRole", "AWS::IAM::Role", role).with(kept.clone()).because(
        "The role for access logs is a setting of the account. It stays when the stack is deleted, because other APIs \
         may use it by then.",
    );
    let account = map! { CloudWatchRoleArn: arn("ApiGatewayRole") };
    let account =
        Resource::new("ApiGatewayAccount", "AWS::ApiGateway::Account", account).with(kept);
    Section::new("Access logs", "").holding([role, account])
}
