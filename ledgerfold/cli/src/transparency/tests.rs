//! Tests of the commands over a folder with a copy of a log, and over files of an export.

use std::{fs, path::Path, sync::Arc, time::Duration};

use ledgerfold::{
    CommandId, StreamId,
    command::Loaded,
    ports::{Clock as _, EventStore},
    vocabulary::Commit,
};
use ledgerfold_aws::SystemClock;
use ledgerfold_dynamodb::CommitItem;
use ledgerfold_proofs::conformance::requests::{commit, fresh};
use ledgerfold_testkit::MemoryEventStore;
use ledgerfold_transparency::{
    Sealer, Signer as _,
    memory::{LocalSigner, MemoryLog},
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{prove, source::Place, table, verify, verify_proof};
use crate::output::rendered;

const ORIGIN: &str = "ledgerfold.example/cli";

/// A sealed log of two streams, its copy in a folder, and its export.
struct World {
    folder: TempDir,
    key: String,
    streams: Vec<StreamId>,
    commits: Vec<Commit>,
}

impl World {
    async fn new() -> Self {
        let log = Arc::new(MemoryEventStore::with_pages_of(9));
        let nobody = CommandId::new("nobody").expect("visible ASCII");
        let mut streams = Vec::new();
        let now = SystemClock.now().as_second();
        for _ in 0..2 {
            let mut loaded = Loaded::unread(fresh());
            for attempt in ["a", "b", "c"] {
                log.append(&commit(&loaded, attempt, &["one", "two"], now)).await.expect("it");
                loaded.read_on(&*log, &nobody).await.expect("it can be read");
            }
            streams.push(loaded.stream().clone());
        }
        let (sealed, signer) = (Arc::new(MemoryLog::default()), LocalSigner::generate());
        let signer = Arc::new(signer.expect("random numbers"));
        let sealer = Sealer::new(
            ORIGIN,
            (log.clone(), Arc::new(SystemClock)),
            (sealed.clone(), sealed.clone()),
            (signer.clone(), sealed.clone()),
        );
        sealer.seal(&streams).await.expect("sealed");
        let keys = signer.keys().await.expect("keys");
        let folder = copy(&sealed);
        let world =
            Self { folder, key: keys[0].verifier_key(ORIGIN), streams, commits: log.commits() };
        world.export(world.commits.iter().map(item));
        world
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn export(&self, items: impl Iterator<Item = Map<String, Value>>) {
        let lines: String = items.map(|item| json!({"Item": item}).to_string() + "\n").collect();
        fs::write(self.path("export.json"), lines).expect("the folder can be written");
    }

    fn place(&self) -> Place {
        Place::Folder(self.folder.path().to_owned())
    }

    async fn verified(&self) -> Value {
        let command = verify::Verify {
            log: self.place(),
            keys: vec![self.key.clone()],
            checkpoints: vec![self.path("checkpoints/7"), self.path("checkpoints/7")],
            only_kept: false,
            exports: vec![self.path("export.json")],
            unsealed_for: Duration::from_secs(600),
            at: None,
        };
        let report = verify::of_export(&command).await.expect("it can be read");
        serde_json::from_str(&rendered(&report, true).expect("JSON")).expect("JSON")
    }
}

/// A folder with all objects of a log.
fn copy(log: &MemoryLog) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("the folder can be written");
    };
    for (name, content) in log.objects() {
        write(&name, &content);
    }
    for (size, note) in log.checkpoints() {
        write(&format!("checkpoints/{size}"), note.as_bytes());
    }
    write("checkpoint", log.published().expect("a checkpoint").as_bytes());
    folder
}

fn item(commit: &Commit) -> Map<String, Value> {
    table::of_item(CommitItem::from(commit).into_attributes().expect("a commit is an item"))
}

#[tokio::test]
async fn an_untouched_export_has_no_findings_and_each_change_is_named() {
    let world = World::new().await;
    let report = world.verified().await;
    assert_eq!(report["findings"], json!([]));
    assert_eq!((&report["commits"], &report["streams"]), (&json!(6), &json!(2)));
    assert_eq!((&report["entries"], &report["log"]), (&json!(7), &json!([])));

    let stream = world.streams[0].to_string();
    let of_stream =
        |commit: &&Commit| *commit.stream() == world.streams[0] && commit.from().get() == 3;
    let found = |kind: &str| json!([{"stream": stream, "version": 3, "kind": kind}]);

    world.export(world.commits.iter().filter(|it| !of_stream(it)).map(item));
    assert_eq!(world.verified().await["findings"], found("dropped"));

    world.export(world.commits.iter().map(|commit| {
        let mut item = item(commit);
        if of_stream(&commit) {
            let events = item["e"]["S"].as_str().expect("a text").replace("one", "eno");
            item.insert("e".to_owned(), json!({"S": events}));
        }
        item
    }));
    assert_eq!(world.verified().await["findings"], found("edited"));

    let cut = world.commits.iter();
    world
        .export(cut.filter(|it| *it.stream() != world.streams[0] || it.from().get() < 3).map(item));
    assert_eq!(world.verified().await["findings"], found("truncated"));
}

#[tokio::test]
async fn a_proof_is_written_and_verified_without_a_connection() {
    let world = World::new().await;
    let proof = prove::from_copy(&world.place(), &world.streams[1], 4).await.expect("a proof");
    let file = world.path("proof.tlog-proof");
    fs::write(&file, &proof).expect("the folder can be written");
    let command = verify_proof::VerifyProof { file: file.clone(), keys: vec![world.key.clone()] };
    let proven = verify_proof::proven(&command).expect("it proves");
    let text = rendered(&proven, false).expect("a text");
    assert!(text.contains(&world.streams[1].to_string()), "{text}");
    assert!(text.contains("versions 3 to 4"), "{text}");

    fs::write(&file, proof.replace("index ", "index 1")).expect("the folder can be written");
    verify_proof::proven(&command).expect_err("it is another index");
    let missing = verify_proof::VerifyProof { file: Path::new("none").into(), ..command };
    verify_proof::proven(&missing).expect_err("there is no file");
}
