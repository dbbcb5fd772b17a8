//! Accounts whose events are any JSON text, for content that a store must not change.

use ledgerfold::{
    Category, Command, CommandName, Decider, DecisionContext, DecodeError, Decoded, EncodeError,
    Event, EventType, Payload, SchemaVersion, command::Loaded, vocabulary::NewCommit,
};
use ledgerfold_testkit::bank::{AccountRejection, Accounts};
use serde::Serialize;

use super::requests::{commit, fresh};

/// Accounts whose events are any JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Verbatim;

/// A text of this many bytes.
pub fn text_of(bytes: usize) -> Payload {
    let text = format!("\"{}\"", "x".repeat(bytes.saturating_sub(2)));
    Payload::from_text(text).expect("a quoted text is JSON")
}

/// The commit of these texts after the loaded stream. It neither parses nor digests them, so large texts are fast.
pub fn verbatim(head: &Loaded<Verbatim>, attempt: &str, texts: &[Payload]) -> NewCommit {
    let like = commit(&Loaded::unread(fresh()), attempt, &vec!["note"; texts.len()], 60);
    let like = like.as_commit();
    let mut ids = like.events().map(|(_, event)| event.id);
    let id = || ids.next().expect("there is one note per text");
    let command = like.command().clone();
    let metadata = like.metadata().clone();
    let kept: Vec<_> = texts.iter().cloned().map(Kept).collect();
    head.commit(&kept, id, command, metadata).expect("a payload is valid JSON")
}

/// Stores this text.
#[derive(Clone, Debug, Serialize)]
pub struct Keep(pub Payload);

/// A text was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept(pub Payload);

impl Command for Keep {
    fn name(&self) -> CommandName {
        CommandName::from_static("Keep")
    }
}

impl Event for Kept {
    fn event_type(&self) -> EventType {
        EventType::of_type("Kept")
    }

    fn schema_version(&self) -> SchemaVersion {
        SchemaVersion::new(7)
    }

    fn encode(&self) -> Result<Payload, EncodeError> {
        Ok(self.0.clone())
    }

    fn decode(
        _: &EventType,
        _: SchemaVersion,
        data: &Payload,
    ) -> Result<Decoded<Self>, DecodeError> {
        Ok(Self(data.clone()).into())
    }
}

impl Decider for Verbatim {
    type Command = Keep;
    type Event = Kept;
    type State = ();
    type Rejection = AccountRejection;

    const CATEGORY: Category = <Accounts>::CATEGORY;

    fn initial() {}

    fn evolve((): (), _: &Kept) {}

    fn decide(
        (): &(),
        Keep(text): &Keep,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<Kept>, AccountRejection> {
        Ok(vec![Kept(text.clone())])
    }
}
