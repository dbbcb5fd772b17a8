use super::{Position, ProjectError, Skipped, tail::Tail};
use crate::{
    Envelope, StreamId,
    ports::{Skips, Written},
};

/// The progress of a position through a tail.
pub(super) struct Step<'a> {
    stream: &'a StreamId,
    tail: &'a Tail,
    skips: &'a dyn Skips,
    skipped: Skipped,
}

impl<'a> Step<'a> {
    pub(super) fn new(stream: &'a StreamId, tail: &'a Tail, skips: &'a dyn Skips) -> Self {
        Self { stream, tail, skips, skipped: Skipped::default() }
    }

    /// Applies the events that the position does not have yet.
    pub(super) async fn take(
        &mut self,
        position: &mut dyn Position,
        events: &[Envelope],
    ) -> Result<Written, ProjectError> {
        loop {
            let known = events.partition_point(|event| event.version <= position.version());
            let (_, missing) = events.split_at(known);
            if missing.is_empty() {
                return Ok(Written::Done);
            }
            match position.advance(missing, &self.skipped).await {
                // A message may be wrong, so an event is only skipped as the log has it.
                Err(error) if self.tail.from_log => {
                    self.skipped.learn(error, self.stream, self.skips).await?;
                }
                outcome => return outcome,
            }
        }
    }
}
