use super::{Context, Loaded};
use crate::{
    Actor, CommandId, CommandName, Decider, DecisionContext, EncodeError, EventId, Timestamp,
    ports::{Clock, Random},
    vocabulary::{CommandStamp, Fingerprint, Metadata, NewCommit},
};

/// Everything that the commits of one command record about it.
#[doc(hidden)]
pub struct Origin<'a> {
    pub(super) id: &'a CommandId,
    pub(super) name: CommandName,
    pub(super) fingerprint: Fingerprint,
    /// Whether the command has personal data: see [`Command::SEALS`](crate::Command::SEALS).
    pub(super) seals: bool,
    pub(super) context: &'a Context,
    pub(super) clock: &'a dyn Clock,
    pub(super) random: &'a dyn Random,
}

impl Origin<'_> {
    /// The context of a decision that is made now.
    pub(super) fn now(&self) -> DecisionContext<'_> {
        DecisionContext { at: self.clock.now(), caller: &self.context.caller }
    }

    /// The commit that adds these events to a loaded stream.
    pub(super) fn commit<D: Decider>(
        &self,
        loaded: &Loaded<D>,
        events: &[D::Event],
        decided_at: Timestamp,
    ) -> Result<NewCommit, EncodeError> {
        let millis = u64::try_from(decided_at.as_millisecond()).unwrap_or_default();
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
        let Context { caller, correlation_id, causation_id, traceparent } = self.context.clone();
        let metadata = Metadata {
            recorded_at: decided_at,
            correlation_id,
            causation_id,
            actor: Actor::from(&caller.subject),
            traceparent,
        };
        loaded.commit(events, new_id, stamp, metadata)
    }
}
