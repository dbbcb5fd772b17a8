//! Notebooks, a small domain for tests: notes are added to a notebook.

use std::sync::atomic::{AtomicU64, Ordering};

use ledgerfold::{
    Actor, Category, CausationId, Command, CommandId, CommandName, CorrelationId, Decider,
    EntityId, EventId, Rejection, StreamId, Timestamp, Traceparent,
    command::{CommandRequest, Context, Loaded},
    events,
    vocabulary::{CommandStamp, Fingerprint, Metadata, NewCommit},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The domain.
#[derive(Clone, Copy, Debug)]
pub struct Notebook;

/// Writes these notes in one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Write(pub Vec<String>);

/// A note was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoteWritten {
    /// The text of the note.
    pub text: String,
}

events! {
    /// The events of a notebook.
    pub enum NotebookEvent {
        NoteWritten: 1,
    }
}

/// The note that a notebook refuses.
pub const FORBIDDEN: &str = "forbidden";

/// A notebook refuses [`FORBIDDEN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this note is forbidden")]
pub struct Refused;

impl Rejection for Refused {
    fn rule(&self) -> &'static str {
        "forbidden-note"
    }
}

impl Command for Write {
    fn name(&self) -> CommandName {
        CommandName::from_static("Write")
    }
}

impl Decider for Notebook {
    type Command = Write;
    type Event = NotebookEvent;
    type State = Vec<String>;
    type Rejection = Refused;

    const CATEGORY: Category = Category::from_static("notebook");

    fn initial() -> Vec<String> {
        Vec::new()
    }

    fn evolve(mut notes: Vec<String>, event: &NotebookEvent) -> Vec<String> {
        let NotebookEvent::NoteWritten(note) = event;
        notes.push(note.text.clone());
        notes
    }

    fn decide(_: &Vec<String>, Write(notes): &Write) -> Result<Vec<NotebookEvent>, Refused> {
        if notes.iter().any(|text| text == FORBIDDEN) {
            return Err(Refused);
        }
        Ok(notes.iter().map(|text| NoteWritten { text: text.clone() }.into()).collect())
    }
}

/// A new notebook.
pub fn fresh() -> StreamId {
    let id = EntityId::new(Uuid::new_v4().to_string()).expect("a UUID is an id");
    StreamId::new(Notebook::CATEGORY, id)
}

/// The request to write these notes. Its command id is the name of the attempt.
pub fn write(stream: &StreamId, attempt: &str, notes: &[&str]) -> CommandRequest<Write> {
    let id = CommandId::new(attempt).expect("an attempt's name is visible ASCII");
    let command = Write(notes.iter().map(ToString::to_string).collect());
    let context =
        Context { actor: Actor::new("tester").expect("visible ASCII"), ..Context::of(&id) };
    CommandRequest::new(stream.clone(), command, id).in_context(context)
}

/// The commit of these notes after the loaded stream, recorded `second` seconds after the start of 1970. All fields of
/// its metadata are in use.
pub fn commit(loaded: &Loaded<Notebook>, attempt: &str, notes: &[&str], second: i64) -> NewCommit {
    let events: Vec<_> =
        notes.iter().map(|text| NoteWritten { text: (*text).to_owned() }.into()).collect();
    let command = Write(notes.iter().map(ToString::to_string).collect());
    let stamp = CommandStamp {
        id: CommandId::new(attempt).expect("visible ASCII"),
        name: command.name(),
        fingerprint: Fingerprint::of(&command, std::slice::from_ref(loaded.stream()))
            .expect("a list of texts is JSON"),
        siblings: Vec::new(),
    };
    let metadata = Metadata {
        recorded_at: Timestamp::from_second(second).expect("a second of our era"),
        correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
        causation_id: CausationId::new("event-7").expect("visible ASCII"),
        actor: Actor::new("tester").expect("visible ASCII"),
        traceparent: Some(
            Traceparent::new("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                .expect("the example of W3C Trace Context"),
        ),
    };
    loaded.commit(&events, new_id, stamp, metadata).expect("notes are JSON")
}

fn new_id() -> EventId {
    // Atomic, because tests run concurrently and every id must be new.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut random = [0; 10];
    random[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    EventId::new(0, &random)
}
