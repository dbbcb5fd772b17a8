"""The invariants of the template. Each function takes the parsed template and yields the violations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]

FUNCTION = "AWS::Serverless::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
ROLE = "AWS::IAM::Role"
LOG_GROUP = "AWS::Logs::LogGroup"
QUEUE = "AWS::SQS::Queue"
QUEUE_POLICY = "AWS::SQS::QueuePolicy"
BUCKET_POLICY = "AWS::S3::BucketPolicy"
BUS_POLICY = "AWS::Events::EventBusPolicy"
TABLE = "AWS::DynamoDB::Table"
RULE = "AWS::Events::Rule"
ALARM = "AWS::CloudWatch::Alarm"

PROJECTIONS = {
    "OrderView": "order-view",
    "CustomerOrders": "customer-orders",
    "Shipment": "shipment",
    "Dashboard": "dashboard",
}
# Names of processes, by the prefix of their resources.
PROCESSES = {"PaymentDeadline": "payment-deadline"}
# The functions that read from queues, by the prefix of the queue.
CONSUMERS = {
    **{name: f"{name}Projector" for name in PROJECTIONS},
    **{name: f"{name}Function" for name in PROCESSES},
}
MAPPINGS = [*(f"{name}ProjectorMapping" for name in PROJECTIONS), *(f"{name}Mapping" for name in PROCESSES)]
# The role of each function's program.
ROLES = {
    "CommandFunction": "command",
    "QueryFunction": "query",
    "RelayFunction": "relay",
    "DeadlineSweepFunction": "deadlines",
    "SpotCheckFunction": "spot-check",
    **{f"{name}Projector": "projector" for name in PROJECTIONS},
    **{f"{name}Function": "process" for name in PROCESSES},
}
APPENDERS = {"CommandFunctionRole", "DeadlineSweepFunctionRole"}
# Listing the streams of the log needs a Scan of the event table. No other function may scan it.
LISTERS = {"SpotCheckFunctionRole"}
APPEND_ONLY = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:ConditionCheckItem"}
# Queues that a rule fills for operators to read. No function consumes them.
READ_BY_PEOPLE = {"RelayDeadLetters"}
# The roles that write to shared tables, with the keys that each may write.
OWN_KEYS = {
    **{f"{name}ProjectorRole": {slug, f"parked#{slug}"} for name, slug in PROJECTIONS.items()},
    **{f"{name}FunctionRole": {f"{slug}#*"} for name, slug in PROCESSES.items()},
    "DeadlineSweepFunctionRole": {f"{slug}#*" for slug in PROCESSES.values()},
}
SHARED_TABLES = ("ProjectionStates", "Deadlines")
WRITES = {f"dynamodb:{verb}Item" for verb in ("Put", "Update", "Delete")}
# Nobody needs these actions on the event table, so its resource policy denies them to everybody.
CHANGES = {f"dynamodb:{verb}" for verb in ("UpdateItem", "DeleteItem", "BatchWriteItem")}
CHANGES |= {f"dynamodb:PartiQL{verb}" for verb in ("Insert", "Update", "Delete")}
CONTEXT = "ledgerfold.orders"
REPAIR_ROLE = {"Fn::If": ["HasBusRepairRole", {"Ref": "BusRepairRole"}, {"Ref": "AWS::NoValue"}]}
CATEGORY = "order#*"
# The relay signs events with it, and consumers verify them.
SIGNING_KEY = {"Fn::Sub": "{{resolve:secretsmanager:${BusKey}}}"}
A_DAY = 86400
# The last hour before the change stream deletes a record.
LAST_HOUR = 23 * 3600
# Lambda generates the names of the objects in the failure bucket, so the permission needs a wildcard.
GENERATED_NAMES = {"Fn::Sub": "${FailureBucket.Arn}/aws/lambda/*"}
FOURTEEN_DAYS = 1209600
LONGEST_WINDOW = 1


# ---- Reading the template ------------------------------------------------------------------------


def of_type(template: Node, kind: str) -> dict[str, Node]:
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def referred(node: Any) -> Iterator[str]:
    """The logical ids that a node refers to by Ref or GetAtt."""
    if isinstance(node, list):
        for item in node:
            yield from referred(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.split(".")[0]
            else:
                yield from referred(value)


def effective(template: Node, function: Node, key: str) -> Any:
    """A property of a function, merged with the globals in the same way as SAM does."""
    general = template["Globals"]["Function"].get(key)
    own = function.get(key, general)
    return {**general, **own} if isinstance(general, dict) and isinstance(own, dict) else own


def statements(template: Node) -> Iterator[tuple[str, Node]]:
    """Every policy statement in the template, with the name of its resource."""
    for name, role in of_type(template, ROLE).items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
    for kind in (QUEUE_POLICY, BUCKET_POLICY):
        for name, policy in of_type(template, kind).items():
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def dead_letter_queues(template: Node) -> set[str]:
    queues = of_type(template, QUEUE).values()
    targets = (target for rule in of_type(template, RULE).values() for target in rule["Targets"])
    return {
        *referred([queue.get("RedrivePolicy", {}).get("deadLetterTargetArn") for queue in queues]),
        *referred([target.get("DeadLetterConfig") for target in targets]),
    }


def condition(statement: Node, key: str) -> set[str]:
    """The values that a statement accepts for a condition key, with any operator."""
    asked = (keys[key] for keys in statement.get("Condition", {}).values() if key in keys)
    return {value for values in asked for value in as_list(values)}


def concerns(statement: Node, resource: str) -> bool:
    return any(name == resource for name in referred(statement["Resource"]))


def alarmed(template: Node) -> set[tuple[str, str]]:
    """The metric and the resource of every alarm."""
    return {
        (alarm["MetricName"], name)
        for alarm in of_type(template, ALARM).values()
        for name in referred(alarm["Dimensions"])
    }


# ---- Permissions ---------------------------------------------------------------------------------


def permissions_have_no_wildcards(template: Node) -> Iterator[str]:
    for name, statement in statements(template):
        if statement["Effect"] != "Allow":
            continue  # A deny may use wildcards.
        if {"NotAction", "NotResource"} & statement.keys():
            yield f"{name} has a permission with NotAction or NotResource"
        wide = [action for action in as_list(statement["Action"]) if "*" in action]
        wide += [r for r in as_list(statement["Resource"]) if "*" in json.dumps(r) and r != GENERATED_NAMES]
        if wide:
            yield f"{name} has a permission with a wildcard: {wide}"
    for name, role in of_type(template, ROLE).items():
        for policy in role.get("ManagedPolicyArns", []):
            if not policy["Fn::Sub"].endswith(("/AWSXRayDaemonWriteAccess", "/AmazonAPIGatewayPushToCloudWatchLogs")):
                yield f"{name} has the managed policy {policy}"


def event_table_is_append_only(template: Node) -> Iterator[str]:
    for name, statement in statements(template):
        if {"Fn::GetAtt": ["EventTable", "Arn"]} not in as_list(statement["Resource"]):
            continue
        actions = set(as_list(statement["Action"])) - ({"dynamodb:Scan"} if name in LISTERS else set())
        if actions - APPEND_ONLY:
            yield f"{name} may {sorted(actions - APPEND_ONLY)} on the event table"
        if "dynamodb:PutItem" in actions and name not in APPENDERS:
            yield f"{name} may append, which only the command function and the sweep need"


def nobody_changes_a_commit(template: Node) -> Iterator[str]:
    """The resource policy also applies to users and roles outside this template."""
    policy = of_type(template, TABLE)["EventTable"].get("ResourcePolicy", {}).get("PolicyDocument", {})
    for statement in policy.get("Statement", []):
        bare = statement.keys() <= {"Sid", "Effect", "Principal", "Action", "Resource"}
        everybody = statement.get("Principal") == "*" and statement.get("Resource") == "*"
        if bare and everybody and statement["Effect"] == "Deny" and set(as_list(statement["Action"])) >= CHANGES:
            return
    yield "no policy denies changes of a commit to everybody"


def only_the_relay_publishes(template: Node) -> Iterator[str]:
    """Other contexts also publish on the bus, and must not use this context's sources."""
    publishers = {"RelayFunctionRole"}
    for name, statement in statements(template):
        if "events:PutEvents" not in as_list(statement["Action"]):
            continue
        if name not in publishers:
            yield f"{name} may publish"
        asked = statement.get("Condition", {})
        sources = asked.get("ForAllValues:StringEquals", {}).get("events:source")
        # ForAllValues is also true for a call without a source, so Null must exclude that.
        if sources != [CONTEXT, f"{CONTEXT}.relay"] or asked.get("Null") != {"events:source": "false"}:
            yield f"{name} may publish with any source"
    policy = of_type(template, BUS_POLICY).get("BusPolicy", {})
    statement = policy.get("Statement", {})
    roles = {"aws:PrincipalArn": [{"Fn::GetAtt": ["RelayFunctionRole", "Arn"]}, REPAIR_ROLE]}
    expected = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
        "Condition": {
            "ForAnyValue:StringLike": {"events:source": [CONTEXT, f"{CONTEXT}.*"]},
            "ArnNotEquals": roles,
            # Replays of the archive come from the service.
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
    }
    if policy.get("EventBusName") != {"Ref": "Bus"} or statement != expected:
        yield "other roles may publish with this context's sources"
    if template["Parameters"]["BusRepairRole"]["Default"] != "":
        yield "a role may publish with this context's sources by default"


def events_are_signed(template: Node) -> Iterator[str]:
    """Only the relay and the consumers get the key of the bus."""
    key = of_type(template, "AWS::SecretsManager::Secret").get("BusKey", {})
    if key.get("GenerateSecretString", {}).get("PasswordLength", 0) < 43:
        yield "the key of the bus is too short"
    for name in ("RelayFunction", *CONSUMERS.values()):
        variables = template["Resources"][name]["Properties"]["Environment"]["Variables"]
        if variables.get("BUS_KEY") != SIGNING_KEY:
            yield f"{name} has no key"
    for name, function in of_type(template, FUNCTION).items():
        if name not in ("RelayFunction", *CONSUMERS.values()) and "BUS_KEY" in function["Environment"]["Variables"]:
            yield f"{name} has a key that it does not need"


def writers_keep_to_their_keys(template: Node) -> Iterator[str]:
    for name, statement in statements(template):
        if statement["Effect"] != "Allow":
            continue
        keys = condition(statement, "dynamodb:LeadingKeys")
        if concerns(statement, "EventTable") and "dynamodb:PutItem" in as_list(statement["Action"]):
            if keys != {CATEGORY}:
                yield f"{name} may append to other categories"
        if any(concerns(statement, table) for table in SHARED_TABLES):
            writes = WRITES & set(as_list(statement["Action"]))
            if writes and (not keys or keys - OWN_KEYS.get(name, set())):
                yield f"{name} may {sorted(writes)} keys of other functions"
            if "dynamodb:DeleteItem" in writes and keys & set(PROJECTIONS.values()):
                yield f"{name} may delete a projection's record"
            attributes = condition(statement, "dynamodb:Attributes")
            if "dynamodb:UpdateItem" in writes and attributes != {"pk", "ix", "io", "e", "n"}:
                yield f"{name} may change the identity or the due time of a deadline"
        for projection in PROJECTIONS:
            counted = "dynamodb:UpdateItem" in as_list(statement["Action"]) and concerns(statement, f"{projection}Table")
            if counted and condition(statement, "dynamodb:EnclosingOperation") != {"TransactWriteItems"}:
                yield f"{name} may change counters outside a transaction"


def projectors_cannot_write_skips(template: Node) -> Iterator[str]:
    """Only operators may decide that a projector skips an event."""
    for name, slug in PROJECTIONS.items():
        own = [
            as_list(statement["Action"])
            for owner, statement in statements(template)
            if owner == f"{name}ProjectorRole" and f"skipped#{slug}" in condition(statement, "dynamodb:LeadingKeys")
        ]
        if own != [["dynamodb:GetItem"]]:
            yield f"{name}ProjectorRole has {own} on its skips instead of GetItem"


# ---- Functions and their triggers ---------------------------------------------------------------


def functions_are_complete(template: Node) -> Iterator[str]:
    roles, groups = of_type(template, ROLE), of_type(template, LOG_GROUP)
    for name, function in of_type(template, FUNCTION).items():
        if list(referred(function.get("Role"))) != [f"{name}Role"] or f"{name}Role" not in roles:
            yield f"{name} has no role of its own"
        logging = effective(template, function, "LoggingConfig")
        if logging.get("LogFormat") != "JSON":
            yield f"{name} does not log JSON"
        if logging.get("LogGroup") != {"Ref": f"{name}Log"} or "RetentionInDays" not in groups.get(f"{name}Log", {}):
            yield f"{name} has no log group of its own with a retention"
        if effective(template, function, "Tracing") != "Active":
            yield f"{name} is not traced"
        yield from (f"{name} has no {key}" for key in ("MemorySize", "Timeout", "Description") if key not in function)


def functions_have_their_roles(template: Node) -> Iterator[str]:
    """All functions run one program, and only the variable ROLE tells it what to do."""
    for name, function in of_type(template, FUNCTION).items():
        role = function.get("Environment", {}).get("Variables", {}).get("ROLE")
        if role is None or role != ROLES.get(name):
            yield f"{name} has the role {role}"
        if "CodeUri" in function:
            yield f"{name} has a program of its own"


def relay_loses_nothing(template: Node) -> Iterator[str]:
    relay = of_type(template, MAPPING)["RelayMapping"]
    expected = {
        "StartingPosition": "TRIM_HORIZON",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        # Limited by age, because the number of attempts in an outage depends on how fast each one fails.
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": {"Ref": "RelayPatience"},
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["FailureBucket", "Arn"]}}},
        "MetricsConfig": {"Metrics": ["EventCount"]},
    }
    yield from (f"the relay's {key} is {relay.get(key)}" for key, value in expected.items() if relay.get(key) != value)
    if relay.get("ParallelizationFactor", 1) != 1:
        yield "the relay reads a shard in parallel, which breaks the order of commits"
    if "FilterCriteria" in relay:
        yield "a filter hides changed and deleted commits from the relay"
    patience = template["Parameters"]["RelayPatience"]
    if not 0 < patience["MinValue"] <= patience["Default"] <= patience["MaxValue"] <= LAST_HOUR:
        yield "the relay retries for ever, or the stream deletes a record before Lambda moves it to the failure bucket"


def unpublishable_commits_are_reported(template: Node) -> Iterator[str]:
    rule = of_type(template, RULE).get("RelayRule", {})
    if rule.get("EventBusName") != {"Ref": "Bus"} or rule["EventPattern"].get("source") != ["ledgerfold.orders.relay"]:
        yield "no rule receives the reports of commits that cannot be published"
    if rule.get("State", "ENABLED") != "ENABLED":
        yield "the rule for reports of commits that cannot be published is disabled"
    if [list(referred(target["Arn"])) for target in rule["Targets"]] != [["RelayDeadLetters"]]:
        yield "reports of commits that cannot be published go to another queue"


def queue_readers_report_single_failures(template: Node) -> Iterator[str]:
    for name in MAPPINGS:
        mapping = of_type(template, MAPPING)[name]
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name} fails whole batches"
        if "MaximumConcurrency" not in mapping.get("ScalingConfig", {}):
            yield f"{name} has no maximum concurrency"


def foreign_references(template: Node, prefix: str, common: set[str]) -> Iterator[str]:
    """References from resources with this prefix to resources with another one."""
    for name, body in template["Resources"].items():
        if name.startswith(prefix):
            others = {other for other in referred(body) if not other.startswith(prefix)}
            others -= {*common, "Bus", "EventTable", *template["Parameters"], "AWS::NoValue"}
            yield from (f"{name} refers to {other}" for other in sorted(others))


def projections_are_separate(template: Node) -> Iterator[str]:
    """The projections are copies of one pattern. A name that was not changed in a copy would mix two projections."""
    for projection, slug in PROJECTIONS.items():
        yield from foreign_references(template, projection, {"ProjectionStates", "BusKey"})
        own = template["Resources"]
        variables = own[f"{projection}Projector"]["Properties"]["Environment"]["Variables"]
        if variables.get("PROJECTION") != slug:
            yield f"{projection}Projector runs the projection {variables.get('PROJECTION')}"
        if own[f"{projection}Rule"]["Properties"]["EventPattern"] != {"source": ["ledgerfold.orders"]}:
            yield f"{projection}Rule does not match the context's events"


def processes_are_separate(template: Node) -> Iterator[str]:
    for process, slug in PROCESSES.items():
        yield from foreign_references(template, process, {"Deadlines"})
        variables = template["Resources"][f"{process}Function"]["Properties"]["Environment"]["Variables"]
        if variables.get("PROCESS") != slug:
            yield f"{process}Function runs the process {variables.get('PROCESS')}"


def side_effects_refuse_replays(template: Node) -> Iterator[str]:
    """A consumer that is neither a projection nor an audit has side effects, so it must not get replayed events."""
    readers = {"AuditRule", *(f"{name}Rule" for name in PROJECTIONS)}
    for name, rule in of_type(template, RULE).items():
        pattern = rule.get("EventPattern")
        if pattern and name not in readers and pattern.get("replay-name") != [{"exists": False}]:
            yield f"{name} matches replayed events"


def deadlines_are_swept(template: Node) -> Iterator[str]:
    rule = template["Resources"]["DeadlineSweepRule"]["Properties"]
    if rule.get("ScheduleExpression") != "rate(1 minute)" or rule.get("State", "ENABLED") != "ENABLED":
        yield "the sweep does not run every minute"
    if "EventBusName" in rule:
        yield "a schedule only works on the default bus"
    if list(referred(rule["Targets"][0]["Arn"])) != ["DeadlineSweepFunction"]:
        yield "the schedule starts another function"
    permission = template["Resources"].get("DeadlineSweepPermission", {}).get("Properties", {})
    if permission.get("SourceArn") != {"Fn::GetAtt": ["DeadlineSweepRule", "Arn"]}:
        yield "the schedule may not start the sweep, or other rules may"
    sweep = template["Resources"]["DeadlineSweepFunction"]["Properties"]
    if sweep.get("EventInvokeConfig", {}).get("MaximumRetryAttempts") != 0:
        yield "Lambda retries a failed sweep, which then overlaps with the next one"
    if sweep["Timeout"] >= 60:
        yield "a sweep can overlap with the next one"
    if sweep["Environment"]["Variables"].get("DEADLINES") != {"Ref": "Deadlines"}:
        yield "the sweep uses another table"


def samples_are_audited(template: Node) -> Iterator[str]:
    rule = template["Resources"]["SpotCheckRule"]["Properties"]
    schedule = {"Fn::Sub": "rate(${SpotCheckEvery})"}
    if rule.get("ScheduleExpression") != schedule or rule.get("State", "ENABLED") != "ENABLED":
        yield "no schedule starts the spot check"
    if "EventBusName" in rule:
        yield "a schedule only works on the default bus"
    if list(referred(rule["Targets"][0]["Arn"])) != ["SpotCheckFunction"]:
        yield "the schedule starts another function"
    permission = template["Resources"].get("SpotCheckPermission", {}).get("Properties", {})
    if permission.get("SourceArn") != {"Fn::GetAtt": ["SpotCheckRule", "Arn"]}:
        yield "the schedule may not start the spot check, or other rules may"
    variables = template["Resources"]["SpotCheckFunction"]["Properties"]["Environment"]["Variables"]
    tables = {f"{slug.upper().replace('-', '_')}_TABLE": {"Ref": f"{name}Table"} for name, slug in PROJECTIONS.items()}
    if {name: table for name, table in variables.items() if name in tables} != tables:
        yield "the spot check uses another table, or a table is missing"
    patience, slowest = template["Parameters"]["SpotCheckPatience"], template["Parameters"]["ProjectorTimeout"]
    retried = template["Parameters"]["MaxReceives"]["Default"] * 6 * int(slowest["Default"])
    if patience["Default"] <= retried:
        yield "a message that SQS still retries counts as a wrong read model"
    for name, statement in statements(template):
        if name != "SpotCheckFunctionRole":
            continue
        writing = {f"dynamodb:{verb}Item" for verb in ("Put", "Update", "Delete")} & set(as_list(statement["Action"]))
        if writing:
            yield f"the spot check may {sorted(writing)}"


def quarantined_streams_are_retried(template: Node) -> Iterator[str]:
    rules = of_type(template, RULE)
    for projection in PROJECTIONS:
        schedule = rules.get(f"{projection}Retry", {})
        if schedule.get("ScheduleExpression") != {"Fn::Sub": "rate(${RetryEvery})"} or "EventPattern" in schedule:
            yield f"{projection}Retry has no schedule, or another one"
        if schedule.get("State", "ENABLED") != "ENABLED" or "EventBusName" in schedule:
            yield f"{projection}Retry never fires"  # Schedules are on the default bus only.
        targets = [(target["Arn"], json.loads(target.get("Input", "null"))) for target in schedule.get("Targets", [])]
        if targets != [({"Fn::GetAtt": [f"{projection}Queue", "Arn"]}, {"ledgerfold": "retry"})]:
            yield f"{projection}Retry does not send a retry message to its projector"


# ---- Queues, tables, bus, bucket -----------------------------------------------------------------


def undeliverable_messages_are_kept(template: Node) -> Iterator[str]:
    dead = dead_letter_queues(template) | READ_BY_PEOPLE
    for name, queue in of_type(template, QUEUE).items():
        if name in dead and queue.get("MessageRetentionPeriod") != FOURTEEN_DAYS:
            yield f"{name} does not keep its messages for 14 days"
        if name not in dead and "maxReceiveCount" not in queue.get("RedrivePolicy", {}):
            yield f"{name} has no dead-letter queue"
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name} is not encrypted"
    for name, rule in of_type(template, RULE).items():
        for target in rule["Targets"]:
            if "DeadLetterConfig" not in target or target.get("RetryPolicy", {}).keys() != {
                "MaximumEventAgeInSeconds",
                "MaximumRetryAttempts",
            }:
                yield f"{name} has a target without dead-letter queue or complete retry policy"
            elif target["DeadLetterConfig"]["Arn"] == target["Arn"]:
                yield f"{name} uses its target as its dead-letter queue"


def queues_accept_only_their_rules(template: Node) -> Iterator[str]:
    """The queues of a projection accept messages from its rule and its schedule only."""
    policies = {queue: p for p in of_type(template, QUEUE_POLICY).values() for queue in referred(p["Queues"])}
    for name in of_type(template, QUEUE):
        owner = name.removesuffix("DeadLetters").removesuffix("Queue").removesuffix("Rule")
        arns = [{"Fn::GetAtt": [f"{owner}{rule}", "Arn"]} for rule in ("Rule", "Retry")]
        rules = arns if owner in PROJECTIONS else arns[0]
        written = policies[name]["PolicyDocument"]["Statement"] if name in policies else []
        if [statement["Condition"] for statement in written] != [
            {"ArnEquals": {"aws:SourceArn": rules}},
            {"Bool": {"aws:SecureTransport": "false"}},
        ]:
            yield f"{name} accepts messages from other senders than the rules of {owner}, or without TLS"


def messages_stay_hidden_long_enough(template: Node) -> Iterator[str]:
    timeouts = template["Parameters"]["ProjectorTimeout"]["AllowedValues"]
    visibility = template["Mappings"]["QueueVisibility"]
    for timeout in timeouts:
        if visibility.get(timeout, {}).get("Seconds", 0) < 6 * int(timeout) + LONGEST_WINDOW:
            yield f"the visibility timeout is too short for a function timeout of {timeout} s"
    for name, consumer in CONSUMERS.items():
        if template["Resources"][consumer]["Properties"]["Timeout"] != {"Ref": "ProjectorTimeout"}:
            yield f"{consumer} has a timeout that does not match its queue"
        if template["Resources"][f"{name}Queue"]["Properties"].get("VisibilityTimeout") != {
            "Fn::FindInMap": ["QueueVisibility", {"Ref": "ProjectorTimeout"}, "Seconds"]
        }:
            yield f"{name}Queue has a visibility timeout that does not match its function"


def tables_can_be_recovered(template: Node) -> Iterator[str]:
    tables = of_type(template, TABLE)
    for name, table in tables.items():
        if not table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield f"{name} has no point-in-time recovery"
    events = tables["EventTable"]
    if events.get("DeletionProtectionEnabled") != {"Fn::If": ["Protected", True, False]}:
        yield "the event table is not protected"
    if template["Conditions"]["Protected"] != {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "local"]}]}:
        yield "stages other than local are unprotected"
    if events.get("StreamSpecification") != {"StreamViewType": "NEW_IMAGE"}:
        yield "the event table's stream does not carry commits"


def bus_is_archived(template: Node) -> Iterator[str]:
    archives = of_type(template, "AWS::Events::Archive").values()
    sources = [archive["SourceArn"] for archive in archives if "EventPattern" not in archive]
    if {"Fn::GetAtt": ["Bus", "Arn"]} not in sources:
        yield "not every event of the bus is archived"


def audits_receive_only_their_replays(template: Node) -> Iterator[str]:
    """Otherwise every published event would cost a message for the audit."""
    pattern = of_type(template, RULE)["AuditRule"]["EventPattern"]
    if pattern.get("replay-name") != [{"prefix": "audit-"}]:
        yield "the audit receives more than the events that are replayed for it"


def failure_bucket_is_private(template: Node) -> Iterator[str]:
    bucket = of_type(template, "AWS::S3::Bucket")["FailureBucket"]
    if list(bucket.get("PublicAccessBlockConfiguration", {}).values()) != [True] * 4:
        yield "the failure bucket can be made public"
    needed = ("BucketEncryption", "LifecycleConfiguration")
    yield from (f"the failure bucket has no {key}" for key in needed if key not in bucket)
    refusals = [s for name, s in statements(template) if name == "FailureBucketPolicy" and s["Effect"] == "Deny"]
    if [s["Condition"] for s in refusals] != [{"Bool": {"aws:SecureTransport": "false"}}]:
        yield "the failure bucket accepts requests without TLS"


# ---- API, alarms, outputs ------------------------------------------------------------------------


def gateway_errors_are_problems(template: Node) -> Iterator[str]:
    answers = of_type(template, "AWS::Serverless::Api")["Api"].get("GatewayResponses", {})
    needed = ("DEFAULT_4XX", "DEFAULT_5XX", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED")
    yield from (f"the gateway response {kind} is missing" for kind in needed if kind not in answers)
    for kind, answer in answers.items():
        problem = json.loads(answer["ResponseTemplates"]["application/json"])
        headers = answer["ResponseParameters"]["Headers"]
        if problem.keys() != {"type", "title", "status", "detail", "instance"}:
            yield f"{kind} has the fields {sorted(problem)}"
            continue
        if str(problem["status"]) != str(answer["StatusCode"]):
            yield f"{kind} has the status {problem['status']} in the body and {answer['StatusCode']} in the answer"
        if problem["instance"] != "$context.requestId" or not problem["type"].startswith("/problems/"):
            yield f"{kind} does not name the request, or its type"
        if headers.get("Content-Type") != "'application/problem+json'":
            yield f"{kind} is not application/problem+json"
        if problem["status"] in (429, 503) and "Retry-After" not in headers:
            yield f"{kind} has no Retry-After header"
        if problem["status"] == 405 and "Allow" not in headers:
            yield f"{kind} has no Allow header"


def api_is_throttled_and_logged(template: Node) -> Iterator[str]:
    api = of_type(template, "AWS::Serverless::Api")["Api"]
    settings = api.get("MethodSettings", [{}])[0]
    if not {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= settings.keys():
        yield "the API is not throttled"
    if "AccessLogSetting" not in api or not api.get("TracingEnabled"):
        yield "the API is not logged or not traced"
    if api.get("BinaryMediaTypes") != ["*/*"]:
        yield "the API damages binary bodies"
    routes = {
        (event["Properties"]["Path"], event["Properties"]["Method"]): name
        for name, function in of_type(template, FUNCTION).items()
        for event in function.get("Events", {}).values()
    }
    methods = {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST"}
    expected = {(path, method): "QueryFunction" for path in ("/", "/{proxy+}") for method in methods}
    if routes != {**expected, ("/{proxy+}", "POST"): "CommandFunction"}:
        yield "the API has missing, additional or wrong routes"


def trouble_is_alarmed(template: Node) -> Iterator[str]:
    watched = dead_letter_queues(template) | READ_BY_PEOPLE
    needed = {("ApproximateNumberOfMessagesVisible", queue) for queue in watched}
    needed |= {("ParkedStreams", f"{name}Projector") for name in PROJECTIONS}
    needed |= {("UnconfirmedEvents", consumer) for consumer in CONSUMERS.values()}
    needed |= {(metric, name) for name in of_type(template, FUNCTION) for metric in ("Errors", "Throttles")}
    needed |= {("Invocations", "DeadlineSweepFunction"), ("Invocations", "SpotCheckFunction")}
    needed |= {("Wrong", "SpotCheckFunction"), ("FailedDeadlines", "DeadlineSweepFunction")}
    needed |= {("5XXError", "Stage"), ("CommitsChanged", "RelayFunction")}
    needed |= {(m, "RelayMapping") for m in ("OnFailureDestinationDeliveredEventCount", "DroppedEventCount")}
    yield from (f"no alarm watches {metric} of {name}" for metric, name in sorted(needed - alarmed(template)))
    for name, alarm in of_type(template, ALARM).items():
        if alarm["MetricName"] == "Invocations" and alarm["TreatMissingData"] != "breaching":
            yield f"{name} does not treat missing invocations as a failure"
        if {"Ref": "AlarmTopic"} not in alarm.get("AlarmActions", {}).get("Fn::If", [None, []])[1]:
            yield f"{name} notifies nobody"


def undelivered_events_are_alarmed(template: Node) -> Iterator[str]:
    """If a rule can deliver an event neither to its target nor to the dead-letter queue, only its metrics show it."""
    watched = {
        (alarm["MetricName"], json.dumps(alarm["Dimensions"], sort_keys=True))
        for alarm in of_type(template, ALARM).values()
        if alarm["Namespace"] == "AWS/Events"
    }
    for name, rule in of_type(template, RULE).items():
        if "EventBusName" in rule:
            dimensions = [
                {"Name": "EventBusName", "Value": {"Ref": "Bus"}},
                # For rules on a custom bus, Ref does not return the name.
                {"Name": "RuleName", "Value": rule["Name"]},
            ]
            metrics = ("InvocationsFailedToBeSentToDlq", "RetryInvocationAttempts")
        else:
            dimensions = [{"Name": "RuleName", "Value": {"Ref": name}}]
            # Schedules retry only until the next start, so an alarm on retries would add nothing.
            metrics = ("InvocationsFailedToBeSentToDlq",)
        for metric in metrics:
            if (metric, json.dumps(dimensions, sort_keys=True)) not in watched:
                yield f"no alarm watches {metric} of {name}"


def whatever_waits_has_an_age(template: Node) -> Iterator[str]:
    """Every queue, stream, bucket and table in which something waits has an alarm on the age of the oldest entry. The
    alarm goes off before the entry is deleted."""
    queues = of_type(template, QUEUE)
    needed = {("ApproximateAgeOfOldestMessage", name) for name in queues}
    needed |= {("IteratorAge", "RelayFunction"), ("NumberOfObjects", "FailureBucket")}
    needed |= {(metric, "DeadlineSweepFunction") for metric in ("OldestOverdue", "OldestFailed")}
    needed |= {(metric, "SpotCheckFunction") for metric in ("OldestParked", "GenerationsBuilding")}
    yield from (f"no alarm watches {metric} of {name}" for metric, name in sorted(needed - alarmed(template)))
    for name, alarm in of_type(template, ALARM).items():
        for queue in referred(alarm["Dimensions"]):
            is_age = alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
            if is_age and alarm["Threshold"] > queues[queue]["MessageRetentionPeriod"] - A_DAY // 2:
                yield f"{name} goes off too late: SQS has deleted the messages by then"


def outputs_are_complete(template: Node) -> Iterator[str]:
    names = {"BusName", "ArchiveName", "ArchiveArn", "ApiId", "ApiStage", "ApiUrl", "EventTable", "FailureBucket"}
    names |= {"CommandFunction", "RelayFunction", "QueryFunction", "ProjectionStates"}
    names |= {"AuditRuleArn", "AuditQueue", "AuditDeadLetters", "RelayDeadLetters", "RelayRuleDeadLetters"}
    names |= {"Deadlines", "DeadlineSweepFunction", "DeadlineSweepDeadLetters"}
    names |= {"SpotCheckFunction", "SpotCheckDeadLetters"}
    # Processes have no rule among the outputs, because only projections may receive a replay.
    names |= {f"{name}{part}" for name in PROCESSES for part in ("Function", "Queue", "DeadLetters", "Setting")}
    parts = ("Table", "Projector", "Queue", "DeadLetters", "Rule")
    names |= {f"{name}{part}" for name in PROJECTIONS for part in parts}
    yield from (f"output {name}" for name in sorted(names ^ template["Outputs"].keys()))
