//! The product's functions in their containers, which may die at any turn. The queues and streams that invoke them do
//! not belong here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join;
use ledgerfold::{
    Timestamp,
    command::{Answer, CommandError, CommandHandler, JointHandler},
    project::RetryScope,
    relay::{Relay, StreamRecord, Unsent},
    vocabulary::{Delivery, FailedReceipt, PublicForms},
};
use ledgerfold_testkit::bank::{AccountRejection, Accounts, PublicAccounts, Transfers};

use crate::{
    domain::{
        accounts::{Ask, Bonuses, Request},
        observations::Observations,
    },
    infrastructure::{bus::Bus, pipeline_log::PipelineLog, projection::SimulatedProjection},
    network::{faults::Faults, processes::Processes, scheduler::Scheduler},
    plan::plant::Plant,
};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The relay function of one lane of the change stream.
pub(crate) struct RelayFunction {
    /// The product's handler. It keeps no state between batches.
    relay: Relay,
    plant: Plant,
    processes: Processes,
    /// The records that the planted fault `RelayBuffers` keeps for the next batch. Empty otherwise.
    buffered: Vec<StreamRecord>,
}

impl RelayFunction {
    pub(crate) fn new(
        bus: Arc<Bus>,
        scheduler: &Scheduler,
        plant: Plant,
        processes: Processes,
    ) -> Self {
        let (clock, random) = scheduler.clock_and_random();
        let public = PublicForms::none().with::<PublicAccounts>();
        let relay = Relay::new(bus, clock, random).publishing(public);
        Self { relay, plant, processes, buffered: Vec::new() }
    }

    /// Publishes a batch. Returns the result, or `None` if the function died.
    pub(crate) async fn invoke(
        &mut self,
        records: Vec<StreamRecord>,
    ) -> Option<Result<(), Unsent>> {
        let relay = self.relay.clone();
        let records = match self.plant {
            Plant::RelayBuffers => std::mem::replace(&mut self.buffered, records),
            Plant::OneCallObserved | Plant::LastFailureReported => {
                let is_first_observed = self.plant == Plant::OneCallObserved;
                let publish = publish_in_halves(relay, records, is_first_observed);
                return self.processes.start(publish).await.ok();
            }
            _ => records,
        };
        self.processes.start(async move { relay.publish(&records).await }).await.ok()
    }
}

/// Publishes two halves of a batch at the same time, as a relay does that combines the results of its calls wrongly.
async fn publish_in_halves(
    relay: Relay,
    records: Vec<StreamRecord>,
    is_first_observed: bool,
) -> Result<(), Unsent> {
    let (first, second) = records.split_at(records.len() / 2);
    let (first, second) = join(relay.publish(first), relay.publish(second)).await;
    if is_first_observed { first } else { second.and(first) }
}

/// The projector function of one projection.
#[derive(Clone)]
pub(crate) struct ProjectorFunction {
    pub(crate) projection: SimulatedProjection,
    pub(crate) processes: Processes,
    pub(crate) observations: Arc<Observations>,
}

impl ProjectorFunction {
    /// Runs a round of retries, which may die or fail like any function.
    pub(crate) async fn retry_parked(&self, scope: RetryScope) {
        let projector = self.projection.projector();
        let work = async move { projector.retry_parked(scope, Timestamp::MAX).await };
        if let Ok(Ok(retries)) = self.processes.start(work).await {
            self.observations.count(|report| {
                report.recovered += retries.recovered;
                report.not_recovered += retries.parked;
            });
        }
    }

    /// Applies a batch. Returns the messages to deliver again, or `None` if the function died.
    pub(crate) async fn project(&self, batch: Vec<Delivery>) -> Option<Vec<FailedReceipt>> {
        let projector = self.projection.projector();
        self.processes.start(async move { projector.project(batch).await }).await.ok()
    }
}

/// The handlers of a command function. The cache of `alone` ends with the container.
#[derive(Clone)]
struct Handlers {
    /// For commands of one account.
    alone: CommandHandler<Accounts>,
    /// Shared by the requests of a container, because a `JointHandler` cannot be cloned.
    transfers: Arc<JointHandler<Transfers>>,
    /// Shared in the same way.
    bonuses: Arc<JointHandler<Bonuses>>,
}

/// The result of a command.
pub(crate) type Outcome = Result<Vec<Answer>, CommandError<AccountRejection>>;

/// The containers of the command function.
pub(crate) struct Containers {
    scheduler: Scheduler,
    faults: Faults,
    observations: Arc<Observations>,
    processes: Processes,
    log: Arc<PipelineLog>,
    /// One set of handlers for each container. A mutex, because a container that dies is replaced.
    handlers: Mutex<Vec<Handlers>>,
}

const CONTAINERS: usize = 2;

impl Containers {
    pub(crate) fn new(
        (scheduler, faults, observations): (Scheduler, Faults, Arc<Observations>),
        processes: Processes,
        log: Arc<PipelineLog>,
    ) -> Self {
        let handlers = Mutex::default();
        let containers = Self { scheduler, faults, observations, processes, log, handlers };
        *lock(&containers.handlers) = (0..CONTAINERS).map(|_| containers.fresh()).collect();
        containers
    }

    fn fresh(&self) -> Handlers {
        let time = Arc::new(self.scheduler.clone());
        let random = Arc::new(self.scheduler.clone());
        let log = &self.log;
        Handlers {
            alone: CommandHandler::new(log.clone(), time.clone(), random.clone()),
            transfers: Arc::new(JointHandler::new(log.clone(), time.clone(), random.clone())),
            bonuses: Arc::new(JointHandler::new(log.clone(), time, random)),
        }
    }

    /// One function's answer, or `None` if it died or was not waited for.
    pub(crate) async fn send(&self, request: &Request) -> Option<Outcome> {
        let at = self.scheduler.below(CONTAINERS);
        let handlers = lock(&self.handlers)[at].clone();
        let request = request.clone();
        let answered = self.processes.start(async move { handlers.handle(&request).await });
        if self.faults.fails() {
            // The client stops waiting, and the function goes on.
            self.observations.count(|report| report.abandoned += 1);
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
