//! `--bus`: compares the events that the bus has published with the log.

mod archive_replay;
mod replay_queue;
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

/// The events that the bus has published in a period, found by a replay of its archive.
pub(super) struct BusContents {
    replay: String,
    span: Span,
    published: PublishedEvents,
}

/// The comparison with the bus, as it is reported.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AuditedBus {
    replay: String,
    from: Timestamp,
    to: Timestamp,
    /// How many different events the replay delivered.
    events: usize,
}

/// A commit with at least one event that the bus did not publish.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unpublished {
    pub(super) stream: StreamId,
    pub(super) from: Version,
    pub(super) to: Version,
    pub(super) recorded_at: Timestamp,
}

impl BusContents {
    /// Replays the archive into the audit's queue and collects the events.
    pub(super) async fn read(context: &Context, options: &WindowOptions) -> Result<Self, CliError> {
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
        let (replay, published) =
            archive_replay::published_events(target, &replays, &span, options.within()).await?;
        let public_forms = context.declaration.public_forms().clone();
        Ok(Self { replay: replay.0, span, published: published.with_public_forms(public_forms) })
    }

    /// The commits of these streams that have an event missing on the bus.
    pub(super) async fn lacks(
        &self,
        context: &Context,
        streams: &[StreamId],
    ) -> Result<Vec<Commit>, CliError> {
        let log = &*context.log;
        let recorded = self.span.recorded();
        let lacking: Vec<_> = stream::iter(streams)
            .map(|stream| self.published.lacks(log, stream, &recorded))
            .buffered(CONCURRENT_STREAMS)
            .try_collect()
            .await?;
        Ok(lacking.into_iter().flatten().collect())
    }

    pub(super) fn audited(&self) -> AuditedBus {
        let (from, to) = self.span.recorded().into_inner();
        AuditedBus { replay: self.replay.clone(), from, to, events: self.published.len() }
    }
}

impl AuditedBus {
    /// The period that was compared, and the part that could not be.
    pub(super) fn text(&self) -> String {
        let Self { replay, from, to, events } = self;
        format!(
            "The replay {replay} of the bus's archive, for events recorded from {from:.0} to {to:.0}, delivered \
             {events} events. On AWS the last ten minutes are left out: the archive may not have them yet.\n"
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
