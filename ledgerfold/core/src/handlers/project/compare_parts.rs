//! Compares the parts of a stream with the log.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{
    Comparison, Parted, PartedModel, ProjectError, Skipped, Verifiable,
    parted::{PartAt, change_part, changes, read_part, stored_part},
    walk::{Walk, look_ahead},
};
use crate::{
    Envelope, StreamId, Version,
    ports::{Counter, EventReader, PartKey, Skips, StoredPart, Written},
    project::read_log,
    vocabulary::OfTenant,
};

/// How many parts are compared at once. A read of DynamoDB has up to 100 keys.
const COMPARED_AT_ONCE: usize = 100;

/// All parts of a stream, each with its states: the one at the position that is compared, if there is one, and all
/// later ones. A part may be ahead of the position, because it is written first.
struct Folded<P: Parted> {
    at: Version,
    parts: BTreeMap<PartKey, Vec<PartAt<P::Part>>>,
}

impl<P: Parted> Folded<P> {
    /// Adds a commit, or changes nothing.
    fn add(&mut self, commit: &[Envelope], skipped: &Skipped) -> Result<(), ProjectError> {
        let changes = changes::<P>(commit, skipped)?;
        let mut after = Vec::with_capacity(changes.len());
        for (key, changes) in changes {
            let before = self.parts.get(&key).and_then(|states| states.last()).cloned();
            after.push((key, change_part::<P>(before.unwrap_or_default(), &changes)?));
        }
        for (key, state) in after {
            let states = self.parts.entry(key).or_default();
            if state.version <= self.at {
                states.clear();
            }
            states.push(state);
        }
        Ok(())
    }

    /// Whether the stored part is one of these states, and not older than the position. A part that is ahead of the log as it
    /// was read cannot be compared.
    fn has(
        &self,
        states: &[PartAt<P::Part>],
        stored: Option<&StoredPart>,
        head: Version,
    ) -> Result<bool, ProjectError> {
        let Some(stored) = stored else {
            return Ok(states.iter().all(|state| state.version > self.at));
        };
        Ok(stored.version > head || states.contains(&read_part::<P>(Some(stored))?))
    }
}

/// Folds the whole stream. Its parts are in memory.
async fn fold<P: Parted>(
    (log, skips): (&dyn EventReader, &dyn Skips),
    stream: &StreamId,
    at: Version,
) -> Result<(Folded<P>, Walk<()>), ProjectError> {
    let mut folded = Folded::<P> { at, parts: BTreeMap::new() };
    let mut walk = Walk::begin(at, ());
    let mut skipped = Skipped::default();
    loop {
        let page = read_log(walk.head, stream, log).await?;
        for commit in page.events.chunk_by(|one, next| one.commit == next.commit) {
            while let Err(error) = folded.add(commit, &skipped) {
                skipped.learn(error, stream, skips).await?;
            }
        }
        walk = walk.through(&page.events, |(), _| Ok(()))?;
        if !page.more {
            walk.skipped = skipped;
            return Ok((folded, walk));
        }
    }
}

impl<P: Parted> PartedModel<P> {
    async fn compare_parts(
        &self,
        position: Option<Version>,
        stream: &StreamId,
        source: (&dyn EventReader, &dyn Skips),
    ) -> Result<Comparison, ProjectError> {
        let (folded, walk) = fold::<P>(source, stream, position.unwrap_or(Version::NONE)).await?;
        let mut is_fold = position.is_none() || walk.there.is_some();
        let all: Vec<_> = folded.parts.iter().collect();
        for chunk in all.chunks(COMPARED_AT_ONCE) {
            let keys: Vec<_> = chunk.iter().map(|(key, _)| (*key).clone()).collect();
            let stored = self.parts.parts(stream, &keys).await;
            for ((_, states), stored) in chunk.iter().zip(stored) {
                is_fold &= folded.has(states, stored?.as_ref(), walk.head)?;
            }
        }
        Ok(Comparison::new(position, walk, is_fold))
    }

    async fn position(&self, stream: &StreamId) -> Result<Option<Version>, ProjectError> {
        let position = self.parts.position(stream).await?;
        Ok(Some(position).filter(|position| *position > Version::NONE))
    }
}

/// A part that the fold does not have cannot be found: parts are stored by group, and not by stream. A rebuild leaves
/// such parts behind with the old generation.
#[async_trait]
impl<P: Parted> Verifiable for PartedModel<P> {
    /// Reads the position, then the log, then the parts, so that parts that are updated meanwhile never seem wrong.
    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
        skips: &dyn Skips,
    ) -> Result<Comparison, ProjectError> {
        let position = match self.position(stream).await {
            Ok(position) => position,
            Err(error) => return Comparison::or_unreadable(Err(error), None),
        };
        let compared = self.compare_parts(position, stream, (log, skips)).await;
        Comparison::or_unreadable(compared, position)
    }

    async fn compare_end(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Comparison, ProjectError> {
        let position = match self.position(stream).await {
            Ok(position) => position,
            Err(error) => return Comparison::or_unreadable(Err(error), None),
        };
        let walk = look_ahead(log, stream, position.unwrap_or(Version::NONE)).await;
        let compared = walk.map(|walk| Comparison::new(position, walk, true));
        Ok(Comparison::or_unreadable(compared, position)?.of_end())
    }

    async fn overwrite(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
        skips: &dyn Skips,
    ) -> Result<Option<Written>, ProjectError> {
        let Some(position) = self.position(stream).await? else {
            return Ok(Some(Written::Superseded));
        };
        let (folded, walk) = fold::<P>((log, skips), stream, Version::NONE).await?;
        if walk.head < position {
            // The parts are ahead of the log, and the log may be the damaged part.
            return Ok(None);
        }
        for (key, states) in folded.parts {
            let Some(state) = states.into_iter().last() else { continue };
            let seen = self.parts.parts(stream, std::slice::from_ref(&key)).await;
            let seen = seen.into_iter().next().transpose();
            // A part that cannot be read is left to the operator.
            let seen = seen?.flatten().map_or(Version::NONE, |seen| seen.version);
            let fresh = stored_part::<P>(&state, stream, key)?;
            if self.parts.replace(seen, &fresh).await? == Written::Superseded {
                return Ok(Some(Written::Superseded));
            }
        }
        self.parts.advance(stream, walk.head).await?;
        Ok(Some(Written::Done))
    }

    async fn counters(&self) -> Result<Option<Vec<OfTenant<Counter>>>, ProjectError> {
        Ok(None)
    }
}
