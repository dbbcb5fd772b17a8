//! The reader of the change stream for the relay: an event source mapping of Lambda. Publishing belongs to the relay.
//!
//! It handles batch item failures, halves a batch if its function died, and fails a record after too many tries
//! (`EventSourceMapping` in `infra/orders.yaml`). A retry does not change the age of a record: the stream trims it
//! all the same.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use ledgerfold::{ports::Clock, relay::Unsent};

use crate::{
    actors::functions::RelayFunction,
    domain::observations::Observations,
    infrastructure::change_stream::{ChangeStream, Lane, Record},
    network::{faults::Faults, scheduler::Scheduler},
    plan::{plant::Plant, schedule::Outage},
};

/// How long a poll takes, or the wait before another try.
const POLL: Duration = Duration::from_secs(1);

pub(crate) struct Mapping {
    pub(crate) scheduler: Scheduler,
    pub(crate) faults: Faults,
    pub(crate) observations: Arc<Observations>,
    pub(crate) plant: Plant,
    pub(crate) changes: Arc<ChangeStream>,
    /// The lane that it reads. No other mapping reads it.
    pub(crate) lane: Arc<Lane>,
    /// Owned, because a lane has one invocation at a time.
    pub(crate) function: RelayFunction,
    /// The batches that were read and are not done yet, in their order.
    pub(crate) pending: VecDeque<Batch>,
}

pub(crate) struct Batch {
    /// In the order of the lane.
    records: Vec<Record>,
    /// How often its first record was tried.
    tries: usize,
}

/// How an invocation ended.
enum Outcome {
    Done,
    /// The function named the first record that was not sent.
    Failed(String),
    Died,
}

impl Mapping {
    pub(crate) async fn run(mut self) {
        loop {
            let batch = self.next().await;
            if batch.records.is_empty() {
                continue;
            }
            let records = batch.records.iter().map(Record::to_relay).collect();
            let outcome = match self.function.invoke(records).await {
                Some(Ok(())) => Outcome::Done,
                Some(Err(Unsent { sequence_number, .. })) => Outcome::Failed(sequence_number),
                None => Outcome::Died,
            };
            match self.plant {
                Plant::AcknowledgedFirst => self.changes.done(batch.records.len()),
                _ => self.settle(batch, outcome),
            }
        }
    }

    async fn next(&mut self) -> Batch {
        let Self { scheduler, faults, changes, .. } = self;
        if self.pending.is_empty() {
            self.lane.arrived().await;
        }
        scheduler.sleep(scheduler.within(POLL)).await;
        faults.recovered_from(Outage::Relay).await;
        let Batch { records, tries } = self.pending.pop_front().unwrap_or_else(|| {
            let most = 1 + scheduler.below(changes.shape.batch);
            Batch { records: self.lane.read(most), tries: 0 }
        });
        Batch { records: changes.trim(records), tries }
    }

    /// Handles the outcome of a batch. The number of tries is that of its first record: the rest of a partial batch
    /// is a new one, and halving a batch costs no try.
    fn settle(&mut self, batch: Batch, outcome: Outcome) {
        let changes = self.changes.clone();
        let observations = self.observations.clone();
        let plant = self.plant;
        let Batch { mut records, tries } = batch;
        match outcome {
            Outcome::Done => changes.done(records.len()),
            Outcome::Failed(first) => {
                let at = records.iter().position(|record| record.sequence_number == first);
                let sent = match at.unwrap_or(0) {
                    at if plant == Plant::FailedRecordSkipped => at + 1,
                    at => at,
                };
                changes.done(sent);
                let rest = records.split_off(sent);
                if sent > 0 {
                    observations.count(|report| report.partial_batches += 1);
                }
                self.retry(rest, if sent > 0 { 0 } else { tries + 1 });
            }
            Outcome::Died if records.len() > 1 => {
                observations.count(|report| report.bisects += 1);
                let second = records.split_off(records.len() / 2);
                if plant == Plant::HalfBisected {
                    changes.done(second.len());
                } else {
                    self.pending.push_front(Batch { records: second, tries });
                }
                self.pending.push_front(Batch { records, tries });
            }
            Outcome::Died => self.retry(records, tries + 1),
        }
    }

    fn retry(&mut self, records: Vec<Record>, tries: usize) {
        let changes = self.changes.clone();
        if records.is_empty() {
            return;
        }
        if tries > changes.shape.retries {
            changes.fail(records);
        } else {
            self.pending.push_front(Batch { records, tries });
        }
    }
}
