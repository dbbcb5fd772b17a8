//! `ledgerfold tail`: prints events as they are appended.

mod changes;
mod follower;

use std::{io, process::ExitCode};

use clap::Args;
use ledgerfold::{StreamId, vocabulary::Commit};
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Report},
    show::{ShownEvent, shown},
    stream_name::{StreamName, TenantChoice},
    target::Target,
};
use ledgerfold_aws::SystemClock;

use changes::TableChanges;
use follower::{Follower, Start};

/// Follows the event table's change stream: one line for each event, or with --json one JSON object.
///
/// DynamoDB allows two readers of a change stream. The relay is the first, and a tail is the second: run
/// only one at a time, or you slow the relay down.
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Begin at the oldest change, at most a day old, instead of now
    #[arg(long)]
    from_start: bool,
    /// Only this stream; may be repeated
    #[arg(long, value_name = "STREAM")]
    stream: Vec<StreamName>,
    /// Only events of this type, for example `OrderPlaced`; may be repeated
    #[arg(long, value_name = "TYPE")]
    r#type: Vec<String>,
    /// End after this many events
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

pub(crate) async fn run(
    command: &Tail,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let changes = TableChanges::open(target).await?;
    let start = if command.from_start { Start::Oldest } else { Start::Now };
    let follower = Follower::begin(&changes, start).await?;
    eprintln!("Following {}. Press Ctrl-C to stop.", target.event_table()?);
    match command.follow(&target.tenant, follower, output).await {
        // The reader of the output has stopped, for example `head`.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS)
        }
        outcome => outcome.map(|()| ExitCode::SUCCESS),
    }
}

impl Tail {
    async fn follow(
        &self,
        tenant: &TenantChoice,
        mut follower: Follower<'_>,
        output: &mut Output,
    ) -> Result<(), CliError> {
        let wanted = tenant.streams(&self.stream);
        let mut left = self.count.unwrap_or(u64::MAX);
        loop {
            for change in follower.next(&SystemClock).await? {
                match change {
                    Ok(commit) => {
                        for line in self.lines(&commit, tenant, &wanted) {
                            output.report(&line)?;
                            left -= 1;
                            if left == 0 {
                                return Ok(());
                            }
                        }
                    }
                    Err(reason) => eprintln!("Skipped a change: {reason}"),
                }
            }
        }
    }

    /// The events to print: of these streams, or of all that the choice includes.
    fn lines(
        &self,
        commit: &Commit,
        tenant: &TenantChoice,
        streams: &[StreamId],
    ) -> impl Iterator<Item = Line> {
        let wanted = match streams {
            [] => tenant.includes(commit.stream()),
            _ => streams.contains(commit.stream()),
        };
        let stream = commit.stream().clone();
        shown(commit)
            .filter(move |event| {
                wanted && (self.r#type.is_empty() || self.r#type.contains(&event.r#type))
            })
            .map(move |event| Line { stream: stream.clone(), event })
    }
}

#[derive(Debug, Serialize)]
struct Line {
    stream: StreamId,
    #[serde(flatten)]
    event: ShownEvent,
}

impl Report for Line {
    fn text(&self) -> String {
        let ShownEvent { recorded_at, version, r#type, schema_version, actor, .. } = &self.event;
        format!("{recorded_at} {} {version} {type}.v{schema_version} {actor}\n", self.stream)
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::command::Loaded;
    use ledgerfold_proofs::conformance::requests::{commit, fresh};

    use super::Tail;
    use crate::{output::rendered, stream_name::TenantChoice};

    #[test]
    fn a_line_is_an_event_that_was_asked_for() {
        let stream = fresh();
        let new = commit(&Loaded::unread(stream.clone()), "attempt", &["one", "two"], 60);
        let lines = |streams: &[&str], types: &[&str]| {
            let tail = Tail {
                from_start: false,
                stream: streams.iter().map(|id| id.parse().expect("a stream")).collect(),
                r#type: types.iter().map(|name| (*name).to_owned()).collect(),
                count: None,
            };
            let tenant = TenantChoice::default();
            let wanted = tenant.streams(&tail.stream);
            tail.lines(new.as_commit(), &tenant, &wanted).collect::<Vec<_>>()
        };
        assert_eq!(lines(&[], &[]).len(), 2);
        assert_eq!(lines(&["note#other"], &[]).len(), 0);
        assert_eq!(lines(&[&stream.to_string(), "note#other"], &["NoteWritten"]).len(), 2);
        assert_eq!(lines(&[], &["NoteBurnt"]).len(), 0);

        let line = &lines(&[], &[])[1];
        let text = rendered(line, false).expect("text");
        assert!(
            text.starts_with(&format!("1970-01-01T00:01:00Z {stream} 2 NoteWritten.v1 ")),
            "{text}"
        );
        let json: serde_json::Value =
            serde_json::from_str(&rendered(line, true).expect("JSON")).expect("JSON");
        assert_eq!((&json["stream"], &json["version"]), (&stream.to_string().into(), &2.into()));
    }
}
