//! A domain with snapshots at the default distance, and a state as large as its first entry.

use ledgerfold::{Category, Command, CommandName, Decider, Snapshots, StreamId, events};
use ledgerfold_proofs::conformance::notebook::{self, FORBIDDEN, Refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug)]
pub(super) struct Diaries;

/// Adds these notes in one commit.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Note(pub(super) Vec<String>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Noted {
    text: String,
}

events! {
    pub(super) enum DiaryEvent {
        Noted: 1,
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Diary {
    first: String,
    pub(super) entries: usize,
}

impl Command for Note {
    fn name(&self) -> CommandName {
        CommandName::from_static("Note")
    }
}

impl Decider for Diaries {
    type Command = Note;
    type Event = DiaryEvent;
    type State = Diary;
    type Rejection = Refused;

    const CATEGORY: Category = Category::from_static("diary");

    fn initial() -> Diary {
        Diary::default()
    }

    fn evolve(diary: Diary, DiaryEvent::Noted(noted): &DiaryEvent) -> Diary {
        let first = if diary.entries == 0 { noted.text.clone() } else { diary.first };
        Diary { first, entries: diary.entries + 1 }
    }

    fn decide(_: &Diary, Note(texts): &Note) -> Result<Vec<DiaryEvent>, Refused> {
        if texts.iter().any(|text| text == FORBIDDEN) {
            return Err(Refused);
        }
        Ok(texts.iter().map(|text| Noted { text: text.clone() }.into()).collect())
    }

    fn snapshots() -> Option<Snapshots<Diary>> {
        Some(Snapshots::of::<Self>(1))
    }
}

/// A new diary.
pub(super) fn fresh() -> StreamId {
    StreamId::new(Diaries::CATEGORY, notebook::fresh().id().clone())
}
