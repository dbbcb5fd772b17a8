//! Numbers for CloudWatch, as lines of the log in its embedded metric format: they need no right and no
//! call of their own.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::Write;

use ledgerfold::{Timestamp, ports::Clock};
use serde_json::{Value, json};

use crate::world::SystemClock;

const NAMESPACE: &str = "Ledgerfold";

/// How many streams stand parked for the projection of this function.
pub(crate) fn parked_streams(function: &str, parked: usize) {
    write(&line(function, "ParkedStreams", parked, SystemClock.now()));
}

/// Lambda drops lines below the function's log level, so that a number somebody must hear of says that
/// it is an error. One that is zero may go: a metric that is missing means the same.
fn line(function: &str, metric: &str, count: usize, now: Timestamp) -> Value {
    json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["FunctionName"]],
                "Metrics": [{"Name": metric, "Unit": "Count"}],
            }],
        },
        "timestamp": now,
        "level": if count == 0 { "INFO" } else { "ERROR" },
        "FunctionName": function,
        metric: count,
    })
}

/// A function whose log is gone has nobody to tell so.
fn write(line: &Value) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use ledgerfold::Timestamp;
    use serde_json::json;

    use super::line;

    #[test]
    fn a_line_names_its_metric_its_dimension_and_their_values() {
        let now = Timestamp::from_millisecond(1_700_000_000_123).expect("it is in range");
        let line = line("projector", "ParkedStreams", 3, now);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Dimensions"], json!([["FunctionName"]]));
        assert_eq!(metrics["Metrics"][0]["Name"], "ParkedStreams");
        assert_eq!(line["_aws"]["Timestamp"], 1_700_000_000_123_i64);
        assert_eq!(line["timestamp"], "2023-11-14T22:13:20.123Z");
        assert_eq!(
            (&line["FunctionName"], &line["ParkedStreams"]),
            (&json!("projector"), &json!(3))
        );
    }

    #[test]
    fn only_what_nobody_must_hear_of_may_be_dropped() {
        let level =
            |count| line("f", "ParkedStreams", count, Timestamp::UNIX_EPOCH)["level"].clone();
        assert_eq!((level(0), level(1)), (json!("INFO"), json!("ERROR")));
    }
}
