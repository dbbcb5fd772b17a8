//! Every kind of tampering at every position of a stream.

use ledgerfold_verifier::{Digest, Finding, Kind, LogFault, SealedLog, StoredCommit};

use crate::world::{Copy, World, verify};

const COMMITS: usize = 6;

/// A sealed stream of six commits and two others, as stored.
async fn sealed() -> (World, String, Vec<StoredCommit>) {
    let world = World::new();
    let streams = [world.stream(2).await, world.stream(COMMITS).await, world.stream(2).await];
    world.seal(&streams).await;
    let stored = world.stored();
    assert_eq!(world.verify(&stored).await, []);
    (world, streams[1].to_string(), stored)
}

/// The places of the stream's commits among all.
fn places(stored: &[StoredCommit], stream: &str) -> Vec<usize> {
    let is_of = |(_, commit): &(usize, &StoredCommit)| commit.stream == stream;
    stored.iter().enumerate().filter(is_of).map(|(at, _)| at).collect()
}

fn found(stream: &str, version: u64, kind: Kind) -> Finding {
    Finding { stream: stream.to_owned(), version, kind }
}

/// Computes the hashes of a stream's commits again, from the commit at this place on.
fn rehash(stored: &mut [StoredCommit], places: &[usize], first: usize) {
    let mut previous = first.checked_sub(1).map(|before| stored[places[before]].hash);
    for place in &places[first..] {
        let commit = &mut stored[*place];
        commit.hash = commit.hash_at((commit.from, commit.to), previous);
        previous = Some(commit.hash);
    }
}

// Guards: a-tampering-is-named
#[tokio::test]
async fn every_edit_of_a_commit_is_found_at_every_position() {
    let (world, stream, stored) = sealed().await;
    let edits: &[fn(&mut StoredCommit)] = &[
        |it| it.events[0].data.push(' '),
        |it| it.events[0].id.replace_range(..1, "f"),
        |it| it.events[0].event_type.push('d'),
        |it| it.events[0].schema_version += 1,
        |it| it.command_id.push('d'),
        |it| it.command_name.push('d'),
        |it| it.fingerprint.push('d'),
        |it| it.recorded_at.replace_range(..4, "2001"),
        |it| it.correlation_id.push('d'),
        |it| it.causation_id.push('d'),
        |it| it.actor.push('d'),
        |it| it.traceparent.clear(),
        |it| it.hash.0[31] ^= 1,
        |it| it.events.truncate(0),
        |it| it.to += 1,
    ];
    let places = places(&stored, &stream);
    for place in &places {
        for (number, edit) in edits.iter().enumerate() {
            let mut edited = stored.clone();
            edit(&mut edited[*place]);
            let expected = [found(&stream, stored[*place].from, Kind::Edited)];
            assert_eq!(world.verify(&edited).await, expected, "edit {number} at {place}");
        }
    }
}

#[tokio::test]
async fn an_edit_with_new_hashes_is_a_fork_at_its_position() {
    let (world, stream, stored) = sealed().await;
    let places = places(&stored, &stream);
    for at in 0..COMMITS {
        let mut forked = stored.clone();
        forked[places[at]].events[0].data = "{\"text\":\"other\"}".to_owned();
        rehash(&mut forked, &places, at);
        let expected = [found(&stream, stored[places[at]].from, Kind::Forked)];
        assert_eq!(world.verify(&forked).await, expected);
    }
}

#[tokio::test]
async fn a_dropped_commit_and_a_cut_tail_are_found_at_every_position() {
    let (world, stream, stored) = sealed().await;
    let places = places(&stored, &stream);
    for at in 0..COMMITS {
        let from = stored[places[at]].from;
        let mut dropped = stored.clone();
        dropped.remove(places[at]);
        let kind = if at + 1 == COMMITS { Kind::Truncated } else { Kind::Dropped };
        assert_eq!(world.verify(&dropped).await, [found(&stream, from, kind)]);

        let cut: Vec<_> =
            stored.iter().filter(|it| it.stream != stream || it.from < from).cloned().collect();
        let kind = if at == 0 { Kind::Missing } else { Kind::Truncated };
        assert_eq!(world.verify(&cut).await, [found(&stream, from, kind)]);
    }
}

#[tokio::test]
async fn two_commits_that_changed_places_are_found_at_every_pair_of_positions() {
    let (world, stream, stored) = sealed().await;
    let places = places(&stored, &stream);
    for one in 0..COMMITS {
        for other in one + 1..COMMITS {
            let (first, second) = (&stored[places[one]], &stored[places[other]]);
            // Only commits of one size can change places without a gap.
            if first.events.len() != second.events.len() {
                continue;
            }
            for keeps_hash in [false, true] {
                let mut swapped = stored.clone();
                swapped[places[one]] =
                    StoredCommit { from: first.from, to: first.to, ..second.clone() };
                swapped[places[other]] =
                    StoredCommit { from: second.from, to: second.to, ..first.clone() };
                if keeps_hash {
                    swapped[places[one]].hash = first.hash;
                    swapped[places[other]].hash = second.hash;
                }
                let expected = [first, second].map(|it| found(&stream, it.from, Kind::Reordered));
                assert_eq!(world.verify(&swapped).await, expected, "{one} and {other}");
            }
        }
    }
}

#[tokio::test]
async fn a_commit_of_another_stream_or_at_a_free_place_is_found() {
    let (world, stream, stored) = sealed().await;
    let places = places(&stored, &stream);
    let mut moved = stored.clone();
    let other = stored.iter().find(|it| it.stream != stream).expect("another").clone();
    let here = &stored[places[0]];
    moved[places[0]] =
        StoredCommit { stream: stream.clone(), from: here.from, to: here.to, ..other };
    let findings = world.verify(&moved).await;
    assert_eq!(findings, [found(&stream, 1, Kind::Edited)]);

    // A commit inside of the versions of another one.
    let long = stored.iter().find(|it| it.stream == stream && it.to > it.from).expect("two events");
    let mut inserted = stored.clone();
    inserted.push(StoredCommit { from: long.from + 1, ..long.clone() });
    let findings = world.verify(&inserted).await;
    assert_eq!(findings, [found(&stream, long.from + 1, Kind::Inserted)]);

    let mut doubled = stored.clone();
    doubled.push(stored[places[3]].clone());
    let findings = world.verify(&doubled).await;
    assert_eq!(findings, [found(&stream, stored[places[3]].from, Kind::Inserted)]);
}

#[tokio::test]
async fn a_commit_without_an_entry_is_found_when_it_is_old_and_its_chain_always() {
    let (world, stream, stored) = sealed().await;
    let id: ledgerfold::StreamId = stream.parse().expect("a stream");
    world.append(&id, 2).await;
    let newer = world.stored();
    assert_eq!(newer.len(), stored.len() + 2);
    assert_eq!(world.verify(&newer).await, [], "it is new");

    let places = places(&newer, &stream);
    let first = &newer[places[COMMITS]];
    let mut old = newer.clone();
    old[places[COMMITS]].recorded_at = "2020-01-01T00:00:00Z".to_owned();
    rehash(&mut old, &places, COMMITS);
    assert_eq!(world.verify(&old).await, [found(&stream, first.from, Kind::Unsealed)]);

    let mut edited = newer.clone();
    edited[places[COMMITS]].actor.push('x');
    assert_eq!(world.verify(&edited).await, [found(&stream, first.from, Kind::Edited)]);

    let mut dropped = newer.clone();
    dropped.remove(places[COMMITS]);
    assert_eq!(world.verify(&dropped).await, [found(&stream, first.from, Kind::Dropped)]);

    // A whole stream that nobody sealed.
    let unknown = world.stream(1).await;
    let mut all = world.stored();
    let place = all.iter().position(|it| it.stream == unknown.to_string()).expect("it exists");
    all[place].recorded_at = "2030-01-01T00:00:00Z".to_owned();
    rehash(&mut all, &[place], 0);
    assert_eq!(world.verify(&all).await, [found(&unknown.to_string(), 1, Kind::Unsealed)]);
}

/// An attacker who can also write the log makes another one, but an older checkpoint is elsewhere.
#[tokio::test]
async fn another_log_does_not_continue_a_checkpoint_that_somebody_kept() {
    let (world, _, _) = sealed().await;
    let kept = world.checkpoints().await;
    let other = World { signer: world.signer.clone(), ..World::new() };
    let stream = other.stream(20).await;
    other.seal(&[stream]).await;
    let mut all = other.checkpoints().await;
    all.extend(kept.clone());
    let log = SealedLog::read(&Copy(&other.sealed), &all).await.expect("it can be read");
    assert!(log.faults().contains(&LogFault::Forked { size: kept[0].size }), "{:?}", log.faults());

    let mut split = kept[0].clone();
    split.root = Digest([1; 32]);
    let both = [kept[0].clone(), split];
    let log = SealedLog::read(&Copy(&world.sealed), &both).await.expect("it can be read");
    assert_eq!(log.faults(), [LogFault::SplitView { size: kept[0].size }]);
}

#[tokio::test]
async fn every_changed_bit_of_an_entry_bundle_is_found() {
    let (world, _, stored) = sealed().await;
    let checkpoints = world.checkpoints().await;
    let objects = world.sealed.objects();
    let (name, bundle) =
        objects.iter().find(|(name, _)| name.starts_with("tile/entries/")).expect("a bundle");
    for at in 0..bundle.len() {
        let mut changed = bundle.clone();
        changed[at] ^= 1;
        world.sealed.overwrite(name, Some(changed));
        let log = SealedLog::read(&Copy(&world.sealed), &checkpoints).await;
        assert!(log.map_or(true, |log| !log.faults().is_empty()), "byte {at}");
    }
    world.sealed.overwrite(name, Some(bundle.clone()));
    let log = world.read().await;
    assert_eq!(verify(&log, &stored), []);
}
