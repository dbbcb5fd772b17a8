//! Replays of an archive to rules of its bus.

mod status;

use std::{fmt, str::FromStr, time::Duration};

use aws_sdk_eventbridge::{
    Client,
    config::{Config, retry::RetryConfig},
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    primitives::DateTime,
    types::ReplayDestination,
};
use ledgerfold::{Timestamp, vocabulary::ReplayName};

use status::{instant, window};

pub use status::{ARCHIVED_AFTER, EmptyWindow, ReplayState, ReplayStatus, Window};

/// The replays of one archive, which send its events again to rules of its bus.
///
/// | AWS does not promise | our answer |
/// | --- | --- |
/// | order: an archive is replayed minute by minute, and each minute in any order | consumers order by the version of the stream, as our projectors do |
/// | single delivery, or that live events wait | consumers drop duplicates |
/// | that the last ten minutes are already in the archive | [`Window::settled_at`] returns the time when they are |
/// | privacy: without rules, every consumer receives the events | [`Replays::start`] requires at least one rule |
///
/// Every replayed event names its replay
/// ([`Delivery::replay`](ledgerfold::vocabulary::Delivery::replay), on the bus `replay-name`), so that consumers with
/// side effects can ignore it. It is not archived again. The window is in recording times.
///
/// AWS keeps the state of a replay for 90 days, and charges for replayed events as for new ones.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html>
#[derive(Clone, Debug)]
pub struct Replays {
    client: Client,
    archive: String,
    bus: String,
    created: Option<Timestamp>,
    kept_for: Option<Duration>,
}

const DAY: u64 = 24 * 3600;

/// The ARN of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleArn(String);

/// A page of replays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayPage {
    /// The replays.
    pub replays: Vec<ReplayStatus>,
    /// The start of the next page, if there is one.
    pub next: Option<String>,
}

/// A text that is not the ARN of a rule.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not the ARN of a rule, for example arn:aws:events:us-east-1:123456789012:rule/bus/name"
)]
pub struct NotARule(String);

/// The reason why a replay was not started, found or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The archive does not exist.
    #[error("there is no archive called {0}")]
    UnknownArchive(String),
    /// The replay does not exist, or it is more than 90 days old.
    #[error("there is no replay called {}", .0.0)]
    UnknownReplay(ReplayName),
    /// The name of an earlier replay. Every replay needs a new name.
    #[error("there already is a replay called {}", .0.0)]
    NameTaken(ReplayName),
    /// EventBridge accepts 1 to 64 letters, digits, dots, hyphens and underscores.
    #[error("{:?} is not a valid name of a replay: use 1 to 64 of A-Z a-z 0-9 . - _", .0.0)]
    BadName(ReplayName),
    /// Without rules, the replay would reach every consumer on the bus.
    #[error("a replay needs at least one rule")]
    NoRules,
    /// The account's limit of running replays is reached. Wait for one to end, or cancel one.
    #[error("too many replays are running: {0}")]
    TooMany(String),
    /// The replay has ended or is about to end.
    #[error("the replay is {0}, so there is nothing to cancel")]
    Over(ReplayState),
    /// EventBridge limits the rate of calls. Try again later.
    #[error("EventBridge is throttling")]
    Throttled,
    /// EventBridge did not answer. A replay may nevertheless have started.
    #[error("EventBridge is not available: {0}")]
    Unavailable(String),
    /// EventBridge refused the request. The same request will be refused again.
    #[error("EventBridge refused the request: {0}")]
    Refused(String),
}

impl Replays {
    /// The replays of this archive, by name or ARN.
    ///
    /// # Errors
    /// [`ReplayError`], for example [`UnknownArchive`](ReplayError::UnknownArchive).
    pub async fn open(client: Client, archive: &str) -> Result<Self, ReplayError> {
        let name = archive.rsplit('/').next().unwrap_or(archive);
        let answer = client.describe_archive().archive_name(name).send().await;
        let answer = answer.map_err(|error| match code(&error) {
            Some("ResourceNotFoundException") => ReplayError::UnknownArchive(name.to_owned()),
            _ => failure(&error),
        })?;
        let missing =
            || ReplayError::Refused(format!("the description of archive {name} is incomplete"));
        let created = answer.creation_time().and_then(instant);
        // 0 means for ever.
        let days = answer.retention_days().and_then(|days| u64::try_from(days).ok());
        let kept_for = days.filter(|days| *days > 0).map(|days| Duration::from_secs(days * DAY));
        Ok(Self {
            archive: answer.archive_arn.ok_or_else(missing)?,
            bus: answer.event_source_arn.ok_or_else(missing)?,
            client,
            created,
            kept_for,
        })
    }

    /// When the archive was created, if EventBridge reports it.
    pub const fn created(&self) -> Option<Timestamp> {
        self.created
    }

    /// The oldest recording time that the archive can contain: before it, the archive did not exist yet, or it has
    /// deleted the events.
    pub fn reaches_back_to(&self, now: Timestamp) -> Timestamp {
        let kept = self.kept_for.and_then(|kept_for| now.checked_sub(kept_for).ok());
        self.created.max(kept).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Replays the events in the window to these rules only.
    ///
    /// The SDK does not retry this call, because a second attempt could only find the first one's replay.
    ///
    /// # Errors
    /// [`ReplayError`]. After [`Unavailable`](ReplayError::Unavailable) call [`Replays::describe`] to find out whether
    /// it has started.
    pub async fn start(
        &self,
        name: &ReplayName,
        window: Window,
        rules: &[RuleArn],
    ) -> Result<ReplayState, ReplayError> {
        if !is_valid(name) {
            return Err(ReplayError::BadName(name.clone()));
        }
        if rules.is_empty() {
            return Err(ReplayError::NoRules);
        }
        let destination = ReplayDestination::builder()
            .arn(&self.bus)
            .set_filter_arns(Some(rules.iter().map(|RuleArn(arn)| arn.clone()).collect()))
            .build()
            .map_err(|error| ReplayError::Refused(error.to_string()))?;
        let answer = self
            .client
            .start_replay()
            .replay_name(&name.0)
            .event_source_arn(&self.archive)
            .event_start_time(DateTime::from_millis(window.from().as_millisecond()))
            .event_end_time(DateTime::from_millis(window.to().as_millisecond()))
            .destination(destination)
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        let answer = answer.map_err(|error| match code(&error) {
            Some("ResourceAlreadyExistsException") => ReplayError::NameTaken(name.clone()),
            Some("ResourceNotFoundException") => ReplayError::UnknownArchive(self.archive.clone()),
            Some("LimitExceededException") => ReplayError::TooMany(reason(&error)),
            _ => failure(&error),
        })?;
        Ok(answer.state().into())
    }

    /// The state of a replay.
    ///
    /// # Errors
    /// [`ReplayError`], for example [`UnknownReplay`](ReplayError::UnknownReplay).
    pub async fn describe(&self, name: &ReplayName) -> Result<ReplayStatus, ReplayError> {
        let answer = self.client.describe_replay().replay_name(&name.0).send().await;
        let answer = answer.map_err(|error| absent(name, &error))?;
        Ok(ReplayStatus {
            name: name.clone(),
            state: answer.state().into(),
            reason: answer.state_reason().map(str::to_owned),
            window: window(answer.event_start_time(), answer.event_end_time()),
            replayed_to: answer.event_last_replayed_time().and_then(instant),
            started: answer.replay_start_time().and_then(instant),
            ended: answer.replay_end_time().and_then(instant),
        })
    }

    /// A page of the archive's replays, from a place or from the beginning.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn list(&self, from: Option<&str>) -> Result<ReplayPage, ReplayError> {
        let answer = self
            .client
            .list_replays()
            .event_source_arn(&self.archive)
            .set_next_token(from.map(str::to_owned))
            .send()
            .await
            .map_err(|error| failure(&error))?;
        let replays = answer.replays.unwrap_or_default();
        Ok(ReplayPage {
            replays: replays.iter().map(ReplayStatus::from).collect(),
            next: answer.next_token,
        })
    }

    /// Stops a replay. Events already sent are not taken back.
    ///
    /// # Errors
    /// [`ReplayError`]; [`Over`](ReplayError::Over) if there is nothing to stop.
    pub async fn cancel(&self, name: &ReplayName) -> Result<ReplayState, ReplayError> {
        // Emulators also cancel a replay that has ended, so check its state first.
        let state = self.describe(name).await?.state;
        if state.is_over() {
            return Err(ReplayError::Over(state));
        }
        let answer = self.client.cancel_replay().replay_name(&name.0).send().await;
        match answer {
            Ok(answer) => Ok(answer.state().into()),
            Err(error) if matches!(code(&error), Some("IllegalStatusException")) => {
                Err(ReplayError::Over(self.describe(name).await?.state))
            }
            Err(error) => Err(absent(name, &error)),
        }
    }
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html>
fn is_valid(ReplayName(name): &ReplayName) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

impl FromStr for RuleArn {
    type Err = NotARule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(6, ':');
        let kind = (parts.next(), parts.nth(1), parts.nth(2));
        match kind {
            (Some("arn"), Some("events"), Some(resource)) if resource.starts_with("rule/") => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NotARule(text.to_owned())),
        }
    }
}

fn absent<E, R>(name: &ReplayName, error: &SdkError<E, R>) -> ReplayError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug,
{
    match code(error) {
        Some("ResourceNotFoundException") => ReplayError::UnknownReplay(name.clone()),
        _ => failure(error),
    }
}

fn failure<E, R>(error: &SdkError<E, R>) -> ReplayError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug,
{
    match code(error) {
        Some("ThrottlingException" | "TooManyRequestsException") => ReplayError::Throttled,
        None | Some("InternalException" | "InternalFailure" | "ServiceUnavailable") => {
            ReplayError::Unavailable(DisplayErrorContext(error).to_string())
        }
        Some(_) => ReplayError::Refused(reason(error)),
    }
}

/// EventBridge's own message, if there is one.
fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug,
{
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
    message.map_or_else(|| DisplayErrorContext(error).to_string(), str::to_owned)
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
