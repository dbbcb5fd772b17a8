use serde::{Deserialize, Serialize};

use super::{Fresh, QueryError};
use crate::{
    Envelope, StreamId, Timestamp, Version,
    ports::{EventReader, Skips, StoreError},
    project::{Projection, Skipped, contiguous, fold, read_log},
    vocabulary::Commit,
};

/// How many commits one read of the audit log asks for: a reply holds few events, and each commit may
/// have several, so that more would be read for nothing.
const COMMITS_PER_READ: usize = 25;
/// How many bytes of content a page of the audit log may hold. Lambda answers with at most 6 MB, and
/// the content is escaped twice on its way.
const PAGE_BYTES: usize = 2_000_000;

/// The point in the past to show. The result is always a state that existed: the stream at the end of a commit.
/// Inside a commit there is no state, because its events are one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Up to the last commit that ends at this version or below.
    Version(Version),
    /// Up to the last commit before the first one that was recorded after this instant. Clocks may
    /// run backwards between commits, versions may not.
    Instant(Timestamp),
}

impl Until {
    /// Whether the commit of this event is shown.
    fn holds(self, event: &Envelope) -> bool {
        match self {
            Self::Version(version) => event.commit.1 <= version,
            Self::Instant(instant) => event.metadata.recorded_at <= instant,
        }
    }
}

/// The row that a projection would have shown then, without the events that were skipped for it since,
/// and with the version that it shows. `None` before there was one, and for a version that the stream
/// has not reached.
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
        let held: Vec<_> =
            page.events.iter().take_while(|event| until.holds(event)).cloned().collect();
        let fold = |skipped: &_| fold::<P>(row.clone(), &held, skipped);
        row = skipped.fold(stream, skips, fold).await?;
        version = version.advance(held.len());
        // The stream has more events than the result shows, so it has reached the requested point.
        let goes_on = held.len() < page.events.len();
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

/// Where a page of the audit log begins: behind the last version that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPosition(Version);

impl AuditPosition {
    /// The beginning of a stream.
    pub const START: Self = Self(Version::NONE);
}

/// A page of a stream's events, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<Envelope>,
    /// Where the next page begins, if there is one.
    pub next: Option<AuditPosition>,
}

/// The events of a stream from a position on: at most `limit`, and no more content than one answer can
/// carry, but always one event if there is one.
///
/// Reads about as many commits as the page has events, however long the stream is.
///
/// # Errors
/// [`QueryError`].
pub async fn audit(
    log: &dyn EventReader,
    stream: &StreamId,
    AuditPosition(shown): AuditPosition,
    limit: usize,
) -> Result<AuditPage, QueryError> {
    let mut page = AuditPage { events: Vec::new(), next: None };
    let mut bytes = 0;
    let mut last = shown;
    loop {
        // One event more than is shown says whether there is another page.
        let window = COMMITS_PER_READ.min(limit + 1 - page.events.len());
        let found = following(log, stream, last, window).await?;
        let ends = found.len() < window;
        for event in found {
            bytes += event.event.data.as_str().len();
            let is_full = page.events.len() == limit || bytes > PAGE_BYTES;
            if is_full && !page.events.is_empty() {
                page.next = Some(AuditPosition(last));
                return Ok(page);
            }
            last = event.version;
            page.events.push(event);
        }
        if ends {
            return Ok(page);
        }
    }
}

/// The events behind a version: the next `window` of them and the rest of their commits, or all that
/// there are.
///
/// Each commit has an event at least. So the last `window` commits that begin within the window have
/// all of its versions, and the store is asked for no more than these.
async fn following(
    log: &dyn EventReader,
    stream: &StreamId,
    after: Version,
    window: usize,
) -> Result<Vec<Envelope>, StoreError> {
    let mut before = after.advance(window).next();
    let mut commits = Vec::new();
    loop {
        let page = log.read_back(stream, Some(before), window).await?;
        let oldest = page.commits.last().map(Commit::from);
        commits.extend(page.commits.into_iter().filter(|commit| commit.to() > after));
        match oldest {
            Some(oldest) if oldest > after.next() && page.more => before = oldest,
            _ => break,
        }
    }
    let events = commits.iter().rev().flat_map(Commit::envelopes);
    contiguous(stream, after, events.filter(|event| event.version > after).collect())
}
