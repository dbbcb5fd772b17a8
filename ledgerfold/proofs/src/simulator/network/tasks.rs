//! Counters of the tasks that the end of a schedule waits for. Functions are counted by their actors.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::scheduler::Scheduler;

/// The tasks of a schedule. Clones share the counters, and every task changes its own one.
#[derive(Clone)]
pub(in crate::simulator) struct Tasks {
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
    pub(in crate::simulator) fn new(scheduler: Scheduler) -> Self {
        Self { scheduler, busy: Arc::default(), rebuilding: Arc::default(), over: Arc::default() }
    }

    /// Starts work that the end waits for.
    pub(in crate::simulator) fn work(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.count_in(&self.busy, work);
    }

    /// Starts a rebuild, which may go on when clients have ended.
    pub(in crate::simulator) fn rebuild(&self, work: impl Future<Output = ()> + Send + 'static) {
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
    pub(in crate::simulator) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst) > 0
    }

    /// Whether a rebuild is at work.
    pub(in crate::simulator) fn is_rebuilding(&self) -> bool {
        self.rebuilding.load(Ordering::SeqCst) > 0
    }

    /// Ends the schedule.
    pub(in crate::simulator) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(in crate::simulator) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}
