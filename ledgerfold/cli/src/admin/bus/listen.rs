//! A replay to the audit's own queue, heard to its end.

use std::time::Duration;

use indicatif::ProgressBar;
use ledgerfold::{Timestamp, ports::Clock, reconcile::PublishedEvents, vocabulary::ReplayName};
use ledgerfold_eventbridge::{ReplayState, Replays};

use super::{ears::Ears, window::Span};
use crate::{
    error::CliError,
    output::progress,
    replay::{fresh_name, start, verdict},
    target::Target,
};
use ledgerfold_aws::{SystemClock, SystemRandom};

/// What the names of audits begin with: by it the rule of their queue knows them.
const PREFIX: &str = "audit-";
/// How long the queue must be empty behind the end of a replay: a replay is over when everything was
/// sent, and the queue has it a little later.
const SILENCE: Duration = Duration::from_secs(20);
const SILENCE_OF_A_LOCAL_CLOUD: Duration = Duration::from_secs(3);

/// Starts a replay and hears what it brings.
pub(super) async fn to_replay(
    target: &Target,
    replays: &Replays,
    span: &Span,
    within: Duration,
) -> Result<(ReplayName, PublishedEvents), CliError> {
    let (queue, rule) = (target.audit_queue()?, target.audit_rule()?);
    none_is_running(replays).await?;
    let name = fresh_name("audit", &SystemClock, &SystemRandom);
    start(replays, &name, span.replayed(), &[rule]).await?;
    let sqs = target.connection.sqs().await;
    let is_local = target.connection.is_local();
    let (patience, silence) = if is_local { (1, SILENCE_OF_A_LOCAL_CLOUD) } else { (5, SILENCE) };
    let ears = Ears { sqs: &sqs, queue, replay: &name, patience };
    let deadline = SystemClock.now().checked_add(within).unwrap_or(Timestamp::MAX);
    let bar = progress("events heard");
    let heard = hear(replays, &ears, silence, deadline, &bar).await;
    bar.finish_and_clear();
    if heard.is_err() {
        // Nobody listens to it any more. Where it is over there is nothing to cancel.
        let _ = replays.cancel(&name).await;
    }
    Ok((name.clone(), heard?))
}

/// Two audits would take each other's messages.
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

/// Listens until the replay is over and the queue stays empty.
async fn hear(
    replays: &Replays,
    ears: &Ears<'_>,
    silence: Duration,
    deadline: Timestamp,
    bar: &ProgressBar,
) -> Result<PublishedEvents, CliError> {
    let (mut heard, mut last) = (PublishedEvents::default(), SystemClock.now());
    loop {
        let status = replays.describe(ears.replay).await?;
        let brought = ears.listen().await?;
        for event in brought.events {
            heard.hear(event);
        }
        bar.set_position(u64::try_from(heard.len()).unwrap_or(u64::MAX));
        let now = SystemClock.now();
        if brought.messages > 0 || !status.state.is_over() {
            last = now;
        }
        if status.state.is_over() && status.state != ReplayState::Completed {
            verdict(&status)?;
        }
        let quiet = now.duration_since(last).unsigned_abs() >= silence;
        if quiet && ears.is_silent().await? {
            return Ok(heard);
        }
        if now > deadline {
            return Err(CliError::NotAllHeard { name: ears.replay.0.clone(), events: heard.len() });
        }
    }
}
