//! The report of `ledgerfold costs`.

use serde::Serialize;

use super::measure::{Measured, number};
use crate::output::{Report, table};

/// How many streams the table shows, most expensive first. JSON lists them all.
const SHOWN: usize = 10;

/// A cold load of this many read units, some 32 KB, suggests a snapshot.
const LONG: f64 = 8.0;

/// Prices of a million units.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Prices {
    pub(super) write: f64,
    pub(super) read: f64,
}

/// The mean cost of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mean {
    requests: f64,
    write_units: f64,
    read_units: f64,
    per_million: f64,
}

/// The costs of using a log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Costs {
    prices: Prices,
    append: Mean,
    cold_load: Mean,
    /// A load and an append.
    cold_command: Mean,
    /// How many streams have a long load and no snapshot.
    long_without_snapshot: usize,
    streams: Vec<Measured>,
}

impl Costs {
    pub(super) fn of(mut streams: Vec<Measured>, prices: Prices) -> Self {
        streams.sort_by(|one, other| other.read_units.total_cmp(&one.read_units));
        let commits = sum(&streams, |stream| number(stream.commits));
        let append = Mean {
            requests: 1.0,
            write_units: part(sum(&streams, |stream| number(stream.write_units)), commits),
            ..Mean::default()
        };
        let count = number(streams.len());
        let cold_load = Mean {
            requests: part(sum(&streams, |stream| number(stream.requests)), count),
            read_units: part(sum(&streams, |stream| stream.read_units), count),
            ..Mean::default()
        };
        let cold_command = Mean {
            requests: append.requests + cold_load.requests,
            write_units: append.write_units,
            read_units: cold_load.read_units,
            per_million: 0.0,
        };
        let long = |stream: &&Measured| !stream.has_snapshot && stream.read_units >= LONG;
        Self {
            prices,
            append: append.at(prices),
            cold_load: cold_load.at(prices),
            cold_command: cold_command.at(prices),
            long_without_snapshot: streams.iter().filter(long).count(),
            streams,
        }
    }
}

impl Mean {
    fn at(self, prices: Prices) -> Self {
        let per_million = self.write_units * prices.write + self.read_units * prices.read;
        Self { per_million, ..self }
    }

    fn row(self, operation: &str) -> [String; 5] {
        let Self { requests, write_units, read_units, per_million } = self;
        [
            operation.to_owned(),
            format!("{requests:.2}"),
            format!("{write_units:.2}"),
            format!("{read_units:.2}"),
            format!("{per_million:.3}"),
        ]
    }
}

fn sum(streams: &[Measured], value: impl Fn(&Measured) -> f64) -> f64 {
    streams.iter().map(value).sum()
}

fn part(sum: f64, of: f64) -> f64 {
    if of > 0.0 { sum / of } else { 0.0 }
}

impl Report for Costs {
    fn text(&self) -> String {
        let streams = self.streams.iter().take(SHOWN).map(|stream| {
            [
                stream.stream.to_string(),
                stream.commits.to_string(),
                stream.events.to_string(),
                stream.bytes.to_string(),
                format!("{:.1}", stream.read_units),
                if stream.has_snapshot { "yes" } else { "no" }.to_owned(),
            ]
        });
        let header = ["most expensive", "commits", "events", "bytes", "read units", "snapshot"];
        let operations = [
            self.append.row("append"),
            self.cold_load.row("cold load"),
            self.cold_command.row("command on a cold stream"),
        ];
        let mean = ["mean cost", "requests", "write units", "read units", "per million"];
        let Prices { write, read } = self.prices;
        format!(
            "{}\n{}\n{} streams, {} commits. A million write units cost {write}, a million read units {read} \
             (defaults: USD, DynamoDB on demand in us-east-1, \
             https://aws.amazon.com/dynamodb/pricing/on-demand/).\n\
             Streams without a snapshot that take {LONG} or more read units to load: {}.\n",
            table(header, streams),
            table(mean, operations),
            self.streams.len(),
            self.streams.iter().map(|stream| stream.commits).sum::<usize>(),
            self.long_without_snapshot,
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Costs, Prices};
    use crate::{costs::measure::tests::measured, output::rendered};

    const PRICES: Prices = Prices { write: 10.0, read: 1.0 };

    #[test]
    fn means_are_over_commits_and_over_streams() {
        // DynamoDB reports 17 read units for the one, and the sizes after the snapshot give 2 for the other.
        let streams =
            vec![measured(&[60_000, 100, 4_000], true), measured(&[100, 100, 100], false)];
        let costs = Costs::of(streams, PRICES);
        let json: Value =
            serde_json::from_str(&rendered(&costs, true).expect("JSON")).expect("JSON");
        assert_eq!(json["coldLoad"]["readUnits"], 9.5);
        assert_eq!(json["coldLoad"]["perMillion"], 9.5);
        let write_units = json["append"]["writeUnits"].as_f64().expect("a number");
        assert!((write_units - (60.0 + 1.0 + 5.0 + 3.0) / 6.0).abs() < 0.2, "{write_units}");
        let sum = json["append"]["perMillion"].as_f64().expect("a number") + 9.5;
        assert_eq!(json["coldCommand"]["perMillion"], sum);
        assert_eq!(json["longWithoutSnapshot"], 1);
        assert_eq!(json["streams"][0]["readUnits"], 17.0, "the most expensive first");
        let text = rendered(&costs, false).expect("text");
        assert!(text.contains("2 streams, 6 commits"), "{text}");
    }

    #[test]
    fn an_empty_log_costs_nothing_to_load() {
        let costs = Costs::of(Vec::new(), PRICES);
        assert!(rendered(&costs, true).expect("JSON").contains("\"perMillion\":0.0"));
    }
}
