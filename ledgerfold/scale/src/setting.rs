//! The setting of a run.

use std::time::Duration;

use crate::assumptions::{NEW_TABLE, PARTITION_BYTES, WRITES_PER_KEY};

/// The setting of a run.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The streams that exist at the beginning.
    pub streams: u64,
    /// Commands a second, at a fixed rate.
    pub rate: u32,
    /// The least commits of each existing stream.
    pub history: u64,
    /// The share of commands that create a stream.
    pub creations: f64,
    /// The share of commands that go to the same stream.
    pub hot: f64,
    /// Queries for each command, right after it and with its consistency token.
    pub queries: f64,
    /// The partitions of each table; `None` for tables that have grown with their content and rate.
    pub partitions: Option<u64>,
    /// Whether the rows are in one list instead of one list for each owner.
    pub has_one_list: bool,
    /// Settings of the template.
    pub template: Template,
    /// How long commands are sent.
    pub load: Duration,
    /// The seed of everything random.
    pub seed: u64,
}

/// The settings of a template that decide how much its functions do.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// The most records of a batch of the relay.
    pub relay_batch: usize,
    /// The concurrent batches of each shard: Lambda's `ParallelizationFactor`.
    pub relay_lanes: usize,
    /// `ProjectorBatchSize`.
    pub projector_batch: usize,
    /// The concurrent invocations of the projector of rows: `MaximumConcurrency`.
    pub projectors: usize,
    /// `CounterBatchSize`.
    pub counter_batch: usize,
    /// The concurrent invocations of the projector of counters.
    pub counter_projectors: usize,
}

impl Default for Template {
    /// The template as it is generated.
    fn default() -> Self {
        Self {
            relay_batch: 100,
            relay_lanes: 10,
            projector_batch: 10,
            projectors: 10,
            counter_batch: 100,
            counter_projectors: 2,
        }
    }
}

/// The bytes of a commit in the event table, for the number of partitions.
const COMMIT_BYTES: u64 = 600;
/// The most write units of a command in one table.
const UNITS: u64 = 5;

impl Setting {
    /// Commands on streams that are all equally busy; one of ten creates a stream, and every second one is followed by a
    /// query.
    pub fn new(streams: u64, rate: u32) -> Self {
        Self {
            streams,
            rate,
            history: 30,
            creations: 0.1,
            hot: 0.0,
            queries: 0.5,
            partitions: None,
            has_one_list: false,
            template: Template::default(),
            load: Duration::from_secs(4).max(Duration::from_secs(200) / rate.max(1)),
            seed: 1,
        }
    }

    /// The partitions of each table. A table that has grown takes twice its load.
    pub(crate) fn partitions(&self) -> u64 {
        let bytes = self.streams.saturating_mul(self.history).saturating_mul(COMMIT_BYTES);
        let by_size = bytes.div_ceil(PARTITION_BYTES);
        let load = u64::from(self.rate) * UNITS * 2;
        let grown = load.div_ceil(u64::from(WRITES_PER_KEY)).max(by_size).max(NEW_TABLE);
        self.partitions.unwrap_or(grown)
    }
}
