//! `ledgerfold deadlines`: lists the overdue and failed deadlines of a process, and retries failed ones.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use ledgerfold::{
    ProcessName, StreamId, Timestamp,
    ports::{
        Clock, DeadlineError, DeadlinePage, DeadlineStore, PageWalk, Pending, Resume,
        UnreadableDeadline, Written,
    },
};
use ledgerfold_dynamodb::DynamoDeadlineStore;
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Report, table},
    stream_name::TenantChoice,
    target::Target,
};
use ledgerfold_aws::SystemClock;

/// The index over due times, as the template names it.
pub(crate) const BY_DUE: &str = "by-due";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Deadlines {
    #[command(subcommand)]
    action: Option<Action>,
    /// The process, for example `payment-deadline`
    #[arg(required = true)]
    process: Option<ProcessName>,
    /// Also list deadlines that are due up to this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Retry all failed deadlines now, after you have fixed the cause
    Retry {
        /// The process, for example `payment-deadline`
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
            output.report(&retry(&store, process, &target.tenant).await?)?;
        }
        (None, Some(process)) => {
            let until = command.until.unwrap_or_else(|| SystemClock.now());
            let all = Listed::of(&store, process, until).await?;
            output.report(&all.only(&target.tenant))?;
        }
        // Unreachable: clap requires one of them.
        (None, None) => {}
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Listed {
    /// In the order of their next attempts.
    due: Vec<Entry>,
    failed: Vec<Entry>,
    /// Items that are not valid deadlines, as descriptions.
    unreadable: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Entry {
    stream: StreamId,
    name: String,
    due: Timestamp,
    attempts: u32,
    /// The time of the next attempt.
    next: Timestamp,
}

impl From<Pending> for Entry {
    fn from(Pending { deadline, attempts, next }: Pending) -> Self {
        let key = deadline.key;
        let due = deadline.due;
        Self { stream: key.stream, name: key.name.to_string(), due, attempts, next }
    }
}

impl Listed {
    async fn of(
        store: &dyn DeadlineStore,
        process: &ProcessName,
        until: Timestamp,
    ) -> Result<Self, CliError> {
        let mut all = AllPages::default();
        for part in 0..store.parts() {
            all.read(async |from| store.due(process, part, until, from).await).await?;
        }
        let mut due: Vec<_> = std::mem::take(&mut all.deadlines);
        due.sort_by_key(|pending| (pending.next, pending.deadline.key.clone()));
        all.read(async |from| store.failed(process, from).await).await?;
        let entries = |found: Vec<Pending>| found.into_iter().map(Entry::from).collect();
        let AllPages { deadlines: failed, unreadable } = all;
        Ok(Self { due: entries(due), failed: entries(failed), unreadable })
    }

    /// The deadlines that the choice includes. An unreadable item names no stream for sure, so it stays.
    fn only(mut self, tenant: &TenantChoice) -> Self {
        self.due.retain(|entry| tenant.includes(&entry.stream));
        self.failed.retain(|entry| tenant.includes(&entry.stream));
        self
    }
}

/// The deadlines of several pages.
#[derive(Default)]
struct AllPages {
    deadlines: Vec<Pending>,
    unreadable: Vec<String>,
}

impl AllPages {
    async fn read(
        &mut self,
        page: impl AsyncFn(Option<&Resume>) -> Result<DeadlinePage, DeadlineError>,
    ) -> Result<(), DeadlineError> {
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            for listed in walk.turn(page(from.as_ref()).await?) {
                match listed {
                    Ok(pending) => self.deadlines.push(pending),
                    Err(UnreadableDeadline(reason)) => self.unreadable.push(reason),
                }
            }
        }
        Ok(())
    }
}

impl Report for Listed {
    fn text(&self) -> String {
        let Self { due, failed, unreadable } = self;
        let mut text = String::new();
        if !due.is_empty() || !failed.is_empty() {
            let rows = due.iter().map(|entry| entry.row("due"));
            let rows = rows.chain(failed.iter().map(|entry| entry.row("failed")));
            text += &table(["stream", "deadline", "due", "attempts", "next attempt"], rows);
        }
        for reason in unreadable {
            text += &format!("Unreadable: {reason}\n");
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
        let again = if state == "failed" {
            "none, it has failed".to_owned()
        } else {
            self.next.to_string()
        };
        let Self { stream, name, due, attempts, .. } = self;
        [stream.to_string(), name.clone(), due.to_string(), attempts.to_string(), again]
    }
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Retried {
    retried: usize,
}

/// Reads all pages before the first retry, because a retry removes the deadline from the list.
async fn retry(
    store: &dyn DeadlineStore,
    process: &ProcessName,
    tenant: &TenantChoice,
) -> Result<Retried, CliError> {
    let mut failed = AllPages::default();
    failed.read(async |from| store.failed(process, from).await).await?;
    failed.deadlines.retain(|pending| tenant.includes(&pending.deadline.key.stream));
    let mut retried = 0;
    for pending in &failed.deadlines {
        let written = store.retry(pending, SystemClock.now()).await?;
        retried += usize::from(written == Written::Done);
    }
    Ok(Retried { retried })
}

impl Report for Retried {
    fn text(&self) -> String {
        format!("{} failed deadlines will be retried.\n", self.retried)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ledgerfold::{
        DeadlineName,
        ports::{Cause, Deadline, DeadlineKey},
    };
    use ledgerfold_proofs::conformance::requests::{fresh, twin};
    use ledgerfold_testkit::MemoryDeadlineStore;

    use super::*;
    use crate::output::rendered;

    const PROCESS: ProcessName = ProcessName::from_static("lending");

    async fn scheduled(store: &MemoryDeadlineStore, second: u64) -> Pending {
        scheduled_for(store, fresh(), second).await
    }

    async fn scheduled_for(store: &MemoryDeadlineStore, stream: StreamId, second: u64) -> Pending {
        let name = DeadlineName::from_static("d");
        let key = DeadlineKey { process: PROCESS, stream, name };
        let cause = Cause {
            event: "018bcfe5-6800-7000-8000-000000000000".parse().expect("a UUID"),
            correlation_id: ledgerfold::CorrelationId::new("c").expect("visible ASCII"),
            traceparent: None,
        };
        let due = Timestamp::UNIX_EPOCH + Duration::from_secs(second);
        let deadline = Deadline { key, due, cause };
        store.schedule(&deadline).await.expect("it can be stored");
        Pending { next: due, deadline, attempts: 0 }
    }

    #[tokio::test]
    async fn due_and_failed_deadlines_are_listed_and_retried() {
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

        let everybody = TenantChoice::default();
        let retried = retry(&store, &PROCESS, &everybody).await.expect("it can be written");
        assert_eq!(retried, Retried { retried: 20 });
        let listed = Listed::of(&store, &PROCESS, Timestamp::MAX).await.expect("it can be read");
        assert_eq!((listed.due.len(), listed.failed.len()), (40, 0));
    }

    // Guards: tenants-never-meet
    #[tokio::test]
    async fn with_a_tenant_only_its_deadlines_are_listed_and_retried() {
        let store = MemoryDeadlineStore::default();
        for second in 1..=10 {
            let here = fresh();
            for stream in [twin(&here), here] {
                let pending = scheduled_for(&store, stream, second).await;
                if second > 6 {
                    store.give_up(&pending).await.expect("it can be written");
                }
            }
        }
        let counts = async |tenant: &TenantChoice| {
            let all = Listed::of(&store, &PROCESS, Timestamp::MAX).await.expect("it can be read");
            let listed = all.only(tenant);
            let entries = listed.due.iter().chain(&listed.failed);
            assert!(entries.into_iter().all(|entry| tenant.includes(&entry.stream)), "{listed:?}");
            (listed.due.len(), listed.failed.len())
        };
        let everybody = TenantChoice::default();
        let other = crate::stream_name::tests::of("other");
        assert_eq!((counts(&everybody).await, counts(&other).await), ((12, 8), (6, 4)));
        let retried = retry(&store, &PROCESS, &other).await.expect("it can be written");
        assert_eq!(retried, Retried { retried: 4 });
        assert_eq!((counts(&everybody).await, counts(&other).await), ((16, 4), (10, 0)));
    }
}
