use super::{Context, Loaded};
use crate::{
    CommandId, CommandName, Decider, EncodeError, EventId,
    ports::{Clock, Random},
    vocabulary::{CommandStamp, Fingerprint, Metadata, NewCommit},
};

/// Everything that the commits of one command record about it.
#[doc(hidden)]
pub struct Origin<'a> {
    pub(super) id: &'a CommandId,
    pub(super) name: CommandName,
    pub(super) fingerprint: Fingerprint,
    pub(super) context: &'a Context,
    pub(super) clock: &'a dyn Clock,
    pub(super) random: &'a dyn Random,
}

impl Origin<'_> {
    /// The commit that adds these events to a loaded stream.
    pub(super) fn commit<D: Decider>(
        &self,
        loaded: &Loaded<D>,
        events: &[D::Event],
    ) -> Result<NewCommit, EncodeError> {
        let now = self.clock.now();
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let new_id = || {
            let mut bytes = [0; 10];
            self.random.fill(&mut bytes);
            EventId::new(millis, &bytes)
        };
        let stamp = CommandStamp {
            id: self.id.clone(),
            name: self.name.clone(),
            fingerprint: self.fingerprint.clone(),
            siblings: Vec::new(),
        };
        let Context { actor, correlation_id, causation_id, traceparent } = self.context.clone();
        let metadata =
            Metadata { recorded_at: now, correlation_id, causation_id, actor, traceparent };
        loaded.commit(events, new_id, stamp, metadata)
    }
}
