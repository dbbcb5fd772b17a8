use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Position, ProjectError, ReadModel, Skipped,
    gathered::Gathered,
    row::{inapplicable, open, unanswered},
};
use crate::{
    Envelope, Event, Payload, Recorded, StreamId, Version,
    ports::{PartKey, PartStore, ReadStoreError, StoredPart, Written},
    vocabulary::panics::guarded,
};

/// The most parts that are read and written before the position is recorded. A read of DynamoDB has up to 100 keys.
const PARTS_PER_STEP: usize = 100;
/// How many parts of one stream are written concurrently.
const CONCURRENT_WRITES: usize = 8;

/// A read model whose rows are parts of a stream: many rows for each stream, for example one for each hour of a sensor.
///
/// A query reads a range of one group of parts, over all streams of the tenant. Parts of two streams stay apart even if
/// their keys are equal, so the query merges them.
///
/// Each part has the version of the last event that changed it, and each stream has a position. An update writes the
/// parts first and the position last, each in a conditional Put. So an event takes effect exactly once in every part,
/// also if a projector dies between two writes, and at half the price of a transaction. For a moment a reader may see an
/// event in one part and not yet in another, as with counters.
pub trait Parted: Send + Sync + 'static {
    /// The revision of the model. Raise it if the same events make other parts than before; see
    /// [`Projection::REVISION`](super::Projection::REVISION).
    const REVISION: u32 = 1;

    /// The events that are folded.
    type Event: Event;
    /// The content of a part.
    type Part: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The effect of an event on one part.
    type Change: Send + Sync + 'static;

    /// The effects of an event, each on another part. One event may change any number of parts, and each costs a write.
    ///
    /// # Errors
    /// A sentence that explains how the event contradicts the model, for example because of an invalid key.
    fn changes(event: &Recorded<Self::Event>) -> Result<Vec<(PartKey, Self::Change)>, String>;

    /// The part after a change. It is `None` before the first change, and again if the part should have no content any
    /// more.
    ///
    /// # Errors
    /// A sentence that explains how the change contradicts the part.
    fn apply(part: Option<Self::Part>, change: &Self::Change)
    -> Result<Option<Self::Part>, String>;
}

/// The changes of some events by part, oldest first, each with its event.
pub(crate) type Changes<'e, P> = BTreeMap<PartKey, Vec<(&'e Envelope, <P as Parted>::Change)>>;

/// The changes of whole commits, without those of skipped events.
pub(crate) fn changes<'e, P: Parted>(
    events: &'e [Envelope],
    skipped: &Skipped,
) -> Result<Changes<'e, P>, ProjectError> {
    let mut all = Changes::<P>::new();
    // An event changes all of its parts or none, so a skipped one is left out even where it could be applied.
    for envelope in events.iter().filter(|envelope| !skipped.has(envelope.version)) {
        for event in open::<P::Event>(envelope)? {
            let changes = guarded(|| P::changes(&event))
                .unwrap_or_else(|panicked| Err(panicked.to_string()))
                .map_err(|reason| inapplicable(envelope, reason))?;
            for (key, change) in changes {
                all.entry(key).or_default().push((envelope, change));
            }
        }
    }
    Ok(all)
}

/// A part with the version of the last event that changed it. [`Version::NONE`] before the first one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartAt<T> {
    pub(crate) version: Version,
    pub(crate) part: Option<T>,
}

impl<T> Default for PartAt<T> {
    fn default() -> Self {
        Self { version: Version::NONE, part: None }
    }
}

/// The decoded part.
pub(crate) fn read_part<P: Parted>(
    stored: Option<&StoredPart>,
) -> Result<PartAt<P::Part>, ReadStoreError> {
    let Some(stored) = stored else { return Ok(PartAt::default()) };
    let part = stored.body.as_ref().map(Payload::decode).transpose();
    let part = part.map_err(|error| ReadStoreError::Corrupt {
        key: format!("{} {} of {}", stored.key.group, stored.key.order, stored.stream),
        reason: error.to_string(),
    })?;
    Ok(PartAt { version: stored.version, part })
}

/// The encoded part.
pub(super) fn stored_part<P: Parted>(
    PartAt { version, part }: &PartAt<P::Part>,
    stream: &StreamId,
    key: PartKey,
) -> Result<StoredPart, ProjectError> {
    let body = part.as_ref().map(Payload::encode).transpose()?;
    Ok(StoredPart { stream: stream.clone(), key, version: *version, body })
}

/// The part after these changes, without those that it has.
pub(crate) fn change_part<P: Parted>(
    before: PartAt<P::Part>,
    changes: &[(&Envelope, P::Change)],
) -> Result<PartAt<P::Part>, ProjectError> {
    let seen = before.version;
    let new = changes.iter().filter(|(envelope, _)| envelope.version > seen);
    new.into_iter().try_fold(before, |at, (envelope, change)| {
        let part = guarded(|| P::apply(at.part, change))
            .unwrap_or_else(|panicked| Err(panicked.to_string()))
            .map_err(|reason| inapplicable(envelope, reason))?;
        Ok(PartAt { version: envelope.version, part })
    })
}

/// A [`Parted`] model with the table of its parts.
pub struct PartedModel<P> {
    pub(crate) parts: Arc<dyn PartStore>,
    /// The reads of positions of concurrent streams.
    reads: Gathered<StreamId, Result<Version, ReadStoreError>>,
    model: PhantomData<fn() -> P>,
}

impl<P: Parted> PartedModel<P> {
    /// The model with this table.
    pub fn new(parts: Arc<dyn PartStore>) -> Self {
        Self { parts, reads: Gathered::default(), model: PhantomData }
    }
}

#[async_trait]
impl<P: Parted> ReadModel for PartedModel<P> {
    /// As many as a batch has by default. Each stream writes its own parts.
    fn streams_at_once(&self) -> usize {
        10
    }

    async fn open(&self, stream: &StreamId) -> Result<Box<dyn Position>, ProjectError> {
        let parts = &self.parts;
        let read = async |streams: Vec<StreamId>| parts.positions(&streams).await;
        let version = self.reads.call(stream.clone(), read).await.unwrap_or_else(unanswered)?;
        let parts = parts.clone();
        Ok(Box::new(PartedPosition::<P> {
            parts,
            stream: stream.clone(),
            version,
            model: PhantomData,
        }))
    }
}

struct PartedPosition<P> {
    parts: Arc<dyn PartStore>,
    stream: StreamId,
    version: Version,
    model: PhantomData<fn() -> P>,
}

impl<P: Parted> PartedPosition<P> {
    /// Writes the changed parts, and then the position. A part that another writer has moved further is right.
    async fn write(
        &mut self,
        version: Version,
        changes: Changes<'_, P>,
    ) -> Result<Written, ProjectError> {
        let keys: Vec<_> = changes.keys().cloned().collect();
        let stored =
            if keys.is_empty() { Vec::new() } else { self.parts.parts(&self.stream, &keys).await };
        let mut changed = Vec::with_capacity(keys.len());
        for ((key, changes), stored) in changes.into_iter().zip(stored) {
            let before = read_part::<P>(stored?.as_ref())?;
            let seen = before.version;
            let after = change_part::<P>(before, &changes)?;
            if after.version > seen {
                changed.push(stored_part::<P>(&after, &self.stream, key)?);
            }
        }
        let parts = &self.parts;
        stream::iter(changed)
            .map(|part| async move { parts.put(&part).await })
            .buffer_unordered(CONCURRENT_WRITES)
            .try_collect::<Vec<Written>>()
            .await?;
        let written = self.parts.advance(&self.stream, version).await?;
        if written == Written::Done {
            self.version = version;
        }
        Ok(written)
    }
}

#[async_trait]
impl<P: Parted> Position for PartedPosition<P> {
    fn version(&self) -> Version {
        self.version
    }

    /// Takes as many commits per step as the limit of parts allows, so that an interrupted update resumes near its end.
    async fn advance(
        &mut self,
        events: &[Envelope],
        skipped: &Skipped,
    ) -> Result<Written, ProjectError> {
        let mut version = self.version;
        let mut pending = Changes::<P>::new();
        for commit in events.chunk_by(|one, next| one.commit == next.commit) {
            let added = changes::<P>(commit, skipped)?;
            let new = added.keys().filter(|key| !pending.contains_key(*key)).count();
            if !pending.is_empty() && pending.len() + new > PARTS_PER_STEP {
                let step = std::mem::take(&mut pending);
                if self.write(version, step).await? == Written::Superseded {
                    return Ok(Written::Superseded);
                }
            }
            for (key, changes) in added {
                pending.entry(key).or_default().extend(changes);
            }
            version = version.advance(commit.len());
        }
        self.write(version, pending).await
    }
}
