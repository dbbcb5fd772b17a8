use crate::{
    Envelope, StreamId, Timestamp, Version,
    ports::{EventReader, Skips},
    project::{ProjectError, Skipped, read_log},
};

/// A stream folded to its end.
#[derive(Clone)]
pub(super) struct Walk<S> {
    /// The requested version.
    at: Version,
    /// The fold at that version; `None` if no commit ends there.
    pub(super) there: Option<S>,
    /// The time at which the first later commit with a visible event was recorded.
    pub(super) next: Option<Timestamp>,
    /// The fold at the end.
    pub(super) last: S,
    /// The version of the end.
    pub(super) head: Version,
    /// The end of the last commit with a visible event. In its own context, a model sees every event. In another one,
    /// the bus never announces the hidden events after this version.
    pub(super) announced: Version,
    /// The events that the fold leaves out.
    pub(super) skipped: Skipped,
}

impl<S: Clone> Walk<S> {
    pub(super) fn begin(at: Version, initial: S) -> Self {
        let head = Version::NONE;
        let there = (at == head).then(|| initial.clone());
        let skipped = Skipped::default();
        Self { at, there, next: None, last: initial, head, announced: head, skipped }
    }

    /// Folds commit by commit, and keeps the fold at the requested version.
    pub(super) fn through(
        mut self,
        events: &[Envelope],
        step: impl Fn(S, &[Envelope]) -> Result<S, ProjectError>,
    ) -> Result<Self, ProjectError> {
        for commit in events.chunk_by(|one, next| one.commit == next.commit) {
            self.last = step(self.last, commit)?;
            let is_visible = !commit.iter().all(Envelope::is_hidden);
            if is_visible && self.head >= self.at {
                let first = commit.first().map(|event| event.metadata.recorded_at);
                self.next = self.next.or(first);
            }
            self.head = self.head.advance(commit.len());
            if is_visible {
                self.announced = self.head;
            }
            if self.head == self.at {
                self.there = Some(self.last.clone());
            }
        }
        Ok(self)
    }
}

/// Reads the first page after a version, without a fold.
pub(super) async fn look_ahead(
    log: &dyn EventReader,
    stream: &StreamId,
    at: Version,
) -> Result<Walk<()>, ProjectError> {
    let walk = Walk { head: at, announced: at, there: Some(()), ..Walk::begin(at, ()) };
    let page = read_log(at, stream, log).await?;
    if page.events.is_empty() {
        // The stream may end before this version.
        let head = log.head(stream).await?.min(at);
        return Ok(Walk { head, announced: head, ..walk });
    }
    walk.through(&page.events, |(), _| Ok(()))
}

/// Folds a stream to its end, without the events that were skipped.
pub(super) async fn walk<S: Clone>(
    (log, skips): (&dyn EventReader, &dyn Skips),
    stream: &StreamId,
    at: Version,
    initial: S,
    step: impl Fn(S, &[Envelope], &Skipped) -> Result<S, ProjectError>,
) -> Result<Walk<S>, ProjectError> {
    let mut walk = Walk::begin(at, initial);
    loop {
        let page = read_log(walk.head, stream, log).await?;
        let mut skipped = std::mem::take(&mut walk.skipped);
        let fold = |skipped: &_| {
            walk.clone().through(&page.events, |state, commit| step(state, commit, skipped))
        };
        let folded = skipped.fold(stream, skips, fold).await?;
        walk = Walk { skipped, ..folded };
        if !page.more {
            return Ok(walk);
        }
    }
}
