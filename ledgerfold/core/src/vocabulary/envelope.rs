use crate::{
    CommandId, DecodeError, Decoded, Event, EventId, StreamId, Timestamp, Version,
    vocabulary::{CommitEvent, Form, Metadata, NoPublicForm, PublicForm, panics::guarded},
};

/// A published event: its content, its place in the log and its circumstances.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The event itself.
    pub event: CommitEvent,
    /// The form of the event.
    pub form: Form,
    /// The event's stream.
    pub stream: StreamId,
    /// The event's version: its position in the stream.
    pub version: Version,
    /// The versions of the first and the last event of its commit. A consumer sees by them whether it has the
    /// whole commit.
    pub commit: (Version, Version),
    /// The command that caused the event.
    pub command_id: CommandId,
    /// The circumstances of the commit.
    pub metadata: Metadata,
}

impl Envelope {
    /// Decodes the event, and adds the parts of the envelope that a read model needs. If an upcaster makes several
    /// events of it, all of them have its id and its version. A reader in another context gets the public form, or no
    /// event if there is none. The envelope itself is not changed.
    ///
    /// # Errors
    /// [`DecodeError`] if the type or version is unknown, or the content does not have the type's shape.
    pub fn open<E: Event>(&self) -> Result<Decoded<Recorded<E>>, DecodeError> {
        match self.form {
            Form::Private | Form::Public => self.decode(&self.event),
            Form::ReadAs(form) => match form.of(&self.event).map_err(Box::new)? {
                Some(public) => self.decode(&public),
                None => Ok(Decoded::nothing()),
            },
        }
    }

    /// The envelope with the public form of its event, or `None` if other contexts must not see the event.
    ///
    /// # Errors
    /// [`NoPublicForm`].
    pub fn published_as(&self, form: PublicForm) -> Result<Option<Self>, NoPublicForm> {
        let public = form.of(&self.event)?;
        Ok(public.map(|event| Self { event, form: Form::Public, ..self.clone() }))
    }

    /// Whether the reader is in another context, and must not see the event.
    pub(crate) fn is_hidden(&self) -> bool {
        matches!(self.form, Form::ReadAs(form) if matches!(form.of(&self.event), Ok(None)))
    }

    fn decode<E: Event>(&self, event: &CommitEvent) -> Result<Decoded<Recorded<E>>, DecodeError> {
        let CommitEvent { id, event_type, schema_version, data } = event;
        let decoded = guarded(|| E::decode(event_type, *schema_version, data))??;
        Ok(decoded.map(|event| Recorded {
            event,
            id: *id,
            stream: self.stream.clone(),
            version: self.version,
            recorded_at: self.metadata.recorded_at,
        }))
    }
}

/// A decoded event, as projections get it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<E> {
    /// The event.
    pub event: E,
    /// The event's id. Events that were upcast from one stored event share it.
    pub id: EventId,
    /// The event's stream.
    pub stream: StreamId,
    /// The event's position in the stream.
    pub version: Version,
    /// The time of its commit.
    pub recorded_at: Timestamp,
}
