//! `--bus`: what the bus has published, held against the log.

mod ears;
mod listen;
mod republish;
mod window;

use futures::{StreamExt, TryStreamExt, stream};
use ledgerfold::{
    StreamId, Timestamp, Version, ports::Clock, reconcile::PublishedEvents, vocabulary::Commit,
};
use ledgerfold_eventbridge::{ARCHIVED_AFTER, Replays};
use serde::Serialize;

use super::Context;
use crate::error::CliError;
use ledgerfold_aws::SystemClock;

pub(super) use republish::run as republish;
pub(super) use window::WindowOptions;

use window::Span;

/// How many streams are read at a time.
const CONCURRENT_STREAMS: usize = 8;

/// What the bus has published of a time.
pub(super) struct Hearing {
    replay: String,
    span: Span,
    heard: PublishedEvents,
}

/// The audit of the bus in the answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AuditedBus {
    replay: String,
    from: Timestamp,
    to: Timestamp,
    /// How many different events were heard.
    events: usize,
}

/// A commit that the bus did not publish all of.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unpublished {
    pub(super) stream: StreamId,
    pub(super) from: Version,
    pub(super) to: Version,
    pub(super) recorded_at: Timestamp,
}

impl Hearing {
    /// Has the archive replayed to the audit, and listens to it.
    pub(super) async fn of(context: &Context, options: &WindowOptions) -> Result<Self, CliError> {
        let target = &context.target;
        let client = target.connection.eventbridge().await;
        let replays = Replays::open(client, target.archive()?).await?;
        let now = SystemClock.now();
        let settled = if target.connection.is_local() {
            now
        } else {
            now.checked_sub(ARCHIVED_AFTER).unwrap_or(Timestamp::MIN)
        };
        let span = options.span(replays.reaches_back_to(now), settled, now)?;
        let (replay, heard) = listen::to_replay(target, &replays, &span, options.within()).await?;
        Ok(Self { replay: replay.0, span, heard })
    }

    /// The commits of these streams that the bus did not publish all of.
    pub(super) async fn lacks(
        &self,
        context: &Context,
        streams: &[StreamId],
    ) -> Result<Vec<Commit>, CliError> {
        let (log, recorded) = (&*context.log, self.span.recorded());
        let lacking: Vec<_> = stream::iter(streams)
            .map(|stream| self.heard.lacks(log, stream, &recorded))
            .buffered(CONCURRENT_STREAMS)
            .try_collect()
            .await?;
        Ok(lacking.into_iter().flatten().collect())
    }

    pub(super) fn audited(&self) -> AuditedBus {
        let (from, to) = self.span.recorded().into_inner();
        AuditedBus { replay: self.replay.clone(), from, to, events: self.heard.len() }
    }
}

impl AuditedBus {
    /// What the audit can tell of, and what it cannot.
    pub(super) fn text(&self) -> String {
        let Self { replay, from, to, events } = self;
        format!(
            "The bus was asked for what was recorded from {from:.0} to {to:.0}, and brought {events} \
             events ({replay}); on AWS the archive may lack the last ten minutes, which are left out.\n"
        )
    }
}

impl From<&Commit> for Unpublished {
    fn from(commit: &Commit) -> Self {
        Self {
            stream: commit.stream().clone(),
            from: commit.from(),
            to: commit.to(),
            recorded_at: commit.metadata().recorded_at,
        }
    }
}

impl Unpublished {
    pub(super) const COLUMNS: [&str; 3] = ["stream", "versions", "recorded at"];

    pub(super) fn row(&self) -> [String; 3] {
        let versions = if self.from == self.to {
            self.to.to_string()
        } else {
            format!("{}-{}", self.from, self.to)
        };
        [self.stream.to_string(), versions, self.recorded_at.to_string()]
    }
}
