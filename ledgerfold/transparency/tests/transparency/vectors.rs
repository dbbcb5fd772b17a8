//! The vectors that `scripts/transparency_log.py` writes. The prover and the verifier share no code, but one author could
//! repeat a mistake: the third implementation decides.

use std::path::PathBuf;

use ledgerfold::{Version, vocabulary::CommitHash};
use ledgerfold_transparency::{
    Checkpoint, CheckpointStore, Directory, Entry, Hash, Head, ObjectStore, Prover, Shard,
    TileName, memory::MemoryLog,
};
use ledgerfold_verifier::{
    Accumulator, Checkpoint as Verified, Digest, PublicKey, SealedLog, verify_consistency,
    verify_inclusion, verify_proof,
};
use serde_json::Value;

use crate::world::Copy;

pub(crate) fn vectors() -> Value {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors/transparency-log.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("a text");
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(byte).collect()
}

pub(crate) fn digest(hex: &Value) -> Digest {
    Digest(bytes(hex).try_into().expect("32 bytes"))
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

pub(crate) fn place(value: &Value) -> usize {
    usize::try_from(number(value)).expect("small")
}

pub(crate) fn entries(vectors: &Value) -> Vec<Vec<u8>> {
    list(&vectors["entries"]).iter().map(bytes).collect()
}

fn found(hashes: &[Hash]) -> Vec<Digest> {
    hashes.iter().map(|hash| Digest(*hash.as_bytes())).collect()
}

/// A log in memory with these entries. The tiles come from the prover's own code in `Sealer`, so that they are written
/// here in the plainest way, and compared with the vectors.
async fn log(entries: &[Vec<u8>]) -> MemoryLog {
    let log = MemoryLog::default();
    for (name, content) in tiles(entries) {
        ObjectStore::create(&log, &name, content).await.expect("memory");
    }
    log
}

fn tiles(entries: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    let size = u64::try_from(entries.len()).expect("small");
    let mut tiles = Vec::new();
    for (index, part) in (0..).zip(entries.chunks(256)) {
        let name = TileName::in_tree(None, index, size).expect("in the tree");
        let bundle = part.iter().flat_map(|entry| {
            let length = u16::try_from(entry.len()).expect("short").to_be_bytes();
            [length.as_slice(), entry].concat()
        });
        tiles.push((name.to_string(), bundle.collect()));
    }
    let mut hashes: Vec<_> = entries.iter().map(|entry| Hash::leaf(entry)).collect();
    let mut level = 0;
    while !hashes.is_empty() {
        for (index, part) in (0..).zip(hashes.chunks(256)) {
            let name = TileName::in_tree(Some(level), index, size).expect("in the tree");
            tiles.push((name.to_string(), part.iter().flat_map(|it| *it.as_bytes()).collect()));
        }
        hashes = hashes.chunks_exact(256).map(Hash::root).collect();
        level += 1;
    }
    tiles
}

// Guards: three-implementations-agree-on-the-log
#[tokio::test]
async fn roots_and_proofs_are_those_of_the_vectors() {
    let vectors = vectors();
    let entries = entries(&vectors);
    let leaves: Vec<_> = entries.iter().map(|entry| Hash::leaf(entry)).collect();
    let root = |size: &Value| {
        let root = list(&vectors["roots"]).iter().find(|it| it["size"] == *size);
        digest(&root.expect("a root")["root"])
    };
    for vector in list(&vectors["roots"]) {
        let size = place(&vector["size"]);
        let expected = digest(&vector["root"]);
        assert_eq!(found(&[Hash::root(&leaves[..size])]), [expected], "{size}");
        let tree: Accumulator = entries[..size].iter().map(|it| Digest::leaf(it)).collect();
        assert_eq!(tree.root(), expected, "{size}");
    }
    for vector in list(&vectors["inclusion"]) {
        let (index, size) = (number(&vector["index"]), place(&vector["size"]));
        let log = std::sync::Arc::new(log(&entries[..size]).await);
        let prover = Prover::new(log.clone(), log);
        let expected: Vec<_> = list(&vector["hashes"]).iter().map(digest).collect();
        let made = prover.inclusion(index, number(&vector["size"])).await.expect("a proof");
        assert_eq!(found(&made), expected, "{index} of {size}");
        let leaf = Digest::leaf(&entries[place(&vector["index"])]);
        let of = (number(&vector["size"]), root(&vector["size"]));
        assert!(verify_inclusion(leaf, index, of.0, &expected, of.1));
        assert!(!verify_inclusion(leaf, index + 1, of.0, &expected, of.1));
        assert!(!verify_inclusion(Digest([0; 32]), index, of.0, &expected, of.1));
    }
    for vector in list(&vectors["consistency"]) {
        let (old, size) = (number(&vector["old"]), number(&vector["size"]));
        let log = std::sync::Arc::new(log(&entries[..place(&vector["size"])]).await);
        let prover = Prover::new(log.clone(), log);
        let expected: Vec<_> = list(&vector["hashes"]).iter().map(digest).collect();
        let made = prover.consistency(old, size).await.expect("a proof");
        assert_eq!(found(&made), expected, "{old} of {size}");
        let (old, new) = ((old, root(&vector["old"])), (size, root(&vector["size"])));
        assert!(verify_consistency(old, new, &expected));
        assert!(!verify_consistency((old.0, Digest([0; 32])), new, &expected));
        assert!(!verify_consistency(old, (new.0, Digest([0; 32])), &expected));
    }
}

#[test]
fn tiles_are_those_of_the_vectors() {
    let vectors = vectors();
    let entries = entries(&vectors);
    for (size, expected) in vectors["tiles"].as_object().expect("sizes") {
        let size: usize = size.parse().expect("a number");
        let made: std::collections::BTreeMap<_, _> = tiles(&entries[..size]).into_iter().collect();
        let expected = expected.as_object().expect("tiles");
        assert_eq!(made.len(), expected.len());
        for (name, content) in made {
            assert_eq!(Digest::of(&[&content]), digest(&expected[&name]), "{name}");
        }
    }
    let name = |level, index, width| TileName { level, index, width }.to_string();
    assert_eq!(name(Some(0), 1_234_067, 256), vectors["names"]["1234067"]);
    assert_eq!(name(None, 5, 12), vectors["names"]["5 of width 12"]);
}

#[test]
fn entries_and_heads_are_those_of_the_vectors() {
    let vectors = vectors();
    for entry in entries(&vectors) {
        let read = Entry::restore(&entry).expect("an entry");
        assert_eq!(read.to_bytes(), entry);
    }
    let nothing = Directory::empty().root();
    assert_eq!(found(&[nothing]), [digest(&vectors["heads"]["rootOfNothing"])]);
    assert_eq!(found(&[root_of_heads(&vectors)]), [digest(&vectors["heads"]["root"])]);
}

/// The root of the heads over the public parts of the prover.
fn root_of_heads(vectors: &Value) -> Hash {
    let heads = vectors["heads"]["streams"].as_object().expect("streams");
    let mut shards: Vec<Vec<(Digest, Vec<u8>)>> = vec![Vec::new(); 256];
    for (stream, head) in heads {
        let version = Version::new(number(&head["version"]));
        let hash = CommitHash::restore(&bytes(&head["hash"])).expect("32 bytes");
        let head = Head { stream: stream.parse().expect("a stream"), version, hash };
        let key = Digest::of(&[stream.as_bytes()]);
        shards[usize::from(key.0[0])].push((key, head.to_bytes()));
    }
    let mut roots = Vec::new();
    for mut shard in shards {
        shard.sort();
        let bundle = shard.iter().flat_map(|(_, head)| {
            let length = u16::try_from(head.len()).expect("short").to_be_bytes();
            [length.as_slice(), head].concat()
        });
        let leaves: Vec<_> = shard.iter().map(|(_, head)| Hash::leaf(head)).collect();
        let root = Hash::root(&leaves);
        let read = Shard::restore(&bundle.collect::<Vec<_>>(), root).expect("a shard");
        assert_eq!(read.root(), root);
        roots.push(Hash::leaf(root.as_bytes()));
    }
    Hash::root(&roots)
}

#[tokio::test]
async fn the_checkpoint_and_the_proof_file_of_the_vectors_verify() {
    let vectors = vectors();
    let key = PublicKey::parse(vectors["key"].as_str().expect("a text")).expect("a key");
    let keys = [key];
    let note = vectors["checkpoint"].as_str().expect("a text");
    let checkpoint = Verified::verify(note, &keys).expect("signed");
    let own = Checkpoint::restore(note).expect("a checkpoint");
    assert!(note.starts_with(&format!("{}\n", own.text())));
    let file = vectors["proof"].as_str().expect("a text");
    let proven = verify_proof(file, &keys).expect("it proves");
    assert_eq!((proven.index, proven.checkpoint.size), (205, own.size));

    let entries = entries(&vectors);
    let log = std::sync::Arc::new(log(&entries).await);
    CheckpointStore::create(&*log, own.size, note).await.expect("memory");
    let read = SealedLog::read(&Copy(&log), &[checkpoint]).await.expect("it can be read");
    assert_eq!(read.faults(), []);
    let prover = Prover::new(log.clone(), log);
    let stream = proven.stream.parse().expect("a stream");
    let made = prover.prove(&stream, Version::new(proven.from), own.size).await;
    assert_eq!(made.expect("a proof"), file);
}
