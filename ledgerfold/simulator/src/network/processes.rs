//! The processes of functions, which may die at any turn. Their work belongs to the actors.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::channel::oneshot;

use super::scheduler::Scheduler;

/// The running processes of all functions. Clones share the count.
#[derive(Clone)]
pub struct Processes {
    scheduler: Scheduler,
    /// Shared with each running process, which subtracts itself when it ends or dies.
    running: Arc<AtomicUsize>,
}

struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Processes {
    /// No process runs yet.
    pub fn new(scheduler: Scheduler) -> Self {
        Self { scheduler, running: Arc::default() }
    }

    /// Starts a process. It sends its result unless it dies. It goes on if nobody waits for the result.
    pub fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (answer, answered) = oneshot::channel();
        self.running.fetch_add(1, Ordering::SeqCst);
        let running = Running(self.running.clone());
        self.scheduler.spawn_killable(async move {
            let _running = running;
            let _ = answer.send(work.await);
        });
        answered
    }

    /// Runs a process, and waits for its result. `None` if it died.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.start(work).await.ok()
    }

    /// Whether all have ended.
    pub fn are_idle(&self) -> bool {
        self.running.load(Ordering::SeqCst) == 0
    }
}
