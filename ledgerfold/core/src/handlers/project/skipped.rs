use std::collections::BTreeMap;

use super::ProjectError;
use crate::{
    Envelope, StreamId, Version,
    ports::{Skip, Skips},
};

/// The events of a stream that a fold leaves out: the fold could not apply them, and an operator has skipped them.
#[derive(Clone, Debug, Default)]
pub struct Skipped(BTreeMap<Version, Skip>);

impl Skipped {
    /// Folds. If an event cannot be applied and was skipped, folds again without it. If all events can be applied, this
    /// folds once and reads nothing.
    pub(crate) async fn fold<T>(
        &mut self,
        stream: &StreamId,
        skips: &dyn Skips,
        fold: impl Fn(&Self) -> Result<T, ProjectError>,
    ) -> Result<T, ProjectError> {
        loop {
            match fold(self) {
                Ok(folded) => return Ok(folded),
                Err(error) => self.learn(error, stream, skips).await?,
            }
        }
    }

    /// Adds the event that caused this error if it was skipped. Otherwise returns the error.
    pub(crate) async fn learn(
        &mut self,
        error: ProjectError,
        stream: &StreamId,
        skips: &dyn Skips,
    ) -> Result<(), ProjectError> {
        let unknown = error.version().filter(|version| !self.0.contains_key(version));
        let Some(version) = unknown.filter(|_| error.is_lasting()) else { return Err(error) };
        match skips.find(stream, version).await {
            Ok(Some(skip)) => {
                self.0.insert(version, skip);
                Ok(())
            }
            Ok(None) => Err(error),
            Err(source) => Err(ProjectError::SkipUnknown { cause: Box::new(error), source }),
        }
    }

    /// Applies one event to `state`. If a skipped event cannot be applied, the state does not change.
    pub(crate) fn apply<S: Clone>(
        &self,
        state: S,
        envelope: &Envelope,
        apply: impl FnOnce(S) -> Result<S, ProjectError>,
    ) -> Result<S, ProjectError> {
        // Only a skipped event needs the copy.
        let before = self.0.contains_key(&envelope.version).then(|| state.clone());
        match (apply(state), before) {
            (Err(_), Some(before)) => Ok(before),
            (applied, _) => applied,
        }
    }

    /// Whether this event is among them.
    pub(super) fn has(&self, version: Version) -> bool {
        self.0.contains_key(&version)
    }

    /// The skips, by version.
    pub(crate) fn into_skips(self) -> Vec<Skip> {
        self.0.into_values().collect()
    }
}
