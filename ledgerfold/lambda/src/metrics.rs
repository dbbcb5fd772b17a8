//! Metrics for CloudWatch, as log lines in its embedded metric format. They need no permission and no API call.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{collections::BTreeMap, io::Write};

use ledgerfold::{
    Timestamp,
    ports::Clock,
    process::Swept,
    reconcile::{Backlog, Summary},
};
use serde_json::{Value, json};

use ledgerfold_aws::SystemClock;

const NAMESPACE: &str = "Ledgerfold";

/// How many streams are quarantined for this function's projection.
pub(crate) fn parked_streams(function: &str, parked: usize) {
    let line = Line { function, projection: None, is_wrong: parked > 0 };
    write(&line.of(&[count("ParkedStreams", parked)], SystemClock.now()));
}

/// How many messages of a batch are neither signed by the relay nor in the log. Writes nothing if there are none, to
/// save a line per batch.
pub(crate) fn unconfirmed_events(function: &str, unconfirmed: usize) {
    alone(function, "UnconfirmedEvents", unconfirmed);
}

/// How many streams do not continue their sealed history, or cannot be read. Writes nothing if there are none.
#[cfg(feature = "transparency")]
pub(crate) fn unsealed_streams(function: &str, streams: usize) {
    alone(function, "UnsealedStreams", streams);
}

/// How many commits of a batch were changed or removed. Writes nothing if there are none.
pub(crate) fn changed_commits(function: &str, changed: usize) {
    alone(function, "CommitsChanged", changed);
}

/// A request failed because keys could not be read or made. Outside of Lambda it writes nothing.
pub(crate) fn key_failure() {
    if let Ok(function) = std::env::var("AWS_LAMBDA_FUNCTION_NAME") {
        alone(&function, "KeyFailures", 1);
    }
}

/// For how many seconds the next window of an export has been overdue, and how many streams cannot be exported.
#[cfg(feature = "export")]
pub(crate) fn export(function: &str, overdue: i64, withheld: usize) {
    let line = Line { function, projection: None, is_wrong: overdue > 0 || withheld > 0 };
    let overdue = Metric { name: "ExportOverdue", unit: "Seconds", value: overdue.into() };
    write(&line.of(&[overdue, count("ExportWithheld", withheld)], SystemClock.now()));
}

/// How many deadlines have failed, and the ages of the oldest failed and the oldest overdue one.
pub(crate) fn deadlines(function: &str, swept: &Swept, now: Timestamp) {
    let line = Line { function, projection: None, is_wrong: swept.needs_attention() };
    let metrics = [
        count("FailedDeadlines", swept.failed),
        age("OldestFailed", swept.failed_since, now),
        age("OldestOverdue", swept.overdue_since, now),
    ];
    write(&line.of(&metrics, now));
}

/// Unfinished work in the read models: the age of the oldest quarantined stream by projection and in total, and how
/// many generations are under construction.
pub(crate) fn backlog(function: &str, backlog: &Backlog, now: Timestamp) {
    for (projection, since) in &backlog.parked_since {
        let line = Line { function, projection: Some(projection), is_wrong: since.is_some() };
        write(&line.of(&[age("OldestParked", *since, now)], now));
    }
    let line = Line { function, projection: None, is_wrong: backlog.building > 0 };
    write(&line.of(&[count("GenerationsBuilding", backlog.building)], now));
}

/// How many streams have each verdict, by projection and in total.
pub(crate) fn spot_check(function: &str, summaries: &BTreeMap<&'static str, Summary>) {
    for (projection, summary) in summaries {
        let line = Line { function, projection: Some(projection), is_wrong: !summary.is_clean() };
        write(&line.of(&verdicts(summary), SystemClock.now()));
    }
}

fn verdicts(summary: &Summary) -> [Metric; 9] {
    let Summary { streams, lost, diverged, behind, ahead, unreadable, parked, partial, .. } =
        *summary;
    [
        count("Audited", streams),
        count("Wrong", summary.wrong()),
        count("Lost", lost),
        count("Diverged", diverged),
        count("Behind", behind),
        count("Ahead", ahead),
        count("Unreadable", unreadable),
        count("Parked", parked),
        count("Partial", partial),
    ]
}

fn alone(function: &str, name: &'static str, number: usize) {
    if number > 0 {
        let line = Line { function, projection: None, is_wrong: true };
        write(&line.of(&[count(name, number)], SystemClock.now()));
    }
}

/// A value with its name and unit.
struct Metric {
    name: &'static str,
    unit: &'static str,
    value: Value,
}

fn count(name: &'static str, number: impl Into<Value>) -> Metric {
    Metric { name, unit: "Count", value: number.into() }
}

/// The age of something that waits, or 0 if nothing waits.
fn age(name: &'static str, since: Option<Timestamp>, now: Timestamp) -> Metric {
    let seconds = since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
    Metric { name, unit: "Seconds", value: seconds.into() }
}

/// The dimensions of a line's metrics. With a projection, each metric is written for the projection and for the
/// function, which adds up its projections.
struct Line<'a> {
    function: &'a str,
    projection: Option<&'a str>,
    is_wrong: bool,
}

impl Line<'_> {
    /// Lambda drops lines below the function's log level. So metrics that an alarm must see have the level ERROR.
    /// Others may be dropped: alarms treat a missing metric as good.
    fn of(&self, metrics: &[Metric], now: Timestamp) -> Value {
        let dimensions = match self.projection {
            None => json!([["FunctionName"]]),
            Some(_) => json!([["FunctionName"], ["FunctionName", "Projection"]]),
        };
        let declared =
            metrics.iter().map(|Metric { name, unit, .. }| json!({"Name": name, "Unit": unit}));
        let mut line = json!({
            "_aws": {
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": dimensions,
                    "Metrics": declared.collect::<Vec<_>>(),
                }],
            },
            "timestamp": now,
            "level": if self.is_wrong { "ERROR" } else { "INFO" },
            "FunctionName": self.function,
        });
        if let Some(projection) = self.projection {
            line["Projection"] = projection.into();
        }
        for Metric { name, value, .. } in metrics {
            line[*name] = value.clone();
        }
        line
    }
}

/// A failure to write is ignored: without a log there is no place to report it.
fn write(line: &Value) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use ledgerfold::{Timestamp, reconcile::Summary};
    use serde_json::json;

    use super::{Line, age, count, verdicts};

    #[test]
    fn a_line_names_its_metric_its_dimension_and_their_values() {
        let now = Timestamp::from_millisecond(1_700_000_000_123).expect("it is in range");
        let line = Line { function: "projector", projection: None, is_wrong: true };
        let line = line.of(&[count("ParkedStreams", 3)], now);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Dimensions"], json!([["FunctionName"]]));
        assert_eq!(metrics["Metrics"], json!([{"Name": "ParkedStreams", "Unit": "Count"}]));
        assert_eq!(line["_aws"]["Timestamp"], 1_700_000_000_123_i64);
        assert_eq!(line["timestamp"], "2023-11-14T22:13:20.123Z");
        assert_eq!(
            (&line["FunctionName"], &line["ParkedStreams"]),
            (&json!("projector"), &json!(3))
        );
    }

    #[test]
    fn a_projections_numbers_are_its_own_and_the_functions() {
        let summary = Summary { streams: 9, lost: 2, behind: 1, parked: 1, ..Summary::default() };
        let line = Line { function: "audit", projection: Some("pages"), is_wrong: true };
        let line = line.of(&verdicts(&summary), Timestamp::UNIX_EPOCH);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            metrics["Dimensions"],
            json!([["FunctionName"], ["FunctionName", "Projection"]])
        );
        assert_eq!(
            (&line["FunctionName"], &line["Projection"]),
            (&json!("audit"), &json!("pages"))
        );
        let named = metrics["Metrics"].as_array().expect("a list").iter();
        let shown: Vec<_> =
            named.map(|metric| line[metric["Name"].as_str().expect("text")].clone()).collect();
        assert_eq!(json!(shown), json!([9, 3, 2, 0, 1, 0, 0, 1, 0]));
    }

    #[test]
    fn an_age_is_in_seconds_and_zero_if_nothing_waits() {
        let now = Timestamp::from_second(1_000).expect("it is in range");
        let line = Line { function: "sweep", projection: None, is_wrong: false };
        let due = Timestamp::from_second(400).ok();
        let line = line.of(&[age("OldestOverdue", due, now), age("OldestFailed", None, now)], now);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(metrics[0], json!({"Name": "OldestOverdue", "Unit": "Seconds"}));
        assert_eq!((&line["OldestOverdue"], &line["OldestFailed"]), (&json!(600), &json!(0)));
    }

    #[test]
    fn only_metrics_without_a_fault_may_be_dropped() {
        let level = |is_wrong| {
            let line = Line { function: "f", projection: None, is_wrong };
            line.of(&[], Timestamp::UNIX_EPOCH)["level"].clone()
        };
        assert_eq!((level(false), level(true)), (json!("INFO"), json!("ERROR")));
    }
}
