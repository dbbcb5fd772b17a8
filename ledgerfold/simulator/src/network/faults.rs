//! Failures, slow calls and outages, and the time at which they stop. The rates belong to the plan.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ledgerfold::ports::{Clock, PortError, ReadStoreError};

use crate::{
    network::scheduler::{Scheduler, Signal},
    plan::schedule::Outage,
};

/// Of a hundred requests, how many are slow, also in a schedule without failures.
const SLOW: usize = 4;
/// How long they take at most.
const SLOWEST: Duration = Duration::from_secs(5);

/// The faults of a schedule. Clones share them.
#[derive(Clone)]
pub struct Faults(Arc<State>);

struct State {
    /// Draws the failures, so that they follow from the seed too.
    scheduler: Scheduler,
    /// The failure rate. Fixed for the whole schedule.
    of_hundred: usize,
    /// Set once, at the end of the schedule. Atomic, because every part reads it at every call.
    are_off: AtomicBool,
    /// The present outage. Operators change it, and the end of the schedule clears it.
    outage: Mutex<Outage>,
    /// Wakes the parts that wait for the end of an outage, without polling.
    recovery: Signal,
}

impl Faults {
    /// Faults at this rate of a hundred calls, until they are cleared.
    pub fn new(scheduler: &Scheduler, of_hundred: usize) -> Self {
        Self(Arc::new(State {
            scheduler: scheduler.clone(),
            of_hundred,
            are_off: AtomicBool::new(false),
            outage: Mutex::new(Outage::None),
            recovery: scheduler.signal(),
        }))
    }

    /// Whether this call fails.
    pub fn fails(&self) -> bool {
        self.fails_at(self.0.of_hundred)
    }

    /// Whether this call fails, at this rate of a hundred.
    pub fn fails_at(&self, of_hundred: usize) -> bool {
        !self.0.are_off.load(Ordering::SeqCst) && self.0.scheduler.chance(of_hundred)
    }

    /// The delay of a request or an answer: other tasks may run first, and some are slow.
    pub async fn delay(&self) {
        self.0.scheduler.turn().await;
        if !self.0.are_off.load(Ordering::SeqCst) && self.0.scheduler.chance(SLOW) {
            self.0.scheduler.sleep(self.0.scheduler.within(SLOWEST)).await;
        }
    }

    /// Nothing fails any more.
    pub fn clear(&self) {
        self.0.are_off.store(true, Ordering::SeqCst);
        self.set_outage(Outage::None);
    }

    /// Sets the present outage.
    pub(crate) fn set_outage(&self, outage: Outage) {
        *self.outage() = outage;
        if outage == Outage::None {
            self.0.recovery.notify();
        }
    }

    /// Whether this outage is present.
    pub(crate) fn is_out(&self, outage: Outage) -> bool {
        *self.outage() == outage
    }

    /// Waits until this outage has ended.
    pub(crate) async fn recovered_from(&self, outage: Outage) {
        while self.is_out(outage) {
            self.0.recovery.wait().await;
        }
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.0.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The faults of a call to a table: of the request, and of the response. A call that only reads has no fault of the
/// response: the request of the next call covers it.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) scheduler: Scheduler,
    pub(crate) faults: Faults,
}

impl Network {
    pub(crate) async fn request(&self) -> Result<(), ReadStoreError> {
        self.faults.delay().await;
        if self.faults.fails() { Err(ReadStoreError::Port(PortError::Throttled)) } else { Ok(()) }
    }

    pub(crate) async fn response<T>(&self, answer: T) -> Result<T, ReadStoreError> {
        self.faults.delay().await;
        if self.faults.fails() {
            return Err(ReadStoreError::Port(PortError::Unavailable("the answer was lost".into())));
        }
        Ok(answer)
    }
}
