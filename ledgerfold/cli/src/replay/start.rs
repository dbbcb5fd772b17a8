//! `replay start`: chooses the events and the projections, waits for the archive, and starts.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use ledgerfold::{
    Timestamp,
    ports::{Clock, Random},
    vocabulary::ReplayName,
};
use ledgerfold_eventbridge::{ReplayError, ReplayStatus, Replays, RuleArn, Window};

use super::{
    report::{Shown, Started},
    watch::{verdict, watch},
};
use crate::{
    error::CliError,
    output::{Output, progress_to},
    target::Target,
};

/// How long an event may wait in the table's stream before it reaches the bus. A new archive holds no
/// event that was recorded earlier than this before its creation.
const ON_THE_WAY: Duration = Duration::from_secs(24 * 3600);

/// How often the remaining time is updated.
const TICK: Duration = Duration::from_secs(1);

/// Replays events of the bus's archive to projections.
///
/// For EventBridge, replayed events are new events: AWS charges for them, and they arrive in any order,
/// mixed with live events, and possibly twice. Projections order them by version and drop duplicates.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// A projection that receives the events; may be repeated [default: all that have a read table]
    #[arg(long, value_name = "NAME")]
    projection: Vec<String>,
    /// Only events recorded at or after this instant, for example 2026-11-23T12:00:00Z [default:
    /// everything in the archive]
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// Only events recorded up to this instant [default: now]
    #[arg(long, value_name = "INSTANT")]
    to: Option<Timestamp>,
    /// The name of the replay, which every replayed event carries [default: a generated name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Wait for the end of the replay
    #[arg(long)]
    wait: bool,
    /// Start at once, even if the newest events may not be in the archive yet
    #[arg(long)]
    no_settle: bool,
}

/// The outside world that a start depends on.
pub(super) struct World<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) random: &'a dyn Random,
}

pub(super) async fn run(
    options: &Start,
    target: &Target,
    replays: &Replays,
    world: &World<'_>,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let rules = target.rules(&options.projection)?;
    let window = options.window(replays, world.clock.now())?;
    let name = options.name.clone().map(ReplayName);
    let name = name.unwrap_or_else(|| fresh_name("ledgerfold", world.clock, world.random));
    if !options.no_settle && !target.connection.is_local() {
        settle(&window, world.clock).await;
    }
    let arns: Vec<_> = rules.values().cloned().collect();
    let status = start(replays, &name, window, &arns).await?;
    let projections: Vec<_> = rules.into_keys().collect();
    if !options.wait {
        output.report(&Started::new(projections, Shown::from(&status)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let status = watch(replays, &name, world.clock).await?;
    output.report(&Started::new(projections, Shown::from(&status)))?;
    verdict(&status)
}

/// Starts a replay. If the answer is lost, it looks the replay up by its name; if that fails too, the
/// error says how to find out later.
pub(crate) async fn start(
    replays: &Replays,
    name: &ReplayName,
    window: Window,
    rules: &[RuleArn],
) -> Result<ReplayStatus, CliError> {
    let state = match replays.start(name, window, rules).await {
        Ok(state) => state,
        Err(ReplayError::Unavailable(reason)) => {
            let in_doubt = |_| CliError::ReplayInDoubt { name: name.0.clone(), reason };
            return replays.describe(name).await.map_err(in_doubt);
        }
        Err(other) => return Err(other.into()),
    };
    Ok(ReplayStatus {
        name: name.clone(),
        state,
        reason: None,
        window: Some(window),
        replayed_to: None,
        started: None,
        ended: None,
    })
}

impl Start {
    fn window(&self, replays: &Replays, now: Timestamp) -> Result<Window, CliError> {
        let oldest = || {
            let created = replays.created().unwrap_or(Timestamp::UNIX_EPOCH);
            created.checked_sub(ON_THE_WAY).unwrap_or(Timestamp::UNIX_EPOCH)
        };
        let to = self.to.unwrap_or(now);
        if to > now {
            return Err(CliError::WindowInFuture { to });
        }
        Ok(Window::new(self.from.unwrap_or_else(oldest), to)?)
    }
}

/// A name that no replay has had.
pub(crate) fn fresh_name(kind: &str, clock: &dyn Clock, random: &dyn Random) -> ReplayName {
    let mut bytes = [0; 2];
    random.fill(&mut bytes);
    let now = clock.now().strftime("%Y%m%dT%H%M%SZ");
    ReplayName(format!("{kind}-{now}-{:04x}", u16::from_be_bytes(bytes)))
}

/// Waits until the archive holds the whole window.
async fn settle(window: &Window, clock: &dyn Clock) {
    let until = window.settled_at();
    let left = |now| until.duration_since(now).as_secs().try_into().unwrap_or(0_u64);
    let whole = left(clock.now());
    if whole == 0 {
        return;
    }
    eprintln!(
        "An event may take ten minutes to reach the archive. Waiting until {until:.0} (--no-settle \
         starts at once)."
    );
    let bar = progress_to(whole, "waiting for the archive");
    while until > clock.now() {
        bar.set_position(whole.saturating_sub(left(clock.now())));
        clock.sleep(TICK).await;
    }
    bar.finish_and_clear();
}

#[cfg(test)]
mod tests {
    use aws_sdk_eventbridge::{
        Client,
        config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
    };
    use ledgerfold::{Timestamp, ports::Clock, vocabulary::ReplayName};
    use ledgerfold_eventbridge::{ReplayState, Replays, Window};
    use ledgerfold_proofs::{
        RecordedAnswer::{self, HangUp, Json},
        RecordedService,
    };
    use ledgerfold_testkit::ManualClock;
    use serde_json::json;

    use super::{settle, start};
    use crate::error::CliError;

    const ARCHIVE: &str = "arn:aws:events:us-east-1:123456789012:archive/orders";
    const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/orders";
    const RULE: &str = "arn:aws:events:us-east-1:123456789012:rule/orders/view";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[tokio::test]
    async fn a_window_that_ends_now_waits_for_ten_minutes_and_an_old_one_not_at_all() {
        let window = Window::new(at(0), at(10_000)).expect("a window");
        let clock = ManualClock::at(at(10_000));
        settle(&window, &clock).await;
        assert_eq!(clock.now(), at(10_600));
        clock.set(at(20_000));
        settle(&window, &clock).await;
        assert_eq!(clock.now(), at(20_000));
    }

    /// The result of a start whose answer is lost, if the lookup by name is answered like this.
    async fn without_an_answer(then: RecordedAnswer) -> Result<ReplayState, CliError> {
        let archive =
            json!({"ArchiveArn": ARCHIVE, "EventSourceArn": BUS, "CreationTime": 1_700_000_000});
        let answers = [Json(200, archive.to_string()), HangUp, then];
        let service = RecordedService::start(answers).await;
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .endpoint_url(service.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::disabled());
        let client = Client::from_conf(config.build());
        let replays = Replays::open(client, ARCHIVE).await.expect("it exists");
        let window = Window::new(at(0), at(10_000)).expect("a window");
        let rules = [RULE.parse().expect("a rule")];
        let status = start(&replays, &ReplayName("again".to_owned()), window, &rules).await?;
        Ok(status.state)
    }

    #[tokio::test]
    async fn a_start_whose_answer_is_lost_is_looked_up() {
        let running = json!({"ReplayName": "again", "State": "RUNNING"});
        let started = without_an_answer(Json(200, running.to_string())).await;
        assert!(matches!(started, Ok(ReplayState::Running)), "{started:?}");
        let absent = Json(400, json!({"__type": "ResourceNotFoundException"}).to_string());
        for unknown in [absent, HangUp] {
            let doubt = without_an_answer(unknown).await;
            assert!(
                matches!(&doubt, Err(CliError::ReplayInDoubt { name, .. }) if name == "again"),
                "{doubt:?}"
            );
        }
    }
}
