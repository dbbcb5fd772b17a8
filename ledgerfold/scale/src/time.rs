//! Virtual time, and the tasks that live in it. Time moves only when every task waits, so a run is exact and repeatable,
//! however slow the machine is.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::poll_fn,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use ledgerfold::{
    Timestamp,
    ports::{Clock, Random},
};
use ledgerfold_testkit::SeededRandom;

use crate::assumptions::Latency;

/// The time, and everything random. Clones share both.
#[derive(Clone)]
pub(crate) struct Time {
    /// A mutex, because every waiting task adds to it.
    agenda: Arc<Mutex<Agenda>>,
    random: Arc<SeededRandom>,
}

#[derive(Default)]
struct Agenda {
    now: Duration,
    /// Orders what is due at the same time.
    serial: u64,
    due: BTreeMap<(Duration, u64), Due>,
}

enum Due {
    Wake(Waker),
    Call(Box<dyn FnOnce() + Send>),
}

impl Agenda {
    fn add(&mut self, at: Duration, due: Due) {
        self.serial += 1;
        self.due.insert((at, self.serial), due);
    }
}

impl Time {
    pub(crate) fn new(seed: u64) -> Self {
        Self { agenda: Arc::default(), random: Arc::new(SeededRandom::new(seed)) }
    }

    /// The time since the beginning of the run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.lock().now
    }

    pub(crate) async fn sleep_until(&self, at: Duration) {
        poll_fn(|context| {
            let mut agenda = self.lock();
            if agenda.now >= at {
                return Poll::Ready(());
            }
            agenda.add(at, Due::Wake(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    pub(crate) async fn pass(&self, time: Duration) {
        self.sleep_until(self.elapsed() + time).await;
    }

    /// Calls this at that time.
    pub(crate) fn call_at(&self, at: Duration, call: impl FnOnce() + Send + 'static) {
        self.lock().add(at, Due::Call(Box::new(call)));
    }

    /// A number from 0 to 1.
    pub(crate) fn draw(&self) -> f64 {
        let bits = u32::try_from(self.random.next() >> 32).unwrap_or(u32::MAX);
        f64::from(bits) / f64::from(u32::MAX)
    }

    /// A number below this one.
    pub(crate) fn below(&self, most: u64) -> u64 {
        self.random.next() % most.max(1)
    }

    pub(crate) fn latency(&self, latency: Latency) -> Duration {
        let unlikely = (1.0 - self.draw()).max(1e-9);
        latency.floor + latency.tail.mul_f64(-unlikely.ln())
    }

    /// Moves to the next time at which something is due, and starts it. Returns whether there is one before the end.
    fn advance(&self, end: Duration) -> bool {
        let due = {
            let mut agenda = self.lock();
            let Some((&(at, _), _)) = agenda.due.first_key_value() else { return false };
            if at > end {
                return false;
            }
            agenda.now = agenda.now.max(at);
            let later = agenda.due.split_off(&(at, u64::MAX));
            std::mem::replace(&mut agenda.due, later)
        };
        for due in due.into_values() {
            match due {
                Due::Wake(waker) => waker.wake(),
                Due::Call(call) => call(),
            }
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Agenda> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(1_700_000_000_000_i64.saturating_add(millis))
            .unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, time: Duration) {
        self.pass(time).await;
    }
}

impl Random for Time {
    fn fill(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
    }
}

/// The tasks of a run.
pub(crate) struct Tasks {
    time: Time,
    running: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    spawner: Spawner,
    woken: Arc<Woken>,
}

/// Whether a task may go on. Atomic, because wakers are shared.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Tasks {
    pub(crate) fn new(time: Time) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        Self { time, running: FuturesUnordered::new(), spawner: Spawner::default(), woken }
    }

    pub(crate) fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Runs until this time, or until nothing is left to do.
    pub(crate) fn run_until(&mut self, end: Duration) {
        self.run_until_stalled();
        while self.time.advance(end) {
            self.run_until_stalled();
        }
    }

    fn run_until_stalled(&mut self) {
        let waker = Waker::from(self.woken.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            self.running.extend(self.spawner.0.borrow_mut().drain(..));
            self.woken.0.store(false, Ordering::SeqCst);
            let polled = self.running.poll_next_unpin(&mut context);
            let is_stalled = polled.is_pending() && !self.woken.0.load(Ordering::SeqCst);
            let is_empty = matches!(polled, Poll::Ready(None));
            if (is_stalled || is_empty) && self.spawner.0.borrow().is_empty() {
                return;
            }
        }
    }
}

/// Starts tasks. Clones share the list of those that are to start.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Rc<RefCell<Vec<LocalBoxFuture<'static, ()>>>>);

impl Spawner {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.borrow_mut().push(task.boxed_local());
    }
}
