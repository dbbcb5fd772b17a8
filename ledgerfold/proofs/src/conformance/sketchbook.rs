//! Two domains for cases that notebooks do not cover: snapshots of any size, and content that must be stored
//! unchanged.

use ledgerfold::{
    Category, Command, CommandName, Decider, DecodeError, Decoded, EncodeError, Event, EventType,
    Payload, SchemaVersion, SnapshotPolicy, Snapshots, StreamId, command::Loaded,
    vocabulary::NewCommit,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::notebook::{Notebook, NotebookEvent, Refused, Write, commit, fresh};

/// Notebooks with a snapshot as often as the core allows.
#[derive(Clone, Copy, Debug)]
pub struct Sketchbook;

/// How many bytes of the newest note are in the state. A snapshot of this size and the largest commit together stay
/// below the limit of a store's item.
pub const REMEMBERED: usize = 78_000;

/// The state of a sketchbook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sketch {
    /// The number of notes.
    pub notes: u64,
    /// The newest note, cut to [`REMEMBERED`] bytes.
    pub newest: String,
}

impl Decider for Sketchbook {
    type Command = Write;
    type Event = NotebookEvent;
    type State = Sketch;
    type Rejection = Refused;

    const CATEGORY: Category = Notebook::CATEGORY;

    fn initial() -> Sketch {
        Sketch::default()
    }

    fn evolve(sketch: Sketch, event: &NotebookEvent) -> Sketch {
        let NotebookEvent::NoteWritten(note) = event;
        let newest = note.text.get(..REMEMBERED).unwrap_or(&note.text).to_owned();
        Sketch { notes: sketch.notes + 1, newest }
    }

    fn decide(_: &Sketch, command: &Write) -> Result<Vec<NotebookEvent>, Refused> {
        Notebook::decide(&Vec::new(), command)
    }

    fn snapshots() -> Option<Snapshots<Sketch>> {
        Some(Snapshots::of::<Self>(1).every(SnapshotPolicy { events: 1, bytes: 1 }))
    }
}

/// A domain that stores any JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Letters;

/// A new letter.
pub fn fresh_letter() -> StreamId {
    StreamId::new(Letters::CATEGORY, fresh().id().clone())
}

/// A text of this many bytes.
pub fn text_of(bytes: usize) -> Payload {
    let text = format!("\"{}\"", "x".repeat(bytes.saturating_sub(2)));
    Payload::from_text(text).expect("a quoted text is JSON")
}

/// The commit of these texts after the loaded stream. It neither parses nor digests them, so large texts are fast.
pub fn letter(head: &Loaded<Letters>, attempt: &str, texts: &[Payload]) -> NewCommit {
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

impl Decider for Letters {
    type Command = Keep;
    type Event = Kept;
    type State = ();
    type Rejection = Refused;

    const CATEGORY: Category = Category::from_static("letter");

    fn initial() {}

    fn evolve((): (), _: &Kept) {}

    fn decide((): &(), Keep(text): &Keep) -> Result<Vec<Kept>, Refused> {
        Ok(vec![Kept(text.clone())])
    }
}
