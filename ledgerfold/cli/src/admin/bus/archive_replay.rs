//! Replays the archive into the audit's queue and collects the events.

use std::time::Duration;

use indicatif::ProgressBar;
use ledgerfold::{Timestamp, ports::Clock, reconcile::PublishedEvents, vocabulary::ReplayName};
use ledgerfold_eventbridge::{ReplayState, Replays};

use super::{replay_queue::ReplayQueue, window::Span};
use crate::{
    error::CliError,
    output::progress,
    replay::{fresh_name, start, verdict},
    target::Target,
};
use ledgerfold_aws::{SystemClock, SystemRandom};

/// The prefix of the names of audit replays. The rule of the audit's queue matches on it.
const PREFIX: &str = "audit-";
/// How long the queue must stay empty after the replay has ended. EventBridge reports the end as soon as
/// it has sent everything; the last messages arrive a little later.
const QUIET_PERIOD: Duration = Duration::from_secs(20);
const QUIET_PERIOD_OF_A_LOCAL_CLOUD: Duration = Duration::from_secs(3);

/// Starts a replay of the archive and returns the events that it delivers.
pub(super) async fn published_events(
    target: &Target,
    replays: &Replays,
    span: &Span,
    within: Duration,
) -> Result<(ReplayName, PublishedEvents), CliError> {
    let queue = target.audit_queue()?;
    let rule = target.audit_rule()?;
    none_is_running(replays).await?;
    let name = fresh_name("audit", &SystemClock, &SystemRandom);
    start(replays, &name, span.replayed(), &[rule]).await?;
    let sqs = target.connection.sqs().await;
    let is_local = target.connection.is_local();
    let (wait_seconds, quiet) =
        if is_local { (1, QUIET_PERIOD_OF_A_LOCAL_CLOUD) } else { (5, QUIET_PERIOD) };
    let queue = ReplayQueue { sqs: &sqs, queue, replay: &name, wait_seconds };
    let deadline = SystemClock.now().checked_add(within).unwrap_or(Timestamp::MAX);
    let bar = progress("events received");
    let published = collect(replays, &queue, quiet, deadline, &bar).await;
    bar.finish_and_clear();
    if published.is_err() {
        // The replay is of no use any more. Cancelling one that has ended fails, which is harmless.
        let _ = replays.cancel(&name).await;
    }
    Ok((name.clone(), published?))
}

/// Two audits at once would take each other's messages.
async fn none_is_running(replays: &Replays) -> Result<(), CliError> {
    let mut from = None;
    loop {
        let page = replays.list(from.as_deref()).await?;
        let is_audit = |name: &ReplayName| name.0.starts_with(PREFIX);
        let running = page.replays.into_iter().find(|it| is_audit(&it.name) && !it.state.is_over());
        if let Some(running) = running {
            return Err(CliError::AuditRunning { name: running.name.0 });
        }
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

/// Receives until the replay has ended and the queue stays empty.
async fn collect(
    replays: &Replays,
    queue: &ReplayQueue<'_>,
    quiet: Duration,
    deadline: Timestamp,
    bar: &ProgressBar,
) -> Result<PublishedEvents, CliError> {
    let mut published = PublishedEvents::default();
    let mut last = SystemClock.now();
    loop {
        let status = replays.describe(queue.replay).await?;
        let received = queue.receive().await?;
        for (event, form) in received.events {
            published.hear(event, form);
        }
        bar.set_position(u64::try_from(published.len()).unwrap_or(u64::MAX));
        let now = SystemClock.now();
        if received.messages > 0 || !status.state.is_over() {
            last = now;
        }
        if status.state.is_over() && status.state != ReplayState::Completed {
            verdict(&status)?;
        }
        let is_quiet = now.duration_since(last).unsigned_abs() >= quiet;
        if is_quiet && queue.is_empty().await? {
            return Ok(published);
        }
        if now > deadline {
            return Err(CliError::ReplayTooSlow {
                name: queue.replay.0.clone(),
                events: published.len(),
            });
        }
    }
}
