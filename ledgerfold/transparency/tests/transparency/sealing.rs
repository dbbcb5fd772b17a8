//! The sealer: duplicates, gaps, bounds, and everything that can interrupt it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{StreamId, Version, ports::PortError};
use ledgerfold_transparency::{
    Broken, CheckpointStore, HeadStore, LogError, ObjectStore, Prover, Sealer, memory::MemoryLog,
};
use ledgerfold_verifier::{Digest, verify_consistency, verify_head, verify_proof};

use crate::world::{World, stored};

/// The effect of an interruption at one call of a port.
#[derive(Clone, Copy, Debug)]
enum At {
    /// The call has no effect, and the sealer is killed.
    Before,
    /// The call has its effect, its answer is lost, and the sealer is killed.
    After,
    /// Another sealer does all of its work before the call.
    Meanwhile,
}

/// Ports that interrupt one call.
struct Interrupting {
    inner: Arc<MemoryLog>,
    calls: AtomicUsize,
    interrupted: usize,
    at: At,
    other: Sealer,
    streams: Vec<StreamId>,
}

impl Interrupting {
    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, LogError>>,
    ) -> Result<T, LogError> {
        let is_now = self.calls.fetch_add(1, Ordering::SeqCst) == self.interrupted;
        match self.at {
            At::Before if is_now => Err(killed()),
            At::After if is_now => {
                call.await?;
                Err(killed())
            }
            At::Meanwhile if is_now => {
                Box::pin(self.other.seal(&self.streams)).await.expect("the other one seals");
                call.await
            }
            _ => call.await,
        }
    }

    fn was_interrupted(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.interrupted
    }
}

fn killed() -> LogError {
    PortError::Unavailable("killed".into()).into()
}

#[async_trait]
impl ObjectStore for Interrupting {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, LogError> {
        self.call(ObjectStore::get(&*self.inner, name)).await
    }

    async fn create(&self, name: &str, content: Vec<u8>) -> Result<bool, LogError> {
        self.call(ObjectStore::create(&*self.inner, name, content)).await
    }
}

#[async_trait]
impl CheckpointStore for Interrupting {
    async fn get(&self, size: u64) -> Result<Option<String>, LogError> {
        self.call(CheckpointStore::get(&*self.inner, size)).await
    }

    async fn create(&self, size: u64, note: &str) -> Result<bool, LogError> {
        self.call(CheckpointStore::create(&*self.inner, size, note)).await
    }

    async fn publish(&self, size: u64, note: &str) -> Result<(), LogError> {
        self.call(self.inner.publish(size, note)).await
    }
}

#[async_trait]
impl HeadStore for Interrupting {
    async fn size(&self) -> Result<u64, LogError> {
        self.call(self.inner.size()).await
    }

    async fn advance(&self, from: u64, to: u64) -> Result<bool, LogError> {
        self.call(self.inner.advance(from, to)).await
    }
}

/// Every commit is in the log exactly once, and all checkpoints are signed and continue each other.
async fn is_complete(world: &World) {
    assert_eq!(world.verify(&world.stored()).await, []);
    let log = world.read().await;
    let sealed: usize = log.streams().map(|stream| log.commits(stream).len()).sum();
    assert_eq!(sealed, world.log.commits().len());
    let checkpoints = world.checkpoints().await;
    let prover = Prover::new(world.sealed.clone(), world.sealed.clone());
    for (old, new) in checkpoints.iter().zip(checkpoints.iter().skip(1)) {
        let proof = prover.consistency(old.size, new.size).await.expect("tiles");
        let proof: Vec<_> = proof.iter().map(|hash| Digest(*hash.as_bytes())).collect();
        assert!(verify_consistency((old.size, old.root), (new.size, new.root), &proof));
    }
    let last = checkpoints.last().expect("a checkpoint").size;
    assert_eq!(world.sealed.size().await.expect("a size"), last);
    assert_eq!(world.sealed.published(), world.sealed.checkpoints().remove(&last));
}

// Guards: a-killed-sealer-continues
#[tokio::test]
async fn a_sealer_survives_an_interruption_at_every_call_of_a_port() {
    for at in [At::Before, At::After, At::Meanwhile] {
        let mut interrupted = 0;
        loop {
            let world = World::new();
            let mut streams = vec![world.stream(2).await, world.stream(1).await];
            world.seal(&streams[..1]).await;
            world.append(&streams[0], 1).await;
            streams.push(world.stream(1).await);
            let ports = Arc::new(Interrupting {
                inner: world.sealed.clone(),
                calls: AtomicUsize::new(0),
                interrupted,
                at,
                other: world.sealer(),
                streams: streams.clone(),
            });
            let outcome = world.sealer_over(ports.clone()).seal(&streams).await;
            if !ports.was_interrupted() {
                assert!(interrupted > 12, "only {interrupted} calls were interrupted");
                outcome.expect("nothing has interrupted it");
                break;
            }
            assert_eq!(outcome.is_ok(), matches!(at, At::Meanwhile), "{at:?} {interrupted}");
            // The queue delivers again.
            world.seal(&streams).await;
            is_complete(&world).await;
            interrupted += 1;
        }
    }
}

#[tokio::test]
async fn a_sealer_that_runs_again_adds_nothing() {
    let world = World::new();
    let streams = [world.stream(3).await, world.stream(2).await];
    assert_eq!(world.seal(&streams).await.commits, 5);
    let objects = world.sealed.objects();
    for _ in 0..2 {
        assert_eq!(world.seal(&streams).await, Default::default());
    }
    assert_eq!(world.sealed.objects(), objects);
    is_complete(&world).await;
}

#[tokio::test]
async fn a_batch_is_bounded_and_the_next_call_continues() {
    let world = World::new();
    let streams = [world.stream(5).await, world.stream(1).await];
    let mut calls = 0;
    loop {
        let sealed = world.sealer().in_batches_of(2).seal(&streams).await.expect("sealed");
        assert!(sealed.commits <= 2);
        calls += 1;
        if sealed.unsealed.is_empty() {
            break;
        }
        assert!(sealed.unsealed.iter().all(|it| it.reason == Broken::Full));
    }
    assert_eq!(calls, 3);
    is_complete(&world).await;
}

#[tokio::test]
async fn a_size_that_was_set_back_or_lost_is_found_again() {
    let world = World::new();
    let stream = world.stream(1).await;
    for _ in 0..5 {
        world.seal(std::slice::from_ref(&stream)).await;
        world.append(&stream, 1).await;
    }
    for size in [0, 4] {
        world.sealed.set_size(size);
        world.seal(std::slice::from_ref(&stream)).await;
        is_complete(&world).await;
    }
}

#[tokio::test]
async fn one_changed_stream_does_not_keep_the_others_from_being_sealed() {
    let world = World::new();
    let streams = [world.stream(2).await, world.stream(2).await];
    world.seal(&streams).await;
    world.append(&streams[0], 2).await;
    world.append(&streams[1], 1).await;
    // The next commit of the first stream no longer has the content of its hash.
    let commits = world.log.commits();
    let changed = commits.iter().rfind(|it| *it.stream() == streams[0]).expect("it exists");
    let other = commits.iter().find(|it| *it.stream() == streams[1]).expect("it exists");
    let versions = (changed.from(), changed.to());
    let events: Vec<_> = changed
        .events()
        .map(|(_, event)| ledgerfold::vocabulary::CommitEvent {
            id: other.events().next().expect("an event").1.id,
            ..event.clone()
        })
        .collect();
    let (command, metadata) = (changed.command().clone(), changed.metadata().clone());
    let edited = ledgerfold::vocabulary::Commit::restore(
        streams[0].clone(),
        versions,
        events,
        command,
        metadata,
        changed.hash(),
    );
    world.log.overwrite(&edited.expect("it adds up"));
    let sealed = world.seal(&streams).await;
    assert_eq!(sealed.commits, 2);
    assert_eq!(sealed.unsealed.len(), 1);
    assert_eq!(
        (&sealed.unsealed[0].stream, &sealed.unsealed[0].reason),
        (&streams[0], &Broken::Chain)
    );
}

#[tokio::test]
async fn nothing_is_signed_over_a_changed_tile_or_a_missing_object() {
    let world = World::new();
    let stream = world.stream(2).await;
    world.seal(std::slice::from_ref(&stream)).await;
    world.append(&stream, 1).await;
    let untouched = world.sealed.objects();
    let needed: Vec<_> = untouched.keys().filter(|name| !name.starts_with("batch/")).collect();
    assert!(needed.len() >= 4, "{needed:?}");
    for name in needed {
        for change in [None, Some(vec![7; untouched[name].len()])] {
            world.sealed.overwrite(name, change);
            let outcome = world.sealer().seal(std::slice::from_ref(&stream)).await;
            assert!(outcome.is_err(), "{name} was not needed");
            assert_eq!(world.sealed.checkpoints().len(), 1, "{name}");
            world.sealed.overwrite(name, Some(untouched[name].clone()));
        }
    }
    world.seal(&[stream]).await;
    is_complete(&world).await;
}

#[tokio::test]
async fn a_tree_of_many_tiles_is_sealed_and_each_commit_is_proven() {
    let world = World::new();
    let streams = [world.stream(150).await, world.stream(150).await, world.stream(250).await];
    for part in 0..3 {
        world.seal(&streams[part..=part]).await;
    }
    is_complete(&world).await;
    let size = world.sealed.size().await.expect("a size");
    assert_eq!(size, 553);
    let prover = Prover::new(world.sealed.clone(), world.sealed.clone());
    let keys = world.keys().await;
    for commit in world.log.commits().iter().step_by(37) {
        let file = prover.prove(commit.stream(), commit.to(), size).await.expect("a proof");
        let proven = verify_proof(&file, &keys).expect("it proves");
        assert_eq!(proven.stream, commit.stream().to_string());
        assert_eq!(proven.hash, stored(commit).hash);
        assert_eq!(proven.checkpoint.size, size);
        // One character less is no proof any more.
        for at in [30, 120, file.len() / 2, file.len() - 20] {
            let mut changed = file.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let Ok(changed) = String::from_utf8(changed) else { continue };
            assert!(verify_proof(&changed, &keys).is_err(), "changed at {at}");
        }
    }
    let sealed = streams[0].clone();
    let missing = prover.prove(&sealed, Version::new(100_000), size).await;
    assert!(missing.is_err());
}

#[tokio::test]
async fn the_head_of_each_stream_and_the_absence_of_others_are_proven() {
    let world = World::new();
    let mut streams = Vec::new();
    for _ in 0..600 {
        streams.push(world.stream(1).await);
    }
    world.seal(&streams).await;
    let size = world.sealed.size().await.expect("a size");
    let bundle = world.sealed.objects();
    let root = bundle.keys().find_map(|name| name.strip_prefix("heads/directory/"));
    let root = root.expect("a directory");
    let bytes: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&root[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect();
    let root = Digest(bytes.try_into().expect("32 bytes"));
    let prover = Prover::new(world.sealed.clone(), world.sealed.clone());
    let mut absent = BTreeSet::new();
    for here in &streams[..200] {
        let proof = prover.head(here, size).await.expect("a proof").to_bytes();
        let head = verify_head(&proof, &here.to_string(), root).expect("it proves");
        assert_eq!(head.map(|(version, _)| version), Some(1));
        let other = ledgerfold_proofs::conformance::requests::fresh();
        let proof = prover.head(&other, size).await.expect("a proof");
        absent.insert(proof.leaves.len());
        let proof = proof.to_bytes();
        assert_eq!(verify_head(&proof, &other.to_string(), root), Ok(None));
        // No proof shows the absence of a stream that is there.
        assert_ne!(verify_head(&proof, &here.to_string(), root), Ok(None));
    }
    assert!(absent.contains(&1) && absent.contains(&2), "{absent:?}");
}
