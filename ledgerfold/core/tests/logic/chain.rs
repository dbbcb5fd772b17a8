//! Tests of the verification of hash chains, on logs that were damaged on purpose.
//!
//! Guards: a-changed-history-shows

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Actor, CausationId, CommandId, CommandName, CorrelationId, EventId, EventType, Payload,
    SchemaVersion, StreamId, Timestamp, Version,
    chain::{ChainVerifier, Fault, Finding},
    command::Loaded,
    ports::{CommitPage, EventReader, Span, StoreError},
    vocabulary::{
        CommandStamp, Commit, CommitEvent, CommitHash, CommitRef, Fingerprint, Metadata, Snapshot,
    },
};
use ledgerfold_proofs::conformance::requests::{commit, fresh};
use ledgerfold_testkit::MemoryEventStore;

/// The parts of a commit, so that a test can change each of them.
#[derive(Clone)]
struct Parts {
    stream: StreamId,
    from: Version,
    events: Vec<CommitEvent>,
    command: CommandStamp,
    metadata: Metadata,
    hash: CommitHash,
}

impl Parts {
    fn of(commit: &Commit) -> Self {
        Self {
            stream: commit.stream().clone(),
            from: commit.from(),
            events: commit.events().map(|(_, event)| event.clone()).collect(),
            command: commit.command().clone(),
            metadata: commit.metadata().clone(),
            hash: commit.hash(),
        }
    }

    fn restore(self) -> Commit {
        let Self { stream, from, events, command, metadata, hash } = self;
        let versions = (from, from.advance(events.len() - 1));
        Commit::restore(stream, versions, events, command, metadata, hash).expect("it adds up")
    }
}

/// A stream of six commits with two events each. The fourth has siblings.
async fn history() -> Vec<Commit> {
    let log = MemoryEventStore::default();
    let stream = fresh();
    let nobody = CommandId::new("nobody").expect("visible ASCII");
    let mut loaded = Loaded::unread(stream);
    let mut previous = None;
    for attempt in ["a", "b", "c", "d", "e", "f"] {
        let new = commit(&loaded, attempt, &["one", "two"], 60);
        let mut parts = Parts::of(new.as_commit());
        if attempt == "d" {
            let stream = fresh();
            parts.command.siblings = vec![CommitRef { stream, from: Version::new(7) }];
            parts.hash = CommitHash::of(&parts.clone().restore(), previous);
        }
        let stored = parts.restore();
        previous = Some(stored.hash());
        log.overwrite(&stored);
        loaded.read_on(&log, &nobody).await.expect("it can be read");
    }
    log.commits()
}

/// Verifies the stream of the first commit.
async fn verify(commits: &[Commit]) -> Vec<Finding> {
    let log = MemoryEventStore::with_pages_of(2);
    commits.iter().for_each(|commit| log.overwrite(commit));
    verify_log(Arc::new(log), commits[0].stream()).await
}

async fn verify_log(log: Arc<dyn EventReader>, stream: &StreamId) -> Vec<Finding> {
    let mut walk = ChainVerifier::new(log).walk(stream.clone());
    let mut all = Vec::new();
    while let Some(findings) = walk.next().await.expect("the log answers") {
        all.extend(findings);
    }
    all
}

/// The findings, as the version and the command of each.
fn places(findings: &[Finding], fault: &Fault) -> Vec<(u64, String)> {
    let place = |found: &Finding| {
        assert_eq!(&found.fault, fault, "{found:?}");
        let command = found.command.as_ref().map_or_else(String::new, ToString::to_string);
        (found.version.get(), command)
    };
    findings.iter().map(place).collect()
}

#[tokio::test]
async fn an_untouched_history_has_no_finding_and_a_known_head() {
    let commits = history().await;
    assert_eq!(verify(&commits).await, []);

    let log = MemoryEventStore::with_pages_of(2);
    commits.iter().for_each(|commit| log.overwrite(commit));
    let mut walk = ChainVerifier::new(Arc::new(log)).walk(commits[0].stream().clone());
    assert_eq!(walk.head(), None);
    while walk.next().await.expect("the log answers").is_some() {}
    assert_eq!(walk.head(), Some((Version::new(12), commits[5].hash())));
    assert_eq!(walk.commits(), 6);
}

#[tokio::test]
async fn a_stream_that_does_not_exist_has_no_finding() {
    let log = Arc::new(MemoryEventStore::default());
    assert_eq!(verify_log(log, &fresh()).await, []);
}

type Edit = (&'static str, fn(&mut Parts));

/// An edit of every field that the hash covers. The patterns fail to compile when a type gets another field.
fn edits() -> Vec<Edit> {
    fn event(parts: &mut Parts) -> &mut CommitEvent {
        let CommitEvent { id: _, event_type: _, schema_version: _, data: _ } = &parts.events[1];
        &mut parts.events[1]
    }
    fn command(parts: &mut Parts) -> &mut CommandStamp {
        let CommandStamp { id: _, name: _, fingerprint: _, siblings } = &parts.command;
        let [CommitRef { stream: _, from: _ }] = &siblings[..] else { unreachable!("one sibling") };
        &mut parts.command
    }
    fn metadata(parts: &mut Parts) -> &mut Metadata {
        let Metadata {
            recorded_at: _,
            correlation_id: _,
            causation_id: _,
            actor: _,
            traceparent: _,
        } = &parts.metadata;
        &mut parts.metadata
    }
    vec![
        ("event id", |it| event(it).id = EventId::new(9, &[9; 10])),
        ("event type", |it| event(it).event_type = EventType::new("NoteBurnt").expect("a type")),
        ("schema version", |it| event(it).schema_version = SchemaVersion::new(2)),
        ("data", |it| {
            event(it).data = Payload::from_text(r#"{"text":"tww"}"#.to_owned()).expect("JSON");
        }),
        ("spaces in data", |it| {
            event(it).data = Payload::from_text(r#"{"text": "two"}"#.to_owned()).expect("JSON");
        }),
        ("order of events", |it| it.events.reverse()),
        ("an event less", |it| it.events.truncate(1)),
        ("command id", |it| command(it).id = CommandId::new("d2").expect("an id")),
        ("command name", |it| command(it).name = CommandName::from_static("Other")),
        ("fingerprint", |it| command(it).fingerprint = Fingerprint::restore("1other")),
        ("no sibling", |it| command(it).siblings.clear()),
        ("stream of a sibling", |it| command(it).siblings[0].stream = fresh()),
        ("version of a sibling", |it| command(it).siblings[0].from = Version::new(8)),
        ("time", |it| metadata(it).recorded_at = Timestamp::from_second(61).expect("an instant")),
        ("time by a nanosecond", |it| {
            metadata(it).recorded_at = Timestamp::new(60, 1).expect("an instant");
        }),
        ("correlation id", |it| {
            metadata(it).correlation_id = CorrelationId::new("other").expect("an id");
        }),
        ("causation id", |it| {
            metadata(it).causation_id = CausationId::new("other").expect("an id");
        }),
        ("actor", |it| metadata(it).actor = Actor::new("other").expect("an actor")),
        ("no traceparent", |it| metadata(it).traceparent = None),
        ("traceparent", |it| {
            let other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
            metadata(it).traceparent = Some(other.parse().expect("a traceparent"));
        }),
        ("hash", |it| it.hash = CommitHash::restore(&[7; 32]).expect("32 bytes")),
    ]
}

#[tokio::test]
async fn every_edit_of_a_commit_is_found_and_named_once() {
    let commits = history().await;
    for (name, edit) in edits() {
        let mut parts = Parts::of(&commits[3]);
        edit(&mut parts);
        let edited = parts.restore();
        let mut damaged = commits.clone();
        let command = edited.command().id.to_string();
        damaged[3] = edited;
        let found = places(&verify(&damaged).await, &Fault::Edited);
        assert_eq!(found, [(7, command)], "{name}");
    }
}

#[tokio::test]
async fn the_first_and_the_newest_commit_are_verified_too() {
    let commits = history().await;
    for at in [0, 5] {
        let mut parts = Parts::of(&commits[at]);
        parts.metadata.actor = Actor::new("other").expect("an actor");
        let mut damaged = commits.clone();
        damaged[at] = parts.restore();
        let found = places(&verify(&damaged).await, &Fault::Edited);
        let version = commits[at].from().get();
        let command = commits[at].command().id.to_string();
        assert_eq!(found, [(version, command)]);
    }
}

#[tokio::test]
async fn two_edits_are_two_findings() {
    let commits = history().await;
    let mut damaged = commits.clone();
    for at in [1, 2, 5] {
        let mut parts = Parts::of(&commits[at]);
        parts.command.name = CommandName::from_static("Other");
        damaged[at] = parts.restore();
    }
    let found = places(&verify(&damaged).await, &Fault::Edited);
    assert_eq!(found, [(3, "b".to_owned()), (5, "c".to_owned()), (11, "f".to_owned())]);
}

#[tokio::test]
async fn an_edit_with_a_new_hash_shows_at_the_next_commit() {
    let commits = history().await;
    let mut parts = Parts::of(&commits[2]);
    parts.metadata.actor = Actor::new("other").expect("an actor");
    parts.hash = CommitHash::of(&parts.clone().restore(), Some(commits[1].hash()));
    let mut damaged = commits.clone();
    damaged[2] = parts.restore();
    let found = places(&verify(&damaged).await, &Fault::Edited);
    assert_eq!(found, [(7, "d".to_owned())]);
}

#[tokio::test]
async fn removed_commits_are_missing() {
    for (removed, from, next, command) in [(0..1, 1, 3, "b"), (2..3, 5, 7, "d"), (1..4, 3, 9, "e")]
    {
        let mut damaged = history().await;
        damaged.drain(removed);
        let missing = Fault::Missing { from: Version::new(from) };
        let found = places(&verify(&damaged).await, &missing);
        assert_eq!(found, [(next, command.to_owned())]);
    }
    let mut cut = history().await;
    cut.truncate(4);
    assert_eq!(verify(&cut).await, [], "the chain does not show a removed end");
}

/// Stores the commit in the place of another.
fn moved(commit: &Commit, to: &Commit) -> Commit {
    Parts { stream: to.stream().clone(), from: to.from(), ..Parts::of(commit) }.restore()
}

#[tokio::test]
async fn swapped_commits_are_found_in_both_places() {
    let commits = history().await;
    for (one, other) in [(1, 2), (1, 4), (0, 5)] {
        let mut damaged = commits.clone();
        damaged[one] = moved(&commits[other], &commits[one]);
        damaged[other] = moved(&commits[one], &commits[other]);
        let found = places(&verify(&damaged).await, &Fault::Edited);
        for at in [one, other] {
            let place = (damaged[at].from().get(), damaged[at].command().id.to_string());
            assert!(found.contains(&place), "{place:?} is not in {found:?}");
        }
    }
}

#[tokio::test]
async fn a_commit_of_another_stream_is_found() {
    let commits = history().await;
    let others = history().await;
    let mut damaged = commits.clone();
    damaged[2] = moved(&others[2], &commits[2]);
    let found = places(&verify(&damaged).await, &Fault::Edited);
    assert_eq!(found, [(5, "c".to_owned()), (7, "d".to_owned())], "its successor shows it too");

    let whole: Vec<_> = others.iter().zip(&commits).map(|(it, to)| moved(it, to)).collect();
    let found = places(&verify(&whole).await, &Fault::Edited);
    assert_eq!(found.len(), whole.len(), "a copied stream is found at each commit");
}

#[tokio::test]
async fn a_snapshot_is_not_part_of_the_chain() {
    let mut commits = history().await;
    let snapshot = Snapshot {
        schema: ledgerfold::vocabulary::StateSchema::restore("other"),
        state: Payload::from_text("{}".to_owned()).expect("JSON"),
        recent: ledgerfold::vocabulary::RecentCommands::default(),
    };
    commits[2] = commits[2].clone().with_snapshot(Some(snapshot));
    assert_eq!(verify(&commits).await, []);
}

/// A log that cannot read some of its commits.
struct Unreadable {
    log: MemoryEventStore,
    versions: Vec<u64>,
}

impl Unreadable {
    fn check(&self, page: CommitPage) -> Result<CommitPage, StoreError> {
        let bad = |commit: &&Commit| self.versions.contains(&commit.from().get());
        match page.commits.iter().find(bad) {
            None => Ok(page),
            Some(commit) => Err(StoreError::Corrupt {
                stream: commit.stream().to_string(),
                reason: format!("damage at {}", commit.from()),
            }),
        }
    }
}

#[async_trait]
impl EventReader for Unreadable {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.check(self.log.read(stream, after).await?)
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.check(self.log.read_back(stream, span, commits).await?)
    }
}

async fn verify_unreadable(commits: &[Commit], versions: &[u64]) -> Vec<(u64, Fault)> {
    let log = MemoryEventStore::with_pages_of(3);
    commits.iter().for_each(|commit| log.overwrite(commit));
    let log = Arc::new(Unreadable { log, versions: versions.to_vec() });
    let found = verify_log(log, commits[0].stream()).await;
    found.into_iter().map(|it| (it.version.get(), it.fault)).collect()
}

#[tokio::test]
async fn the_walk_continues_behind_an_unreadable_commit() {
    let commits = history().await;
    let damage = |version: u64| (version, Fault::Unreadable(format!("damage at {version}")));
    for bad in [&[1][..], &[5], &[3, 5], &[11], &[1, 3, 5, 7, 9, 11]] {
        let expected: Vec<_> = bad.iter().map(|version| damage(*version)).collect();
        assert_eq!(verify_unreadable(&commits, bad).await, expected);
    }

    let mut edited = commits.clone();
    let mut parts = Parts::of(&commits[4]);
    parts.command.name = CommandName::from_static("Other");
    edited[4] = parts.restore();
    let expected = [damage(5), (9, Fault::Edited)];
    assert_eq!(verify_unreadable(&edited, &[5]).await, expected, "a later edit is found");

    let mut removed = commits;
    removed.remove(1);
    let missing = (3, Fault::Missing { from: Version::new(3) });
    assert_eq!(verify_unreadable(&removed, &[5]).await, [missing, damage(5)]);
}

#[tokio::test]
async fn a_walk_that_cannot_find_the_next_commit_says_so() {
    let mut commits = history().await;
    commits.truncate(2);
    commits.push(Parts { from: Version::new(500), ..Parts::of(&commits[1]) }.restore());
    let found = verify_unreadable(&commits, &[3]).await;
    let versions: Vec<_> = found.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [3, 103], "{found:?}");
}
