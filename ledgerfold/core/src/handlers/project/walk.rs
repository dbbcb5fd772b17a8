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
    /// The time at which the event after that version was recorded.
    pub(super) next: Option<Timestamp>,
    /// The fold at the end.
    pub(super) last: S,
    /// The version of the end.
    pub(super) head: Version,
    /// The events that the fold leaves out.
    pub(super) skipped: Skipped,
}

impl<S: Clone> Walk<S> {
    fn begin(at: Version, initial: S) -> Self {
        let head = Version::NONE;
        let there = (at == head).then(|| initial.clone());
        Self { at, there, next: None, last: initial, head, skipped: Skipped::default() }
    }

    /// Folds commit by commit, and keeps the fold at the requested version.
    fn through(
        mut self,
        events: &[Envelope],
        step: impl Fn(S, &[Envelope]) -> Result<S, ProjectError>,
    ) -> Result<Self, ProjectError> {
        for commit in events.chunk_by(|one, next| one.commit == next.commit) {
            if self.head == self.at {
                self.next = commit.first().map(|event| event.metadata.recorded_at);
            }
            self.last = step(self.last, commit)?;
            self.head = self.head.advance(commit.len());
            if self.head == self.at {
                self.there = Some(self.last.clone());
            }
        }
        Ok(self)
    }
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
