"""Tests that the template satisfies its invariants, and that each invariant rejects a template that violates it."""

from __future__ import annotations

import copy
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import invariants
from cfnlint.decode import cfn_yaml


def plain(node: Any) -> Any:
    """The parsed template without the linter's line numbers, so that tests can copy and change it."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(item) for item in node]
    return str(node) if isinstance(node, str) else node


TEMPLATE = plain(cfn_yaml.load(str(Path(__file__).parents[1] / "template.yaml")))


# ---- Ways to break a template --------------------------------------------------------------------


def properties(template: dict, name: str) -> dict:
    return template["Resources"][name]["Properties"]


def statement_of(template: dict, role: str, number: int) -> dict:
    return properties(template, role)["Policies"][0]["PolicyDocument"]["Statement"][number]


def first_statement(template: dict, role: str) -> dict:
    return statement_of(template, role, 0)


def put(name: str, *path: Any, value: Any) -> Callable[[dict], None]:
    """Sets a property of a resource."""

    def change(template: dict) -> None:
        node = properties(template, name)
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return change


def drop(name: str, *path: Any) -> Callable[[dict], None]:
    """Removes a property of a resource, or without a path the resource itself."""

    def change(template: dict) -> None:
        node: Any = properties(template, name) if path else template["Resources"]
        for step in path[:-1]:
            node = node[step]
        del node[path[-1] if path else name]

    return change


def allow(role: str, action: str) -> Callable[[dict], None]:
    return lambda template: first_statement(template, role).update(Action=action)


def allow_on(role: str, resource: Any, statement: int = 0) -> Callable[[dict], None]:
    return lambda template: statement_of(template, role, statement).update(Resource=resource)


def add_rule(name: str, pattern: dict) -> Callable[[dict], None]:
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": []}}
    return lambda template: template["Resources"].update({name: rule})


def at_top(section: str, *path: Any, value: Any) -> Callable[[dict], None]:
    """Sets a value outside the resources."""

    def change(template: dict) -> None:
        node = template[section]
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return change


def statements_of(policy: str) -> tuple[str, str, str]:
    return policy, "PolicyDocument", "Statement"


def statement(role: str, number: int) -> tuple[Any, ...]:
    return role, "Policies", 0, "PolicyDocument", "Statement", number


TARGET = ("OrderViewRule", "Targets", 0)
TABLE_POLICY = ("EventTable", "ResourcePolicy", "PolicyDocument", "Statement", 0)
BUS_POLICY = ("BusPolicy", "Statement")
PUBLISH = statement("RelayFunctionRole", 1)
LEADING = ("Condition", "ForAllValues:StringEquals", "dynamodb:LeadingKeys")
RETRY_TARGET = ("ShipmentRetry", "Targets", 0)
RETRY_SENDER = (*statements_of("DashboardDeadLettersPolicy"), 0, "Condition", "ArnEquals", "aws:SourceArn", 1)
THROTTLED = ("Api", "GatewayResponses", "THROTTLED")

# The changes that each invariant must reject.
BREAKAGES: dict[Callable, list[Callable[[dict], None]]] = {
    invariants.permissions_have_no_wildcards: [
        allow("CommandFunctionRole", "dynamodb:*"),
        allow_on("CommandFunctionRole", "*"),
        allow_on("RelayFunctionRole", {"Fn::Sub": "${FailureBucket.Arn}/*"}),
        lambda template: first_statement(template, "QueryFunctionRole").update(NotAction="dynamodb:DeleteItem"),
        put("QueryFunctionRole", "ManagedPolicyArns", 0, value={"Fn::Sub": "arn:aws:iam::aws:policy/PowerUserAccess"}),
    ],
    invariants.event_table_is_append_only: [
        allow("CommandFunctionRole", "dynamodb:UpdateItem"),
        allow("CommandFunctionRole", "dynamodb:Scan"),
        allow("CommandFunctionRole", "dynamodb:DeleteItem"),
        allow("CommandFunctionRole", "dynamodb:BatchWriteItem"),
        allow("QueryFunctionRole", "dynamodb:PutItem"),
        allow_on("PaymentDeadlineFunctionRole", [{"Fn::GetAtt": ["EventTable", "Arn"]}], statement=1),
        allow_on("DeadlineSweepFunctionRole", [{"Fn::GetAtt": ["EventTable", "Arn"]}], statement=1),
        allow_on("DashboardProjectorRole", [{"Fn::GetAtt": ["EventTable", "Arn"]}]),
    ],
    invariants.nobody_changes_a_commit: [
        drop("EventTable", "ResourcePolicy"),
        put(*TABLE_POLICY, "Action", value=["dynamodb:UpdateItem"]),
        put(*TABLE_POLICY, "Effect", value="Allow"),
        put(*TABLE_POLICY, "Principal", value={"AWS": "123456789012"}),
        put(*TABLE_POLICY, "Condition", value={"Bool": {"aws:SecureTransport": "false"}}),
    ],
    invariants.only_the_relay_publishes: [
        drop("BusPolicy"),
        put(*BUS_POLICY, "Effect", value="Allow"),
        put(*BUS_POLICY, "Condition", "ForAnyValue:StringLike", "events:source", value=["ledgerfold.orders"]),
        put(*BUS_POLICY, "Condition", "ArnNotEquals", "aws:PrincipalArn", 0, value="*"),
        drop(*BUS_POLICY, "Condition", "Bool"),
        drop(*PUBLISH, "Condition"),
        drop(*PUBLISH, "Condition", "Null"),
        put(*PUBLISH, "Condition", "ForAllValues:StringEquals", "events:source", value=["ledgerfold.banking"]),
        allow("QueryFunctionRole", "events:PutEvents"),
        at_top("Parameters", "BusRepairRole", "Default", value="arn:aws:iam::123456789012:role/anybody"),
    ],
    invariants.functions_have_their_roles: [
        drop("RelayFunction", "Environment", "Variables", "ROLE"),
        put("QueryFunction", "Environment", "Variables", "ROLE", value="command"),
        put("QueryFunction", "CodeUri", value="../target/lambda/orders-query/"),
    ],
    invariants.events_are_signed: [
        drop("BusKey"),
        put("BusKey", "GenerateSecretString", "PasswordLength", value=8),
        drop("RelayFunction", "Environment", "Variables", "BUS_KEY"),
        drop("ShipmentProjector", "Environment", "Variables", "BUS_KEY"),
        put("PaymentDeadlineFunction", "Environment", "Variables", "BUS_KEY", value="secret"),
        put("QueryFunction", "Environment", "Variables", "BUS_KEY", value={"Ref": "BusKey"}),
    ],
    invariants.writers_keep_to_their_keys: [
        drop(*statement("CommandFunctionRole", 0), "Condition"),
        drop(*statement("DeadlineSweepFunctionRole", 3), "Condition"),
        drop(*statement("OrderViewProjectorRole", 2), "Condition"),
        put(*statement("OrderViewProjectorRole", 2), *LEADING, value=["shipment"]),
        put(*statement("OrderViewProjectorRole", 2), "Action", value="dynamodb:DeleteItem"),
        put(*statement("OrderViewProjectorRole", 3), *LEADING, value=["parked#shipment"]),
        drop(*statement("PaymentDeadlineFunctionRole", 1), "Condition"),
        drop(*statement("DeadlineSweepFunctionRole", 1), "Condition"),
        drop(*statement("DeadlineSweepFunctionRole", 2), "Condition", "ForAllValues:StringEquals"),
        drop(*statement("DashboardProjectorRole", 2), "Condition"),
    ],
    invariants.projectors_cannot_write_skips: [
        drop(*statement("OrderViewProjectorRole", 4), "Condition"),
        put(*statement("OrderViewProjectorRole", 4), *LEADING, value=["skipped#shipment"]),
        put(*statement("OrderViewProjectorRole", 4), "Action", value=["dynamodb:GetItem", "dynamodb:PutItem"]),
        drop(*statement("ShipmentProjectorRole", 4)),
    ],
    invariants.functions_are_complete: [
        put("OrderViewProjector", "Role", value={"Fn::GetAtt": ["DashboardProjectorRole", "Arn"]}),
        drop("RelayFunctionLog", "RetentionInDays"),
        drop("RelayFunction", "LoggingConfig"),
        drop("QueryFunction", "Timeout"),
        drop("QueryFunction", "MemorySize"),
        put("QueryFunction", "Tracing", value="PassThrough"),
        at_top("Globals", "Function", "LoggingConfig", "LogFormat", value="Text"),
    ],
    invariants.relay_loses_nothing: [
        put("RelayMapping", "StartingPosition", value="LATEST"),
        put("RelayMapping", "ParallelizationFactor", value=10),
        put("RelayMapping", "MaximumRetryAttempts", value=100),
        drop("RelayMapping", "MaximumRecordAgeInSeconds"),
        put("RelayMapping", "FilterCriteria", value={"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]}),
        at_top("Parameters", "RelayPatience", "MinValue", value=-1),
        at_top("Parameters", "RelayPatience", "MaxValue", value=86400),
        drop("RelayMapping", "BisectBatchOnFunctionError"),
        drop("RelayMapping", "FunctionResponseTypes"),
        drop("RelayMapping", "DestinationConfig"),
        drop("RelayMapping", "MetricsConfig"),
    ],
    invariants.unpublishable_commits_are_reported: [
        put("RelayRule", "EventPattern", "source", value=["ledgerfold.orders"]),
        put("RelayRule", "EventBusName", value="default"),
        put("RelayRule", "State", value="DISABLED"),
        put("RelayRule", "Targets", 0, "Arn", value={"Fn::GetAtt": ["AuditDeadLetters", "Arn"]}),
    ],
    invariants.queue_readers_report_single_failures: [
        drop("ShipmentProjectorMapping", "FunctionResponseTypes"),
        drop("ShipmentProjectorMapping", "ScalingConfig"),
        drop("PaymentDeadlineMapping", "FunctionResponseTypes"),
    ],
    invariants.projections_are_separate: [
        put("OrderViewProjector", "Environment", "Variables", "READ_TABLE", value={"Ref": "ShipmentTable"}),
        put("OrderViewProjector", "Environment", "Variables", "PROJECTION", value="shipment"),
        put("DashboardProjectorMapping", "EventSourceArn", value={"Fn::GetAtt": ["ShipmentQueue", "Arn"]}),
        put("DashboardRule", "EventPattern", value={"source": ["ledgerfold.banking"]}),
        put("DashboardRetry", "Targets", 0, "Arn", value={"Fn::GetAtt": ["ShipmentQueue", "Arn"]}),
    ],
    invariants.samples_are_audited: [
        put("SpotCheckRule", "ScheduleExpression", value="rate(30 days)"),
        put("SpotCheckRule", "State", value="DISABLED"),
        put("SpotCheckRule", "EventBusName", value={"Ref": "Bus"}),
        put("SpotCheckRule", "Targets", 0, "Arn", value={"Fn::GetAtt": ["DeadlineSweepFunction", "Arn"]}),
        drop("SpotCheckPermission"),
        drop("SpotCheckPermission", "SourceArn"),
        put("SpotCheckFunction", "Environment", "Variables", "SHIPMENT_TABLE", value={"Ref": "OrderViewTable"}),
        drop("SpotCheckFunction", "Environment", "Variables", "DASHBOARD_TABLE"),
        at_top("Parameters", "SpotCheckPatience", "Default", value=900),
        allow("SpotCheckFunctionRole", ["dynamodb:Query", "dynamodb:PutItem"]),
    ],
    invariants.quarantined_streams_are_retried: [
        drop("ShipmentRetry"),
        put("ShipmentRetry", "State", value="DISABLED"),
        put("ShipmentRetry", "EventBusName", value={"Ref": "Bus"}),
        put("ShipmentRetry", "ScheduleExpression", value="rate(7 days)"),
        put(*RETRY_TARGET, "Arn", value={"Fn::GetAtt": ["ShipmentDeadLetters", "Arn"]}),
        put(*RETRY_TARGET, "Input", value='{"ledgerfold": "unknown"}'),
        drop(*RETRY_TARGET, "Input"),
    ],
    invariants.processes_are_separate: [
        put("PaymentDeadlineMapping", "EventSourceArn", value={"Fn::GetAtt": ["ShipmentQueue", "Arn"]}),
        put("PaymentDeadlineFunction", "Environment", "Variables", "DEADLINES", value={"Ref": "ProjectionStates"}),
        put("PaymentDeadlineFunction", "Environment", "Variables", "PROCESS", value="order-view"),
    ],
    invariants.side_effects_refuse_replays: [
        drop("PaymentDeadlineRule", "EventPattern", "replay-name"),
        put("PaymentDeadlineRule", "EventPattern", "replay-name", value=[{"exists": True}]),
        add_rule("AnotherRule", {"source": ["ledgerfold.orders"]}),
    ],
    invariants.deadlines_are_swept: [
        put("DeadlineSweepRule", "ScheduleExpression", value="rate(1 day)"),
        put("DeadlineSweepRule", "State", value="DISABLED"),
        put("DeadlineSweepRule", "EventBusName", value={"Ref": "Bus"}),
        put("DeadlineSweepRule", "Targets", 0, "Arn", value={"Fn::GetAtt": ["PaymentDeadlineFunction", "Arn"]}),
        drop("DeadlineSweepPermission"),
        drop("DeadlineSweepPermission", "SourceArn"),
        drop("DeadlineSweepFunction", "EventInvokeConfig"),
        put("DeadlineSweepFunction", "Timeout", value=60),
        put("DeadlineSweepFunction", "Environment", "Variables", "DEADLINES", value={"Ref": "ProjectionStates"}),
    ],
    invariants.undeliverable_messages_are_kept: [
        drop("OrderViewQueue", "RedrivePolicy"),
        drop("OrderViewDeadLetters", "MessageRetentionPeriod"),
        put("OrderViewQueue", "SqsManagedSseEnabled", value=False),
        drop(*TARGET, "DeadLetterConfig"),
        drop(*TARGET, "RetryPolicy"),
        drop(*RETRY_TARGET, "DeadLetterConfig"),
        put("RelayRule", "Targets", 0, "DeadLetterConfig", "Arn", value={"Fn::GetAtt": ["RelayDeadLetters", "Arn"]}),
        drop("RelayDeadLetters", "MessageRetentionPeriod"),
    ],
    invariants.queues_accept_only_their_rules: [
        drop("DashboardQueuePolicy"),
        drop(*statements_of("DashboardQueuePolicy"), 0, "Condition", "ArnEquals", "aws:SourceArn", 1),
        put(*RETRY_SENDER, value={"Fn::GetAtt": ["ShipmentRetry", "Arn"]}),
        drop(*statements_of("DashboardQueuePolicy"), 0, "Condition", "ArnEquals"),
        drop(*statements_of("DashboardDeadLettersPolicy"), 1),
    ],
    invariants.messages_stay_hidden_long_enough: [
        at_top("Mappings", "QueueVisibility", "30", "Seconds", value=180),
        at_top("Parameters", "ProjectorTimeout", "AllowedValues", value=["5", "120"]),
        put("OrderViewQueue", "VisibilityTimeout", value=30),
        put("OrderViewProjector", "Timeout", value=60),
        put("PaymentDeadlineFunction", "Timeout", value=60),
    ],
    invariants.tables_can_be_recovered: [
        drop("ShipmentTable", "PointInTimeRecoverySpecification"),
        drop("EventTable", "DeletionProtectionEnabled"),
        put("EventTable", "StreamSpecification", "StreamViewType", value="KEYS_ONLY"),
        at_top("Conditions", "Protected", value={"Fn::Equals": [{"Ref": "Stage"}, "prod"]}),
    ],
    invariants.bus_is_archived: [
        drop("Archive"),
        put("Archive", "EventPattern", value={"source": ["ledgerfold.orders"]}),
    ],
    invariants.audits_receive_only_their_replays: [
        drop("AuditRule", "EventPattern", "replay-name"),
    ],
    invariants.failure_bucket_is_private: [
        put("FailureBucket", "PublicAccessBlockConfiguration", "BlockPublicPolicy", value=False),
        drop("FailureBucket", "BucketEncryption"),
        drop("FailureBucket", "LifecycleConfiguration"),
        drop("FailureBucketPolicy"),
    ],
    invariants.gateway_errors_are_problems: [
        drop(*THROTTLED),
        put(*THROTTLED, "StatusCode", value="400"),
        put(*THROTTLED, "ResponseTemplates", "application/json", value='{"message": "slow down"}'),
        drop(*THROTTLED, "ResponseParameters", "Headers", "Retry-After"),
        drop(*THROTTLED, "ResponseParameters", "Headers", "Content-Type"),
        drop("Api", "GatewayResponses", "MISSING_AUTHENTICATION_TOKEN", "ResponseParameters", "Headers", "Allow"),
    ],
    invariants.api_is_throttled_and_logged: [
        drop("Api", "MethodSettings"),
        drop("Api", "AccessLogSetting"),
        drop("Api", "BinaryMediaTypes"),
        drop("QueryFunction", "Events", "Delete"),
        put("CommandFunction", "Events", "Post", "Properties", "Path", value="/"),
    ],
    invariants.trouble_is_alarmed: [
        drop("ShipmentDeadLettersAlarm"),
        drop("ShipmentParked"),
        drop("ShipmentUnconfirmed"),
        drop("PaymentDeadlineUnconfirmed"),
        drop("EventTableChanged"),
        drop("FailedDeadlines"),
        drop("RelayRuleDeadLettersAlarm"),
        drop("CommandFunctionErrors"),
        drop("QueryFunctionThrottles"),
        drop("RelayDropped"),
        drop("ApiServerErrors", "AlarmActions"),
        drop("DeadlineSweepDeadLettersAlarm"),
        drop("DeadlineSweepMissing"),
        drop("SpotCheckMissing"),
        drop("RelayDeadLettersAlarm"),
        drop("SpotCheckWrong"),
        put("DeadlineSweepMissing", "TreatMissingData", value="notBreaching"),
    ],
    invariants.undelivered_events_are_alarmed: [
        drop("RelayUndeliverable"),
        drop("ShipmentRetryUndeliverable"),
        drop("SpotCheckUndeliverable"),
        drop("DashboardRetried"),
        drop("RelayRetried"),
        put("DashboardRetried", "Dimensions", 1, "Value", value={"Ref": "DashboardRule"}),
    ],
    invariants.whatever_waits_has_an_age: [
        drop("ShipmentQueueAge"),
        drop("PaymentDeadlineQueueAge"),
        drop("AuditQueueAge"),
        drop("RelayDeadLettersAge"),
        drop("RelayRuleDeadLettersAge"),
        put("ShipmentDeadLettersAge", "Threshold", value=1209600),
        drop("RelayIteratorAge"),
        drop("FailureBucketHolds"),
        drop("ParkedAge"),
        drop("DeadlinesOverdue"),
        drop("FailedDeadlinesAge"),
        drop("RebuildUnfinished"),
    ],
    invariants.outputs_are_complete: [
        lambda template: template["Outputs"].pop("ArchiveName"),
        lambda template: template["Outputs"].update(PaymentDeadlineRule={"Value": {"Ref": "PaymentDeadlineRule"}}),
    ],
}


class Template(unittest.TestCase):
    def test_satisfies_every_invariant(self) -> None:
        for invariant in BREAKAGES:
            with self.subTest(invariant.__name__):
                self.assertEqual(list(invariant(TEMPLATE)), [])

    def test_every_invariant_is_listed(self) -> None:
        invariant = {"template": "Node", "return": "Iterator[str]"}
        written = [each for each in vars(invariants).values() if getattr(each, "__annotations__", None) == invariant]
        self.assertEqual([each.__name__ for each in written if each not in BREAKAGES], [])


class Invariants(unittest.TestCase):
    def test_reject_every_breakage(self) -> None:
        for invariant, breakages in BREAKAGES.items():
            for number, breakage in enumerate(breakages):
                with self.subTest(invariant.__name__, breakage=number):
                    template = copy.deepcopy(TEMPLATE)
                    breakage(template)
                    self.assertNotEqual(list(invariant(template)), [])


if __name__ == "__main__":
    unittest.main()
