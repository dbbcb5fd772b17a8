//! The log of the pipeline: its effects become the history, and records of the change stream. The store itself belongs to
//! `log`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use ledgerfold::vocabulary::Commit;

use crate::{
    domain::{history::History, observations::Observations},
    infrastructure::{
        change_stream::ChangeStream,
        log::{Effects, SimulatedLog},
    },
};

/// The log of the pipeline.
pub(crate) type PipelineLog = SimulatedLog<Recorder>;

/// Records the effects on the log.
pub(crate) struct Recorder {
    observations: Arc<Observations>,
    /// The order of all effects, for the checker. A mutex, because effects are recorded behind a shared reference.
    history: Mutex<History>,
    /// Gets each commit once it is in the log.
    changes: Arc<ChangeStream>,
}

impl Recorder {
    pub(crate) fn new(observations: Arc<Observations>, changes: Arc<ChangeStream>) -> Self {
        Self { observations, history: Mutex::default(), changes }
    }
}

impl Effects for Recorder {
    fn committed(&self, at: Timestamp, commits: &[Commit]) {
        for commit in commits {
            self.changes.insert(commit.clone());
        }
        self.observations.count(|report| {
            report.commits += commits.len();
            report.joint_commits += usize::from(commits.len() > 1);
        });
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.record(at, commits.to_vec());
    }

    fn was_busy(&self) {
        self.observations.count(|report| report.conflicts += 1);
    }
}

impl PipelineLog {
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.effects().history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
