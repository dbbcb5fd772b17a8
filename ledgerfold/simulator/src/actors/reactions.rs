//! The functions of the process manager: one handles the messages of its queue, the other sweeps due deadlines. The
//! decisions of the process belong to `domain::welcome`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Timestamp,
    command::CommandHandler,
    ports::{Clock, CommitPage, EventStore, Span, StoreError},
    process::{DeadlineSweep, ProcessExpiry, ProcessHandler},
    vocabulary::{Delivery, FailedReceipt},
};

use crate::{
    actors::functions::Processes,
    domain::{
        observations::Observations,
        welcome::{Welcome, WelcomedAccounts},
    },
    infrastructure::{deadlines::SimulatedDeadlines, log::SimulatedLog},
    network::scheduler::Scheduler,
    plan::plant::Plant,
};
use ledgerfold_testkit::{Amended, Amendment};

/// The longest that a sweep is late.
const LATE: Duration = Duration::from_secs(5);
/// Of a hundred sweeps, how many come too early.
const EARLY: usize = 30;

/// The handles of the process's functions. Clones share the parts behind them.
#[derive(Clone)]
pub(crate) struct ProcessFunctions {
    pub(crate) scheduler: Scheduler,
    pub(crate) observations: Arc<Observations>,
    pub(crate) plant: Plant,
    pub(crate) unused_timeout: Duration,
    pub(crate) processes: Processes,
    pub(crate) log: Arc<SimulatedLog>,
    pub(crate) deadlines: Arc<SimulatedDeadlines>,
}

/// The reacting function of a container.
#[derive(Clone)]
pub(crate) struct Reactor {
    /// The product's handler, with the cache of its container.
    handler: ProcessHandler<Welcome>,
    /// Whether the whole batch comes from a replay. Atomic, because the guard of the log reads it during the batch.
    idle: Arc<AtomicBool>,
}

/// A log that reports a violation if a function reads it for a batch of replayed messages only. A replay must send no
/// command: after some time the log no longer recognises it as a duplicate.
struct Guarded {
    /// Set by the function before each batch.
    idle: Arc<AtomicBool>,
    observations: Arc<Observations>,
}

#[async_trait]
impl Amendment for Guarded {
    async fn read_back(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        if self.idle.load(Ordering::SeqCst) {
            self.observations.violated(format!("a replay had an effect on {stream}"));
        }
        log.read_back(stream, span, commits).await
    }
}

fn commands(
    process: &ProcessFunctions,
    log: Arc<dyn EventStore>,
) -> CommandHandler<WelcomedAccounts> {
    let (time, random) = process.scheduler.clock_and_random();
    CommandHandler::new(log, time, random)
}

impl Reactor {
    pub(crate) fn new(process: &ProcessFunctions) -> Self {
        let idle = Arc::<AtomicBool>::default();
        let guarded = Guarded { idle: idle.clone(), observations: process.observations.clone() };
        let log: Arc<dyn EventStore> = Amended::of(process.log.clone(), guarded);
        let unused_timeout = process.unused_timeout;
        let commands = commands(process, log.clone());
        let handler = ProcessHandler::new(unused_timeout, commands, process.deadlines.clone(), log);
        Self { handler, idle }
    }

    /// Reacts to a batch. Returns the messages to deliver again, or `None` if the function died.
    pub(crate) async fn react(
        &self,
        process: &ProcessFunctions,
        mut batch: Vec<Delivery>,
    ) -> Option<Vec<FailedReceipt>> {
        let replayed = batch.iter().filter(|delivery| delivery.replay.is_some()).count();
        process.observations.count(|report| report.refused_replays += replayed);
        self.idle.store(replayed == batch.len(), Ordering::SeqCst);
        if process.plant == Plant::ReplayFlagLost {
            batch.iter_mut().for_each(|delivery| delivery.replay = None);
        }
        let handler = self.handler.clone();
        process.processes.start(async move { handler.handle(batch).await }).await.ok()
    }
}

/// Sweeps whenever a deadline is due, and now and then before.
pub(crate) async fn sweep(process: ProcessFunctions) {
    let ProcessFunctions { scheduler, deadlines, .. } = &process;
    loop {
        let next = deadlines.next().await;
        let left = Duration::try_from(next.duration_since(scheduler.now())).unwrap_or_default();
        // The rule of the clock also fires when nothing is due.
        let wait = match scheduler.chance(EARLY) {
            true => scheduler.within(left),
            false => left + scheduler.within(LATE),
        };
        scheduler.sleep(wait).await;
        let sweep = sweeper(&process);
        let swept = process.processes.start(async move { sweep.sweep(Timestamp::MAX).await });
        if let Ok(Ok(swept)) = swept.await {
            process.observations.count(|report| report.fired += swept.done);
        }
    }
}

fn sweeper(process: &ProcessFunctions) -> DeadlineSweep {
    let expiry = ProcessExpiry::<Welcome>::new(commands(process, process.log.clone()));
    let clock = Arc::new(process.scheduler.clone());
    DeadlineSweep::new(process.deadlines.clone(), clock, vec![Arc::new(expiry)])
}
