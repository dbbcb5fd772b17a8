//! The evidence that the rules examine: read-only handles on a finished schedule. Rules do not belong here.

use std::sync::Arc;

use crate::simulator::{
    domain::observations::Observations,
    infrastructure::{
        bus::{Bus, QUEUES},
        change_stream::ChangeStream,
        log::SimulatedLog,
        projection::SimulatedProjection,
        queue::Queue,
    },
    network::tasks::Tasks,
    plan::schedule::Schedule,
};

/// Handles on the parts that the rules examine. Rules read through them, and change only the counts and violations in
/// `observations`.
#[derive(Clone)]
pub(in crate::simulator) struct Evidence {
    /// Decides which rules apply. Copied, because no schedule changes while it runs.
    pub(in crate::simulator) schedule: Schedule,
    /// The answers and requests of clients. Every actor adds to them.
    pub(in crate::simulator) observations: Arc<Observations>,
    /// Tells whether the schedule reached its end.
    pub(in crate::simulator) tasks: Tasks,
    /// The commits, and the true order of their effects. Only its own writes change it.
    pub(in crate::simulator) log: Arc<SimulatedLog>,
    /// The records that were not published. The mappings add to them, and the end of the schedule redrives them.
    pub(in crate::simulator) changes: Arc<ChangeStream>,
    /// The published events. Only the relay adds to them.
    pub(in crate::simulator) bus: Arc<Bus>,
    /// The acknowledged versions and dead letters of each rule.
    pub(in crate::simulator) queues: [Arc<Queue>; QUEUES],
    /// The read models, by the number of their queue.
    pub(in crate::simulator) projections: [SimulatedProjection; 2],
}
