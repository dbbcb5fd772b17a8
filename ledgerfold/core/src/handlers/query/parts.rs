use std::collections::BTreeMap;

use super::{QueryError, freshness::check_reached};
use crate::{
    Envelope, StreamId, Version,
    ports::{EventReader, PartKey, PartOrder, PartRange, PartReader, Skips, StoredPart},
    project::{PartAt, Parted, ProjectError, Skipped, change_part, changes, read_log, read_part},
    vocabulary::ConsistencyToken,
};

/// A part for a reader.
#[derive(Clone, Debug, PartialEq)]
pub struct FreshPart<T> {
    /// The stream that the part is folded from.
    pub stream: StreamId,
    /// The place of the part in its group.
    pub order: PartOrder,
    /// The part.
    pub part: T,
}

/// Some parts of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct PartPage<T> {
    /// The parts, by order and then by stream.
    pub parts: Vec<FreshPart<T>>,
    /// The order of the last part that was read, if there may be more: continue there. Its parts come again.
    pub next: Option<PartOrder>,
}

/// The parts of a page by place: first the order, then the stream.
type Parts<T> = BTreeMap<(PartOrder, StreamId), PartAt<T>>;

/// A range of parts. With a token it contains the events of the token's stream at least up to its version, each once.
/// Missing events are added from the log, without skipped ones.
///
/// # Errors
/// [`QueryError`].
pub async fn fresh_parts<P: Parted>(
    store: &dyn PartReader,
    log: &dyn EventReader,
    skips: &dyn Skips,
    range: &PartRange,
    token: Option<&ConsistencyToken>,
) -> Result<PartPage<P::Part>, QueryError> {
    let token = token.filter(|token| *token.stream.tenant() == range.tenant);
    let Some(token) = token else {
        let stored = store.range(range).await?;
        return Ok(page(range, &stored, read_all::<P>(&stored)?));
    };
    let (position, stored) = store.range_with(&token.stream, range).await?;
    let parts = read_all::<P>(&stored)?;
    if position >= token.version {
        return Ok(page(range, &stored, parts));
    }
    let events = missing(position, log, token).await?;
    // Behind a full page there may be stored parts that were not read.
    let last = last_of_full(range, &stored);
    let is_read = |key: &PartKey| last.is_none_or(|last| key.order <= *last);
    let is_shown = |key: &PartKey| range.has(token.stream.tenant(), key) && is_read(key);
    let mut skipped = Skipped::default();
    let fold = |skipped: &Skipped| add::<P>(parts.clone(), &events, skipped, (token, &is_shown));
    let parts = skipped.fold(&token.stream, skips, fold).await?;
    Ok(page(range, &stored, parts))
}

/// The events of the token's stream after this position.
async fn missing(
    position: Version,
    log: &dyn EventReader,
    token: &ConsistencyToken,
) -> Result<Vec<Envelope>, QueryError> {
    let mut events = Vec::new();
    let mut version = position;
    loop {
        let page = read_log(version, &token.stream, log).await?;
        version = version.advance(page.events.len());
        events.extend(page.events);
        if !page.more {
            check_reached(&token.stream, Some(token.version), version)?;
            return Ok(events);
        }
    }
}

/// Adds the changes of these events to the parts that are shown.
fn add<P: Parted>(
    mut parts: Parts<P::Part>,
    events: &[Envelope],
    skipped: &Skipped,
    (token, is_shown): (&ConsistencyToken, &dyn Fn(&PartKey) -> bool),
) -> Result<Parts<P::Part>, ProjectError> {
    let changes = changes::<P>(events, skipped)?;
    for (key, changes) in changes.into_iter().filter(|(key, _)| is_shown(key)) {
        let at = parts.entry((key.order, token.stream.clone())).or_default();
        *at = change_part::<P>(std::mem::take(at), &changes)?;
    }
    Ok(parts)
}

fn read_all<P: Parted>(stored: &[StoredPart]) -> Result<Parts<P::Part>, QueryError> {
    let place = |part: &StoredPart| (part.key.order.clone(), part.stream.clone());
    let read = |part: &StoredPart| Ok((place(part), read_part::<P>(Some(part))?));
    stored.iter().map(read).collect()
}

fn last_of_full<'a>(range: &PartRange, stored: &'a [StoredPart]) -> Option<&'a PartOrder> {
    stored.last().filter(|_| stored.len() >= range.limit).map(|last| &last.key.order)
}

fn page<T>(range: &PartRange, stored: &[StoredPart], parts: Parts<T>) -> PartPage<T> {
    let parts = parts.into_iter().filter_map(|((order, stream), PartAt { part, .. })| {
        part.map(|part| FreshPart { stream, order, part })
    });
    PartPage { parts: parts.collect(), next: last_of_full(range, stored).cloned() }
}
