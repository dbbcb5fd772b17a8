//! Numbers for CloudWatch, as lines of the log in its embedded metric format: they need no right and no
//! call of their own.
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

/// How many streams stand parked for the projection of this function.
pub(crate) fn parked_streams(function: &str, parked: usize) {
    let line = Line { function, projection: None, is_wrong: parked > 0 };
    write(&line.of(&[count("ParkedStreams", parked)], SystemClock.now()));
}

/// How many messages of a batch the relay did not sign and the log did not confirm. Says nothing where
/// there are none: a batch is no reason to write a line.
pub(crate) fn unconfirmed_events(function: &str, unconfirmed: usize) {
    alone(function, "UnconfirmedEvents", unconfirmed);
}

/// How many commits of a batch were changed or removed. Says nothing where there are none.
pub(crate) fn changed_commits(function: &str, changed: usize) {
    alone(function, "CommitsChanged", changed);
}

/// How many deadlines stand aside, and for how long the oldest have been overdue.
pub(crate) fn deadlines(function: &str, swept: &Swept, now: Timestamp) {
    let line = Line { function, projection: None, is_wrong: swept.needs_attention() };
    let metrics = [
        count("FailedDeadlines", swept.failed),
        age("OldestFailed", swept.failed_since, now),
        age("OldestOverdue", swept.overdue_since, now),
    ];
    write(&line.of(&metrics, now));
}

/// What waits in the read models: by projection and in all, for how long the oldest stream has stood
/// parked; and how many generations are being built.
pub(crate) fn backlog(function: &str, backlog: &Backlog, now: Timestamp) {
    for (projection, since) in &backlog.parked_since {
        let line = Line { function, projection: Some(projection), is_wrong: since.is_some() };
        write(&line.of(&[age("OldestParked", *since, now)], now));
    }
    let line = Line { function, projection: None, is_wrong: backlog.building > 0 };
    write(&line.of(&[count("GenerationsBuilding", backlog.building)], now));
}

/// How many streams there are of each verdict, by projection and in all.
pub(crate) fn spot_check(function: &str, summaries: &BTreeMap<&'static str, Summary>) {
    for (projection, summary) in summaries {
        let line = Line { function, projection: Some(projection), is_wrong: !summary.is_clean() };
        write(&line.of(&verdicts(summary), SystemClock.now()));
    }
}

fn verdicts(summary: &Summary) -> [Metric; 8] {
    let Summary { streams, lost, diverged, behind, ahead, unreadable, parked, .. } = *summary;
    [
        count("Audited", streams),
        count("Wrong", summary.wrong()),
        count("Lost", lost),
        count("Diverged", diverged),
        count("Behind", behind),
        count("Ahead", ahead),
        count("Unreadable", unreadable),
        count("Parked", parked),
    ]
}

fn alone(function: &str, name: &'static str, number: usize) {
    if number > 0 {
        let line = Line { function, projection: None, is_wrong: true };
        write(&line.of(&[count(name, number)], SystemClock.now()));
    }
}

/// A number with its name and its unit.
struct Metric {
    name: &'static str,
    unit: &'static str,
    value: Value,
}

fn count(name: &'static str, number: impl Into<Value>) -> Metric {
    Metric { name, unit: "Count", value: number.into() }
}

/// Nothing that waits has no age: 0.
fn age(name: &'static str, since: Option<Timestamp>, now: Timestamp) -> Metric {
    let seconds = since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
    Metric { name, unit: "Seconds", value: seconds.into() }
}

/// Of whom the numbers of a line are. Where that is one of several projections, they are kept of it
/// and of the function, which adds them up.
struct Line<'a> {
    function: &'a str,
    projection: Option<&'a str>,
    is_wrong: bool,
}

impl Line<'_> {
    /// Lambda drops lines below the function's log level, so that numbers somebody must hear of say
    /// that they are an error. Others may go: a metric that is missing means that nothing is wrong.
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

/// A function whose log is gone has nobody to tell so.
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
        assert_eq!(json!(shown), json!([9, 3, 2, 0, 1, 0, 0, 1]));
    }

    #[test]
    fn an_age_is_of_the_oldest_in_seconds_and_none_is_zero() {
        let now = Timestamp::from_second(1_000).expect("it is in range");
        let line = Line { function: "sweep", projection: None, is_wrong: false };
        let due = Timestamp::from_second(400).ok();
        let line = line.of(&[age("OldestOverdue", due, now), age("OldestFailed", None, now)], now);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(metrics[0], json!({"Name": "OldestOverdue", "Unit": "Seconds"}));
        assert_eq!((&line["OldestOverdue"], &line["OldestFailed"]), (&json!(600), &json!(0)));
    }

    #[test]
    fn only_what_nobody_must_hear_of_may_be_dropped() {
        let level = |is_wrong| {
            let line = Line { function: "f", projection: None, is_wrong };
            line.of(&[], Timestamp::UNIX_EPOCH)["level"].clone()
        };
        assert_eq!((level(false), level(true)), (json!("INFO"), json!("ERROR")));
    }
}
