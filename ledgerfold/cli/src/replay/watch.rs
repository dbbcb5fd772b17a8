//! Waits for the end of a replay.

use std::{process::ExitCode, time::Duration};

use ledgerfold::{Timestamp, ports::Clock, vocabulary::ReplayName};
use ledgerfold_eventbridge::{ReplayState, ReplayStatus, Replays};

use crate::{error::CliError, output::progress_to};

const PAUSE: Duration = Duration::from_secs(1);

/// Polls a replay until it has ended. EventBridge continues it even if this command is killed, so the
/// command says first how to return to it.
pub(super) async fn watch(
    replays: &Replays,
    name: &ReplayName,
    clock: &dyn Clock,
) -> Result<ReplayStatus, CliError> {
    let mut status = replays.describe(name).await?;
    if !status.state.is_over() {
        eprintln!(
            "The replay continues without this command. `ledgerfold replay watch {0}` waits for it again, \
             `ledgerfold replay cancel {0}` stops it.",
            name.0
        );
    }
    let length = status.window.map_or(1, |window| seconds(window.from(), window.to()));
    let bar = progress_to(length, "replaying");
    while !status.state.is_over() {
        bar.set_position(done(&status).min(length));
        bar.set_message(status.state.to_string());
        clock.sleep(PAUSE).await;
        status = replays.describe(name).await?;
    }
    bar.finish_and_clear();
    Ok(status)
}

/// The exit code for a replay that has ended.
pub(crate) fn verdict(status: &ReplayStatus) -> Result<ExitCode, CliError> {
    match status.state {
        ReplayState::Completed => Ok(ExitCode::SUCCESS),
        state => Err(CliError::ReplayEnded {
            name: status.name.0.clone(),
            state,
            reason: status.reason.clone().unwrap_or_else(|| "no reason was given".to_owned()),
        }),
    }
}

/// The part of its window that a replay has covered, in seconds.
fn done(status: &ReplayStatus) -> u64 {
    match (status.window, status.replayed_to) {
        (Some(window), Some(replayed_to)) => seconds(window.from(), replayed_to),
        _ => 0,
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    to.duration_since(from).as_secs().try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use ledgerfold::{Timestamp, vocabulary::ReplayName};
    use ledgerfold_eventbridge::{ReplayState, ReplayStatus, Replays};
    use ledgerfold_proofs::{
        RecordedAnswer::{self, Json},
        RecordedService,
    };
    use ledgerfold_testkit::ManualClock;

    use super::{verdict, watch};
    use crate::{
        connection::{Connection, Place},
        error::CliError,
    };

    fn answer(state: &str) -> RecordedAnswer {
        Json(
            200,
            format!(
                r#"{{"State": "{state}", "StateReason": "so it is", "EventStartTime": 0,
                    "EventEndTime": 60, "EventLastReplayedTime": 30}}"#
            ),
        )
    }

    async fn watched(states: &[&str]) -> ReplayStatus {
        let archive = r#"{"ArchiveArn": "archive", "EventSourceArn": "bus"}"#;
        let answers = states.iter().map(|state| answer(state));
        let answers = [Json(200, archive.to_owned())].into_iter().chain(answers);
        let service = RecordedService::start(answers).await;
        let endpoint = service.endpoint().to_owned();
        let place = Place::LocalCloud { endpoint, tables: None, region: None };
        let client = Connection::to(place).eventbridge().await;
        let replays = Replays::open(client, "a").await.expect("it exists");
        let status = watch(&replays, &ReplayName("r".to_owned()), &ManualClock::default()).await;
        assert_eq!(service.requests().len(), states.len() + 1);
        status.expect("it ends")
    }

    #[tokio::test]
    async fn a_replay_is_watched_to_its_end_which_decides() {
        let status = watched(&["STARTING", "RUNNING", "RUNNING", "COMPLETED"]).await;
        assert_eq!(status.replayed_to, Timestamp::from_second(30).ok());
        assert!(verdict(&status).is_ok());
        for (word, expected) in
            [("FAILED", ReplayState::Failed), ("CANCELLED", ReplayState::Cancelled)]
        {
            let outcome = verdict(&watched(&["RUNNING", word]).await);
            assert!(
                matches!(&outcome, Err(CliError::ReplayEnded { state, reason, .. })
                    if *state == expected && reason == "so it is"),
                "{outcome:?}"
            );
        }
    }
}
