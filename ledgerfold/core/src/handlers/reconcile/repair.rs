use std::sync::Arc;

use crate::{
    StreamId, Version,
    ports::{EventReader, Quarantine, Skips, Written},
    project::{Comparison, ProjectError, ProjectorPorts, Updater, Verdict, Verifiable, release},
};

/// The number of attempts to overwrite a row while others keep changing it.
const ATTEMPTS: usize = 5;

/// The handling of a row that differs from the fold of its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDivergence {
    /// Report the row and leave it. A row is always written as a fold, so an operator should find out why it
    /// differs.
    #[default]
    Report,
    /// Replace the row with the fold. Counters are never overwritten.
    Overwrite,
}

/// Repairs a read model from the log.
#[derive(Clone)]
pub struct Repairer {
    model: Arc<dyn Verifiable>,
    log: Arc<dyn EventReader>,
    skips: Arc<dyn Skips>,
    updater: Updater,
    on_divergence: OnDivergence,
    lost_memos: LostMemos,
    quarantine: Option<Arc<dyn Quarantine>>,
}

/// The handling of a stream without a memo. If its messages were lost, it was never counted. If its memo was lost, it
/// was counted already, and a repair would count it twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostMemos {
    /// Report the stream and leave it.
    #[default]
    Leave,
    /// Count the stream. Use it if [`Counters`](super::Counters) shows that the counters lack it.
    Count,
}

/// The result for one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Repair {
    /// The stream.
    pub stream: StreamId,
    /// The comparison before the repair.
    pub before: Comparison,
    /// The effect.
    pub effect: Effect,
}

/// The effect of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// No effect, because the model was current.
    None,
    /// Missing events were folded in or counted.
    CaughtUp,
    /// The row was overwritten.
    Overwritten,
    /// No effect. An operator must look at the stream.
    Left,
}

impl Repairer {
    /// A repairer of this model. It updates the model in the same way as the projector.
    pub fn new(
        model: Arc<dyn Verifiable>,
        ports: ProjectorPorts,
        on_divergence: OnDivergence,
    ) -> Self {
        let ProjectorPorts { log, skips, .. } = ports.clone();
        let updater = Updater::new(model.clone(), ports);
        let lost_memos = LostMemos::default();
        Self { model, log, skips, updater, on_divergence, lost_memos, quarantine: None }
    }

    /// Also retries the streams in this quarantine.
    #[must_use]
    pub fn with_quarantine(self, quarantine: Arc<dyn Quarantine>) -> Self {
        Self { quarantine: Some(quarantine), ..self }
    }

    /// Sets the handling of streams without a memo.
    #[must_use]
    pub fn with_lost_memos(self, lost_memos: LostMemos) -> Self {
        Self { lost_memos, ..self }
    }

    /// Repairs one stream. An interrupted repair can be started again.
    ///
    /// # Errors
    /// [`ProjectError`] if the log or the read table fails, or others keep changing the stream.
    pub async fn repair(&self, stream: &StreamId) -> Result<Repair, ProjectError> {
        let comparison = self.model.compare(stream, &*self.log, &*self.skips).await?;
        let before = comparison.or_parked(stream, self.quarantine.as_deref()).await?;
        let effect = match before.verdict {
            Verdict::Current => Effect::None,
            Verdict::Lost if before.counted.is_some() && self.lost_memos == LostMemos::Leave => {
                Effect::Left
            }
            Verdict::Lost | Verdict::Behind => {
                self.catch_up_to(stream, before.head).await?;
                Effect::CaughtUp
            }
            Verdict::Parked(_) => self.retry_parked(stream).await?,
            Verdict::Diverged if self.on_divergence == OnDivergence::Overwrite => {
                self.overwrite(stream).await?
            }
            Verdict::Diverged | Verdict::Ahead | Verdict::Unreadable(_) => Effect::Left,
        };
        Ok(Repair { stream: stream.clone(), before, effect })
    }

    /// Updates a quarantined stream to its owed version, in the same way as the projector's retry. Projectors do not
    /// count a quarantined stream. So if a tally has no memo of it, the stream was never counted, and can be counted
    /// now.
    async fn retry_parked(&self, stream: &StreamId) -> Result<Effect, ProjectError> {
        let Some(quarantine) = &self.quarantine else { return Ok(Effect::Left) };
        // A projector may have released the stream since the comparison.
        let owed =
            quarantine.get(stream).await?.map_or(Version::NONE, |parked| parked.owed_version);
        match self.catch_up_to(stream, owed).await {
            Ok(()) => Ok(Effect::CaughtUp),
            Err(error) if error.is_lasting() => Ok(Effect::Left),
            Err(error) => Err(error),
        }
    }

    /// Updates the stream, and releases it from the quarantine.
    async fn catch_up_to(&self, stream: &StreamId, version: Version) -> Result<(), ProjectError> {
        let reached = self.updater.catch_up_to(stream, version).await?;
        if let Some(quarantine) = &self.quarantine {
            release(&**quarantine, stream, reached).await;
        }
        Ok(())
    }

    async fn overwrite(&self, stream: &StreamId) -> Result<Effect, ProjectError> {
        for _ in 0..ATTEMPTS {
            match self.model.overwrite(stream, &*self.log, &*self.skips).await? {
                None => return Ok(Effect::Left),
                Some(Written::Done) => return Ok(Effect::Overwritten),
                Some(Written::Superseded) => {}
            }
        }
        Err(ProjectError::Contention(stream.clone()))
    }
}
