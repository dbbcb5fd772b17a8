//! The table of deadlines, with network faults and an index that lags. Sweeps and workers belong to the actors.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    ProcessName, Timestamp,
    ports::{
        Clock, Deadline, DeadlineError, DeadlineKey, DeadlinePage, DeadlineStore, Pending,
        PortError, Resume, Written,
    },
};

use crate::{
    domain::observations::Observations,
    network::{faults::Network, scheduler::Signal},
    plan::plant::Plant,
};
use ledgerfold_testkit::MemoryDeadlineStore;

/// Of a hundred lists, how many repeat the previous one.
const LATE: usize = 20;
/// Of a hundred lists, how many are of a sweep with a fast clock, and the most by which it is fast: as long as a deadline
/// waits in a schedule with an outage. In others it is due soon after it is scheduled.
const FAST: usize = 10;
const FASTEST: Duration = Duration::from_secs(24 * 3_600);

pub(crate) struct SimulatedDeadlines {
    network: Network,
    plant: Plant,
    observations: Arc<Observations>,
    /// The true content of the table. Only the port's methods write it.
    inner: MemoryDeadlineStore,
    /// Wakes sweeps that wait for a first deadline.
    scheduled: Signal,
    /// The last list of each part, which a late index repeats. A mutex, because several sweeps list at a time.
    listed: Mutex<BTreeMap<u32, Vec<Pending>>>,
    /// Every deadline as it was last listed, for a worker that trusts its message.
    sent: Mutex<BTreeMap<DeadlineKey, Pending>>,
}

impl SimulatedDeadlines {
    pub(crate) fn new(network: Network, observations: Arc<Observations>, plant: Plant) -> Self {
        let scheduled = network.scheduler.signal();
        let inner = MemoryDeadlineStore::default();
        let listed = Mutex::default();
        let sent = Mutex::default();
        Self { network, plant, observations, inner, scheduled, listed, sent }
    }

    /// Waits until there is a deadline, and returns the earliest time to try one.
    pub(crate) async fn next(&self) -> Timestamp {
        loop {
            let waiting = self.inner.waiting();
            if let Some(next) = waiting.iter().map(|pending| pending.next).min() {
                return next;
            }
            self.scheduled.wait().await;
        }
    }

    /// Whether no deadline waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.inner.waiting().is_empty()
    }

    async fn request(&self) -> Result<(), DeadlineError> {
        self.network.request().await.map_err(|_| DeadlineError(PortError::Throttled))
    }

    async fn response<T>(&self, answer: T) -> Result<T, DeadlineError> {
        let answer = self.network.response(answer).await;
        answer.map_err(|error| DeadlineError(PortError::Unavailable(Box::new(error))))
    }

    /// A first page from an index that lags.
    fn late(&self, part: u32, until: Timestamp) -> Option<DeadlinePage> {
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |it: &&Pending| it.next <= until;
        let deadlines = listed.get(&part)?.iter().filter(is_due).cloned().map(Ok).collect();
        Some(DeadlinePage::last(deadlines))
    }

    /// How far the clock of a sweep is ahead of the others.
    fn clock_skew(&self) -> Duration {
        let Network { scheduler, .. } = &self.network;
        if scheduler.chance(FAST) { scheduler.within(FASTEST) } else { Duration::ZERO }
    }

    fn now(&self) -> Timestamp {
        self.network.scheduler.now()
    }

    /// A deadline as it was when it was listed and sent, and due.
    fn as_sent(&self, key: &DeadlineKey) -> Option<Pending> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = sent.get(key).cloned();
        pending.map(|pending| Pending { next: Timestamp::UNIX_EPOCH, ..pending })
    }

    fn keep_copies(&self, page: &DeadlinePage) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.extend(page.items.iter().flatten().map(|it| (it.deadline.key.clone(), it.clone())));
    }

    fn remember(&self, part: u32, page: &DeadlinePage) {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.insert(part, page.items.iter().flatten().cloned().collect());
    }
}

#[async_trait]
impl DeadlineStore for SimulatedDeadlines {
    fn parts(&self) -> u32 {
        self.inner.parts()
    }

    async fn schedule(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        self.request().await?;
        let written = self.inner.schedule(deadline).await?;
        if written == Written::Done {
            self.observations.count(|report| report.deadlines += 1);
            self.scheduled.notify();
        }
        self.response(written).await
    }

    async fn due(
        &self,
        process: &ProcessName,
        part: u32,
        until: Timestamp,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        self.request().await?;
        if from.is_none()
            && self.network.scheduler.chance(LATE)
            && let Some(late) = self.late(part, until)
        {
            return self.response(late).await;
        }
        let page = self.inner.due(process, part, until + self.clock_skew(), from).await?;
        if from.is_none() {
            self.remember(part, &page);
        }
        self.keep_copies(&page);
        if self.plant == Plant::SweepRemovesFirst {
            for pending in page.items.iter().flatten() {
                self.inner.done(&pending.deadline).await?;
            }
        }
        self.response(page).await
    }

    async fn get(&self, key: &DeadlineKey) -> Result<Option<Pending>, DeadlineError> {
        self.request().await?;
        let stored = self.inner.get(key).await?;
        let answer = match self.plant {
            Plant::WorkerTrustsMessage => self.as_sent(key),
            Plant::WorkerRemovesFirst => {
                if let Some(pending) = stored.as_ref().filter(|it| it.next <= self.now()) {
                    self.inner.done(&pending.deadline).await?;
                }
                stored
            }
            _ => stored,
        };
        self.response(answer).await
    }

    async fn done(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        self.request().await?;
        let written = self.inner.done(deadline).await?;
        self.response(written).await
    }

    async fn postpone(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        self.request().await?;
        let written = self.inner.postpone(seen, next).await?;
        self.observations.count(|report| report.postponed += usize::from(written == Written::Done));
        self.response(written).await
    }

    async fn give_up(&self, seen: &Pending) -> Result<Written, DeadlineError> {
        self.request().await?;
        let written = self.inner.give_up(seen).await?;
        self.response(written).await
    }

    async fn failed(
        &self,
        process: &ProcessName,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        self.request().await?;
        let page = self.inner.failed(process, from).await?;
        self.response(page).await
    }

    async fn retry(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        self.request().await?;
        let written = self.inner.retry(seen, next).await?;
        self.scheduled.notify();
        self.response(written).await
    }
}
