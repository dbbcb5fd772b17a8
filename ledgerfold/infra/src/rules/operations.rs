//! Rules about the API and about alarms.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{
    guards::READ_BY_PEOPLE,
    model::{ALARM, FUNCTION, Model, QUEUE, RULE, list, referred, text},
};

pub(super) fn gateway_errors_are_problems(model: &Model<'_>) -> Vec<String> {
    let answers = &model.properties("Api")["GatewayResponses"];
    let needed =
        ["DEFAULT_4XX", "DEFAULT_5XX", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED"];
    let missing = needed.into_iter().filter(|kind| answers[*kind].is_null());
    let mut broken: Vec<_> =
        missing.map(|kind| format!("the gateway response {kind} is missing")).collect();
    for (kind, answer) in answers.as_object().into_iter().flatten() {
        let problem = text(&answer["ResponseTemplates"]["application/json"]);
        let problem: Json = serde_json::from_str(problem).unwrap_or_default();
        let headers = &answer["ResponseParameters"]["Headers"];
        let fields: BTreeSet<_> =
            problem.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let complete = fields == BTreeSet::from(["type", "title", "status", "detail", "instance"]);
        let named = problem["instance"] == "$context.requestId"
            && text(&problem["type"]).starts_with("/problems/");
        if !complete || !named || headers["Content-Type"] != "'application/problem+json'" {
            broken.push(format!("{kind} is no complete problem"));
        }
        if text(&answer["StatusCode"]).parse().ok() != problem["status"].as_i64() {
            broken.push(format!("{kind} has another status in the body than in the answer"));
        }
        let header = match problem["status"].as_i64() {
            Some(401) => "WWW-Authenticate",
            Some(429 | 503) => "Retry-After",
            Some(405) => "Allow",
            _ => continue,
        };
        if headers[header].is_null() {
            broken.push(format!("{kind} has no header {header}"));
        }
    }
    broken
}

pub(super) fn api_is_throttled_and_logged(model: &Model<'_>) -> Vec<String> {
    let api = model.properties("Api");
    let limits = ["ThrottlingRateLimit", "ThrottlingBurstLimit"];
    let mut broken = Vec::new();
    if limits.iter().any(|limit| api["MethodSettings"][0][*limit].is_null()) {
        broken.push("the API is not throttled".to_owned());
    }
    if api["AccessLogSetting"].is_null() || api["TracingEnabled"] != true {
        broken.push("the API is not logged or not traced".to_owned());
    }
    if api["BinaryMediaTypes"] != json!(["*/*"]) {
        broken.push("the API damages binary bodies".to_owned());
    }
    let mut routes = BTreeSet::new();
    for (id, function) in model.of_type(FUNCTION) {
        let events = function["Events"].as_object().into_iter().flatten();
        routes.extend(events.map(|(_, event)| {
            let route = &event["Properties"];
            (text(&route["Path"]), text(&route["Method"]), id)
        }));
    }
    let methods = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST"];
    let expected = ["/", "/{proxy+}"].into_iter().flat_map(|path| {
        methods.map(|method| match (path, method) {
            ("/{proxy+}", "POST") => (path, method, "CommandFunction"),
            _ => (path, method, "QueryFunction"),
        })
    });
    if routes != expected.collect() {
        broken.push("the API has missing, additional or wrong routes".to_owned());
    }
    broken
}

/// The pairs of metric and resource that no alarm watches.
fn unwatched(model: &Model<'_>, needed: Vec<(&str, String)>) -> Vec<String> {
    let watched = model.watched();
    let needed = needed.into_iter().map(|(metric, of)| (metric.to_owned(), of));
    let missing = needed.filter(|pair| !watched.contains(pair));
    missing.map(|(metric, of)| format!("no alarm watches {metric} of {of}")).collect()
}

pub(super) fn faults_have_alarms(model: &Model<'_>) -> Vec<String> {
    let mut needed = vec![
        ("ApproximateNumberOfMessagesVisible", READ_BY_PEOPLE.to_owned()),
        ("5XXError", "Stage".to_owned()),
        ("CommitsChanged", "RelayFunction".to_owned()),
        ("OnFailureDestinationDeliveredEventCount", "RelayMapping".to_owned()),
        ("DroppedEventCount", "RelayMapping".to_owned()),
    ];
    let dead = model.dead_letter_queues().into_iter();
    needed.extend(dead.map(|queue| ("ApproximateNumberOfMessagesVisible", queue)));
    for (id, _) in model.projections() {
        needed.push(("ParkedStreams", format!("{id}Projector")));
        needed.push(("Wrong", "SpotCheckFunction".to_owned()));
        needed.push(("Invocations", "SpotCheckFunction".to_owned()));
    }
    for _ in model.processes() {
        needed.push(("Invocations", "DeadlineSweepFunction".to_owned()));
        needed.push(("FailedDeadlines", "DeadlineSweepFunction".to_owned()));
    }
    if model.exports() {
        let metrics = ["ExportWithheld", "Invocations"];
        needed.extend(metrics.map(|metric| (metric, "ExportFunction".to_owned())));
    }
    if model.context.seals() {
        let functions = ["CommandFunction", "QueryFunction"];
        needed.extend(functions.map(|function| ("KeyFailures", function.to_owned())));
    }
    if model.context.is_transparent() {
        needed.push(("UnsealedStreams", "SealerFunction".to_owned()));
    }
    needed.extend(model.consumers().into_iter().map(|(_, it)| ("UnconfirmedEvents", it)));
    for (id, _) in model.of_type(FUNCTION) {
        needed.extend(["Errors", "Throttles"].map(|metric| (metric, id.to_owned())));
    }
    let mut broken = unwatched(model, needed);
    let topic = json!([{"Fn::ImportValue": {"Fn::Sub": "${Platform}-AlarmTopicArn"}}]);
    for (id, alarm) in model.of_type(ALARM) {
        if alarm["MetricName"] == "Invocations" && alarm["TreatMissingData"] != "breaching" {
            broken.push(format!("{id} does not treat missing invocations as a failure"));
        }
        if alarm["AlarmActions"] != topic {
            broken.push(format!("{id} notifies nobody"));
        }
        let description = &alarm["AlarmDescription"];
        let description = description.as_str().unwrap_or_else(|| text(&description["Fn::Sub"]));
        if !description.contains(" See docs/operations.md#") || description.len() > 1_024 {
            broken.push(format!("{id} names no page, or its description is too long"));
        }
    }
    broken
}

/// If a rule can deliver an event neither to its target nor to the dead-letter queue, only its metrics show it.
pub(super) fn undelivered_events_have_alarms(model: &Model<'_>) -> Vec<String> {
    let alarms =
        model.of_type(ALARM).into_iter().filter(|(_, alarm)| alarm["Namespace"] == "AWS/Events");
    let watched: Vec<_> = alarms
        .map(|(_, alarm)| (text(&alarm["MetricName"]), alarm["Dimensions"].clone()))
        .collect();
    let mut broken = Vec::new();
    for (id, rule) in model.of_type(RULE) {
        let (dimensions, metrics): (Json, &[&str]) = match rule.get("EventBusName") {
            // For rules on a custom bus, Ref does not return the name.
            Some(bus) => (
                json!([{"Name": "EventBusName", "Value": bus}, {"Name": "RuleName", "Value": rule["Name"]}]),
                &["InvocationsFailedToBeSentToDlq", "RetryInvocationAttempts"],
            ),
            // Schedules retry only until the next start, so an alarm on retries would add nothing.
            None => (
                json!([{"Name": "RuleName", "Value": {"Ref": id}}]),
                &["InvocationsFailedToBeSentToDlq"],
            ),
        };
        let missing =
            metrics.iter().filter(|metric| !watched.contains(&(**metric, dimensions.clone())));
        broken.extend(missing.map(|metric| format!("no alarm watches {metric} of {id}")));
    }
    broken
}

/// Every queue, stream, bucket and table in which something waits has an alarm on the age of the oldest entry. The alarm
/// goes off before the entry is deleted.
pub(super) fn waiting_work_has_an_age(model: &Model<'_>) -> Vec<String> {
    const AGE: &str = "ApproximateAgeOfOldestMessage";
    const HALF_A_DAY: i64 = 43_200;
    let mut needed: Vec<_> =
        model.of_type(QUEUE).into_iter().map(|(id, _)| (AGE, id.to_owned())).collect();
    needed.push(("IteratorAge", "RelayFunction".to_owned()));
    needed.push(("NumberOfObjects", "FailureBucket".to_owned()));
    if !model.processes().is_empty() {
        let metrics = ["OldestOverdue", "OldestFailed"];
        needed.extend(metrics.map(|metric| (metric, "DeadlineSweepFunction".to_owned())));
    }
    if model.exports() {
        needed.push(("ExportOverdue", "ExportFunction".to_owned()));
    }
    if !model.projections().is_empty() {
        let metrics = ["OldestParked", "GenerationsBuilding"];
        needed.extend(metrics.map(|metric| (metric, "SpotCheckFunction".to_owned())));
    }
    let mut broken = unwatched(model, needed);
    for (id, alarm) in
        model.of_type(ALARM).into_iter().filter(|(_, alarm)| alarm["MetricName"] == AGE)
    {
        for queue in list(&alarm["Dimensions"]).flat_map(referred) {
            let kept =
                model.properties(&queue)["MessageRetentionPeriod"].as_i64().unwrap_or_default();
            if alarm["Threshold"].as_i64().is_none_or(|age| age > kept - HALF_A_DAY) {
                broken
                    .push(format!("{id} goes off too late: SQS has deleted the messages by then"));
            }
        }
    }
    broken
}
