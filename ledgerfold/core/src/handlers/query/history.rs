use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Fresh, QueryError};
use crate::{
    Envelope, Event, Recorded, StreamId, Timestamp, Version,
    ports::{EventReader, Skips, Span, StoreError},
    project::{ProjectError, Projection, Skipped, contiguous, fold, read_log},
    vocabulary::{Commit, CommitHash},
};

/// How many commits the first read of a page requests. The size of their events decides how many the next read requests,
/// so a page takes one read, or two if it has many small events.
const COMMITS_PER_READ: usize = 25;
/// How many bytes of content a page of events may have. A Lambda response has at most 6 MB, and the
/// content is escaped twice in it.
const PAGE_BYTES: usize = 2_000_000;

/// The requested point in the past. The result is always the state at the end of a commit. There is no state inside a
/// commit, because its events are one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The state after the last commit that ends at or below this version.
    Version(Version),
    /// The state before the first commit that was recorded after this instant. Clocks can run backwards between
    /// commits, so a later commit may have an earlier time; it does not count.
    Instant(Timestamp),
}

impl Until {
    /// Whether the result contains the commit of this event.
    fn includes(self, event: &Envelope) -> bool {
        match self {
            Self::Version(version) => event.commit.1 <= version,
            Self::Instant(instant) => event.metadata.recorded_at <= instant,
        }
    }
}

/// The row that the projection would have had at a point in the past, with its version. Events that are skipped for
/// the projection are left out, even if they were skipped later. `None` if there was no row yet, or the stream has not
/// reached the version.
///
/// # Errors
/// [`QueryError`].
pub async fn as_of<P: Projection>(
    log: &dyn EventReader,
    skips: &dyn Skips,
    stream: &StreamId,
    until: Until,
) -> Result<Option<Fresh<P::Row>>, QueryError> {
    let mut row = None;
    let mut version = Version::NONE;
    let mut skipped = Skipped::default();
    loop {
        let page = read_log(version, stream, log).await?;
        let included: Vec<_> =
            page.events.iter().take_while(|event| until.includes(event)).cloned().collect();
        let fold = |skipped: &_| fold::<P>(row.clone(), &included, skipped);
        row = skipped.fold(stream, skips, fold).await?;
        version = version.advance(included.len());
        // The stream has more events than the result shows, so it has reached the requested point.
        let goes_on = included.len() < page.events.len();
        let reached = match until {
            Until::Version(asked) => goes_on || version == asked,
            Until::Instant(_) => goes_on || !page.more,
        };
        if reached {
            return Ok(row.map(|row| Fresh { row, version }));
        }
        if !page.more {
            return Ok(None);
        }
    }
}

/// The start of a page of the audit log: after the last version of the previous page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPosition(Version);

impl AuditPosition {
    /// The beginning of a stream.
    pub const START: Self = Self(Version::NONE);
}

/// A page of a stream's events in their types of today, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage<E> {
    /// The events. A stored event that upcasters turned into several is there as several of the same version.
    pub events: Vec<Recorded<E>>,
    /// The start of the next page, if there is one.
    pub next: Option<AuditPosition>,
}

/// The events of a stream with these versions, from a position on. Versions that the stream has not reached have no
/// events. A page has at most `limit` stored events and 2 MB of content, but always at least one event if there is one.
///
/// Reads only the commits of these events, and at most one more, in at most one request more than needed. A page that
/// begins inside a commit takes another one.
///
/// ```
/// # use ledgerfold::{StreamId, Version, ports::EventReader, query::{AuditPosition, QueryError, events}};
/// # use ledgerfold_testkit::bank::AccountEvent;
/// # async fn statement(log: &dyn EventReader, account: &StreamId) -> Result<(), QueryError> {
/// let month = Version::new(12)..=Version::new(40);
/// let page = events::<AccountEvent>(log, account, month, AuditPosition::START, 100).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`QueryError`].
pub async fn events<E: Event>(
    log: &dyn EventReader,
    stream: &StreamId,
    versions: RangeInclusive<Version>,
    from: AuditPosition,
    limit: usize,
) -> Result<EventPage<E>, QueryError> {
    let before = Version::new(versions.start().get().saturating_sub(1));
    let from = AuditPosition(from.0.max(before));
    let page = page(log, stream, from, Some(*versions.end()), limit).await?;
    let mut events = Vec::with_capacity(page.events.len());
    for event in &page.events {
        let opened = event.open::<E>().map_err(|source| ProjectError::Event {
            stream: stream.clone(),
            version: event.version,
            source,
        })?;
        events.extend(opened);
    }
    Ok(EventPage { events, next: page.next })
}

/// The stored hash of the commit with this version, or `None` if the stream has not reached the version. The hash covers
/// the commit and everything before it, so a statement that names it can be proven. Takes one request.
///
/// # Errors
/// [`StoreError`].
pub async fn commit_hash(
    log: &dyn EventReader,
    stream: &StreamId,
    version: Version,
) -> Result<Option<CommitHash>, StoreError> {
    let newest = log.read_back(stream, Span::before(version.next()), 1).await?;
    let commit = newest.commits.first().filter(|commit| commit.to() >= version);
    Ok(commit.map(Commit::hash))
}

/// A page of a stream's events, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<Envelope>,
    /// The start of the next page, if there is one.
    pub next: Option<AuditPosition>,
}

/// The events of a stream from a position on. A page has at most `limit` events and 2 MB of content, but always at
/// least one event if there is one.
///
/// Reads only the commits of these events, and at most one more. A page that begins inside a commit takes a second
/// request.
///
/// # Errors
/// [`QueryError`].
pub async fn audit(
    log: &dyn EventReader,
    stream: &StreamId,
    from: AuditPosition,
    limit: usize,
) -> Result<AuditPage, QueryError> {
    Ok(page(log, stream, from, None, limit).await?)
}

/// A page of events up to this version, if there is one.
async fn page(
    log: &dyn EventReader,
    stream: &StreamId,
    AuditPosition(mut shown): AuditPosition,
    last: Option<Version>,
    limit: usize,
) -> Result<AuditPage, StoreError> {
    let mut page = AuditPage { events: Vec::new(), next: None };
    let mut bytes = 0;
    let mut reach = COMMITS_PER_READ;
    loop {
        // One event more than requested shows whether there is another page.
        let window = reach.min(limit + 1 - page.events.len());
        let found = following(log, stream, (shown, last), window).await?;
        let ends = found.len() < window;
        for event in found {
            bytes += event.event.data.as_str().len();
            let is_full = page.events.len() == limit || bytes > PAGE_BYTES;
            if is_full && !page.events.is_empty() {
                page.next = Some(AuditPosition(shown));
                return Ok(page);
            }
            shown = event.version;
            page.events.push(event);
        }
        if ends || last.is_some_and(|last| shown >= last) {
            return Ok(page);
        }
        let average = bytes / page.events.len().max(1);
        reach = (PAGE_BYTES.saturating_sub(bytes) / average.max(1)).max(1);
    }
}

/// The events after a version, and up to another one if there is one: the next `window` events and the rest of their
/// commits, or all that are left.
///
/// Every commit has at least one event. So the last `window` commits that begin within the window contain all of
/// its versions, and no more commits need to be read.
async fn following(
    log: &dyn EventReader,
    stream: &StreamId,
    (after, last): (Version, Option<Version>),
    window: usize,
) -> Result<Vec<Envelope>, StoreError> {
    let end = after.advance(window);
    let end = last.map_or(end, |last| last.min(end));
    let mut span = Span { after, before: Some(end.next()) };
    if span.is_empty() && end <= after {
        return Ok(Vec::new());
    }
    let mut commits: Vec<Commit> = Vec::new();
    loop {
        let page = log.read_back(stream, span, window).await?;
        commits.extend(page.commits);
        span.before = commits.last().map(Commit::from).or(span.before);
        if !page.more || span.is_empty() {
            break;
        }
    }
    let is_inside_a_commit = after > Version::NONE && !span.is_empty();
    if is_inside_a_commit {
        let around = log.read_back(stream, Span { after: Version::NONE, ..span }, 1).await?;
        commits.extend(around.commits);
    }
    let events = commits.iter().rev().flat_map(Commit::envelopes);
    let is_asked = |version: Version| version > after && last.is_none_or(|last| version <= last);
    contiguous(stream, after, events.filter(|event| is_asked(event.version)).collect())
}
