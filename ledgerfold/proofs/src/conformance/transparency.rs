//! The rules of the ports of a transparency log.
//!
//! A log may be shared by all rules that name their own objects. Rules about checkpoints and the size need a new log.

use std::sync::Arc;

use futures::future::join_all;
use ledgerfold_transparency::{Checkpoint, CheckpointStore, Hash, HeadStore, ObjectStore};
use uuid::Uuid;

/// The number of concurrent calls.
const RACERS: usize = 8;

/// The ports of a new log.
#[derive(Clone)]
pub struct LogPorts {
    /// Objects.
    pub objects: Arc<dyn ObjectStore>,
    /// Checkpoints.
    pub checkpoints: Arc<dyn CheckpointStore>,
    /// The size.
    pub size: Arc<dyn HeadStore>,
    /// Reads the published checkpoint as the world does.
    pub published: Arc<dyn Published>,
}

/// Reads the published checkpoint.
#[async_trait::async_trait]
pub trait Published: Send + Sync {
    /// The note, if one is published.
    async fn published(&self) -> Option<String>;
}

fn name() -> String {
    format!("tile/entries/{}", Uuid::new_v4())
}

/// A note with this size.
fn note(size: u64) -> String {
    let origin = "ledgerfold.example/suite".to_owned();
    Checkpoint { origin, size, root: Hash::of_nothing() }.signed(&[])
}

/// An object that was never created is absent, and a created one comes back unchanged.
pub async fn an_object_comes_back_as_it_was_created(log: &LogPorts) {
    let name = name();
    assert_eq!(log.objects.get(&name).await.expect("a read"), None);
    let content: Vec<u8> = (0..=255).cycle().take(9_000).collect();
    assert!(log.objects.create(&name, content.clone()).await.expect("a write"));
    assert_eq!(log.objects.get(&name).await.expect("a read"), Some(content));
    assert_eq!(log.objects.get(&format!("{name}.p/1")).await.expect("a read"), None);
}

/// The first content of an object stays.
pub async fn an_object_is_never_replaced(log: &LogPorts) {
    let name = name();
    assert!(log.objects.create(&name, vec![1]).await.expect("a write"));
    assert!(!log.objects.create(&name, vec![2]).await.expect("a write"));
    assert!(!log.objects.create(&name, vec![1]).await.expect("a write"));
    assert_eq!(log.objects.get(&name).await.expect("a read"), Some(vec![1]));
}

/// Of racing creations exactly one succeeds, and its content is stored.
pub async fn of_racing_creations_one_succeeds(log: &LogPorts) {
    let name = name();
    let racers = (0..RACERS).map(|racer| {
        let content = vec![u8::try_from(racer).unwrap_or_default()];
        log.objects.create(&name, content)
    });
    let outcomes = join_all(racers).await;
    // A store may also refuse a concurrent call, as S3 does with 409.
    let winners: Vec<_> =
        (0_u8..).zip(&outcomes).filter(|(_, it)| matches!(it, Ok(true))).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    assert_eq!(log.objects.get(&name).await.expect("a read"), Some(vec![winners[0].0]));
}

/// The first checkpoint of a size stays.
pub async fn a_checkpoint_is_never_replaced(log: &LogPorts) {
    assert_eq!(log.checkpoints.get(7).await.expect("a read"), None);
    assert!(log.checkpoints.create(7, &note(7)).await.expect("a write"));
    assert!(!log.checkpoints.create(7, "other").await.expect("a write"));
    assert_eq!(log.checkpoints.get(7).await.expect("a read"), Some(note(7)));
    assert_eq!(log.checkpoints.get(70).await.expect("a read"), None);
}

/// The published checkpoint never becomes smaller.
pub async fn a_larger_checkpoint_stays_published(log: &LogPorts) {
    assert_eq!(log.published.published().await, None);
    for (size, published) in [(5, 5), (3, 5), (12, 12), (5, 12), (12, 12)] {
        log.checkpoints.publish(size, &note(size)).await.expect("a write");
        assert_eq!(log.published.published().await, Some(note(published)));
    }
}

/// The size changes only from the size that the caller has seen.
pub async fn the_size_advances_only_from_where_it_is(log: &LogPorts) {
    assert_eq!(log.size.size().await.expect("a read"), 0);
    assert!(!log.size.advance(3, 5).await.expect("a write"));
    assert!(log.size.advance(0, 4).await.expect("a write"));
    assert!(!log.size.advance(0, 9).await.expect("a write"));
    assert!(log.size.advance(4, 11).await.expect("a write"));
    assert_eq!(log.size.size().await.expect("a read"), 11);
}
