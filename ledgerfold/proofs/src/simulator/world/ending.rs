//! The end of a schedule: everything comes to rest, and failed records and dead letters are redriven.

use std::time::Duration;

use ledgerfold::ports::Clock;

use crate::simulator::{
    actors::{operators, rebuilds},
    checker,
    infrastructure::bus::PROCESS,
    plan::schedule::Ending,
    world::World,
};

/// How long old code stays when clients have come to their end.
const UNMENDED: Duration = Duration::from_secs(30);
/// How often dead letters are redriven: a slow message may fail once more.
const REDRIVES: usize = 4;
/// How long to wait at most before looking again whether all has come to rest.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

impl World {
    /// Waits for the clients, ends all faults, redrives failed records and dead letters, and waits until nothing is in
    /// progress.
    pub(in crate::simulator) async fn conclude(&self) {
        self.wait_while(|world| world.parts.tasks.is_busy()).await;
        self.parts.faults.clear();
        self.parts.scheduler.make_immortal();
        if !self.operators.deployment.is_done() {
            // Old code must see the events that are in transit.
            self.parts.scheduler.sleep(UNMENDED).await;
            self.operators.deployment.reach(100);
        }
        self.wait_while(|world| world.parts.tasks.is_rebuilding()).await;
        self.come_to_rest().await;
        self.let_process_finish().await;
        if self.parts.schedule.ending == Ending::Redrive {
            for _ in 0..REDRIVES {
                self.parts.changes.redrive();
                self.parts.queues.iter().for_each(|queue| queue.redrive());
                self.come_to_rest().await;
                self.let_process_finish().await;
            }
        }
        checker::debts_are_paid(&self.evidence);
        let lost = !self.parts.changes.missed().is_empty();
        if self.parts.schedule.ending == Ending::Repair || lost {
            self.parts.queues[..PROCESS].iter().for_each(|queue| queue.purge());
            operators::repair_all(&self.operators).await;
        }
        rebuilds::tidy(&self.rebuilds).await;
        operators::audit(&self.operators).await;
        self.parts.tasks.end();
    }

    async fn wait_while(&self, is_so: impl Fn(&Self) -> bool) {
        while is_so(self) {
            self.parts.scheduler.sleep(self.parts.schedule.pace()).await;
        }
    }

    /// Only its own messages complete the work of a process.
    async fn let_process_finish(&self) {
        while self.parts.queues[PROCESS].dead_letters() > 0 {
            self.parts.queues[PROCESS].redrive();
            self.come_to_rest().await;
        }
    }

    /// Waits until nothing is under way, looking less and less often: a deadline may wait for hours.
    async fn come_to_rest(&self) {
        let mut pause = Duration::from_secs(1);
        while !self.rests() {
            self.parts.scheduler.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn rests(&self) -> bool {
        self.parts.processes.rest()
            && self.parts.changes.rests()
            && self.parts.bus.rests()
            && self.parts.queues.iter().all(|queue| queue.rests())
            && self.process.deadlines.rests()
            && self.evidence.projections.iter().all(|projection| projection.rests())
    }
}
