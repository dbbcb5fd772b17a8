//! Reads the current state of streams of any domain, for a command that must know it before it knows its streams.

use std::sync::Arc;

use super::{LoadError, Loader};
use crate::{Decider, StreamId, Version, ports::EventReader};

/// Folds streams with their deciders. A read is strongly consistent and begins at the newest snapshot. Memory is bounded
/// by the state and one page of the log.
#[derive(Clone)]
pub struct StreamReader {
    log: Arc<dyn EventReader>,
}

/// The state of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentState<S> {
    /// The state.
    pub state: S,
    /// The version of the stream; [`Version::NONE`] if it has no events.
    pub version: Version,
}

impl StreamReader {
    /// A reader of this log.
    pub const fn new(log: Arc<dyn EventReader>) -> Self {
        Self { log }
    }

    /// The state at the end of a stream. A stream without events has the initial state.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn state<D: Decider>(
        &self,
        stream: &StreamId,
    ) -> Result<CurrentState<D::State>, LoadError> {
        let loaded = Loader::<D>::new().load(&*self.log, stream).await?;
        Ok(CurrentState { state: loaded.state().clone(), version: loaded.version() })
    }
}
