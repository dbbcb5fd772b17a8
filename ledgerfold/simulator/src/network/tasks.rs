//! Counters of the tasks that the end of a schedule waits for. Functions are counted by their actors.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::scheduler::Scheduler;

/// The tasks of a schedule. Clones share the counters, and every task changes its own one.
#[derive(Clone)]
pub(crate) struct Tasks {
    /// Runs the tasks.
    scheduler: Scheduler,
    /// Clients and operators that end by themselves. Atomic and shared with their tasks.
    busy: Arc<AtomicUsize>,
    /// Rebuilds, which may go on when clients have ended. Counted apart, because the faults end before them.
    rebuilding: Arc<AtomicUsize>,
    /// Set once, by the end of the schedule.
    over: Arc<AtomicBool>,
}

impl Tasks {
    pub(crate) fn new(scheduler: Scheduler) -> Self {
        Self { scheduler, busy: Arc::default(), rebuilding: Arc::default(), over: Arc::default() }
    }

    /// Starts work that the end waits for.
    pub(crate) fn work(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.count_in(&self.busy, work);
    }

    /// Starts a rebuild, which may go on when clients have ended.
    pub(crate) fn rebuild(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.count_in(&self.rebuilding, work);
    }

    fn count_in(&self, among: &Arc<AtomicUsize>, work: impl Future<Output = ()> + Send + 'static) {
        let among = among.clone();
        among.fetch_add(1, Ordering::SeqCst);
        self.scheduler.spawn(async move {
            work.await;
            among.fetch_sub(1, Ordering::SeqCst);
        });
    }

    /// Whether clients or operators are at work.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst) > 0
    }

    /// Whether a rebuild is at work.
    pub(crate) fn is_rebuilding(&self) -> bool {
        self.rebuilding.load(Ordering::SeqCst) > 0
    }

    /// Ends the schedule.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}
