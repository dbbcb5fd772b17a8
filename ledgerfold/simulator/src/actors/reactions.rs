//! The functions of the process manager: one handles the messages of its queue, one sweeps due deadlines, and one fires
//! them. The decisions of the process belong to `domain::welcome`.

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
    process::{
        DeadlineSweep, DeadlineWorker, ProcessExpiry, ProcessHandler, ProcessManager, Swept,
        SweptProcess,
    },
    vocabulary::{Delivery, FailedReceipt},
};

use crate::{
    domain::{
        observations::Observations,
        welcome::{Welcome, WelcomedAccounts},
    },
    infrastructure::{
        deadlines::SimulatedDeadlines,
        due_queue::{DueQueue, Outlet},
        pipeline_log::PipelineLog,
    },
    network::{processes::Processes, scheduler::Scheduler},
    plan::plant::Plant,
};
use ledgerfold_testkit::{Amended, Amendment};

/// The longest that a sweep is late.
const LATE: Duration = Duration::from_secs(5);
/// Of a hundred sweeps, how many come too early.
const EARLY: usize = 30;
/// The longest pause after a sweep that found only deadlines which it had sent.
const NEXT_TICK: Duration = Duration::from_secs(60);
/// How long a worker's poll takes.
const POLL: Duration = Duration::from_secs(2);

/// The handles of the process's functions. Clones share the parts behind them.
#[derive(Clone)]
pub(crate) struct ProcessFunctions {
    pub(crate) scheduler: Scheduler,
    pub(crate) observations: Arc<Observations>,
    pub(crate) plant: Plant,
    pub(crate) unused_timeout: Duration,
    pub(crate) processes: Processes,
    pub(crate) log: Arc<PipelineLog>,
    pub(crate) deadlines: Arc<SimulatedDeadlines>,
    pub(crate) due: Arc<DueQueue>,
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

/// The sweep function of a container. It remembers the deadlines that it has sent.
struct Sweeper {
    /// The product's handler, with the memory of its container.
    handler: DeadlineSweep,
    /// The handler's queue, which knows how many deadlines it has taken.
    outlet: Arc<Outlet>,
}

impl Sweeper {
    fn new(process: &ProcessFunctions) -> Self {
        let outlet = Arc::new(Outlet::to(process.due.clone()));
        let swept = SweptProcess { name: Welcome::NAME, queue: outlet.clone() };
        let (clock, random) = process.scheduler.clock_and_random();
        let sweep = DeadlineSweep::new(process.deadlines.clone(), clock, random, vec![swept]);
        let handler = match process.plant {
            Plant::LostMessageNotSentAgain => sweep.resending_after(Duration::MAX),
            _ => sweep,
        };
        Self { handler, outlet }
    }

    /// Sweeps. Returns nothing if the function died, or if deadlines could not be listed.
    async fn sweep(&mut self, process: &ProcessFunctions) -> Option<Swept> {
        self.outlet.taken();
        let handler = self.handler.clone();
        let swept = process.processes.start(async move { handler.sweep(Timestamp::MAX).await });
        let Ok(swept) = swept.await else {
            *self = Self::new(process);
            return None;
        };
        let swept = swept.ok()?;
        let taken = self.outlet.taken();
        if swept.sent > taken {
            let rule =
                format!("a sweep has sent {} deadlines, of which {taken} were taken", swept.sent);
            process.observations.violated(rule);
        }
        Some(swept)
    }
}

/// Sweeps whenever a deadline is due, and now and then before.
pub(crate) async fn sweep(process: ProcessFunctions) {
    let ProcessFunctions { scheduler, deadlines, .. } = &process;
    let mut sweeper = Sweeper::new(&process);
    loop {
        let next = deadlines.next().await;
        let left = Duration::try_from(next.duration_since(scheduler.now())).unwrap_or_default();
        // The rule of the clock also fires when nothing is due.
        let wait = match scheduler.chance(EARLY) {
            true => scheduler.within(left),
            false => left + scheduler.within(LATE),
        };
        scheduler.sleep(wait).await;
        let Some(swept) = sweeper.sweep(&process).await else { continue };
        process.observations.count(|report| {
            report.sent += swept.sent;
            report.already_sent += swept.already_sent;
        });
        if swept.already_sent > 0 {
            // Workers have them now, or their messages are lost.
            scheduler.sleep(scheduler.within(NEXT_TICK)).await;
        }
    }
}

/// Fires the deadlines of the queue, batch by batch.
pub(crate) async fn work(process: ProcessFunctions) {
    let ProcessFunctions { scheduler, due, .. } = &process;
    let mut worker = worker(&process);
    loop {
        due.arrived().await;
        scheduler.sleep(scheduler.within(POLL)).await;
        let batch = due.receive();
        let receipts: Vec<_> = batch.iter().map(|message| message.receipt.clone()).collect();
        let handler = worker.clone();
        match process.processes.start(async move { handler.handle(batch).await }).await {
            Ok(fired) => {
                process.observations.count(|report| {
                    report.fired += fired.done;
                    report.outdated += fired.outdated;
                });
                let failed: Vec<_> = fired.failed.into_iter().map(|it| it.receipt).collect();
                due.settle(&receipts, &failed);
            }
            Err(_) => worker = self::worker(&process),
        }
    }
}

/// The worker function of a new container.
fn worker(process: &ProcessFunctions) -> DeadlineWorker {
    let expiry = ProcessExpiry::<Welcome>::new(commands(process, process.log.clone()));
    let clock = Arc::new(process.scheduler.clone());
    DeadlineWorker::new(process.deadlines.clone(), clock, vec![Arc::new(expiry)])
}
