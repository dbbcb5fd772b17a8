//! What fails, and when.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ledgerfold::ports::{Clock, PortError, ReadStoreError};

use crate::simulator::{
    network::scheduler::{Bell, Clockwork},
    plan::schedule::Outage,
};

/// Of a hundred requests, how many are slow, in good weather too.
const SLOW: usize = 4;
/// How long they take at most.
const SLOWEST: Duration = Duration::from_secs(5);

/// Whether things fail.
#[derive(Clone)]
pub(in crate::simulator) struct Weather(Arc<State>);

struct State {
    clockwork: Clockwork,
    of_hundred: usize,
    calm: AtomicBool,
    /// What stands still now.
    outage: Mutex<Outage>,
    recovery: Bell,
}

impl Weather {
    /// Weather in which so many of a hundred calls fail until it clears.
    pub(in crate::simulator) fn new(clockwork: &Clockwork, of_hundred: usize) -> Self {
        Self(Arc::new(State {
            clockwork: clockwork.clone(),
            of_hundred,
            calm: AtomicBool::new(false),
            outage: Mutex::new(Outage::None),
            recovery: clockwork.bell(),
        }))
    }

    /// Whether something fails now.
    pub(in crate::simulator) fn strikes(&self) -> bool {
        self.hits(self.0.of_hundred)
    }

    /// Whether something fails now that fails so often of a hundred times.
    pub(in crate::simulator) fn hits(&self, of_hundred: usize) -> bool {
        !self.0.calm.load(Ordering::SeqCst) && self.0.clockwork.chance(of_hundred)
    }

    /// The way of a request or an answer: others go first, maybe, and now and then it takes its time.
    pub(in crate::simulator) async fn way(&self) {
        self.0.clockwork.turn().await;
        if !self.0.calm.load(Ordering::SeqCst) && self.0.clockwork.chance(SLOW) {
            self.0.clockwork.sleep(self.0.clockwork.within(SLOWEST)).await;
        }
    }

    /// Nothing fails any more.
    pub(in crate::simulator) fn clear(&self) {
        self.0.calm.store(true, Ordering::SeqCst);
        self.set_outage(Outage::None);
    }

    /// From now on this stands still, until something else does.
    pub(in crate::simulator) fn set_outage(&self, outage: Outage) {
        *self.outage() = outage;
        if outage == Outage::None {
            self.0.recovery.ring();
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

/// What a call to a read table meets on its way there and back. A call that only reads has no way back
/// of its own: whatever could happen on it may as well happen on the way of the next call.
#[derive(Clone)]
pub(in crate::simulator) struct Way {
    pub(in crate::simulator) clockwork: Clockwork,
    pub(in crate::simulator) weather: Weather,
}

impl Way {
    pub(in crate::simulator) async fn there(&self) -> Result<(), ReadStoreError> {
        self.weather.way().await;
        if self.weather.strikes() {
            Err(ReadStoreError::Port(PortError::Throttled))
        } else {
            Ok(())
        }
    }

    pub(in crate::simulator) async fn back<T>(&self, answer: T) -> Result<T, ReadStoreError> {
        self.weather.way().await;
        if self.weather.strikes() {
            return Err(ReadStoreError::Port(PortError::Unavailable("the answer was lost".into())));
        }
        Ok(answer)
    }
}
