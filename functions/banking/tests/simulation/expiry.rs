//! The deadlines of holds: each fires early, late, twice or never. The product's pipeline of deadlines belongs to the
//! simulation of the library.

use std::{sync::Arc, time::Duration};

use banking::process::HoldExpiry;
use ledgerfold::{
    ports::{Clock, Deadline},
    process::{Expiry, ProcessExpiry},
};
use ledgerfold_simulator::Scheduler;

use crate::{functions::Containers, ledger::Ledger};

const HOUR: Duration = Duration::from_secs(3_600);
/// How often a deadline is tried.
const TRIES: usize = 5;

/// Fires the deadlines that follow from commits.
#[derive(Clone)]
pub(crate) struct Deadlines {
    pub(crate) scheduler: Scheduler,
    pub(crate) ledger: Ledger,
    pub(crate) containers: Arc<Containers>,
}

impl Deadlines {
    pub(crate) async fn run(self) {
        loop {
            while let Some(deadline) = self.ledger.next_deadline() {
                self.plan(&deadline);
            }
            self.ledger.deadline_came().await;
        }
    }

    fn plan(&self, deadline: &Deadline) {
        let left = deadline.due.duration_since(self.scheduler.now());
        let left = Duration::try_from(left).unwrap_or_default();
        let late = || left + self.scheduler.within(HOUR);
        let (kind, waits) = match self.scheduler.below(5) {
            0 => ("never", Vec::new()),
            1 => ("early", vec![self.scheduler.within(left)]),
            2 => ("late", vec![late()]),
            3 => ("early and late", vec![self.scheduler.within(left), late()]),
            _ => ("twice", vec![left, late()]),
        };
        self.ledger.count(&format!("a deadline fired {kind}"));
        for wait in waits {
            let this = self.clone();
            let deadline = deadline.clone();
            self.scheduler.spawn(async move {
                this.scheduler.sleep(wait).await;
                this.fire(deadline).await;
            });
        }
    }

    async fn fire(&self, deadline: Deadline) {
        for _ in 0..TRIES {
            let commands = self.containers.some_handler();
            let deadline = deadline.clone();
            let fired =
                async move { ProcessExpiry::<HoldExpiry>::new(commands).expire(&deadline).await };
            if let Some(Ok(())) = self.containers.processes.run(fired).await {
                return;
            }
        }
    }
}
