//! Breaks of the rules about components, permissions, guards and alarms.

use serde_json::json;

use super::{
    Break::{self, Drop, Set},
    arn,
};

pub(super) fn breaks(rule: &str) -> Vec<Break> {
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
            Set("TotalsRule/EventPattern/detail/subject/0/wildcard", json!("*/note#*")),
            Drop("TotalsRule/EventPattern/detail"),
            Set("ParcelsRule/EventPattern/source", json!(["ledgerfold.bank"])),
            Set("ReminderMapping/EventSourceArn", arn("TotalsQueue")),
            Set("ReminderFunction/Environment/Variables/DEADLINES", json!({"Ref": "TotalsTable"})),
            Drop("WelcomeMapping"),
            Set("ReminderDueMapping/EventSourceArn", arn("WelcomeDueQueue")),
            Drop("WelcomeDueMapping"),
        ],
        "outputs_are_complete" => vec![
            Drop("/Outputs/ArchiveName"),
            Drop("/Outputs/Reservations"),
            Drop("/Outputs/KeyTable"),
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
            Drop(statement!("QueryFunctionRole", 7, "/Condition")),
            Set(
                statement!(
                    "QueryFunctionRole",
                    7,
                    "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys"
                ),
                json!(["account#*"]),
            ),
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
            Set(
                statement!(
                    "CommandFunctionRole",
                    0,
                    "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys"
                ),
                json!(["account#*"]),
            ),
            Set(
                statement!(
                    "CommandFunctionRole",
                    0,
                    "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys"
                ),
                json!(["*"]),
            ),
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
            Drop("ExportMapping/FunctionResponseTypes"),
        ],
        "side_effects_refuse_replays" => vec![
            Drop("ReminderRule/EventPattern/replay-name"),
            Set("ReminderRule/EventPattern/replay-name", json!([{"exists": true}])),
            Drop("AuditRule/EventPattern/replay-name"),
            Drop("ExportRule/EventPattern/replay-name"),
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
            Drop("ExportClose"),
            Set("ExportClose/Targets/0/Input", json!("{}")),
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
            Drop("Api/GatewayResponses/UNAUTHORIZED/ResponseParameters/Headers/WWW-Authenticate"),
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
            Drop("ExportMissing"),
            Drop("ExportWithheld"),
            Drop("ExportDeadLettersAlarm"),
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
            Drop("ExportRetried"),
            Drop("ExportCloseUndeliverable"),
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
            Drop("ExportOverdue"),
            Drop("ExportQueueAge"),
        ],
        _ => Vec::new(),
    }
}
