//! Two domains for what notebooks do not do: states in snapshots of any size, and content that is
//! stored to the letter.

use ledgerfold::{
    Category, Command, CommandName, Decider, DecodeError, EncodeError, Event, EventType, Payload,
    SchemaVersion, SnapshotPolicy, Snapshots,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::notebook::{Notebook, NotebookEvent, Refused, Write};

/// Notebooks that take a snapshot along as often as the core allows.
#[derive(Clone, Copy, Debug)]
pub struct Sketchbook;

/// The most that a sketchbook remembers of its newest note, in bytes: a snapshot of this and the
/// largest commit together stay below what the core promises to stores.
pub const REMEMBERED: usize = 78_000;

/// What a sketchbook remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sketch {
    /// How many notes there are.
    pub notes: u64,
    /// How the newest begins.
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
        let newest = note.text.chars().take(REMEMBERED).collect();
        Sketch { notes: sketch.notes + 1, newest }
    }

    fn decide(_: &Sketch, command: &Write) -> Result<Vec<NotebookEvent>, Refused> {
        Notebook::decide(&Vec::new(), command)
    }

    fn snapshots() -> Option<Snapshots<Sketch>> {
        Some(Snapshots::revision(1).every(SnapshotPolicy { events: 1, bytes: 1 }))
    }
}

/// A domain that keeps any JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Letters;

/// Keep this text.
#[derive(Clone, Debug, Serialize)]
pub struct Keep(pub Payload);

/// A text was kept.
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

    fn decode(_: &EventType, _: SchemaVersion, data: &Payload) -> Result<Self, DecodeError> {
        Ok(Self(data.clone()))
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
