//! Faults and their times.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ledgerfold::ports::{Clock, PortError, ReadStoreError};

use crate::simulator::{
    network::scheduler::{Scheduler, Signal},
    plan::schedule::Outage,
};

/// Of a hundred requests, how many are slow, in good weather too.
const SLOW: usize = 4;
/// How long they take at most.
const SLOWEST: Duration = Duration::from_secs(5);

/// Whether things fail.
#[derive(Clone)]
pub(in crate::simulator) struct Faults(Arc<State>);

struct State {
    scheduler: Scheduler,
    of_hundred: usize,
    are_off: AtomicBool,
    /// The present outage.
    outage: Mutex<Outage>,
    recovery: Signal,
}

impl Faults {
    /// Weather in which so many of a hundred calls fail until it clears.
    pub(in crate::simulator) fn new(scheduler: &Scheduler, of_hundred: usize) -> Self {
        Self(Arc::new(State {
            scheduler: scheduler.clone(),
            of_hundred,
            are_off: AtomicBool::new(false),
            outage: Mutex::new(Outage::None),
            recovery: scheduler.signal(),
        }))
    }

    /// Whether something fails now.
    pub(in crate::simulator) fn fails(&self) -> bool {
        self.fails_at(self.0.of_hundred)
    }

    /// Whether something fails now that fails so often of a hundred times.
    pub(in crate::simulator) fn fails_at(&self, of_hundred: usize) -> bool {
        !self.0.are_off.load(Ordering::SeqCst) && self.0.scheduler.chance(of_hundred)
    }

    /// The way of a request or an answer: others go first, maybe, and now and then it takes its time.
    pub(in crate::simulator) async fn delay(&self) {
        self.0.scheduler.turn().await;
        if !self.0.are_off.load(Ordering::SeqCst) && self.0.scheduler.chance(SLOW) {
            self.0.scheduler.sleep(self.0.scheduler.within(SLOWEST)).await;
        }
    }

    /// Nothing fails any more.
    pub(in crate::simulator) fn clear(&self) {
        self.0.are_off.store(true, Ordering::SeqCst);
        self.set_outage(Outage::None);
    }

    /// From now on this stands still, until something else does.
    pub(in crate::simulator) fn set_outage(&self, outage: Outage) {
        *self.outage() = outage;
        if outage == Outage::None {
            self.0.recovery.notify();
        }
    }

    /// Whether this stands still now.
    pub(in crate::simulator) fn is_out(&self, outage: Outage) -> bool {
        *self.outage() == outage
    }

    /// Waits while this stands still.
    pub(in crate::simulator) async fn recovered_from(&self, outage: Outage) {
        while self.is_out(outage) {
            self.0.recovery.wait().await;
        }
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.0.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The faults of a call to a read table, on its way there and back. A call that only reads has no way back of its
/// own: every fault on it may as well happen on the way of the next call.
#[derive(Clone)]
pub(in crate::simulator) struct Network {
    pub(in crate::simulator) scheduler: Scheduler,
    pub(in crate::simulator) faults: Faults,
}

impl Network {
    pub(in crate::simulator) async fn request(&self) -> Result<(), ReadStoreError> {
        self.faults.delay().await;
        if self.faults.fails() { Err(ReadStoreError::Port(PortError::Throttled)) } else { Ok(()) }
    }

    pub(in crate::simulator) async fn response<T>(&self, answer: T) -> Result<T, ReadStoreError> {
        self.faults.delay().await;
        if self.faults.fails() {
            return Err(ReadStoreError::Port(PortError::Unavailable("the answer was lost".into())));
        }
        Ok(answer)
    }
}
