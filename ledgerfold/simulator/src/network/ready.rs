//! The queue of tasks that can be polled, and the wakers that fill it. The tasks themselves belong to the scheduler.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Wake, Waker},
};

/// The numbers of tasks that can be polled, in the order in which they were woken. Clones share the queue.
///
/// Wakers of all tasks push and the scheduler pops. The mutex is apart from the scheduler's state, because a waker knows
/// only this queue.
#[derive(Clone, Default)]
pub(super) struct ReadyQueue(Arc<Mutex<VecDeque<u64>>>);

/// The waker of one task.
struct Ready {
    task: u64,
    queue: ReadyQueue,
}

impl ReadyQueue {
    pub(super) fn push(&self, task: u64) {
        self.lock().push_back(task);
    }

    pub(super) fn pop(&self) -> Option<u64> {
        self.lock().pop_front()
    }

    /// A waker that puts this task into the queue.
    pub(super) fn waker(&self, task: u64) -> Waker {
        Waker::from(Arc::new(Ready { task, queue: self.clone() }))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.queue.push(self.task);
    }
}
