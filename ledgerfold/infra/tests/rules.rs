//! Breaks every rule, and sees it fail.

mod contexts;

use contexts::{maximal, minimal};
use ledgerfold_infra::{Changes, Model, RULES, template};
use serde_json::{Value, json};

/// A change of a template that breaks a rule.
enum Break {
    /// Sets a value.
    Set(&'static str, Value),
    /// Removes a value.
    Drop(&'static str),
}

use Break::{Drop, Set};

impl Break {
    /// Changes the template. A path names a resource and a place in its properties; a path that begins with `/` names a
    /// place in the template.
    fn apply(&self, template: &mut Value) {
        let (Set(path, _) | Drop(path)) = self;
        let pointer = match path.strip_prefix('/') {
            Some(rest) => format!("/{rest}"),
            None => match path.split_once('/') {
                Some((id, rest)) => format!("/Resources/{id}/Properties/{rest}"),
                None => format!("/Resources/{path}"),
            },
        };
        let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
        let last = last.replace("~1", "/");
        let parent = template.pointer_mut(parent);
        let parent = parent.expect("a break changes something that exists");
        match (self, parent) {
            (Set(_, value), parent) => match last.parse::<usize>() {
                Ok(place) => parent[place] = value.clone(),
                Err(_) => parent[&last] = value.clone(),
            },
            (Drop(_), Value::Object(map)) => {
                assert!(map.remove(&last).is_some(), "{path} does not exist");
            }
            (Drop(_), Value::Array(items)) => {
                items.remove(last.parse().expect("a place in a list"));
            }
            (Drop(_), other) => unreachable!("{path} is part of {other}"),
        }
    }
}

/// A statement of a role's policy.
macro_rules! statement {
    ($role:literal, $number:literal, $rest:literal) => {
        concat!($role, "/Policies/0/PolicyDocument/Statement/", $number, $rest)
    };
}

fn arn(id: &str) -> Value {
    json!({"Fn::GetAtt": [id, "Arn"]})
}

/// The changes that each rule must refuse.
fn breaks(rule: &str) -> Vec<Break> {
    match rule {
        "ids_differ_and_resources_fit" => vec![Set("/Parameters/EventTable", json!({}))],
        "names_of_rules_fit" => {
            vec![Set(
                "TotalsRule/Name/Fn::Sub",
                json!(format!("${{AWS::StackName}}-{}", "a".repeat(40))),
            )]
        }
        "functions_are_complete" => vec![
            Set("TotalsProjector/Role", arn("RelayFunctionRole")),
            Drop("RelayFunctionLog/RetentionInDays"),
            Drop("RelayFunction/LoggingConfig"),
            Drop("QueryFunction/Timeout"),
            Drop("QueryFunction/MemorySize"),
            Set("QueryFunction/Tracing", json!("PassThrough")),
            Set("/Globals/Function/LoggingConfig/LogFormat", json!("Text")),
        ],
        "functions_have_their_roles" => vec![
            Drop("RelayFunction/Environment/Variables/ROLE"),
            Set("QueryFunction/Environment/Variables/ROLE", json!("command")),
            Set("QueryFunction/CodeUri", json!("../target/lambda/query/")),
            Set("TotalsProjector/Environment/Variables/PROJECTION", json!("account-statement")),
            Set("ReminderFunction/Environment/Variables/PROCESS", json!("welcome")),
            Set("ReminderDueFunction/Environment/Variables/PROCESS", json!("welcome")),
            Set("ReminderDueFunction/Environment/Variables/ROLE", json!("process")),
        ],
        "components_are_separate" => vec![
            Set(
                "TotalsProjector/Environment/Variables/READ_TABLE",
                json!({"Ref": "AccountStatementTable"}),
            ),
            Set("TotalsProjectorMapping/EventSourceArn", arn("AccountStatementQueue")),
            Set("TotalsRule/EventPattern", json!({"source": ["ledgerfold.orders"]})),
            Set("TotalsRetry/Targets/0/Arn", arn("AccountStatementQueue")),
            Set("ParcelsRule/EventPattern", json!({"source": ["ledgerfold.bank"]})),
            Set("ReminderMapping/EventSourceArn", arn("TotalsQueue")),
            Set("ReminderFunction/Environment/Variables/DEADLINES", json!({"Ref": "TotalsTable"})),
            Drop("WelcomeMapping"),
            Set("ReminderDueMapping/EventSourceArn", arn("WelcomeDueQueue")),
            Drop("WelcomeDueMapping"),
        ],
        "outputs_are_complete" => vec![
            Drop("/Outputs/ArchiveName"),
            Drop("/Outputs/Reservations"),
            Drop("/Outputs/ReminderDueDeadLetters"),
            Set("/Outputs/ReminderRule", json!({"Value": {"Ref": "ReminderRule"}})),
        ],
        "permissions_have_no_wildcards" => vec![
            Set(statement!("CommandFunctionRole", 0, "/Action"), json!("dynamodb:*")),
            Set(statement!("CommandFunctionRole", 0, "/Resource"), json!("*")),
            Set(
                statement!("RelayFunctionRole", 0, "/Resource"),
                json!({"Fn::Sub": "${FailureBucket.Arn}/*"}),
            ),
            Set(statement!("QueryFunctionRole", 0, "/NotAction"), json!("dynamodb:DeleteItem")),
            Set(
                "QueryFunctionRole/ManagedPolicyArns/0",
                json!({"Fn::Sub": "arn:aws:iam::aws:policy/PowerUserAccess"}),
            ),
        ],
        "event_table_is_append_only" => vec![
            Set(statement!("CommandFunctionRole", 0, "/Action"), json!("dynamodb:UpdateItem")),
            Set(statement!("CommandFunctionRole", 0, "/Action"), json!("dynamodb:Scan")),
            Set(statement!("CommandFunctionRole", 0, "/Action"), json!(["dynamodb:DeleteItem"])),
            Set(statement!("CommandFunctionRole", 0, "/Action"), json!("dynamodb:BatchWriteItem")),
            Set(statement!("QueryFunctionRole", 0, "/Action"), json!("dynamodb:PutItem")),
            Set(statement!("ReminderFunctionRole", 1, "/Resource"), json!([arn("EventTable")])),
            Set(
                statement!("DeadlineSweepFunctionRole", 2, "/Resource"),
                json!([arn("EventTable")]),
            ),
            Set(statement!("ReminderDueFunctionRole", 1, "/Resource"), json!([arn("EventTable")])),
            Set(statement!("TotalsProjectorRole", 0, "/Resource"), json!([arn("EventTable")])),
        ],
        "other_contexts_are_only_read" => vec![
            Set(statement!("ParcelsProjectorRole", 6, "/Action"), json!("dynamodb:PutItem")),
            Set(
                statement!("QueryFunctionRole", 2, "/Action"),
                json!(["dynamodb:Query", "dynamodb:Scan"]),
            ),
        ],
        "nobody_changes_a_commit" => vec![
            Drop("EventTable/ResourcePolicy"),
            Set(
                "EventTable/ResourcePolicy/PolicyDocument/Statement/0/Action",
                json!(["dynamodb:UpdateItem"]),
            ),
            Set("EventTable/ResourcePolicy/PolicyDocument/Statement/0/Effect", json!("Allow")),
            Set(
                "EventTable/ResourcePolicy/PolicyDocument/Statement/0/Principal",
                json!({"AWS": "123456789012"}),
            ),
            Set(
                "EventTable/ResourcePolicy/PolicyDocument/Statement/0/Condition",
                json!({"Bool": {}}),
            ),
        ],
        "only_the_relay_publishes" => vec![
            Drop("BusPolicy"),
            Set("BusPolicy/Statement/Effect", json!("Allow")),
            Set(
                "BusPolicy/Statement/Condition/ForAnyValue:StringLike/events:source",
                json!(["ledgerfold.bank"]),
            ),
            Set("BusPolicy/Statement/Condition/ArnNotEquals/aws:PrincipalArn/0", json!("*")),
            Drop("BusPolicy/Statement/Condition/Bool"),
            Drop(statement!("RelayFunctionRole", 1, "/Condition")),
            Drop(statement!("RelayFunctionRole", 1, "/Condition/Null")),
            Set(
                statement!(
                    "RelayFunctionRole",
                    1,
                    "/Condition/ForAllValues:StringEquals/events:source"
                ),
                json!(["ledgerfold.banking"]),
            ),
            Set(statement!("QueryFunctionRole", 0, "/Action"), json!("events:PutEvents")),
            Set(
                "/Parameters/BusRepairRole/Default",
                json!("arn:aws:iam::123456789012:role/anybody"),
            ),
        ],
        "events_are_signed" => vec![
            Drop("BusKey"),
            Set("BusKey/GenerateSecretString/PasswordLength", json!(8)),
            Drop("RelayFunction/Environment/Variables/BUS_KEY"),
            Drop("TotalsProjector/Environment/Variables/BUS_KEY"),
            Set("ReminderFunction/Environment/Variables/BUS_KEY", json!("secret")),
            Set("QueryFunction/Environment/Variables/BUS_KEY", json!({"Ref": "BusKey"})),
        ],
        "writers_keep_to_their_keys" => vec![
            Drop(statement!("CommandFunctionRole", 0, "/Condition")),
            Drop(statement!("ReminderDueFunctionRole", 3, "/Condition")),
            Drop(statement!("WelcomeFunctionRole", 3, "/Condition")),
            Drop(statement!("AccountStatementProjectorRole", 2, "/Condition")),
            Set(
                statement!(
                    "AccountStatementProjectorRole",
                    2,
                    "/Condition/ForAllValues:StringEquals/dynamodb:LeadingKeys"
                ),
                json!(["totals"]),
            ),
            Set(
                statement!("AccountStatementProjectorRole", 2, "/Action"),
                json!("dynamodb:DeleteItem"),
            ),
            Set(
                statement!(
                    "AccountStatementProjectorRole",
                    4,
                    "/Condition/ForAllValues:StringEquals/dynamodb:LeadingKeys"
                ),
                json!(["parked#totals"]),
            ),
            Drop(statement!("AccountStatementProjectorRole", 3, "/Condition")),
            Set(
                statement!(
                    "AccountStatementProjectorRole",
                    3,
                    "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys"
                ),
                json!(["copy#*"]),
            ),
            Set(
                statement!("AccountStatementProjectorRole", 3, "/Action"),
                json!("dynamodb:DeleteItem"),
            ),
            Drop(statement!("ReminderFunctionRole", 1, "/Condition")),
            Drop(statement!("ReminderDueFunctionRole", 1, "/Condition")),
            Set(
                statement!(
                    "ReminderDueFunctionRole",
                    1,
                    "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys"
                ),
                json!(["welcome#*"]),
            ),
            Drop(statement!("ReminderDueFunctionRole", 2, "/Condition/ForAllValues:StringEquals")),
            Drop(statement!(
                "DeadlineSweepFunctionRole",
                2,
                "/Condition/ForAllValues:StringEquals"
            )),
            Drop(statement!("TotalsProjectorRole", 2, "/Condition")),
        ],
        "projectors_cannot_write_skips" => vec![
            Drop(statement!("AccountStatementProjectorRole", 5, "/Condition")),
            Set(
                statement!(
                    "AccountStatementProjectorRole",
                    5,
                    "/Condition/ForAllValues:StringEquals/dynamodb:LeadingKeys"
                ),
                json!(["skipped#totals"]),
            ),
            Set(
                statement!("AccountStatementProjectorRole", 5, "/Action"),
                json!(["dynamodb:GetItem", "dynamodb:PutItem"]),
            ),
            Drop(statement!("AccountStatementProjectorRole", 5, "")),
        ],
        "relay_loses_nothing" => vec![
            Set("RelayMapping/StartingPosition", json!("LATEST")),
            Set("RelayMapping/ParallelizationFactor", json!(1)),
            Set("RelayMapping/MaximumRetryAttempts", json!(100)),
            Drop("RelayMapping/MaximumRecordAgeInSeconds"),
            Set("RelayMapping/FilterCriteria", json!({"Filters": []})),
            Set("/Parameters/RelayPatience/MinValue", json!(-1)),
            Set("/Parameters/RelayPatience/MaxValue", json!(86_400)),
            Drop("RelayMapping/BisectBatchOnFunctionError"),
            Drop("RelayMapping/FunctionResponseTypes"),
            Drop("RelayMapping/DestinationConfig"),
            Drop("RelayMapping/MetricsConfig"),
        ],
        "unpublishable_commits_are_reported" => vec![
            Set("RelayRule/EventPattern/source", json!(["ledgerfold.bank"])),
            Set("RelayRule/EventBusName", json!("default")),
            Set("RelayRule/State", json!("DISABLED")),
            Set("RelayRule/Targets/0/Arn", arn("AuditDeadLetters")),
        ],
        "queue_readers_report_single_failures" => vec![
            Drop("TotalsProjectorMapping/FunctionResponseTypes"),
            Drop("TotalsProjectorMapping/ScalingConfig"),
            Drop("ReminderMapping/FunctionResponseTypes"),
            Drop("ReminderDueMapping/FunctionResponseTypes"),
            Drop("ReminderDueMapping/ScalingConfig"),
        ],
        "side_effects_refuse_replays" => vec![
            Drop("ReminderRule/EventPattern/replay-name"),
            Set("ReminderRule/EventPattern/replay-name", json!([{"exists": true}])),
            Drop("AuditRule/EventPattern/replay-name"),
            Set(
                "/Resources/Another",
                json!({"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": []}}}),
            ),
        ],
        "schedules_run" => vec![
            Drop("TotalsRetry"),
            Set("TotalsRetry/State", json!("DISABLED")),
            Set("TotalsRetry/EventBusName", json!("bus")),
            Set("TotalsRetry/ScheduleExpression", json!("rate(7 days)")),
            Set("TotalsRetry/Targets/0/Arn", arn("TotalsDeadLetters")),
            Set("TotalsRetry/Targets/0/Input", json!("{\"ledgerfold\": \"unknown\"}")),
            Drop("TotalsRetry/Targets/0/Input"),
            Set("DeadlineSweepRule/ScheduleExpression", json!("rate(1 day)")),
            Set("DeadlineSweepRule/State", json!("DISABLED")),
            Set("DeadlineSweepRule/Targets/0/Arn", arn("ReminderFunction")),
            Drop("DeadlineSweepPermission/SourceArn"),
            Drop("DeadlineSweepFunction/EventInvokeConfig"),
            Set("DeadlineSweepFunction/Timeout", json!(60)),
            Set("SpotCheckRule/ScheduleExpression", json!("rate(30 days)")),
            Set("SpotCheckRule/EventBusName", json!("bus")),
            Drop("SpotCheckPermission"),
        ],
        "samples_are_audited" => vec![
            Set(
                "SpotCheckFunction/Environment/Variables/TOTALS_TABLE",
                json!({"Ref": "AccountStatementTable"}),
            ),
            Drop("SpotCheckFunction/Environment/Variables/TOTALS_TABLE"),
            Drop("QueryFunction/Environment/Variables/TOTALS_TABLE"),
            Drop("SpotCheckFunction/Environment/Variables/EVENTS_OF_ORDERS"),
            Set("/Parameters/SpotCheckPatience/Default", json!(900)),
            Set(
                statement!("SpotCheckFunctionRole", 0, "/Action"),
                json!(["dynamodb:Query", "dynamodb:PutItem"]),
            ),
        ],
        "undeliverable_messages_are_kept" => vec![
            Drop("TotalsQueue/RedrivePolicy"),
            Drop("TotalsDeadLetters/MessageRetentionPeriod"),
            Drop("ReminderDueQueue/RedrivePolicy"),
            Set("TotalsQueue/SqsManagedSseEnabled", json!(false)),
            Drop("TotalsRule/Targets/0/DeadLetterConfig"),
            Drop("TotalsRule/Targets/0/RetryPolicy"),
            Drop("TotalsRetry/Targets/0/DeadLetterConfig"),
            Set("RelayRule/Targets/0/DeadLetterConfig/Arn", arn("RelayDeadLetters")),
            Drop("RelayDeadLetters/MessageRetentionPeriod"),
        ],
        "queues_accept_only_their_rules" => vec![
            Drop("TotalsQueuePolicy"),
            Drop(
                "TotalsQueuePolicy/PolicyDocument/Statement/0/Condition/ArnEquals/aws:SourceArn/1",
            ),
            Set(
                "TotalsDeadLettersPolicy/PolicyDocument/Statement/0/Condition/ArnEquals/aws:SourceArn/1",
                arn("AccountStatementRetry"),
            ),
            Drop("TotalsQueuePolicy/PolicyDocument/Statement/0/Condition/ArnEquals"),
            Drop("TotalsDeadLettersPolicy/PolicyDocument/Statement/1"),
        ],
        "deadlines_reach_their_workers" => vec![
            Drop("DeadlineSweepFunction/Environment/Variables/REMINDER_DUE_QUEUE"),
            Set(
                "DeadlineSweepFunction/Environment/Variables/REMINDER_DUE_QUEUE",
                json!({"Ref": "WelcomeDueQueue"}),
            ),
            Set("ReminderDueQueuePolicy/PolicyDocument/Statement/0/Principal", json!("*")),
            Drop("ReminderDueQueuePolicy/PolicyDocument/Statement/1"),
            Drop("ReminderDueDeadLettersPolicy"),
            Set(
                statement!("DeadlineSweepFunctionRole", 1, "/Resource"),
                json!([arn("TotalsQueue")]),
            ),
            Set(statement!("ReminderDueFunctionRole", 0, "/Action"), json!("sqs:SendMessage")),
        ],
        "messages_stay_hidden_long_enough" => vec![
            Set("/Mappings/QueueVisibility/30/Seconds", json!(180)),
            Set("/Parameters/ProjectorTimeout/AllowedValues", json!(["5", "120"])),
            Set("TotalsQueue/VisibilityTimeout", json!(30)),
            Set("TotalsProjector/Timeout", json!(60)),
            Set("ReminderFunction/Timeout", json!(60)),
            Set("ReminderDueFunction/Timeout", json!(60)),
            Set("ReminderDueQueue/VisibilityTimeout", json!(30)),
        ],
        "tables_can_be_recovered" => vec![
            Drop("TotalsTable/PointInTimeRecoverySpecification"),
            Drop("Reservations/PointInTimeRecoverySpecification"),
            Drop("EventTable/DeletionProtectionEnabled"),
            Set("EventTable/StreamSpecification/StreamViewType", json!("KEYS_ONLY")),
            Set("/Conditions/Protected", json!({"Fn::Equals": [{"Ref": "Stage"}, "prod"]})),
        ],
        "buckets_are_private" => vec![
            Set("FailureBucket/PublicAccessBlockConfiguration/BlockPublicPolicy", json!(false)),
            Drop("FailureBucket/BucketEncryption"),
            Drop("FailureBucket/LifecycleConfiguration"),
            Drop("FailureBucketPolicy"),
        ],
        "gateway_errors_are_problems" => vec![
            Drop("Api/GatewayResponses/THROTTLED"),
            Set("Api/GatewayResponses/THROTTLED/StatusCode", json!("400")),
            Set(
                "Api/GatewayResponses/THROTTLED/ResponseTemplates/application~1json",
                json!("{\"message\": \"slow down\"}"),
            ),
            Drop("Api/GatewayResponses/THROTTLED/ResponseParameters/Headers/Retry-After"),
            Drop("Api/GatewayResponses/THROTTLED/ResponseParameters/Headers/Content-Type"),
            Drop(
                "Api/GatewayResponses/MISSING_AUTHENTICATION_TOKEN/ResponseParameters/Headers/Allow",
            ),
        ],
        "api_is_throttled_and_logged" => vec![
            Drop("Api/MethodSettings"),
            Drop("Api/AccessLogSetting"),
            Drop("Api/BinaryMediaTypes"),
            Drop("QueryFunction/Events/Delete"),
            Set("CommandFunction/Events/Post/Properties/Path", json!("/")),
        ],
        "faults_have_alarms" => vec![
            Drop("TotalsDeadLettersAlarm"),
            Drop("TotalsParked"),
            Drop("TotalsUnconfirmed"),
            Drop("ReminderUnconfirmed"),
            Drop("EventTableChanged"),
            Drop("FailedDeadlines"),
            Drop("RelayRuleDeadLettersAlarm"),
            Drop("CommandFunctionErrors"),
            Drop("QueryFunctionThrottles"),
            Drop("RelayDropped"),
            Drop("ApiServerErrors/AlarmActions"),
            Drop("DeadlineSweepDeadLettersAlarm"),
            Drop("ReminderDueDeadLettersAlarm"),
            Drop("ReminderDueFunctionErrors"),
            Drop("DeadlineSweepMissing"),
            Drop("SpotCheckMissing"),
            Drop("RelayDeadLettersAlarm"),
            Drop("SpotCheckWrong"),
            Set("DeadlineSweepMissing/TreatMissingData", json!("notBreaching")),
            Set("SpotCheckWrong/AlarmDescription", json!("Something is wrong.")),
        ],
        "undelivered_events_have_alarms" => vec![
            Drop("RelayUndeliverable"),
            Drop("TotalsRetryUndeliverable"),
            Drop("SpotCheckUndeliverable"),
            Drop("TotalsRetried"),
            Drop("RelayRetried"),
            Set("TotalsRetried/Dimensions/1/Value", json!({"Ref": "TotalsRule"})),
        ],
        "waiting_work_has_an_age" => vec![
            Drop("TotalsQueueAge"),
            Drop("ReminderQueueAge"),
            Drop("ReminderDueQueueAge"),
            Drop("AuditQueueAge"),
            Drop("RelayDeadLettersAge"),
            Drop("RelayRuleDeadLettersAge"),
            Set("TotalsDeadLettersAge/Threshold", json!(1_209_600)),
            Drop("RelayIteratorAge"),
            Drop("FailureBucketHolds"),
            Drop("ParkedAge"),
            Drop("DeadlinesOverdue"),
            Drop("FailedDeadlinesAge"),
            Drop("RebuildUnfinished"),
        ],
        _ => Vec::new(),
    }
}

#[test]
fn the_smallest_and_the_largest_context_keep_all_rules() {
    for context in [minimal(), maximal()] {
        let kept = template(&context, &Changes::none()).map(|_| ());
        assert!(kept.is_ok(), "{}: {kept:?}", context.name());
    }
}

#[test]
fn every_rule_refuses_what_it_is_there_for() {
    let context = maximal();
    let whole = template(&context, &Changes::none()).expect("the context is sound");
    let sound = Model::of(&context, &whole);
    for (name, rule) in RULES {
        assert_eq!(rule(&sound), Vec::<String>::new(), "{name}");
        let breaks = breaks(name);
        assert!(!breaks.is_empty(), "{name} is never broken");
        for broken in breaks {
            let mut model = sound.clone();
            broken.apply(&mut model.template);
            let (Set(path, _) | Drop(path)) = broken;
            assert_ne!(rule(&model), Vec::<String>::new(), "{name} accepts a changed {path}");
        }
    }
}

#[test]
fn an_id_that_occurs_twice_is_refused() {
    let context = ledgerfold::context::Context::new("bank")
        .decider::<contexts::Notes>()
        .tally::<ledgerfold_testkit::bank::Totals>("event");
    let refusal =
        template(&context, &Changes::none()).expect_err("EventTable occurs twice").to_string();
    assert!(refusal.contains("EventTable occurs twice: rename the projection"), "{refusal}");
}
