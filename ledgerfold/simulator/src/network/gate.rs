//! The gates at which tasks of the scheduler wait. Time, and the choice of the task that goes on, belong to the
//! scheduler.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use futures::task::AtomicWaker;

/// A closed gate in front of a task. The scheduler opens it once, and it stays open.
#[derive(Default)]
pub(super) struct Gate {
    /// Set by the scheduler and read by the task. Atomic, because both share the gate without a lock.
    is_open: AtomicBool,
    /// The waker of the waiting task, replaced at every poll: an `AtomicWaker` allows that through a shared reference.
    waker: AtomicWaker,
}

/// A task that waits, and its gate.
pub(super) struct Stop {
    pub(super) task: u64,
    /// Shared by the waiting task and the scheduler, which opens it.
    pub(super) gate: Arc<Gate>,
}

impl Gate {
    /// Lets the task go on.
    pub(super) fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
        self.waker.wake();
    }

    /// Waits until the gate is open.
    pub(super) async fn pass(&self) {
        std::future::poll_fn(|context| {
            self.waker.register(context.waker());
            if self.is_open.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
