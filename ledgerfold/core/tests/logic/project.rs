use futures::future::join_all;
use ledgerfold::{
    Envelope, StreamId, TenantId, Version,
    ports::{CounterKey, TallyReader},
    vocabulary::{Content, Delivery, FailedReceipt, Receipt},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::SeededRandom;
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, proptest};

use crate::note_models::{REMOVE, UNPLACEABLE, World, deliveries};

async fn world_with(commits: &[&[&str]]) -> (World, StreamId) {
    let (world, stream) = (World::with_pages_of(2), fresh());
    for (attempt, notes) in commits.iter().enumerate() {
        world.write(&stream, &format!("a{attempt}"), notes).await.expect("the command is accepted");
    }
    (world, stream)
}

fn texts(notes: &[&str]) -> Option<Vec<String>> {
    Some(notes.iter().map(ToString::to_string).collect())
}

async fn project(world: &World, events: Vec<Envelope>) -> Vec<FailedReceipt> {
    world.notes().project(deliveries(events)).await
}

#[tokio::test]
async fn events_in_order_are_folded_without_a_read_of_the_log() {
    let (world, stream) = world_with(&[&["a"], &["b", "c"], &["d"]]).await;
    let reads = world.log.reads();
    assert_eq!(project(&world, world.envelopes()).await, []);
    assert_eq!(world.row(&stream), Some((Version::new(4), texts(&["a", "b", "c", "d"]))));
    assert_eq!(world.log.reads(), reads);
}

#[tokio::test]
async fn a_repeated_event_is_ignored() {
    let (world, stream) = world_with(&[&["a"], &["b"]]).await;
    for _ in 0..3 {
        assert_eq!(project(&world, world.envelopes()).await, []);
    }
    assert_eq!(world.row(&stream), Some((Version::new(2), texts(&["a", "b"]))));
}

#[tokio::test]
async fn a_gap_is_filled_from_the_log_page_by_page() {
    let (world, stream) = world_with(&[&["a"], &["b"], &["c"], &["d"], &["e"], &["f"]]).await;
    let last = world.envelopes().pop().expect("six events");
    assert_eq!(project(&world, vec![last]).await, []);
    assert_eq!(world.row(&stream), Some((Version::new(6), texts(&["a", "b", "c", "d", "e", "f"]))));
}

// Guards: one-commit-is-one-item
#[tokio::test]
async fn half_a_commit_is_never_shown() {
    let (world, stream) = world_with(&[&["a", "b"]]).await;
    let half = world.envelopes().remove(0);
    assert_eq!(project(&world, vec![half]).await, []);
    assert_eq!(world.row(&stream), Some((Version::new(2), texts(&["a", "b"]))));
}

#[tokio::test]
async fn a_deleted_row_is_not_restored_by_late_events() {
    let (world, stream) = world_with(&[&["a"], &[REMOVE]]).await;
    assert_eq!(project(&world, world.envelopes()).await, []);
    let late = world.envelopes().remove(0);
    assert_eq!(project(&world, vec![late]).await, []);
    assert_eq!(world.row(&stream), Some((Version::new(2), None)));
}

// Guards: a-poisoned-message-blocks-no-other
#[tokio::test]
async fn a_poisoned_stream_does_not_stop_the_others() {
    let (world, good) = world_with(&[&["a"]]).await;
    let bad = fresh();
    world.write(&bad, "one", &["b"]).await.expect("the command is accepted");
    world.write(&bad, "two", &[UNPLACEABLE]).await.expect("the command is accepted");
    let mut batch = deliveries(world.envelopes());
    batch.push(Delivery {
        receipt: Receipt("garbage".to_owned()),
        content: Err("it is no event".to_owned()),
        replay: None,
    });
    let failed = world.notes().project(batch).await;
    let receipts: Vec<_> = failed.iter().map(|failed| failed.receipt.0.as_str()).collect();
    assert_eq!(receipts, ["garbage"], "the stream of an unreadable message is unknown");
    assert_eq!(world.row(&good), Some((Version::new(1), texts(&["a"]))));
    assert_eq!(world.row(&bad), Some((Version::new(1), texts(&["b"]))), "up to the bad event");
    let parked: Vec<_> = world.parked_notes.parked().into_iter().map(|it| it.stream).collect();
    assert_eq!(parked, [bad]);
}

#[tokio::test]
async fn a_failing_read_table_returns_only_the_messages_of_its_stream() {
    let (world, good) = world_with(&[&["a"]]).await;
    let bad = fresh();
    world.write(&bad, "one", &["b"]).await.expect("the command is accepted");
    world.rows.fail_for(Some(bad.clone()));
    assert_eq!(project(&world, world.envelopes()).await.len(), 1);
    assert!(world.row(&good).is_some() && world.row(&bad).is_none());
    world.rows.fail_for(None);
    assert_eq!(project(&world, world.envelopes()).await, []);
    assert!(world.row(&bad).is_some());
}

#[tokio::test]
async fn an_event_that_the_log_does_not_have_is_delivered_again() {
    let (world, _) = world_with(&[&["a"]]).await;
    let elsewhere = world_with(&[&["b"]]).await.0;
    let failed = project(&world, elsewhere.envelopes()).await;
    assert_eq!(failed, [], "a complete first commit needs no read of the log");
    let beyond = world_with(&[&["c"], &["d"]]).await.0.envelopes().pop().expect("two events");
    let failed = project(&world, vec![beyond]).await;
    assert!(failed[0].reason.contains("the log ends at 0"), "{failed:?}");
}

async fn counted(world: &World, word: &str) -> i128 {
    let key = CounterKey::new(word.to_owned()).expect("a key");
    let counters = world
        .tallies
        .range(&TenantId::default_tenant(), &key, &key)
        .await
        .expect("the read succeeds");
    counters.first().and_then(|counter| counter.amounts.get("notes")).copied().unwrap_or_default()
}

// Guards: each-event-is-counted-once
#[tokio::test]
async fn an_event_delivered_five_times_at_once_counts_once() {
    let (world, _) = world_with(&[&["a"], &["b"], &["a", "b"]]).await;
    let projector = world.words();
    let batches = (0..5).map(|_| projector.project(deliveries(world.envelopes())));
    for failed in join_all(batches).await {
        assert_eq!(failed, []);
    }
    assert_eq!((counted(&world, "a").await, counted(&world, "b").await), (2, 2));
}

#[tokio::test]
async fn a_stream_that_touches_more_counters_than_a_transaction_holds_is_counted_whole() {
    let (world, stream) = (World::new(), fresh());
    let words: Vec<_> = (0..250).map(|word| format!("w{word:03}")).collect();
    for (attempt, chunk) in words.chunks(50).enumerate() {
        let notes: Vec<_> = chunk.iter().map(String::as_str).collect();
        world
            .write(&stream, &format!("a{attempt}"), &notes)
            .await
            .expect("the command is accepted");
    }
    let failed = world.words().project(deliveries(world.envelopes())).await;
    assert_eq!(failed, []);
    let (first, last) =
        (CounterKey::new("w").expect("a key"), CounterKey::new("x").expect("a key"));
    let counters = world
        .tallies
        .range(&TenantId::default_tenant(), &first, &last)
        .await
        .expect("the read succeeds");
    assert_eq!(counters.len(), 250);
    assert!(counters.iter().all(|counter| counter.amounts["notes"] == 1));
}

/// The sizes of some commits, a seed for the order of their events, and the size of a batch.
fn arrivals() -> impl Strategy<Value = (Vec<usize>, u64, usize)> {
    (prop::collection::vec(1..4_usize, 1..12), any::<u64>(), 1..8_usize)
}

/// Delivers events in any order and up to three times. Some events are lost, but never the newest.
fn dealt(events: &[Envelope], seed: u64) -> Vec<Envelope> {
    let random = SeededRandom::new(seed);
    let mut dealt = Vec::new();
    for event in events {
        let last = event.version == events[events.len() - 1].version;
        let times = random.next() % 4;
        for _ in 0..times.max(u64::from(last)) {
            dealt.push((random.next(), event.clone()));
        }
    }
    dealt.sort_by_key(|(place, _)| *place);
    dealt.into_iter().map(|(_, event)| event).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    // Guards: one-commit-is-one-item, a-row-is-the-fold-of-its-stream
    #[test]
    fn a_row_is_the_fold_of_its_stream_for_any_order_of_deliveries((commits, seed, batch) in arrivals()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let outcome = runtime.block_on(async {
            let (world, stream) = (World::with_pages_of(2), fresh());
            for (attempt, size) in commits.iter().enumerate() {
                let notes: Vec<_> = (0..*size).map(|note| format!("{attempt}.{note}")).collect();
                let notes: Vec<_> = notes.iter().map(String::as_str).collect();
                world.write(&stream, &format!("a{attempt}"), &notes).await.expect("accepted");
            }
            let events = world.envelopes();
            let expected: Vec<String> = commits
                .iter()
                .enumerate()
                .flat_map(|(attempt, size)| (0..*size).map(move |note| format!("{attempt}.{note}")))
                .collect();
            let (rows, words) = (world.notes(), world.words());
            let dealt = dealt(&events, seed);
            for chunk in dealt.chunks(batch) {
                let (one, other) =
                    (rows.project(deliveries(chunk.to_vec())), words.project(deliveries(chunk.to_vec())));
                let failed = [one.await, other.await].concat();
                assert!(failed.is_empty(), "{failed:?}");
            }
            let mut counts = Vec::new();
            for word in &expected {
                counts.push(counted(&world, word).await);
            }
            (world.row(&stream), counts, expected)
        });
        let (row, counts, expected) = outcome;
        let version = Version::NONE.advance(expected.len());
        prop_assert_eq!(counts, vec![1; expected.len()]);
        prop_assert_eq!(row, Some((version, Some(expected))));
    }
}

#[tokio::test]
async fn an_event_that_the_bus_only_points_to_is_read_from_the_log() {
    let (world, stream) = world_with(&[&["a"], &["b", "c"]]).await;
    let pointer = Delivery {
        receipt: Receipt("pointer".to_owned()),
        content: Ok(Content::Pointer { stream: stream.clone(), committed: Version::new(3) }),
        replay: None,
    };
    let failed = world.notes().project(vec![pointer.clone(), pointer]).await;
    assert_eq!(failed, []);
    assert_eq!(world.row(&stream), Some((Version::new(3), texts(&["a", "b", "c"]))));
}
