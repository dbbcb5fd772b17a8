//! The report of a load.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::engine::{Plan, Recorded, Results, float, histogram};
use crate::output::{Report, table};

/// The figures of a load.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoadReport {
    api: String,
    rate: f64,
    achieved_rate: f64,
    intended: u64,
    sent: u64,
    stopped: bool,
    requests: Vec<Row>,
    all: Latency,
    all_from_sending: Latency,
}

/// The figures of one request of the scenario.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    answers: BTreeMap<String, u64>,
    unexpected: BTreeMap<String, u64>,
    latency: Latency,
    latency_from_sending: Latency,
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Latency {
    pub(super) count: u64,
    p50: f64,
    p90: f64,
    pub(super) p99: f64,
    #[serde(rename = "p99.9")]
    p999: f64,
    pub(super) max: f64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |share| float(histogram.value_at_quantile(share)) / 1_000.0;
        Self {
            count: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: float(histogram.max()) / 1_000.0,
        }
    }
}

impl LoadReport {
    pub(super) fn new(api: &str, plan: Plan, results: &Results) -> Self {
        let seconds = results.lasting.max(Duration::from_millis(1)).as_secs_f64();
        let all = |of: fn(&Recorded) -> &Histogram<u64>| {
            let mut all = histogram();
            // The histograms have the same bounds.
            results.requests.iter().for_each(|request| all.add(of(request)).unwrap_or_default());
            Latency::of(&all)
        };
        Self {
            api: api.to_owned(),
            rate: plan.rate,
            achieved_rate: float(results.sent) / seconds,
            intended: results.intended,
            sent: results.sent,
            stopped: results.stopped,
            requests: results.requests.iter().map(Row::of).collect(),
            all: all(|request| &request.corrected),
            all_from_sending: all(|request| &request.uncorrected),
        }
    }

    /// The number of answers that the scenario does not expect.
    pub(super) fn unexpected(&self) -> u64 {
        self.requests.iter().flat_map(|row| row.unexpected.values()).sum()
    }

    #[cfg(test)]
    pub(super) const fn latencies(&self) -> [Latency; 2] {
        [self.all, self.all_from_sending]
    }
}

impl Row {
    fn of(recorded: &Recorded) -> Self {
        Self {
            name: recorded.name.clone(),
            answers: recorded.answers.clone(),
            unexpected: recorded.unexpected.clone(),
            latency: Latency::of(&recorded.corrected),
            latency_from_sending: Latency::of(&recorded.uncorrected),
        }
    }
}

impl Report for LoadReport {
    fn text(&self) -> String {
        let rows =
            self.requests.iter().map(|row| (&*row.name, row.latency, row.latency_from_sending));
        let rows = rows.chain([("all", self.all, self.all_from_sending)]);
        let header =
            ["REQUEST", "ANSWERS", "P50 ms", "P90", "P99", "P99.9", "MAX", "P99 FROM SENDING"];
        let mut text = table(
            header,
            rows.map(|(name, latency, from_sending)| {
                let Latency { count, p50, p90, p99, p999, max } = latency;
                let [p50, p90, p99, p999, max, sent] = [p50, p90, p99, p999, max, from_sending.p99]
                    .map(|millis| format!("{millis:.1}"));
                [name.to_owned(), count.to_string(), p50, p90, p99, p999, max, sent]
            }),
        );
        // Writing to a string cannot fail.
        let _ = self.write_lines(&mut text);
        text
    }

    fn hint(&self) -> Option<String> {
        let late = self.achieved_rate < 0.95 * self.rate;
        let limit = "too many requests were without an answer, or this machine is too slow: see --in-flight";
        late.then(|| format!("The rate was not reached, because {limit}."))
    }
}

impl LoadReport {
    fn write_lines(&self, text: &mut String) -> std::fmt::Result {
        let Self { rate, achieved_rate, intended, sent, .. } = self;
        writeln!(
            text,
            "\n{achieved_rate:.1} requests/s of {rate}/s: {sent} of {intended} were sent."
        )?;
        for row in &self.requests {
            let answers: Vec<_> =
                row.answers.iter().map(|(told, count)| format!("{count} × {told}")).collect();
            writeln!(text, "{}: {}", row.name, answers.join(", "))?;
        }
        let hidden = self.all.p99 - self.all_from_sending.p99;
        writeln!(
            text,
            "Latencies count from the time at which a request should have been sent. Counted from sending, P99 would \
             hide {hidden:.1} ms."
        )?;
        for row in self.requests.iter().filter(|row| !row.unexpected.is_empty()) {
            let answers: Vec<_> =
                row.unexpected.iter().map(|(told, count)| format!("{count} × {told}")).collect();
            writeln!(text, "Unexpected for {}: {}", row.name, answers.join(", "))?;
        }
        Ok(())
    }
}
