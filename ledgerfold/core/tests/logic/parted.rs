//! Parted read models: an event takes effect exactly once in each part, in any order, and across failures between two
//! writes.

use std::sync::Arc;

use ledgerfold::{
    Envelope, Payload, Recorded, StreamId, Version,
    ports::{PartKey, PartRange, PartReader, StoredPart},
    project::{Comparison, Parted, PartedModel, Projector, ProjectorPorts, Verdict, Verifiable},
    query::{PartPage, fresh_parts},
    reconcile::{Effect, OnDivergence, Repairer},
    vocabulary::ConsistencyToken,
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::{MemoryPartStore, SeededRandom, bank::NoteEvent};

use crate::note_models::{UNPLACEABLE, World, deliveries};

/// The notes of an account by the letters that occur in them. A note changes a part for each of its letters.
struct Letters;

const GROUP: &str = "letters";

fn key(letter: char) -> PartKey {
    PartKey::new(GROUP, letter).expect("a key")
}

impl Parted for Letters {
    type Event = NoteEvent;
    type Part = Vec<String>;
    type Change = String;

    fn changes(event: &Recorded<NoteEvent>) -> Result<Vec<(PartKey, String)>, String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        if note.text == UNPLACEABLE {
            return Err("it has no place".to_owned());
        }
        let mut letters: Vec<_> = note.text.chars().collect();
        letters.sort_unstable();
        letters.dedup();
        Ok(letters.into_iter().map(|letter| (key(letter), note.text.clone())).collect())
    }

    fn apply(part: Option<Vec<String>>, change: &String) -> Result<Option<Vec<String>>, String> {
        let mut notes = part.unwrap_or_default();
        notes.push(change.clone());
        Ok(Some(notes))
    }
}

/// A world with parts.
struct Stage {
    world: World,
    parts: Arc<MemoryPartStore>,
}

impl Stage {
    async fn with(notes: &[&str]) -> (Self, StreamId) {
        let stage = Self { world: World::new(), parts: Arc::default() };
        let stream = fresh();
        stage.write(&stream, notes).await;
        (stage, stream)
    }

    /// Commits each note on its own.
    async fn write(&self, stream: &StreamId, notes: &[&str]) {
        for note in notes {
            let attempt = format!("{}", self.world.envelopes().len());
            self.world.write(stream, &attempt, &[note]).await.expect("the note is accepted");
        }
    }

    fn model(&self) -> Arc<PartedModel<Letters>> {
        Arc::new(PartedModel::<Letters>::new(self.parts.clone()))
    }

    fn projector(&self) -> Projector {
        let parked = self.world.parked_notes.clone();
        self.world.projector(self.model(), parked.clone()).with_quarantine(parked)
    }

    async fn project(&self, events: impl IntoIterator<Item = Envelope>) -> usize {
        self.projector().project(deliveries(events)).await.len()
    }

    /// All parts as their fold, with the version of the last event that changed each.
    async fn check(&self, stream: &StreamId) {
        let mut expected = std::collections::BTreeMap::<char, (Version, Vec<String>)>::new();
        let events = self.world.envelopes().into_iter().filter(|it| it.stream == *stream);
        for event in events {
            let NoteEvent::NoteWritten(note) =
                event.open::<NoteEvent>().expect("a note").into_iter().next().expect("one").event;
            for letter in note.text.chars().collect::<std::collections::BTreeSet<_>>() {
                let (version, notes) =
                    expected.entry(letter).or_insert((Version::NONE, Vec::new()));
                *version = event.version;
                notes.push(note.text.clone());
            }
        }
        let stored = self.parts.all().into_iter().filter(|part| part.stream == *stream);
        let stored: Vec<_> = stored
            .map(|part| {
                let letter = part.key.order.as_str().chars().next().expect("a letter");
                let notes = part.body.expect("it has content").decode().expect("texts");
                (letter, (part.version, notes))
            })
            .collect();
        assert_eq!(stored, expected.into_iter().collect::<Vec<_>>());
    }

    async fn compare(&self, stream: &StreamId) -> Comparison {
        let skips = self.world.parked_notes.clone();
        let compared = self.model().compare(stream, &*self.world.log, &*skips).await;
        compared.expect("everything can be read")
    }

    async fn fresh(&self, stream: &StreamId, version: u64, limit: usize) -> PartPage<Vec<String>> {
        let range = PartRange {
            tenant: stream.tenant().clone(),
            group: GROUP.parse().expect("a group"),
            first: "a".parse().expect("an order"),
            last: "z".parse().expect("an order"),
            limit,
        };
        let token = ConsistencyToken { stream: stream.clone(), version: Version::new(version) };
        let skips = self.world.parked_notes.clone();
        fresh_parts::<Letters>(&*self.parts, &*self.world.log, &*skips, &range, Some(&token))
            .await
            .expect("everything can be read")
    }
}

fn shown(page: &PartPage<Vec<String>>) -> Vec<(String, Vec<String>)> {
    let parts = page.parts.iter();
    parts.map(|part| (part.order.to_string(), part.part.clone())).collect()
}

// Guards: a-part-is-the-fold-of-its-stream
#[tokio::test]
async fn each_event_is_applied_once_in_any_order_of_its_messages() {
    let random = SeededRandom::new(3);
    let draw = |below: usize| usize::try_from(random_below(&random, below)).expect("it is small");
    for _ in 0..50 {
        let (stage, stream) = Stage::with(&["ab", "bc", "a", "cab", "b"]).await;
        let other = fresh();
        stage.write(&other, &["b", "xb"]).await;
        let mut events = stage.world.envelopes();
        events.extend(stage.world.envelopes());
        while !events.is_empty() {
            let batch = (0..=draw(3)).filter_map(|_| match events.len() {
                0 => None,
                left => Some(events.swap_remove(draw(left))),
            });
            let batch: Vec<_> = batch.collect();
            assert_eq!(stage.project(batch).await, 0);
        }
        for stream in [&stream, &other] {
            stage.check(stream).await;
            assert_eq!(stage.compare(stream).await.verdict, Verdict::Current);
        }
    }
}

fn random_below(random: &SeededRandom, below: usize) -> u64 {
    use ledgerfold::ports::Random;
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % u64::try_from(below.max(1)).expect("it is small")
}

// Guards: a-part-is-the-fold-of-its-stream
#[tokio::test]
async fn a_projector_that_dies_between_two_writes_loses_and_repeats_nothing() {
    for writes in 0..12 {
        let (stage, stream) = Stage::with(&["ab", "bc", "cab"]).await;
        stage.parts.fail_after(writes);
        stage.project(stage.world.envelopes()).await;
        stage.parts.fail_after(None);
        stage.write(&stream, &["ad"]).await;
        let verdict = stage.compare(&stream).await.verdict;
        assert!(matches!(verdict, Verdict::Lost | Verdict::Behind), "{writes}: {verdict:?}");
        assert_eq!(shown(&stage.fresh(&stream, 4, 100).await).len(), 4, "after {writes} writes");
        assert_eq!(stage.project(stage.world.envelopes()).await, 0);
        stage.check(&stream).await;
        assert_eq!(stage.compare(&stream).await.verdict, Verdict::Current);
    }
}

#[tokio::test]
async fn a_reader_with_a_token_sees_its_events_and_each_once() {
    let (stage, stream) = Stage::with(&["ab", "bc"]).await;
    let expected = shown(&stage.fresh(&stream, 2, 100).await);
    let texts = |notes: &[&str]| notes.iter().map(|note| (*note).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        expected,
        [
            ("a".to_owned(), texts(&["ab"])),
            ("b".to_owned(), texts(&["ab", "bc"])),
            ("c".to_owned(), texts(&["bc"])),
        ]
    );
    let events = stage.world.envelopes();
    assert_eq!(stage.project(events.iter().take(1).cloned()).await, 0);
    assert_eq!(shown(&stage.fresh(&stream, 2, 100).await), expected, "half of it from the log");
    assert_eq!(stage.project(events).await, 0);
    assert_eq!(shown(&stage.fresh(&stream, 2, 100).await), expected, "all of it from the parts");
}

#[tokio::test]
async fn pages_have_every_part_once_also_while_the_model_lags() {
    let (stage, stream) = Stage::with(&["aceg"]).await;
    assert_eq!(stage.project(stage.world.envelopes()).await, 0);
    stage.write(&stream, &["abcdefgh"]).await;
    let mut orders = Vec::new();
    let mut first = "a".to_owned();
    loop {
        let range = PartRange {
            tenant: stream.tenant().clone(),
            group: GROUP.parse().expect("a group"),
            first: first.parse().expect("an order"),
            last: "z".parse().expect("an order"),
            limit: 2,
        };
        let token = ConsistencyToken { stream: stream.clone(), version: Version::new(2) };
        let skips = stage.world.parked_notes.clone();
        let page =
            fresh_parts::<Letters>(&*stage.parts, &*stage.world.log, &*skips, &range, Some(&token));
        let page = page.await.expect("everything can be read");
        let again = usize::from(!orders.is_empty());
        orders.extend(page.parts.iter().skip(again).map(|part| part.order.to_string()));
        match page.next {
            Some(next) => first = next.to_string(),
            None => break,
        }
    }
    assert_eq!(orders.concat(), "abcdefgh");
}

#[tokio::test]
async fn an_event_that_cannot_be_applied_parks_its_stream_only() {
    let (stage, stream) = Stage::with(&["a", UNPLACEABLE, "b"]).await;
    let other = fresh();
    stage.write(&other, &["c"]).await;
    assert_eq!(stage.project(stage.world.envelopes()).await, 0);
    let letters: String = stage.parts.all().iter().map(|part| part.key.order.as_str()).collect();
    assert_eq!(letters, "ac", "the event before it, and the other stream");
    assert!(matches!(stage.compare(&stream).await.verdict, Verdict::Unreadable(_)));
    assert_eq!(stage.compare(&other).await.verdict, Verdict::Current);
}

// Guards: a-part-is-the-fold-of-its-stream
#[tokio::test]
async fn wrong_and_lost_parts_are_found_and_overwritten() {
    let (stage, stream) = Stage::with(&["ab", "bc"]).await;
    assert_eq!(stage.project(stage.world.envelopes()).await, 0);
    let wrong = StoredPart {
        stream: stream.clone(),
        key: key('b'),
        version: Version::new(2),
        body: Some(Payload::encode(&vec!["other".to_owned()]).expect("a text is JSON")),
    };
    let late = StoredPart { version: Version::new(1), ..wrong.clone() };
    for damage in [Some(wrong), Some(late), None] {
        match damage {
            Some(part) => stage.parts.damage(part),
            None => stage.parts.lose(&stream, &key('c')),
        }
        assert_eq!(stage.compare(&stream).await.verdict, Verdict::Diverged);
        let ports = ProjectorPorts {
            log: stage.world.log.clone(),
            skips: stage.world.parked_notes.clone(),
            clock: stage.world.clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
        };
        let repairer = Repairer::new(stage.model(), ports, OnDivergence::Overwrite);
        let repaired = repairer.repair(&stream).await.expect("it can be repaired");
        assert_eq!(repaired.effect, Effect::Overwritten);
        assert_eq!(stage.compare(&stream).await.verdict, Verdict::Current);
        stage.check(&stream).await;
    }
}

#[tokio::test]
async fn a_commit_with_more_parts_than_a_step_is_applied_whole() {
    let many: String = ('\u{21}'..'\u{7f}').collect();
    let (stage, stream) = Stage::with(&[&many, "ab", &many]).await;
    assert_eq!(stage.project(stage.world.envelopes()).await, 0);
    stage.check(&stream).await;
    let position = stage.parts.position(&stream).await.expect("it can be read");
    assert_eq!(position, Version::new(3));
}
