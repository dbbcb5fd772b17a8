//! The rules of skipped events. Each rule needs its own quarantine.

use std::sync::Arc;

use futures::future::join_all;
use ledgerfold::{
    Actor, StreamId, Timestamp, Version,
    ports::{Parked, Quarantine, Signature, Skip, SkipError, SkipReason, SkipRegister},
};

use super::requests::{fresh, twin};

/// The quarantine of a projection and the register of its skips.
#[derive(Clone)]
pub struct Desk {
    /// The quarantine.
    pub quarantine: Arc<dyn Quarantine>,
    /// The register of skips.
    pub register: Arc<dyn SkipRegister>,
}

impl Desk {
    /// A desk over a store that implements both ports.
    pub fn over<S: Quarantine + SkipRegister + 'static>(store: S) -> Self {
        let store = Arc::new(store);
        Self { quarantine: store.clone(), register: store }
    }

    /// Parks a stream because of this event.
    async fn park(&self, stream: &StreamId, version: Option<u64>) -> Parked {
        let parked = Parked {
            stream: stream.clone(),
            position: None,
            version: version.map(Version::new),
            owed_version: Version::new(9),
            reason: "it has no place".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            attempts: 0,
            tried: Timestamp::UNIX_EPOCH,
        };
        self.quarantine.park(&parked).await.expect("the stream can be parked");
        parked
    }

    async fn record(&self, skip: &Skip) {
        self.register.record(skip).await.expect("the event can be skipped");
    }

    async fn refused(&self, skip: &Skip) -> SkipError {
        self.register.record(skip).await.expect_err("the event cannot be skipped")
    }

    async fn find(&self, stream: &StreamId, version: u64) -> Option<Skip> {
        self.register.find(stream, Version::new(version)).await.expect("the skip can be read")
    }

    async fn withdraw(&self, stream: &StreamId, version: u64) -> Option<Skip> {
        let version = Version::new(version);
        let withdrawn = self.register.withdraw(stream, version, &by("withdrawer")).await;
        withdrawn.expect("the skip can be withdrawn")
    }

    /// A new stream that is parked because of version 3, which is skipped.
    async fn with_a_skip(&self) -> (StreamId, Skip) {
        let stream = fresh();
        self.park(&stream, Some(3)).await;
        let skip = skip(&stream, 3, "operator");
        self.record(&skip).await;
        (stream, skip)
    }
}

fn by(actor: &str) -> Signature {
    let at = Timestamp::from_microsecond(1_700_000_000_123_456).expect("a time of our era");
    Signature { actor: Actor::new(actor).expect("visible ASCII"), at }
}

fn skip(stream: &StreamId, version: u64, actor: &str) -> Skip {
    let reason = SkipReason::new("placed twice: \"ä\" \\ see ticket 7").expect("one line");
    Skip { stream: stream.clone(), version: Version::new(version), reason, by: by(actor) }
}

/// Reading and withdrawing a missing skip are not errors.
pub async fn an_event_that_was_never_skipped_has_no_skip(desk: &Desk) {
    let stream = fresh();
    desk.park(&stream, Some(3)).await;
    assert_eq!(desk.find(&stream, 3).await, None);
    assert_eq!(desk.withdraw(&stream, 3).await, None);
}

/// A skip is returned unchanged, with its reason, its operator and its time.
pub async fn a_skip_comes_back_as_it_was_recorded(desk: &Desk) {
    let (stream, skip) = desk.with_a_skip().await;
    assert_eq!(desk.find(&stream, 3).await, Some(skip));
}

/// A skip affects one version of one stream only.
pub async fn a_skip_is_of_one_version_of_one_stream(desk: &Desk) {
    let (stream, _) = desk.with_a_skip().await;
    for version in [2, 4, 30, 33] {
        assert_eq!(desk.find(&stream, version).await, None, "version {version}");
    }
    assert_eq!(desk.find(&fresh(), 3).await, None);
}

/// A skip affects the stream of its tenant only, and a withdrawal too.
// Guards: tenants-never-meet
pub async fn skips_of_tenants_do_not_mix(desk: &Desk) {
    let (here, first) = desk.with_a_skip().await;
    let there = twin(&here);
    assert_eq!(desk.find(&there, 3).await, None);
    assert_eq!(desk.withdraw(&there, 3).await, None);
    let refused = desk.refused(&skip(&there, 3, "operator")).await;
    assert!(matches!(refused, SkipError::NotParked { .. }), "{refused:?}");
    desk.park(&there, Some(3)).await;
    let second = skip(&there, 3, "other");
    desk.record(&second).await;
    assert_eq!(desk.withdraw(&here, 3).await, Some(first));
    assert_eq!(desk.find(&there, 3).await, Some(second));
}

/// Only the event that blocks its stream can be skipped. The error has the actual entry of the quarantine.
// Guards: only-an-operator-skips-an-event
pub async fn only_the_event_that_parks_its_stream_can_be_skipped(desk: &Desk) {
    let stream = fresh();
    let refused = desk.refused(&skip(&stream, 3, "operator")).await;
    assert!(matches!(&refused, SkipError::NotParked { stream: of, .. } if *of == stream));
    for version in [Some(2), Some(4), None] {
        let entry = desk.park(&stream, version).await;
        let refused = desk.refused(&skip(&stream, 3, "operator")).await;
        let has_entry =
            matches!(&refused, SkipError::ParkedElsewhere { parked, .. } if **parked == entry);
        assert!(has_entry, "parked at {version:?}, but refused by {refused:?}");
        assert_eq!(desk.find(&stream, 3).await, None);
    }
    desk.park(&stream, Some(3)).await;
    desk.record(&skip(&stream, 3, "operator")).await;
}

/// A skip stays after its stream is released, because a later rebuild reads the event again.
pub async fn a_skip_stays_when_its_stream_is_released(desk: &Desk) {
    let (stream, skip) = desk.with_a_skip().await;
    desk.quarantine.release(&stream, Version::new(9)).await.expect("the release succeeds");
    assert_eq!(desk.quarantine.get(&stream).await.expect("the entry can be read"), None);
    assert_eq!(desk.find(&stream, 3).await, Some(skip));
}

/// Skips and parked streams are separate, even in one table.
pub async fn skips_and_parked_streams_do_not_mix(desk: &Desk) {
    let (stream, _) = desk.with_a_skip().await;
    let entry = desk.quarantine.get(&stream).await.expect("the entry can be read");
    let page = desk.quarantine.list(None).await.expect("the entries can be listed");
    assert_eq!(page.items, [entry.expect("the stream is parked")]);
    desk.withdraw(&stream, 3).await.expect("the skip was in force");
    assert!(desk.quarantine.get(&stream).await.expect("the entry can be read").is_some());
}

/// A second skip is refused with the first one, even after the stream is released.
pub async fn the_first_skip_of_an_event_stays(desk: &Desk) {
    let (stream, first) = desk.with_a_skip().await;
    for _ in 0..2 {
        let refused = desk.refused(&skip(&stream, 3, "other")).await;
        let has_first = matches!(&refused, SkipError::AlreadySkipped(skip) if **skip == first);
        assert!(has_first, "the event is skipped already, but refused by {refused:?}");
        desk.quarantine.release(&stream, Version::new(9)).await.expect("the release succeeds");
    }
    assert_eq!(desk.find(&stream, 3).await, Some(first));
}

/// If several operators skip an event at once, one succeeds and the others are refused.
pub async fn of_several_operators_at_once_one_skips(desk: &Desk) {
    let stream = fresh();
    desk.park(&stream, Some(3)).await;
    let skips: Vec<_> = (0..8).map(|at| skip(&stream, 3, &format!("operator-{at}"))).collect();
    let outcomes = join_all(skips.iter().map(|skip| desk.register.record(skip))).await;
    let recorded: Vec<_> = skips.iter().zip(&outcomes).filter(|(_, it)| it.is_ok()).collect();
    assert_eq!(recorded.len(), 1, "{outcomes:?}");
    assert_eq!(desk.find(&stream, 3).await.as_ref(), Some(recorded[0].0));
}

/// A withdrawn skip is not found any more, and cannot be withdrawn again.
pub async fn a_withdrawn_skip_has_no_effect(desk: &Desk) {
    let (stream, skip) = desk.with_a_skip().await;
    assert_eq!(desk.withdraw(&stream, 4).await, None, "another version");
    assert_eq!(desk.withdraw(&stream, 3).await, Some(skip));
    assert_eq!(desk.find(&stream, 3).await, None);
    assert_eq!(desk.withdraw(&stream, 3).await, None);
}

/// A withdrawn skip can be recorded again, even if the stream is not in quarantine: read models may already lack the
/// event.
pub async fn a_withdrawn_skip_can_be_recorded_again(desk: &Desk) {
    let (stream, _) = desk.with_a_skip().await;
    desk.withdraw(&stream, 3).await.expect("the skip was in force");
    desk.quarantine.release(&stream, Version::new(9)).await.expect("the release succeeds");
    let again = skip(&stream, 3, "again");
    desk.record(&again).await;
    assert_eq!(desk.find(&stream, 3).await, Some(again));
}
