//! The end of a schedule: faults stop, the pipeline reaches quiescence, failed records and dead letters are redriven, and
//! the audit runs. Tasks that run while clients are at work do not belong here.

use std::{sync::Arc, time::Duration};

use ledgerfold::ports::Clock;

use crate::{
    actors::{
        operators::{self, Operators},
        rebuilds::{self, Rebuilds},
    },
    checker::{self, Evidence},
    infrastructure::{bus::PROCESS, deadlines::SimulatedDeadlines, due_queue::DueQueue},
    network::{faults::Faults, processes::Processes, scheduler::Scheduler},
    plan::schedule::Recovery,
};

/// How long old code stays deployed after the clients have finished.
const OLD_CODE_STAYS: Duration = Duration::from_secs(30);
/// How often dead letters are redriven: a slow message may fail once more.
const REDRIVES: usize = 4;
/// The longest pause between two checks for quiescence.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Handles on the parts that must be idle at the end, and on the actors that finish the work.
pub(super) struct Quiescence {
    pub(super) scheduler: Scheduler,
    /// Switched off here, and nowhere else.
    pub(super) faults: Faults,
    /// The running functions. Idle when none is left.
    pub(super) processes: Processes,
    /// Idle when no deadline waits.
    pub(super) deadlines: Arc<SimulatedDeadlines>,
    /// Idle when no worker has a message left.
    pub(super) due: Arc<DueQueue>,
    /// Deploy the fix, repair and audit.
    pub(super) operators: Operators,
    /// Remove the leftovers of old generations.
    pub(super) rebuilds: Rebuilds,
    /// Holds the log, change stream, bus, queues and projections, which must be idle too.
    pub(super) evidence: Evidence,
}

impl Quiescence {
    /// Waits for the clients, stops all faults, redrives failed records and dead letters, and waits until the pipeline is
    /// idle. Then it repairs if the schedule says so, and audits.
    pub(super) async fn reach(&self) {
        let Evidence { schedule, tasks, changes, queues, .. } = &self.evidence;
        self.wait_while(|| tasks.is_busy()).await;
        self.faults.clear();
        self.scheduler.stop_deaths();
        if !self.operators.deployment.is_done() {
            // Old code must see the events that are in transit.
            self.scheduler.sleep(OLD_CODE_STAYS).await;
            self.operators.deployment.reach(100);
        }
        self.wait_while(|| tasks.is_rebuilding()).await;
        self.wait_until_idle().await;
        self.redrive_process().await;
        if schedule.recovery == Recovery::Redrive {
            for _ in 0..REDRIVES {
                changes.redrive();
                queues.iter().for_each(|queue| queue.redrive());
                self.wait_until_idle().await;
                self.redrive_process().await;
            }
        }
        checker::debts_are_paid(&self.evidence);
        let lost = !changes.missed().is_empty();
        if schedule.recovery == Recovery::Repair || lost {
            queues[..PROCESS].iter().for_each(|queue| queue.purge());
            operators::repair_all(&self.operators).await;
        }
        rebuilds::remove_leftovers(&self.rebuilds).await;
        operators::audit(&self.operators).await;
        tasks.end();
    }

    async fn wait_while(&self, is_so: impl Fn() -> bool) {
        while is_so() {
            self.scheduler.sleep(self.evidence.schedule.pace()).await;
        }
    }

    /// Redrives the process's queue until it is empty: only its own messages complete the work of a process.
    async fn redrive_process(&self) {
        let queue = &self.evidence.queues[PROCESS];
        while queue.dead_letters() > 0 {
            queue.redrive();
            self.wait_until_idle().await;
        }
    }

    /// Waits until the pipeline is idle, with longer and longer pauses: a deadline may wait for hours.
    async fn wait_until_idle(&self) {
        let mut pause = Duration::from_secs(1);
        while !self.is_idle() {
            self.scheduler.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn is_idle(&self) -> bool {
        let Evidence { changes, bus, queues, projections, foreign, .. } = &self.evidence;
        self.processes.are_idle()
            && changes.is_idle()
            && bus.is_idle()
            && queues.iter().all(|queue| queue.is_idle())
            && self.deadlines.is_idle()
            && self.due.is_idle()
            && projections.iter().chain([foreign]).all(|projection| projection.is_idle())
    }
}
