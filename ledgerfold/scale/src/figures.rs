//! The results of a run.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    assumptions::{
        FUNCTIONS, PUT_EVENTS_PER_SECOND, REQUESTS_PER_SECOND, TARGETS_PER_SECOND, price,
    },
    cloud::{Capacity, Cloud, Counts, float, limit},
    domain::COUNTERS,
    functions::Usage,
    latencies::Durations,
    setting::Setting,
};

/// The results of a run. Costs are per command and include everything that follows from it: the relay, both projections
/// and the queries.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Commands that were sent.
    pub commands: u64,
    /// Commands that were not accepted: throttled, or overtaken on every attempt.
    pub failed: u64,
    /// Requests by operation, per command.
    pub requests: BTreeMap<&'static str, f64>,
    /// Write units per command.
    pub write_units: f64,
    /// Read units per command.
    pub read_units: f64,
    /// USD per million commands.
    pub price: f64,
    /// Half of the commands were answered in this time, and 99 %.
    pub command: [Duration; 2],
    /// The same for queries.
    pub query: [Duration; 2],
    /// The same from sending a command to its row.
    pub visible: [Duration; 2],
    /// Commits that no row shows at the end, after everything had time to arrive.
    pub missing: usize,
    /// The share of requests to tables that DynamoDB throttled.
    pub throttled: f64,
    /// Writes that another write overtook, per command.
    pub conflicts: f64,
    /// The time from the end of the load until all queues were empty.
    pub backlog: Duration,
    /// The environments of all functions that ran at once, on average.
    pub functions: f64,
    /// How much of each limit was used during the load, the most used first. 1 is all of it.
    pub limits: Vec<(String, f64)>,
}

/// The uses of all functions.
pub(crate) struct Usages<'a> {
    pub(crate) commands: &'a Usage,
    pub(crate) queries: &'a Usage,
    pub(crate) relay: &'a Usage,
    pub(crate) projectors: Vec<(&'static str, &'a Usage)>,
}

/// The observations of a run.
pub(crate) struct Observed {
    pub(crate) commands: u64,
    pub(crate) failed: u64,
    pub(crate) queries: u64,
    pub(crate) command: Durations,
    pub(crate) query: Durations,
    pub(crate) visible: Durations,
    pub(crate) missing: usize,
    pub(crate) lanes: usize,
    pub(crate) backlog: Duration,
}

impl Figures {
    pub(crate) fn new(
        setting: &Setting,
        cloud: &Cloud,
        usages: &Usages<'_>,
        observed: &Observed,
    ) -> Self {
        let counts = cloud.counts();
        let commands = float(observed.commands);
        let each = |count: u64| float(count) / commands;
        let to_tables = counts.requests.iter().filter(|(name, _)| **name != "PutEvents");
        let to_tables: u64 = to_tables.map(|(_, count)| *count).sum();
        Self {
            commands: observed.commands,
            failed: observed.failed,
            requests: counts.requests.iter().map(|(name, count)| (*name, each(*count))).collect(),
            write_units: each(counts.write_units),
            read_units: each(counts.read_units),
            price: price(&counts, usages, observed) / commands,
            command: percentiles(&observed.command),
            query: percentiles(&observed.query),
            visible: percentiles(&observed.visible),
            missing: observed.missing,
            throttled: float(counts.throttled) / float(to_tables),
            conflicts: each(counts.conflicts),
            backlog: observed.backlog,
            functions: usages.all().map(Usage::mean).sum(),
            limits: limits(setting, cloud, usages, observed),
        }
    }

    /// All requests per command.
    pub fn all_requests(&self) -> f64 {
        self.requests.values().sum()
    }
}

impl<'a> Usages<'a> {
    fn all(&self) -> impl Iterator<Item = &'a Usage> {
        let projectors = self.projectors.iter().map(|(_, usage)| *usage);
        [self.commands, self.queries, self.relay].into_iter().chain(projectors)
    }
}

fn percentiles(durations: &Durations) -> [Duration; 2] {
    [0.5, 0.99].map(|share| durations.quantile(share))
}

/// The price of everything, in millionths of a USD.
fn price(counts: &Counts, usages: &Usages<'_>, observed: &Observed) -> f64 {
    let seconds: f64 = usages.all().map(|usage| usage.all().as_secs_f64()).sum();
    let invocations: u64 = usages.all().map(Usage::invocations).sum();
    let batches: u64 = usages.projectors.iter().map(|(_, usage)| usage.invocations()).sum();
    // EventBridge sends each message, and Lambda receives and deletes each batch.
    let queue_requests = counts.messages + 2 * batches;
    [
        (float(counts.write_units), price::WRITE_UNIT),
        (float(counts.read_units), price::READ_UNIT),
        (float(counts.events), price::EVENT),
        (float(queue_requests), price::QUEUE_REQUEST),
        (float(invocations), price::INVOCATION),
        (seconds, price::FUNCTION_SECOND),
        (float(observed.commands + observed.queries), price::API_REQUEST),
    ]
    .iter()
    .map(|(count, price)| count * price)
    .sum()
}

fn limits(
    setting: &Setting,
    cloud: &Cloud,
    usages: &Usages<'_>,
    observed: &Observed,
) -> Vec<(String, f64)> {
    let seconds = cloud.load.as_secs_f64();
    let rate = f64::from(setting.rate);
    let mut limits: Vec<(String, f64)> = Vec::new();
    for ((table, capacity), (key, units)) in cloud.busiest() {
        let verb = if capacity == Capacity::Write { "writes" } else { "reads" };
        let used = float(units) / seconds / limit(capacity);
        limits.push((format!("{verb} of the key {key} of the {table}"), used));
    }
    let lanes = f64::from(u32::try_from(observed.lanes).unwrap_or(u32::MAX));
    limits.push(("lanes of the relay".to_owned(), usages.relay.mean() / lanes));
    for (name, usage) in &usages.projectors {
        let most = match *name {
            COUNTERS => setting.template.counter_projectors,
            _ => setting.template.projectors,
        };
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        limits.push((format!("functions of {name}"), usage.mean() / f64::from(most)));
    }
    let counts = cloud.counts();
    let calls = counts.requests.get("PutEvents").copied().unwrap_or_default();
    let busy = seconds + observed.backlog.as_secs_f64();
    let of_bus = |count: u64, quota: u32| float(count) / busy / f64::from(quota);
    limits.push(("quota of PutEvents".to_owned(), of_bus(calls, PUT_EVENTS_PER_SECOND)));
    limits.push((
        "quota of the bus's targets".to_owned(),
        of_bus(counts.targets, TARGETS_PER_SECOND),
    ));
    let requests = rate * (1.0 + setting.queries);
    limits.push(("quota of API Gateway".to_owned(), requests / f64::from(REQUESTS_PER_SECOND)));
    let functions: f64 = usages.all().map(|usage| f64::from(usage.most())).sum();
    limits.push(("concurrent functions".to_owned(), functions / f64::from(FUNCTIONS)));
    limits.sort_by(|(one, first), (other, second)| second.total_cmp(first).then(one.cmp(other)));
    limits
}
