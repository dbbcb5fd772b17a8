//! The functions of the product in their containers: they may die at any turn.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use futures::channel::oneshot;
use ledgerfold::{
    Timestamp,
    command::{Answer, CommandError, CommandHandler, JointHandler},
    project::RetryScope,
    relay::{Relay, StreamRecord, Unsent},
    vocabulary::{Delivery, FailedReceipt},
};

use super::{
    Clockwork, Plant,
    domain::{Ask, Bonuses, Request},
    log::SimulatedLog,
    world::World,
};
use crate::conformance::account::{AccountRejection, Accounts, Transfers};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The processes that are at work.
#[derive(Clone)]
pub(super) struct Processes {
    clockwork: Clockwork,
    running: Arc<AtomicUsize>,
}

struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Processes {
    pub(super) fn new(clockwork: Clockwork) -> Self {
        Self { clockwork, running: Arc::default() }
    }

    /// Starts one, which says what it has come to unless it dies.
    pub(super) fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (answer, answered) = oneshot::channel();
        self.running.fetch_add(1, Ordering::SeqCst);
        let running = Running(self.running.clone());
        self.clockwork.spawn_mortal(async move {
            let _running = running;
            let _ = answer.send(work.await);
        });
        answered
    }

    /// Whether all have ended.
    pub(super) fn rest(&self) -> bool {
        self.running.load(Ordering::SeqCst) == 0
    }
}

/// The relay function of one lane of the change stream.
pub(super) struct RelayFunction {
    relay: Relay,
    /// What a container remembers that should not.
    held: Vec<StreamRecord>,
}

impl RelayFunction {
    pub(super) fn new(world: &World) -> Self {
        let (time, random) = world.time_and_chance();
        Self { relay: Relay::new(world.bus.clone(), time, random), held: Vec::new() }
    }

    /// Publishes a batch: how that went, or `None` if the function died.
    pub(super) async fn invoke(
        &mut self,
        world: &World,
        records: Vec<StreamRecord>,
    ) -> Option<Result<(), Unsent>> {
        let records = match world.plant {
            Plant::RelayBuffers => std::mem::replace(&mut self.held, records),
            _ => records,
        };
        let relay = self.relay.clone();
        world.processes.start(async move { relay.publish(&records).await }).await.ok()
    }
}

/// A round of healing, which may die or fail as any function.
pub(super) async fn retry_parked(world: &World, queue: usize, which: RetryScope) {
    let projector = world.subjects[queue].projector(world);
    let retries = world
        .processes
        .start(async move { projector.retry_parked(which, Timestamp::MAX).await })
        .await;
    if let Ok(Ok(retries)) = retries {
        world.witness.count(|report| {
            report.recovered += retries.recovered;
            report.not_recovered += retries.parked;
        });
    }
}

/// Applies a batch: the messages that must come again with their reasons, or `None` if the function
/// died.
pub(super) async fn project(
    world: &World,
    queue: usize,
    batch: Vec<Delivery>,
) -> Option<Vec<FailedReceipt>> {
    let projector = world.subjects[queue].projector(world);
    world.processes.start(async move { projector.project(batch).await }).await.ok()
}

/// The handlers of a command function, which remember on their own until their container dies.
#[derive(Clone)]
struct Handlers {
    alone: CommandHandler<Accounts>,
    transfers: Arc<JointHandler<Transfers>>,
    bonuses: Arc<JointHandler<Bonuses>>,
}

/// What became of a command.
pub(super) type Outcome = Result<Vec<Answer>, CommandError<AccountRejection>>;

/// The containers of the command function.
pub(super) struct Containers {
    clockwork: Clockwork,
    log: Arc<SimulatedLog>,
    handlers: Mutex<Vec<Handlers>>,
}

const CONTAINERS: usize = 2;

impl Containers {
    pub(super) fn new(clockwork: Clockwork, log: Arc<SimulatedLog>) -> Self {
        let containers = Self { clockwork, log, handlers: Mutex::default() };
        *lock(&containers.handlers) = (0..CONTAINERS).map(|_| containers.fresh()).collect();
        containers
    }

    fn fresh(&self) -> Handlers {
        let (time, random) = (Arc::new(self.clockwork.clone()), Arc::new(self.clockwork.clone()));
        let log = &self.log;
        Handlers {
            alone: CommandHandler::new(log.clone(), time.clone(), random.clone()),
            transfers: Arc::new(JointHandler::new(log.clone(), time.clone(), random.clone())),
            bonuses: Arc::new(JointHandler::new(log.clone(), time, random)),
        }
    }

    /// One function's answer, or `None` if it died or was not waited for.
    pub(super) async fn send(&self, world: &World, request: &Request) -> Option<Outcome> {
        let at = self.clockwork.below(CONTAINERS);
        let handlers = lock(&self.handlers)[at].clone();
        let request = request.clone();
        let answered = world.processes.start(async move { handlers.handle(&request).await });
        if world.weather.strikes() {
            // The caller has no patience, and the function goes on.
            world.witness.count(|report| report.abandoned += 1);
            return None;
        }
        let outcome = answered.await.ok();
        if outcome.is_none() {
            lock(&self.handlers)[at] = self.fresh();
        }
        outcome
    }
}

impl Handlers {
    async fn handle(&self, request: &Request) -> Outcome {
        match &request.ask {
            Ask::One(command) => {
                let answer = self.alone.handle(&request.alone(command)).await?;
                Ok(vec![answer])
            }
            Ask::Transfer(transfer) => self.transfers.handle(&request.joint(transfer)).await,
            Ask::Bonus(bonus) => self.bonuses.handle(&request.joint(bonus)).await,
        }
    }
}
