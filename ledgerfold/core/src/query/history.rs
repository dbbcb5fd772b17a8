use serde::{Deserialize, Serialize};

use super::{Fresh, QueryError};
use crate::{
    Envelope, StreamId, Timestamp, Version,
    ports::EventStore,
    project::Projection,
    project::{fold, read_log},
};

/// Up to where the past is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Up to this version.
    Version(Version),
    /// Up to the last commit before the first one that was recorded after this instant. Clocks may
    /// run backwards between commits, versions may not: what is shown is always a state that was.
    Instant(Timestamp),
}

impl Until {
    fn holds(self, event: &Envelope) -> bool {
        match self {
            Self::Version(version) => event.version <= version,
            Self::Instant(instant) => event.metadata.recorded_at <= instant,
        }
    }
}

/// The row that a projection would have shown then. `None` before there was one, and for a version
/// that the stream has not reached.
///
/// # Errors
/// [`QueryError`].
pub async fn as_of<P: Projection>(
    log: &dyn EventStore,
    stream: &StreamId,
    until: Until,
) -> Result<Option<Fresh<P::Row>>, QueryError> {
    let (mut row, mut version) = (None, Version::NONE);
    loop {
        let page = read_log(version, stream, log).await?;
        let held: Vec<_> =
            page.events.iter().take_while(|event| until.holds(event)).cloned().collect();
        row = fold::<P>(row, &held)?;
        version = version.advance(held.len());
        if !page.more || held.len() < page.events.len() {
            break;
        }
    }
    let reached = match until {
        Until::Version(asked) => version == asked,
        Until::Instant(_) => true,
    };
    Ok(row.filter(|_| reached).map(|row| Fresh { row, version }))
}

/// Where a page of the audit log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPosition {
    /// The last version of the commit before the one in which the page begins.
    #[serde(rename = "c")]
    commit: Version,
    /// The last version that was shown.
    #[serde(rename = "v")]
    shown: Version,
}

impl AuditPosition {
    /// The beginning of a stream.
    pub const START: Self = Self { commit: Version::NONE, shown: Version::NONE };
}

/// A page of a stream's events, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<Envelope>,
    /// Where the next page begins, if there is one.
    pub next: Option<AuditPosition>,
}

/// The events of a stream from a position on, at most `limit`.
///
/// # Errors
/// [`QueryError`].
pub async fn audit(
    log: &dyn EventStore,
    stream: &StreamId,
    from: AuditPosition,
    limit: usize,
) -> Result<AuditPage, QueryError> {
    let mut events: Vec<Envelope> = Vec::new();
    let mut after = from.commit;
    loop {
        let page = read_log(after, stream, log).await?;
        after = after.advance(page.events.len());
        events.extend(page.events.into_iter().filter(|event| event.version > from.shown));
        if events.len() > limit || !page.more {
            break;
        }
    }
    let more = events.len() > limit;
    events.truncate(limit);
    let next = events.last().filter(|_| more).map(|last| {
        let whole = last.version == last.commit.1;
        let (first, shown) = (last.commit.0, last.version);
        let before = Version::new(first.get().saturating_sub(1));
        AuditPosition { commit: if whole { shown } else { before }, shown }
    });
    Ok(AuditPage { events, next })
}
