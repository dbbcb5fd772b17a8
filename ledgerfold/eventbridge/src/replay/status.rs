//! The state and the window of a replay.

use std::{fmt, time::Duration};

use aws_sdk_eventbridge::{primitives::DateTime, types as sdk};
use ledgerfold::{Timestamp, vocabulary::ReplayName};

/// The recording times of the replayed events, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: Timestamp,
    to: Timestamp,
}

/// The state of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayState {
    /// It was requested.
    Starting,
    /// It is sending events.
    Running,
    /// It is being stopped. Events already sent are not taken back.
    Cancelling,
    /// All events in the window were sent to the rules. Their targets may still be processing them.
    Completed,
    /// It was stopped before its end.
    Cancelled,
    /// It stopped with an error.
    Failed,
    /// A state that this program does not know.
    Unknown,
}

/// A replay, as EventBridge describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayStatus {
    /// Its name.
    pub name: ReplayName,
    /// Its state.
    pub state: ReplayState,
    /// The reason for its state, in EventBridge's words.
    pub reason: Option<String>,
    /// Its window.
    pub window: Option<Window>,
    /// The recording time up to which it has sent events.
    pub replayed_to: Option<Timestamp>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it completed, failed or was cancelled.
    pub ended: Option<Timestamp>,
}

/// A window that does not end after its start.
#[derive(Debug, thiserror::Error)]
#[error("the window ends at {to}, which is not after its start at {from}")]
pub struct EmptyWindow {
    from: Timestamp,
    to: Timestamp,
}

/// How long an event may take to reach the archive.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html>
pub const ARCHIVED_AFTER: Duration = Duration::from_secs(600);

impl Window {
    /// The events recorded between these times.
    ///
    /// # Errors
    /// [`EmptyWindow`] if it does not end after its start.
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Self, EmptyWindow> {
        if from < to { Ok(Self { from, to }) } else { Err(EmptyWindow { from, to }) }
    }

    /// Its start.
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// Its end.
    pub const fn to(&self) -> Timestamp {
        self.to
    }

    /// When the archive contains the whole window: an event may take ten minutes to get there.
    pub fn settled_at(&self) -> Timestamp {
        self.to.checked_add(ARCHIVED_AFTER).unwrap_or(Timestamp::MAX)
    }
}

impl ReplayState {
    /// Whether the replay has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }
}

impl fmt::Display for ReplayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Unknown => "in an unknown state",
        })
    }
}

impl From<Option<&sdk::ReplayState>> for ReplayState {
    fn from(state: Option<&sdk::ReplayState>) -> Self {
        match state {
            Some(sdk::ReplayState::Starting) => Self::Starting,
            Some(sdk::ReplayState::Running) => Self::Running,
            Some(sdk::ReplayState::Cancelling) => Self::Cancelling,
            Some(sdk::ReplayState::Completed) => Self::Completed,
            Some(sdk::ReplayState::Cancelled) => Self::Cancelled,
            Some(sdk::ReplayState::Failed) => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

impl From<&sdk::Replay> for ReplayStatus {
    fn from(replay: &sdk::Replay) -> Self {
        Self {
            name: ReplayName(replay.replay_name().unwrap_or_default().to_owned()),
            state: replay.state().into(),
            reason: replay.state_reason().map(str::to_owned),
            window: window(replay.event_start_time(), replay.event_end_time()),
            replayed_to: replay.event_last_replayed_time().and_then(instant),
            started: replay.replay_start_time().and_then(instant),
            ended: replay.replay_end_time().and_then(instant),
        }
    }
}

pub(super) fn window(from: Option<&DateTime>, to: Option<&DateTime>) -> Option<Window> {
    Window::new(instant(from?)?, instant(to?)?).ok()
}

pub(super) fn instant(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(time.to_millis().ok()?).ok()
}
