//! Replaying an archive to the rules that ask for it.

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

/// The replays of one archive: what is in it is sent again to rules of its bus.
///
/// | what AWS does not promise | what follows |
/// | --- | --- |
/// | order: an archive is read in steps of a minute, and a minute in any order | a consumer orders by the version of the stream, as our projectors do |
/// | that an event comes once, or is not live at the same time | a consumer drops what it has seen |
/// | that the last ten minutes are in the archive yet | [`Window::settled_at`] says when they are |
/// | that nobody else gets it: without rules, everybody does | [`Replays::start`] takes no empty list of them |
///
/// Every replayed event names its replay
/// ([`Delivery::replay`](ledgerfold::vocabulary::Delivery::replay), on the bus `replay-name`), so that
/// side effects can refuse it, and it is not archived again. The window goes by the time of recording.
/// AWS keeps what it knows of a replay for 90 days, and charges for events that are sent again as for
/// new ones.
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

/// Some replays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayPage {
    /// The replays.
    pub replays: Vec<ReplayStatus>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// Text that is not the ARN of a rule.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the ARN of a rule, as arn:aws:events:us-east-1:123456789012:rule/bus/name")]
pub struct NotARule(String);

/// A replay was not started, found or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such archive.
    #[error("there is no archive called {0}")]
    UnknownArchive(String),
    /// There is no such replay, or it was more than 90 days ago.
    #[error("there is no replay called {}", .0.0)]
    UnknownReplay(ReplayName),
    /// A replay's name is used once: take another.
    #[error("there is a replay called {} already", .0.0)]
    NameTaken(ReplayName),
    /// EventBridge takes 1 to 64 letters, digits, dots, hyphens and underscores.
    #[error("{:?} is no name for a replay: 1 to 64 of A-Z a-z 0-9 . - _", .0.0)]
    BadName(ReplayName),
    /// It would go to everybody on the bus.
    #[error("a replay needs rules that it is to reach")]
    NoRules,
    /// As many replays are running as the account may have: wait for one, or cancel it.
    #[error("no more replays may run at a time: {0}")]
    TooMany(String),
    /// It is over, or about to be: there is nothing to cancel.
    #[error("the replay is {0}, there is nothing to cancel")]
    Over(ReplayState),
    /// More was asked of EventBridge than it gives now. Try again later.
    #[error("EventBridge is throttling")]
    Throttled,
    /// EventBridge did not answer. A replay that was to start may have started.
    #[error("EventBridge is not available: {0}")]
    Unavailable(String),
    /// EventBridge refused, and will again.
    #[error("EventBridge refused the request: {0}")]
    Refused(String),
}

impl Replays {
    /// The replays of this archive, by name or ARN.
    ///
    /// # Errors
    /// [`ReplayError`], [`UnknownArchive`](ReplayError::UnknownArchive) among it.
    pub async fn open(client: Client, archive: &str) -> Result<Self, ReplayError> {
        let name = archive.rsplit('/').next().unwrap_or(archive);
        let answer = client.describe_archive().archive_name(name).send().await;
        let answer = answer.map_err(|error| match code(&error) {
            Some("ResourceNotFoundException") => ReplayError::UnknownArchive(name.to_owned()),
            _ => failure(&error),
        })?;
        let missing = || ReplayError::Refused(format!("it says too little of the archive {name}"));
        let created = answer.creation_time().and_then(instant);
        // 0 is for ever.
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

    /// When the archive was made, where EventBridge says it.
    pub const fn created(&self) -> Option<Timestamp> {
        self.created
    }

    /// Nothing that was recorded earlier can be expected in the archive: it was not there yet, or does
    /// not keep it any longer.
    pub fn reaches_back_to(&self, now: Timestamp) -> Timestamp {
        let kept = self.kept_for.and_then(|kept_for| now.checked_sub(kept_for).ok());
        self.created.max(kept).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Sends what is in the window again, to these rules and no others.
    ///
    /// The call is made once: a second try could only find what the first one has started.
    ///
    /// # Errors
    /// [`ReplayError`]. After [`Unavailable`](ReplayError::Unavailable) ask
    /// [`Replays::describe`] whether it has started.
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

    /// How a replay stands.
    ///
    /// # Errors
    /// [`ReplayError`], [`UnknownReplay`](ReplayError::UnknownReplay) among it.
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

    /// The replays of the archive, some at a time, from a place on or from the beginning.
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

    /// Stops a replay. What was sent is not taken back.
    ///
    /// # Errors
    /// [`ReplayError`]; [`Over`](ReplayError::Over) if there is nothing to stop.
    pub async fn cancel(&self, name: &ReplayName) -> Result<ReplayState, ReplayError> {
        // Emulators cancel whatever they are told, also what was over long ago.
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

/// EventBridge's own words where it has some.
fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug,
{
    let said = error.as_service_error().and_then(ProvideErrorMetadata::message);
    said.map_or_else(|| DisplayErrorContext(error).to_string(), str::to_owned)
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
