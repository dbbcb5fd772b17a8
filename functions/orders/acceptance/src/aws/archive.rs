//! Replays of the bus's archive.

use std::time::Duration;

use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{ReplayDestination, ReplayState};
use jiff::{SignedDuration, Timestamp};

use super::{Aws, AwsError, explain};
use crate::wait::{NotInTime, eventually};

// The local cloud cuts the window to full minutes, so we extend it at both ends.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// A replay that was started.
#[derive(Debug, Clone)]
pub struct Replay {
    name: String,
}

/// The progress of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayProgress {
    /// Not completed yet, with EventBridge's name of the state.
    Running(String),
    /// All events in the window were sent again.
    Completed,
    /// It will never complete, with EventBridge's state and reason.
    Failed(String),
}

impl Aws {
    /// Replays all events that were archived from `from` to `to`, to every consumer on the bus.
    ///
    /// # Errors
    /// If the archive is not found or refuses.
    pub async fn start_replay(&self, from: Timestamp, to: Timestamp) -> Result<Replay, AwsError> {
        let name = format!("acceptance-{}", uuid::Uuid::new_v4().simple());
        let destination = ReplayDestination::builder()
            .arn(self.bus_arn().await?)
            .build()
            .map_err(|error| AwsError::new("StartReplay", error))?;
        self.events
            .start_replay()
            .replay_name(&name)
            .event_source_arn(self.archive_arn().await?)
            .event_start_time(DateTime::from_secs((from - MARGIN).as_second()))
            .event_end_time(DateTime::from_secs((to + MARGIN).as_second()))
            .destination(destination)
            .send()
            .await
            .map_err(explain("StartReplay"))?;
        Ok(Replay { name })
    }

    /// The progress of a replay.
    ///
    /// # Errors
    /// If EventBridge does not answer.
    pub async fn replay_progress(&self, replay: &Replay) -> Result<ReplayProgress, AwsError> {
        let answer = self
            .events
            .describe_replay()
            .replay_name(&replay.name)
            .send()
            .await
            .map_err(explain("DescribeReplay"))?;
        let reason = answer.state_reason().unwrap_or_default().to_owned();
        Ok(match answer.state() {
            Some(ReplayState::Completed) => ReplayProgress::Completed,
            Some(state @ (ReplayState::Failed | ReplayState::Cancelled)) => {
                ReplayProgress::Failed(format!("{state} {reason}"))
            }
            state => ReplayProgress::Running(state.map(ToString::to_string).unwrap_or_default()),
        })
    }

    /// Waits until a replay has completed. Projections may still have to process it; see [`Aws::settled`].
    ///
    /// # Errors
    /// If it fails, or does not complete in time.
    pub async fn replayed(&self, replay: &Replay, deadline: Duration) -> Result<(), NotInTime> {
        let outcome = eventually("the replay is completed", deadline, async || {
            match self.replay_progress(replay).await.map_err(|error| error.to_string())? {
                ReplayProgress::Completed => Ok(Ok(())),
                ReplayProgress::Failed(reason) => Ok(Err(reason)),
                ReplayProgress::Running(state) => Err(state),
            }
        })
        .await?;
        outcome.map_err(|reason| NotInTime {
            condition: "the replay is completed".to_owned(),
            deadline,
            last: reason,
        })
    }

    async fn bus_arn(&self) -> Result<String, AwsError> {
        let bus = &self.stack.bus;
        if bus.starts_with("arn:") {
            return Ok(bus.clone());
        }
        let answer = self.events.describe_event_bus().name(bus).send().await;
        let answer = answer.map_err(explain("DescribeEventBus"))?;
        answer.arn.ok_or_else(|| AwsError::new("DescribeEventBus", "no ARN in the answer"))
    }

    async fn archive_arn(&self) -> Result<String, AwsError> {
        let archive = &self.stack.archive;
        if archive.starts_with("arn:") {
            return Ok(archive.clone());
        }
        let answer = self.events.describe_archive().archive_name(archive).send().await;
        let answer = answer.map_err(explain("DescribeArchive"))?;
        answer.archive_arn.ok_or_else(|| AwsError::new("DescribeArchive", "no ARN in the answer"))
    }
}
