//! Numbers for CloudWatch, as lines of the log in its embedded metric format: they need no right and no
//! call of their own.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{collections::BTreeMap, io::Write};

use ledgerfold::{Timestamp, audit::Summary, ports::Clock};
use serde_json::{Value, json};

use crate::world::SystemClock;

const NAMESPACE: &str = "Ledgerfold";

/// How many streams stand parked for the projection of this function.
pub(crate) fn parked_streams(function: &str, parked: usize) {
    let line = Line { function, projection: None, is_wrong: parked > 0 };
    write(&line.of(&[("ParkedStreams", parked.into())], SystemClock.now()));
}

/// How many streams there are of each verdict, by projection and in all.
pub(crate) fn spot_check(function: &str, summaries: &BTreeMap<&'static str, Summary>) {
    for (projection, summary) in summaries {
        let line = Line { function, projection: Some(projection), is_wrong: !summary.is_clean() };
        write(&line.of(&verdicts(summary), SystemClock.now()));
    }
}

fn verdicts(summary: &Summary) -> [(&'static str, Value); 8] {
    let Summary { streams, lost, diverged, behind, ahead, unreadable, parked, .. } = *summary;
    [
        ("Audited", streams.into()),
        ("Wrong", summary.wrong().into()),
        ("Lost", lost.into()),
        ("Diverged", diverged.into()),
        ("Behind", behind.into()),
        ("Ahead", ahead.into()),
        ("Unreadable", unreadable.into()),
        ("Parked", parked.into()),
    ]
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
    fn of(&self, metrics: &[(&str, Value)], now: Timestamp) -> Value {
        let dimensions = match self.projection {
            None => json!([["FunctionName"]]),
            Some(_) => json!([["FunctionName"], ["FunctionName", "Projection"]]),
        };
        let named: Vec<_> =
            metrics.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": dimensions,
                    "Metrics": named,
                }],
            },
            "timestamp": now,
            "level": if self.is_wrong { "ERROR" } else { "INFO" },
            "FunctionName": self.function,
        });
        if let Some(projection) = self.projection {
            line["Projection"] = projection.into();
        }
        for (name, count) in metrics {
            line[*name] = count.clone();
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
    use ledgerfold::{Timestamp, audit::Summary};
    use serde_json::json;

    use super::{Line, verdicts};

    #[test]
    fn a_line_names_its_metric_its_dimension_and_their_values() {
        let now = Timestamp::from_millisecond(1_700_000_000_123).expect("it is in range");
        let line = Line { function: "projector", projection: None, is_wrong: true };
        let line = line.of(&[("ParkedStreams", 3.into())], now);
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
    fn only_what_nobody_must_hear_of_may_be_dropped() {
        let level = |is_wrong| {
            let line = Line { function: "f", projection: None, is_wrong };
            line.of(&[], Timestamp::UNIX_EPOCH)["level"].clone()
        };
        assert_eq!((level(false), level(true)), (json!("INFO"), json!("ERROR")));
    }
}
