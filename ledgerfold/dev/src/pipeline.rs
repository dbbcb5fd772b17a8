//! The work behind the log: projections, processes and deadlines.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ledgerfold::{
    StreamId, Timestamp,
    context::{CommandPorts, Context, InvalidSetting, Reacting},
    ports::{DeadlineStore, EventReader, EventStore},
    process::{DeadlineSweep, DeadlineWorker, Scheduling, SweptProcess},
    project::{Projector, RetryScope},
    vocabulary::{Commit, Delivery, FailedReceipt, Receipt},
};
use ledgerfold_aws::{SystemClock, SystemRandom};
use ledgerfold_memory::{MemoryDeadlineQueue, MemoryDeadlineStore, MemoryReadSide};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    journal::{Journal, Restored},
    log::Commits,
};

/// How often a message is delivered.
const ATTEMPTS: usize = 3;
const SWEEP_EVERY: Duration = Duration::from_secs(1);
const RETRY_EVERY: Duration = Duration::from_secs(10);

/// The ports of the context's commands over this log.
pub(crate) fn ports(log: Arc<dyn EventStore>) -> CommandPorts {
    CommandPorts::new(log, Arc::new(SystemClock), Arc::new(SystemRandom))
}

/// Everything that consumes commits.
pub(crate) struct Pipeline {
    commits: Commits,
    projectors: Vec<Projector>,
    processes: Vec<Arc<dyn Reacting>>,
    /// The deadlines that the processes ask for.
    schedules: Vec<Arc<dyn Scheduling>>,
    deadlines: Arc<MemoryDeadlineStore>,
    /// From the sweep to the worker, which fires the deadlines of all processes.
    due: Arc<MemoryDeadlineQueue>,
    sweep: DeadlineSweep,
    worker: DeadlineWorker,
    /// The file that keeps the state, if there is one, and the number of handled commits.
    journal: Option<Arc<Journal>>,
    handled: usize,
}

impl Pipeline {
    pub(crate) fn new(
        context: &Context,
        ports: &CommandPorts,
        read_side: &MemoryReadSide,
        commits: Commits,
        journal: Option<Arc<Journal>>,
    ) -> Result<Self, InvalidSetting> {
        let deadlines = Arc::<MemoryDeadlineStore>::default();
        // Another context's events do not reach this process.
        let projections = context.catalog().projections().into_iter();
        let projections = projections.filter(|name| context.catalog().source(name).is_none());
        // Every name comes from the catalog itself.
        let projectors =
            projections.filter_map(|name| read_side.projector(context, name, ports).ok()).collect();
        let processes = context
            .processes()
            .iter()
            .map(|process| process.handler(process.default_setting(), ports, deadlines.clone()));
        let processes = processes.collect::<Result<_, _>>()?;
        let schedules = context.processes().iter();
        let schedules = schedules.map(|process| process.schedule(process.default_setting()));
        let schedules = schedules.collect::<Result<_, _>>()?;
        let expiries = context.processes().iter().map(|process| process.expiry(ports)).collect();
        let due = Arc::<MemoryDeadlineQueue>::default();
        let swept = context.processes().iter();
        let swept =
            swept.map(|it| SweptProcess { name: it.name().clone(), queue: due.clone() }).collect();
        let CommandPorts { clock, random, .. } = ports;
        Ok(Self {
            commits,
            projectors,
            processes,
            schedules,
            sweep: DeadlineSweep::new(deadlines.clone(), clock.clone(), random.clone(), swept),
            worker: DeadlineWorker::new(deadlines.clone(), clock.clone(), expiries),
            deadlines,
            due,
            journal,
            handled: 0,
        })
    }

    /// Continues after a restart: projects all commits, schedules the deadlines that are still open, and lets processes
    /// react to the commits that they had not handled.
    pub(crate) async fn restore(&mut self, restored: &Restored, log: &dyn EventReader) {
        let (done, left) = restored.commits.split_at(restored.handled.min(restored.commits.len()));
        for commit in done {
            self.project(commit).await;
        }
        let streams: BTreeSet<_> = done.iter().map(Commit::stream).collect();
        for stream in streams {
            if let Err(error) = self.schedule(stream, log).await {
                crate::tell(&format!("the deadlines of {stream} are missing: {error}"));
            }
        }
        self.handled = done.len();
        for commit in left {
            self.take(commit).await;
        }
    }

    async fn schedule(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<(), Box<dyn std::error::Error>> {
        for schedule in &self.schedules {
            for asked in schedule.asked_for(stream, log).await? {
                if schedule.is_open(&asked.deadline, log).await? {
                    self.deadlines.schedule(&asked.deadline).await?;
                }
            }
        }
        Ok(())
    }

    /// Works without an end.
    pub(crate) async fn run(mut self) {
        let mut sweeps = interval(SWEEP_EVERY);
        let mut retries = interval(RETRY_EVERY);
        for clock in [&mut sweeps, &mut retries] {
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                commit = self.commits.recv() => match commit {
                    Some(commit) => self.take(&commit).await,
                    None => return,
                },
                _ = sweeps.tick() => self.fire().await,
                _ = retries.tick() => self.retry().await,
            }
        }
    }

    /// Fires the deadlines that are due.
    async fn fire(&self) {
        if let Err(error) = self.sweep.sweep(Timestamp::MAX).await {
            crate::tell(&format!("deadlines could not be listed: {error}"));
        }
        self.worker.handle(self.due.receive()).await;
    }

    /// Passes a commit to every projection and every process.
    async fn take(&mut self, commit: &Commit) {
        self.project(commit).await;
        for process in &self.processes {
            deliver(commit, async |messages| process.handle(messages).await).await;
        }
        self.handled += 1;
        if let Some(journal) = &self.journal {
            journal.handled(self.handled);
        }
    }

    async fn project(&self, commit: &Commit) {
        for projector in &self.projectors {
            deliver(commit, async |messages| projector.project(messages).await).await;
        }
    }

    async fn retry(&self) {
        for projector in &self.projectors {
            if let Err(error) = projector.retry_parked(RetryScope::Due, Timestamp::MAX).await {
                crate::tell(&format!("quarantined streams could not be retried: {error}"));
            }
        }
    }
}

fn deliveries(commit: &Commit) -> Vec<Delivery> {
    let delivery = |envelope: ledgerfold::Envelope| Delivery {
        receipt: Receipt(envelope.event.id.to_string()),
        content: Ok(envelope.into()),
        replay: None,
    };
    commit.envelopes().map(delivery).collect()
}

/// Delivers the events of a commit, and those that fail again, until none fails or the attempts are used up.
async fn deliver(commit: &Commit, handle: impl AsyncFn(Vec<Delivery>) -> Vec<FailedReceipt>) {
    let mut left = deliveries(commit);
    let mut failed = Vec::new();
    for _ in 0..ATTEMPTS {
        failed = handle(left.clone()).await;
        left.retain(|delivery| failed.iter().any(|it| it.receipt == delivery.receipt));
        if left.is_empty() {
            return;
        }
    }
    for FailedReceipt { reason, .. } in failed {
        crate::tell(&format!("an event of {} was given up: {reason}", commit.stream()));
    }
}
