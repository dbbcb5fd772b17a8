use crate::{
    CommandId, DecodeError, Decoded, Event, EventId, StreamId, Timestamp, Version,
    vocabulary::{CommitEvent, Metadata, panics::guarded},
};

/// One event on its way: its content with everything a consumer needs to place it.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The event itself.
    pub event: CommitEvent,
    /// The stream it happened in.
    pub stream: StreamId,
    /// Its version: its place in the stream.
    pub version: Version,
    /// The versions of the first and the last event of its commit, so that a consumer knows when it
    /// has seen the whole.
    pub commit: (Version, Version),
    /// The command that it answers.
    pub command_id: CommandId,
    /// The circumstances of its commit.
    pub metadata: Metadata,
}

impl Envelope {
    /// The event in its own type, with the parts of the envelope that a read model needs. If an upcaster made several
    /// events of it, all share its identity and its position. The envelope itself stays as it was stored.
    ///
    /// # Errors
    /// [`DecodeError`] if no such event is known here.
    pub fn open<E: Event>(&self) -> Result<Decoded<Recorded<E>>, DecodeError> {
        let CommitEvent { id, event_type, schema_version, data } = &self.event;
        let today = guarded(|| E::decode(event_type, *schema_version, data))??;
        Ok(today.map(|event| Recorded {
            event,
            id: *id,
            stream: self.stream.clone(),
            version: self.version,
            recorded_at: self.metadata.recorded_at,
        }))
    }
}

/// An event in its own type, as projections see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<E> {
    /// The event.
    pub event: E,
    /// Its identity, which events share that were upcast from one.
    pub id: EventId,
    /// Where.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}
