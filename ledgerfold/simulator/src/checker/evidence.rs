//! The evidence that the rules examine: read-only handles on a finished schedule. Rules do not belong here.

use std::sync::Arc;

use crate::{
    domain::observations::Observations,
    infrastructure::{
        bus::{Bus, QUEUES},
        change_stream::ChangeStream,
        pipeline_log::PipelineLog,
        projection::SimulatedProjection,
        queue::Queue,
    },
    network::tasks::Tasks,
    plan::schedule::Schedule,
};

/// Handles on the parts that the rules examine. Rules read through them, and change only the counts and violations in
/// `observations`.
#[derive(Clone)]
pub(crate) struct Evidence {
    /// Decides which rules apply. Copied, because no schedule changes while it runs.
    pub(crate) schedule: Schedule,
    /// The answers and requests of clients. Every actor adds to them.
    pub(crate) observations: Arc<Observations>,
    /// Tells whether the schedule reached its end.
    pub(crate) tasks: Tasks,
    /// The commits, and the true order of their effects. Only its own writes change it.
    pub(crate) log: Arc<PipelineLog>,
    /// The records that were not published. The mappings add to them, and the end of the schedule redrives them.
    pub(crate) changes: Arc<ChangeStream>,
    /// The published events. Only the relay adds to them.
    pub(crate) bus: Arc<Bus>,
    /// The acknowledged versions and dead letters of each rule.
    pub(crate) queues: [Arc<Queue>; QUEUES],
    /// The read models, by the number of their queue.
    pub(crate) projections: [SimulatedProjection; 2],
    /// The projection of another context.
    pub(crate) foreign: SimulatedProjection,
}
