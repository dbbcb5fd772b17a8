//! `ledgerfold deadlines`: what is overdue, and what stands aside because it kept failing.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use ledgerfold::{
    ProcessName, StreamId, Timestamp,
    ports::{Clock, DeadlineError, DeadlinePage, DeadlineStore, Pending, Resume, Written},
};
use ledgerfold_dynamodb::DynamoDeadlineStore;
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Report, table},
    target::Target,
};
use ledgerfold_aws::SystemClock;

/// The index that finds deadlines by time, as the template has it.
pub(crate) const BY_DUE: &str = "by-due";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Deadlines {
    #[command(subcommand)]
    action: Option<Action>,
    /// The process, as `payment-deadline`
    #[arg(required = true)]
    process: Option<ProcessName>,
    /// Those that are due until then too
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Have all that stand aside tried again, for whom has just mended what made them fail
    Retry {
        /// The process, as `payment-deadline`
        process: ProcessName,
    },
}

pub(crate) async fn run(
    command: &Deadlines,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let client = target.connection.dynamodb().await;
    let store = DynamoDeadlineStore::new(client, target.deadlines()?, BY_DUE);
    match (&command.action, &command.process) {
        (Some(Action::Retry { process }), _) => {
            output.report(&retry(&store, process).await?)?;
        }
        (None, Some(process)) => {
            let until = command.until.unwrap_or_else(|| SystemClock.now());
            output.report(&Listed::of(&store, process, until).await?)?;
        }
        // The command line was refused.
        (None, None) => {}
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Listed {
    /// In the order in which they are tried.
    due: Vec<Entry>,
    failed: Vec<Entry>,
    /// What is no deadline, in words.
    unreadable: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Entry {
    stream: StreamId,
    name: String,
    due: Timestamp,
    attempts: u32,
    /// When it is tried again.
    next: Timestamp,
}

impl From<Pending> for Entry {
    fn from(Pending { deadline, attempts, next }: Pending) -> Self {
        let (key, due) = (deadline.key, deadline.due);
        Self { stream: key.stream, name: key.name.to_string(), due, attempts, next }
    }
}

impl Listed {
    async fn of(
        store: &dyn DeadlineStore,
        process: &ProcessName,
        until: Timestamp,
    ) -> Result<Self, CliError> {
        let mut all = Found::default();
        for part in 0..store.parts() {
            all.read(async |from| store.due(process, part, until, from).await).await?;
        }
        let mut due: Vec<_> = std::mem::take(&mut all.deadlines);
        due.sort_by_key(|pending| (pending.next, pending.deadline.key.clone()));
        all.read(async |from| store.failed(process, from).await).await?;
        let entries = |found: Vec<Pending>| found.into_iter().map(Entry::from).collect();
        let Found { deadlines: failed, unreadable } = all;
        Ok(Self { due: entries(due), failed: entries(failed), unreadable })
    }
}

/// What pages of deadlines have brought.
#[derive(Default)]
struct Found {
    deadlines: Vec<Pending>,
    unreadable: Vec<String>,
}

impl Found {
    async fn read(
        &mut self,
        page: impl AsyncFn(Option<&Resume>) -> Result<DeadlinePage, DeadlineError>,
    ) -> Result<(), DeadlineError> {
        let mut from: Option<Resume> = None;
        loop {
            let DeadlinePage { deadlines, unreadable, next } = page(from.as_ref()).await?;
            self.deadlines.extend(deadlines);
            self.unreadable.extend(unreadable);
            from = next;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}

impl Report for Listed {
    fn text(&self) -> String {
        let Self { due, failed, unreadable } = self;
        let mut text = String::new();
        if !due.is_empty() || !failed.is_empty() {
            let rows = due.iter().map(|entry| entry.row("due"));
            let rows = rows.chain(failed.iter().map(|entry| entry.row("failed")));
            text += &table(["stream", "deadline", "due", "tried", "tried again"], rows);
        }
        for reason in unreadable {
            text += &format!("Not to be read: {reason}\n");
        }
        text + &format!(
            "due={} failed={} unreadable={}\n",
            due.len(),
            failed.len(),
            unreadable.len()
        )
    }
}

impl Entry {
    fn row(&self, state: &str) -> [String; 5] {
        let again =
            if state == "failed" { "no, it has failed".to_owned() } else { self.next.to_string() };
        let Self { stream, name, due, attempts, .. } = self;
        [stream.to_string(), name.clone(), due.to_string(), attempts.to_string(), again]
    }
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Retried {
    retried: usize,
}

/// All pages are read before anything is recalled, which leaves the list that is paged through.
async fn retry(store: &dyn DeadlineStore, process: &ProcessName) -> Result<Retried, CliError> {
    let mut failed = Found::default();
    failed.read(async |from| store.failed(process, from).await).await?;
    let mut retried = 0;
    for pending in &failed.deadlines {
        let written = store.retry(pending, SystemClock.now()).await?;
        retried += usize::from(written == Written::Done);
    }
    Ok(Retried { retried })
}

impl Report for Retried {
    fn text(&self) -> String {
        format!("{} are tried again from now on.\n", self.retried)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ledgerfold::{
        DeadlineName,
        ports::{Cause, Deadline, DeadlineKey},
    };
    use ledgerfold_proofs::conformance::notebook::fresh;
    use ledgerfold_testkit::MemoryDeadlineStore;

    use super::*;
    use crate::output::rendered;

    const PROCESS: ProcessName = ProcessName::from_static("lending");

    async fn scheduled(store: &MemoryDeadlineStore, second: u64) -> Pending {
        let key =
            DeadlineKey { process: PROCESS, stream: fresh(), name: DeadlineName::from_static("d") };
        let cause = Cause {
            event: "018bcfe5-6800-7000-8000-000000000000".parse().expect("a UUID"),
            correlation_id: ledgerfold::CorrelationId::new("c").expect("visible ASCII"),
            traceparent: None,
        };
        let due = Timestamp::UNIX_EPOCH + Duration::from_secs(second);
        let deadline = Deadline { key, due, cause };
        store.schedule(&deadline).await.expect("it can be kept");
        Pending { next: due, deadline, attempts: 0 }
    }

    #[tokio::test]
    async fn what_is_due_and_what_stands_aside_is_listed_and_recalled() {
        let store = MemoryDeadlineStore::default();
        for second in 1..=40 {
            let pending = scheduled(&store, second).await;
            if second % 2 == 0 {
                store.give_up(&pending).await.expect("it can be written");
            }
        }
        let until = Timestamp::UNIX_EPOCH + Duration::from_secs(30);
        let listed = Listed::of(&store, &PROCESS, until).await.expect("it can be read");
        assert_eq!((listed.due.len(), listed.failed.len()), (15, 20));
        assert!(listed.due.is_sorted_by_key(|entry| entry.next));
        let text = rendered(&listed, false).expect("text");
        assert!(text.ends_with("due=15 failed=20 unreadable=0\n"), "{text}");

        let retried = retry(&store, &PROCESS).await.expect("it can be written");
        assert_eq!(retried, Retried { retried: 20 });
        let listed = Listed::of(&store, &PROCESS, Timestamp::MAX).await.expect("it can be read");
        assert_eq!((listed.due.len(), listed.failed.len()), (40, 0));
    }
}
