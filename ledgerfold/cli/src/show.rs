//! `ledgerfold show`: prints the events of a stream as they were stored.

use std::process::ExitCode;

use clap::Args;
use ledgerfold::{Payload, StreamId, Timestamp, Version, ports::EventReader, vocabulary::Commit};
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Report, table},
    stream_name::StreamName,
    target::Target,
};

/// Shows a stream's events.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The stream, for example `order#4edde2f3-9e3f-8d71-857a-17616c743abd`
    stream: StreamName,
    /// Only up to this version
    #[arg(long, value_name = "VERSION", conflicts_with = "at")]
    version: Option<u64>,
    /// Only events recorded up to this instant, for example 2026-11-23T12:00:00Z
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Shown {
    stream: StreamId,
    events: Vec<ShownEvent>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShownEvent {
    pub(crate) version: Version,
    id: String,
    pub(crate) r#type: String,
    pub(crate) schema_version: u32,
    pub(crate) recorded_at: Timestamp,
    command: String,
    command_id: String,
    pub(crate) actor: String,
    data: Payload,
}

pub(crate) async fn run(
    command: &Show,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let stream = target.tenant.stream(&command.stream);
    output.report(&read(command, stream, &target.log().await?).await?)?;
    Ok(ExitCode::SUCCESS)
}

async fn read(command: &Show, stream: StreamId, log: &dyn EventReader) -> Result<Shown, CliError> {
    let mut events = Vec::new();
    let mut after = Version::NONE;
    'pages: loop {
        let page = log.read(&stream, after).await?;
        for commit in &page.commits {
            // Clocks may run backwards between commits, versions may not. So the first commit that is too late
            // ends the list.
            if !command.reaches(commit) {
                break 'pages;
            }
            events.extend(shown(commit).filter(|event| command.holds(event.version)));
            after = commit.to();
        }
        if !page.more {
            break;
        }
    }
    if events.is_empty() {
        let until = if command.is_bounded() { " up to there" } else { "" };
        return Err(CliError::NoStream { stream: stream.to_string(), until });
    }
    Ok(Shown { stream, events })
}

impl Show {
    fn reaches(&self, commit: &Commit) -> bool {
        self.holds(commit.from()) && self.at.is_none_or(|at| commit.metadata().recorded_at <= at)
    }

    fn holds(&self, version: Version) -> bool {
        self.version.is_none_or(|last| version.get() <= last)
    }

    const fn is_bounded(&self) -> bool {
        self.version.is_some() || self.at.is_some()
    }
}

/// The events of a commit as they are shown.
pub(crate) fn shown(commit: &Commit) -> impl Iterator<Item = ShownEvent> + '_ {
    commit.events().map(|(version, event)| ShownEvent {
        version,
        id: event.id.to_string(),
        r#type: event.event_type.to_string(),
        schema_version: event.schema_version.get(),
        recorded_at: commit.metadata().recorded_at,
        command: commit.command().name.to_string(),
        command_id: commit.command().id.to_string(),
        actor: commit.metadata().actor.to_string(),
        data: event.data.clone(),
    })
}

impl Report for Shown {
    fn text(&self) -> String {
        let rows = self.events.iter().map(|event| {
            [
                event.version.to_string(),
                event.recorded_at.to_string(),
                format!("{}.v{}", event.r#type, event.schema_version),
                event.command.clone(),
                event.actor.clone(),
                event.data.as_str().to_owned(),
            ]
        });
        table(["version", "recorded at", "event", "command", "actor", "data"], rows)
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{command::Loaded, ports::EventStore};
    use ledgerfold_proofs::conformance::requests::{commit, fresh};
    use ledgerfold_testkit::MemoryEventStore;

    use super::{Show, read};
    use crate::{error::CliError, output::rendered};

    async fn shown(version: Option<u64>, at: Option<&str>) -> Result<Vec<u64>, CliError> {
        let (log, stream) = (MemoryEventStore::with_pages_of(1), fresh());
        let mut loaded = Loaded::unread(stream.clone());
        for (attempt, second) in [("a", 60), ("b", 180), ("c", 120)] {
            let new = commit(&loaded, attempt, &["one", "two"], second);
            log.append(&new).await.expect("it is appended");
            let nobody = ledgerfold::CommandId::new("nobody").expect("visible ASCII");
            loaded.read_on(&log, &nobody).await.expect("it can be read");
        }
        let at = at.map(|at| at.parse().expect("an instant"));
        let name = stream.to_string().parse().expect("a name");
        let shown = read(&Show { stream: name, version, at }, stream, &log).await?;
        let text = rendered(&shown, false).expect("text");
        assert_eq!(text.lines().count(), shown.events.len() + 1, "a line each: {text}");
        Ok(shown.events.iter().map(|event| event.version.get()).collect())
    }

    #[tokio::test]
    async fn a_stream_is_shown_up_to_where_it_was_asked_for() {
        assert_eq!(shown(None, None).await.expect("it exists"), [1, 2, 3, 4, 5, 6]);
        assert_eq!(shown(Some(3), None).await.expect("it exists"), [1, 2, 3]);
        let then = shown(None, Some("1970-01-01T00:02:30Z")).await;
        assert_eq!(then.expect("it exists"), [1, 2], "nothing after the first that is too late");
        let never = shown(None, Some("1970-01-01T00:00:30Z")).await;
        assert!(matches!(never, Err(CliError::NoStream { .. })));
    }
}
