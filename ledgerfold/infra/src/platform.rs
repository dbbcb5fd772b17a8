//! The template of the platform, which all contexts of a stage share.

use crate::{
    context::parameters,
    document::{
        Map, Resource, Section, Template, Value, arn, choose, list, map, no_value, reference, sub,
    },
    parts::{
        HAS_KEY, Page, dead_letters, key_condition, key_if_any, key_parameter, trusted_by, with_key,
    },
    shared::letters_alarms,
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
        rules: Map::default(),
        mappings: Map::default(),
        conditions: conditions(),
        globals: Map::default(),
        sections,
    }
}

fn platform_parameters() -> Map {
    parameters::stage("sets no role for access logs").and(key_parameter()).and(map! {
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
    parameters::protected().and(key_condition()).and(map! {
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
        KmsKeyIdentifier: key_if_any(),
        DeadLetterConfig: with_key(map! { Arn: arn(BUS_LETTERS) }, no_value()),
    };
    let archive = map! {
        ArchiveName: reference("AWS::StackName"),
        Description: "Keeps every event of the bus.",
        SourceArn: arn("Bus"),
        RetentionDays: reference("ArchiveRetention"),
        KmsKeyIdentifier: key_if_any(),
    };
    let archive = Resource::new("Archive", "AWS::Events::Archive", archive).because(
        "Keeps published events, so that a consumer can get them again. Read tables are rebuilt from the event table \
         instead.",
    );
    let section = Section::new("Bus", "")
        .holding([Resource::new("Bus", "AWS::Events::EventBus", bus), archive])
        .holding(undecipherable())
        .holding(undecipherable_alarms())
        .output_if(HAS_KEY, BUS_LETTERS);
    let outputs = [
        ("BusName", reference("Bus")),
        ("BusArn", arn("Bus")),
        ("ArchiveName", reference("Archive")),
        ("ArchiveArn", arn("Archive")),
    ];
    outputs.into_iter().fold(section, |section, (name, value)| exported(section, name, value))
}

/// The queue of events that EventBridge could not encrypt or decrypt.
const BUS_LETTERS: &str = "BusDeadLetters";

fn undecipherable() -> [Resource; 2] {
    let [queue, policy] = dead_letters(BUS_LETTERS, &["Bus".to_owned()]);
    let mut queue = queue.because(
        "Events that EventBridge could not encrypt or decrypt with EncryptionKey. This queue has SQS's own key, because \
         the other one does not work then.",
    );
    queue.properties.set("SqsManagedSseEnabled", true, None);
    queue.properties.remove("KmsMasterKeyId");
    let condition = map! { Condition: HAS_KEY };
    let queue = queue.with(condition.clone()).skipping(&[(
        "CKV_AWS_27",
        "SQS's own key encrypts it, because the customer's key does not work when an event comes here.",
    )]);
    let ignored = list!["ES6000"; "ES6000 wants a dead-letter queue for each dead-letter queue."];
    let queue = queue.metadata("cfn-lint", map! { config: map! { ignore_checks: ignored } });
    [queue, policy.with(condition)]
}

fn undecipherable_alarms() -> [Resource; 2] {
    let repair = "Enable the key and correct its policy. Then run \"ledgerfold repair --bus --since <two days before \
                  this alarm>\" with the role BusRepairRole in every context, and purge the queue ${BusDeadLetters}.";
    let alarms = letters_alarms(
        BUS_LETTERS,
        &format!(
            "Bus: EventBridge could not use EncryptionKey, so consumers did not get some events. The event tables \
                  have them. {repair}"
        ),
        &format!(
            "Bus: events that EventBridge could not encrypt have been in the dead-letter queue for ten days. SQS \
                  deletes them after 14 days; the event tables keep them. {repair}"
        ),
        Page::UndeliveredWork,
    );
    alarms.map(|alarm| {
        let mut alarm = Resource::from(alarm).with(map! { Condition: HAS_KEY });
        alarm.properties.set("AlarmActions", list![notified()], None);
        alarm
    })
}

/// The topic that alarms notify.
fn notified() -> Value {
    choose("CreateAlarmTopic", reference("Topic"), reference("AlarmTopic"))
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
    let topic = Resource::new("Topic", "AWS::SNS::Topic", map! { KmsMasterKeyId: key_if_any() })
        .with(condition.clone())
        .because(
            "Without EncryptionKey it is not encrypted: CloudWatch cannot publish to a topic with SNS's own key. \
             Descriptions of alarms have no personal data.",
        );
    let policy = Resource::new("TopicPolicy", "AWS::SNS::TopicPolicy", policy).with(condition);
    exported(Section::new("Alarms", "").holding([topic, policy]), "AlarmTopicArn", notified())
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
