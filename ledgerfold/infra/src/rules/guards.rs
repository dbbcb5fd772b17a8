//! Rules against the loss of events, messages and data.

use std::collections::BTreeSet;

use ledgerfold::context::variables;
use serde_json::{Value as Json, json};

use super::{
    keys::KEY_TABLE,
    model::{Granted, Model, QUEUE, RULE, TABLE, list, referred, text},
};

const FOURTEEN_DAYS: i64 = 1_209_600;
/// The last hour before the change stream deletes a record, in seconds.
const LAST_HOUR: i64 = 23 * 3_600;
/// Queues that a rule fills for operators to read. No function consumes them.
pub(super) const READ_BY_PEOPLE: &str = "RelayDeadLetters";

fn number(value: &Json) -> i64 {
    value.as_i64().unwrap_or_default()
}

pub(super) fn relay_loses_nothing(model: &Model<'_>) -> Vec<String> {
    let relay = model.properties("RelayMapping");
    let expected = json!({
        "StartingPosition": "TRIM_HORIZON",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": true,
        // Limited by age, because the number of attempts in an outage depends on how fast each one fails.
        "MaximumRetryAttempts": -1,
        // With fewer, a slow bus makes the relay fall behind.
        "ParallelizationFactor": 10,
        "MaximumRecordAgeInSeconds": {"Ref": "RelayPatience"},
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["FailureBucket", "Arn"]}}},
        "MetricsConfig": {"Metrics": ["EventCount"]},
    });
    let expected = expected.as_object().into_iter().flatten();
    let wrong = expected.filter(|(key, value)| &relay[key.as_str()] != *value);
    let mut broken: Vec<_> =
        wrong.map(|(key, _)| format!("the relay's {key} is {}", relay[key.as_str()])).collect();
    if !relay["FilterCriteria"].is_null() {
        broken.push("a filter hides changed and deleted commits from the relay".to_owned());
    }
    let patience = model.at("/Parameters/RelayPatience");
    let [least, most, default] =
        ["MinValue", "MaxValue", "Default"].map(|key| number(&patience[key]));
    if !(0 < least && least <= default && default <= most && most <= LAST_HOUR) {
        let reason = "the relay retries for ever, or the stream deletes a record before Lambda moves it to the bucket";
        broken.push(reason.to_owned());
    }
    broken
}

fn bus() -> Json {
    json!({"Fn::ImportValue": {"Fn::Sub": "${Platform}-BusName"}})
}

fn is_enabled(rule: &Json) -> bool {
    rule.get("State").is_none_or(|state| state == "ENABLED")
}

pub(super) fn unpublishable_commits_are_reported(model: &Model<'_>) -> Vec<String> {
    let rule = model.properties("RelayRule");
    let source = json!([format!("{}.relay", model.source())]);
    let received = rule["EventBusName"] == bus()
        && rule["EventPattern"]["source"] == source
        && is_enabled(rule);
    let target = list(&rule["Targets"]).flat_map(|target| referred(&target["Arn"]));
    let queued = target.collect::<Vec<_>>() == [READ_BY_PEOPLE];
    let fault = "no rule brings the reports of commits that cannot be published to operators";
    if received && queued { Vec::new() } else { vec![fault.to_owned()] }
}

pub(super) fn queue_readers_report_single_failures(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (_, consumer) in model.queue_readers() {
        let id = match consumer.strip_suffix("Function") {
            Some(process) => format!("{process}Mapping"),
            None => format!("{consumer}Mapping"),
        };
        let mapping = model.properties(&id);
        if mapping["FunctionResponseTypes"] != json!(["ReportBatchItemFailures"]) {
            broken.push(format!("{id} fails whole batches"));
        }
        if mapping["ScalingConfig"]["MaximumConcurrency"].is_null() {
            broken.push(format!("{id} has no maximum concurrency"));
        }
    }
    broken
}

/// A consumer that is neither a projection nor an audit has side effects, so it must not get replayed events. The audit
/// gets only the events that are replayed for it, because every other one would cost a message.
pub(super) fn side_effects_refuse_replays(model: &Model<'_>) -> Vec<String> {
    let readers: Vec<_> =
        model.projections().into_iter().map(|(id, _)| format!("{id}Rule")).collect();
    let mut broken = Vec::new();
    for (id, rule) in model.of_type(RULE) {
        let (pattern, replay) = (&rule["EventPattern"], &rule["EventPattern"]["replay-name"]);
        if id == "AuditRule" {
            let own = *replay == json!([{"prefix": "audit-"}]);
            broken.extend((!own).then(|| "the audit receives more than its replays".to_owned()));
        } else if id == "SealerRule" {
            // It passes over a sealed commit, and a replay seals older streams.
        } else if !pattern.is_null() && !readers.iter().any(|reader| reader == id) {
            let refuses = *replay == json!([{"exists": false}]);
            broken.extend((!refuses).then(|| format!("{id} matches replayed events")));
        }
    }
    broken
}

/// Retries of quarantined streams, the sweep of deadlines, and the spot check start on schedule.
pub(super) fn schedules_run(model: &Model<'_>) -> Vec<String> {
    let mut needed: Vec<(String, Json, String, Option<Json>)> = Vec::new();
    for (id, _) in model.projections() {
        let input = json!({"ledgerfold": "retry"});
        let every = json!({"Fn::Sub": "rate(${RetryEvery})"});
        needed.push((format!("{id}Retry"), every, format!("{id}Queue"), Some(input)));
    }
    if model.exports() {
        let input = json!({"ledgerfold": "close"});
        let every = json!("rate(5 minutes)");
        needed.push(("ExportClose".to_owned(), every, "ExportQueue".to_owned(), Some(input)));
    }
    let sweep = ("DeadlineSweep", json!("rate(1 minute)"), !model.processes().is_empty());
    let check = (
        "SpotCheck",
        json!({"Fn::Sub": "rate(${SpotCheckEvery})"}),
        !model.projections().is_empty(),
    );
    let mut broken = Vec::new();
    for (prefix, every, is_needed) in [sweep, check] {
        if !is_needed {
            continue;
        }
        needed.push((format!("{prefix}Rule"), every, format!("{prefix}Function"), None));
        let permission = model.properties(&format!("{prefix}Permission"));
        if permission["SourceArn"] != json!({"Fn::GetAtt": [format!("{prefix}Rule"), "Arn"]}) {
            broken.push(format!("the schedule may not start {prefix}Function, or other rules may"));
        }
        if model.properties(&format!("{prefix}Function"))["EventInvokeConfig"]["MaximumRetryAttempts"]
            != 0
        {
            broken.push(format!(
                "Lambda retries a failed {prefix}Function, which then overlaps with the next one"
            ));
        }
    }
    for (id, every, target, input) in needed {
        let rule = model.properties(&id);
        if rule["ScheduleExpression"] != every || !is_enabled(rule) {
            broken.push(format!("{id} has no schedule, or another one"));
        }
        // Schedules are on the default bus only.
        if !rule["EventBusName"].is_null() || !rule["EventPattern"].is_null() {
            broken.push(format!("{id} never fires"));
        }
        let sent = &rule["Targets"][0];
        let message = sent["Input"]
            .as_str()
            .map(|text| serde_json::from_str::<Json>(text).unwrap_or_default());
        if referred(&sent["Arn"]) != [target.as_str()] || message != input {
            broken.push(format!("{id} starts something else than {target}"));
        }
    }
    let timeout = &model.properties("DeadlineSweepFunction")["Timeout"];
    broken.extend(
        (number(timeout) >= 60).then(|| "a sweep can overlap with the next one".to_owned()),
    );
    broken
}

pub(super) fn samples_are_audited(model: &Model<'_>) -> Vec<String> {
    if model.projections().is_empty() {
        return Vec::new();
    }
    let mut broken = Vec::new();
    for (name, table) in model.table_variables() {
        for function in ["SpotCheckFunction", "QueryFunction"] {
            let wrong = *model.variable(function, &name) != table;
            broken.extend(wrong.then(|| format!("{function} does not read the table in {name}")));
        }
    }
    let parameter = |name: &str| model.at(&format!("/Parameters/{name}/Default"));
    let slowest: i64 = text(parameter("ProjectorTimeout")).parse().unwrap_or(i64::MAX / 100);
    if number(parameter("SpotCheckPatience")) <= number(parameter("MaxReceives")) * 6 * slowest {
        broken.push("a message that SQS still retries counts as a wrong read model".to_owned());
    }
    for granted in model.statements().into_iter().filter(|it| it.owner == "SpotCheckFunctionRole") {
        let writes = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];
        let found = writes.into_iter().filter(|write| granted.actions().contains(write));
        broken.extend(found.map(|write| format!("the spot check may {write}")));
    }
    broken
}

pub(super) fn undeliverable_messages_are_kept(model: &Model<'_>) -> Vec<String> {
    let mut dead = model.dead_letter_queues();
    dead.insert(READ_BY_PEOPLE.to_owned());
    let mut broken = Vec::new();
    for (id, queue) in model.of_type(QUEUE) {
        if dead.contains(id) && queue["MessageRetentionPeriod"] != FOURTEEN_DAYS {
            broken.push(format!("{id} does not keep its messages for 14 days"));
        }
        if !dead.contains(id) && queue["RedrivePolicy"]["maxReceiveCount"].is_null() {
            broken.push(format!("{id} has no dead-letter queue"));
        }
    }
    for (id, rule) in model.of_type(RULE) {
        for target in list(&rule["Targets"]) {
            let retry = &target["RetryPolicy"];
            let limits = ["MaximumEventAgeInSeconds", "MaximumRetryAttempts"];
            if target["DeadLetterConfig"].is_null()
                || limits.iter().any(|limit| retry[*limit].is_null())
            {
                broken.push(format!(
                    "{id} has a target without dead-letter queue or complete retry policy"
                ));
            } else if target["DeadLetterConfig"]["Arn"] == target["Arn"] {
                broken.push(format!("{id} uses its target as its dead-letter queue"));
            }
        }
    }
    broken
}

pub(super) fn queues_accept_only_their_rules(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let due = due_queues(model);
    for (id, _) in model.of_type(QUEUE).into_iter().filter(|(id, _)| !due.contains(*id)) {
        let rules = model.of_type(RULE).into_iter().filter(|(_, rule)| {
            let targets = list(&rule["Targets"]);
            let mut used =
                targets.flat_map(|target| [&target["Arn"], &target["DeadLetterConfig"]["Arn"]]);
            used.any(|arn| referred(arn) == [id])
        });
        let rules: Vec<_> = rules.map(|(rule, _)| json!({"Fn::GetAtt": [rule, "Arn"]})).collect();
        let statements = &model.properties(&format!("{id}Policy"))["PolicyDocument"]["Statement"];
        let mut senders: Vec<_> =
            list(&statements[0]["Condition"]["ArnEquals"]["aws:SourceArn"]).cloned().collect();
        senders.sort_by_key(ToString::to_string);
        let over_tls = json!({"Bool": {"aws:SecureTransport": "false"}});
        let only_two = statements.as_array().is_some_and(|all| all.len() == 2);
        let refuses = statements[1]["Effect"] == "Deny" && statements[1]["Condition"] == over_tls;
        if senders != rules || !only_two || !refuses {
            broken.push(format!(
                "{id} accepts messages from other senders than {rules:?}, or without TLS"
            ));
        }
    }
    broken
}

/// The queues of due deadlines and their dead-letter queues.
fn due_queues(model: &Model<'_>) -> BTreeSet<String> {
    let ids = model.workers().into_iter();
    ids.flat_map(|(id, _, _)| ["Queue", "DeadLetters"].map(|part| format!("{id}{part}"))).collect()
}

/// The sweep, and nobody else, sends the due deadlines of a process to the queue of its worker.
pub(super) fn deadlines_reach_their_workers(model: &Model<'_>) -> Vec<String> {
    const SWEEP: &str = "DeadlineSweepFunction";
    let mut broken = Vec::new();
    let over_tls = json!({"Bool": {"aws:SecureTransport": "false"}});
    let refuses = |it: &Json| it["Effect"] == "Deny" && it["Condition"] == over_tls;
    for (id, _, name) in model.workers() {
        let queue = format!("{id}Queue");
        if *model.variable(SWEEP, &variables::due_queue_of(name)) != json!({"Ref": queue}) {
            broken.push(format!("the sweep does not know {queue}"));
        }
        let policy = |id: &str| &model.properties(&format!("{id}Policy"))["PolicyDocument"];
        let statements: Vec<_> = list(&policy(&queue)["Statement"]).collect();
        let sweep = json!({"AWS": {"Fn::GetAtt": [format!("{SWEEP}Role"), "Arn"]}});
        let accepts = |it: &Json| {
            it["Effect"] == "Allow" && it["Principal"] == sweep && it["Action"] == "sqs:SendMessage"
        };
        if !matches!(statements[..], [first, second] if accepts(first) && refuses(second)) {
            broken.push(format!(
                "{queue} accepts messages from others than the sweep, or without TLS"
            ));
        }
        let letters = format!("{id}DeadLetters");
        let statements: Vec<_> = list(&policy(&letters)["Statement"]).collect();
        if !matches!(statements[..], [only] if refuses(only)) {
            broken.push(format!("{letters} accepts messages from others than SQS, or without TLS"));
        }
    }
    for granted in model.statements().into_iter().filter(Granted::allows) {
        let sends = granted.actions().contains("sqs:SendMessage");
        let is_role = granted.owner.ends_with("Role");
        let queues: BTreeSet<_> = list(&granted.statement["Resource"]).flat_map(referred).collect();
        let due = model.workers().into_iter().map(|(id, _, _)| format!("{id}Queue"));
        if is_role
            && sends
            && (granted.owner != "DeadlineSweepFunctionRole" || queues != due.collect())
        {
            broken.push(format!("{} may send to {queues:?}", granted.owner));
        }
    }
    broken
}

pub(super) fn messages_stay_hidden_long_enough(model: &Model<'_>) -> Vec<String> {
    let visibility = model.at("/Mappings/QueueVisibility");
    let timeouts = list(model.at("/Parameters/ProjectorTimeout/AllowedValues")).map(text);
    let short = timeouts.filter(|timeout| {
        let seconds = number(&visibility[*timeout]["Seconds"]);
        // A batch is collected for at most a second.
        timeout.parse::<i64>().is_ok_and(|timeout| seconds < 6 * timeout + 1)
    });
    let mut broken: Vec<_> = short
        .map(|timeout| format!("messages are hidden too briefly for a timeout of {timeout} s"))
        .collect();
    let found =
        json!({"Fn::FindInMap": ["QueueVisibility", {"Ref": "ProjectorTimeout"}, "Seconds"]});
    for (id, consumer) in model.queue_readers() {
        let timeout = &model.properties(&consumer)["Timeout"];
        let hidden = &model.properties(&format!("{id}Queue"))["VisibilityTimeout"];
        if *timeout != json!({"Ref": "ProjectorTimeout"}) || *hidden != found {
            broken.push(format!("the timeouts of {consumer} and of its queue do not match"));
        }
    }
    broken
}

pub(super) fn tables_can_be_recovered(model: &Model<'_>) -> Vec<String> {
    // A backup of the table of keys would keep destroyed keys.
    let tables = model.of_type(TABLE).into_iter().filter(|(id, _)| *id != KEY_TABLE);
    let lost = tables.filter(|(_, table)| {
        table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] != true
    });
    let mut broken: Vec<_> =
        lost.map(|(id, _)| format!("{id} has no point-in-time recovery")).collect();
    let events = model.properties("EventTable");
    let protected = json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "local"]}]});
    let unprotected = events["DeletionProtectionEnabled"]
        != json!({"Fn::If": ["Protected", true, false]})
        || *model.at("/Conditions/Protected") != protected;
    broken.extend(
        unprotected
            .then(|| "the event table is not protected in every stage except local".to_owned()),
    );
    if events["StreamSpecification"] != json!({"StreamViewType": "NEW_IMAGE"}) {
        broken.push("the event table's stream does not carry commits".to_owned());
    }
    broken
}

pub(super) fn buckets_are_private(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, bucket) in model.of_type("AWS::S3::Bucket") {
        let access = bucket["PublicAccessBlockConfiguration"].as_object();
        let closed =
            access.is_some_and(|all| all.len() == 4 && all.values().all(|value| value == true));
        broken.extend((!closed).then(|| format!("{id} can be made public")));
        broken
            .extend(bucket["BucketEncryption"].is_null().then(|| format!("{id} is not encrypted")));
        let policy = &model.properties(&format!("{id}Policy"))["PolicyDocument"]["Statement"][0];
        let over_tls = json!({"Bool": {"aws:SecureTransport": "false"}});
        let refuses = policy["Effect"] == "Deny" && policy["Condition"] == over_tls;
        broken.extend((!refuses).then(|| format!("{id} accepts requests without TLS")));
    }
    if model.properties("FailureBucket")["LifecycleConfiguration"].is_null() {
        broken.push("the failure bucket never forgets".to_owned());
    }
    broken
}
