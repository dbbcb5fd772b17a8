//! The demo: sends a file of commands to a running stack and shows the results.
//!
//! It compares all answers with results computed from the input alone, and compares all read models before and after a
//! replay of the archive. Any difference is printed and makes the demo fail.
//!
//! You can run the demo repeatedly on the same stack: its keys contain the name of the run, and only the run's
//! difference on the dashboard counts.

pub mod dashboard;
pub mod drive;
pub mod expected;
pub mod generate;
mod report;
pub mod script;
pub mod snapshot;
pub mod speed;
mod timeline;

use std::cell::Cell;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use acceptance::progress::Progress;
use acceptance::report::{closing, steps};
use jiff::Timestamp;

use self::dashboard::{ByCurrency, Window};
use self::drive::OrderRun;
use self::script::Script;
use self::snapshot::{PlacedOrder, Snapshot};
use crate::aws::{Aws, AwsError};
use crate::client::{Client, ClientError};
use crate::wait::{NotInTime, eventually};
use ledgerfold_testkit::http::{Stack, StackError};

const WORKERS: usize = 8;
// Generous: a local cloud on a small machine projects some seventy events a second.
const PROJECTION_DEADLINE: Duration = Duration::from_secs(300);
const REPLAY_DEADLINE: Duration = Duration::from_secs(300);

/// The reason why the demo could not finish.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// There is no input.
    #[error(transparent)]
    Input(#[from] script::InputError),
    /// The service did not answer, or violated the contract.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// AWS did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A condition was not met in time.
    #[error(transparent)]
    NotInTime(#[from] NotInTime),
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Output(#[from] io::Error),
}

/// Runs the demo on the running stack, and writes its report to `out`. Returns whether there were no differences.
///
/// # Errors
/// If the demo cannot finish.
pub async fn run(input: &Path, out: &mut impl Write) -> Result<bool, DemoError> {
    let stack = Stack::find()?;
    let scripts = script::read(input)?;
    let now = Timestamp::now();
    let demo = Demo {
        client: Client::new(&stack)?,
        aws: Aws::new(&stack),
        window: Window::around(now),
        started: now,
        name: format!("demo-{}-", now.as_millisecond()),
    };
    report::opening(out, &stack, input, &scripts)?;
    demo.show(scripts, out).await
}

struct Demo {
    client: Client,
    aws: Aws,
    window: Window,
    started: Timestamp,
    name: String,
}

/// A run, after everything was sent and projected.
struct Sent {
    runs: Vec<OrderRun>,
    sending: Duration,
    projecting: Duration,
    added: ByCurrency,
    late: Option<NotInTime>,
}

impl Demo {
    async fn show(&self, scripts: Vec<Script>, out: &mut impl Write) -> Result<bool, DemoError> {
        let expected = expected::figures(&scripts);
        let sent = self.send(scripts, &expected).await?;
        let mut differences = report::commands(out, &sent.runs, sent.sending)?;
        differences.extend(sent.late.map(|late| late.to_string()));
        differences.extend(report::dashboard(out, &expected, &sent.added)?);

        let orders = snapshot::placed_orders(&sent.runs);
        if let Some(order) = timeline::most_eventful(&orders) {
            differences.extend(timeline::show(out, &self.client, order).await?);
        }
        let reading = Instant::now();
        let before = Snapshot::take(&self.client, &orders, PROJECTION_DEADLINE).await;
        let reading = reading.elapsed();
        differences.extend(before.wrong.clone());
        report::latencies(out, &sent.runs, &before.took, sent.projecting)?;

        let replaying = Instant::now();
        differences.extend(self.replay(out, &orders, &before).await?);
        let durations = [
            ("sending", sent.sending),
            ("projecting", sent.projecting),
            ("reading", reading),
            ("replaying and reading again", replaying.elapsed()),
        ];
        steps(out, &durations)?;
        closing(out, "Everything matches the input.", &differences)?;
        Ok(differences.is_empty())
    }

    /// Sends all commands, and waits until the dashboard has counted them.
    async fn send(&self, scripts: Vec<Script>, expected: &ByCurrency) -> Result<Sent, DemoError> {
        // Wait for earlier runs first, whose events would count as this run's.
        self.aws.settled(PROJECTION_DEADLINE).await?;
        let baseline = self.window.totals(&self.client).await?;

        let lines = scripts.iter().map(|script| count(script.lines.len())).sum();
        let progress = Progress::new("sending", lines);
        let started = Instant::now();
        let runs = drive::drive(&self.client, scripts, &self.name, WORKERS, || {
            progress.step();
        })
        .await?;
        progress.finish();
        let sent = Instant::now();

        let (added, late) = self.projected(&baseline, expected).await;
        Ok(Sent { runs, sending: sent - started, projecting: sent.elapsed(), added, late })
    }

    async fn projected(
        &self,
        baseline: &ByCurrency,
        expected: &ByCurrency,
    ) -> (ByCurrency, Option<NotInTime>) {
        let all = dashboard::counted(expected);
        let progress = Progress::new("projecting", u64::try_from(all).unwrap_or_default());
        let latest = Cell::new(ByCurrency::new());
        let outcome =
            eventually("the dashboard counts every event", PROJECTION_DEADLINE, async || {
                let now =
                    self.window.totals(&self.client).await.map_err(|error| error.to_string())?;
                let added = dashboard::added(baseline, &now);
                let counted = dashboard::counted(&added);
                let complete = added == *expected;
                progress.reach(u64::try_from(counted).unwrap_or_default());
                latest.set(added);
                if complete {
                    Ok(())
                } else {
                    Err(format!("{counted} of {all} events are counted"))
                }
            })
            .await;
        progress.finish();
        (latest.take(), outcome.err())
    }

    /// Replays the archive for the time of the run, and compares all answers before and after.
    async fn replay(
        &self,
        out: &mut impl Write,
        orders: &[PlacedOrder],
        before: &Snapshot,
    ) -> Result<Vec<String>, DemoError> {
        self.aws.settled(PROJECTION_DEADLINE).await?;
        let dashboard_before = self.window.text(&self.client).await?;

        let started = Instant::now();
        let replay = self.aws.start_replay(self.started, Timestamp::now()).await?;
        // Watch the queues during the replay, to report that its events reached them.
        let (replayed, settled) = futures::join!(
            self.aws.replayed(&replay, REPLAY_DEADLINE),
            self.aws.settled(REPLAY_DEADLINE)
        );
        replayed?;
        let backlog = settled?.max(self.aws.settled(REPLAY_DEADLINE).await?);
        let took = started.elapsed();

        let after = Snapshot::take(&self.client, orders, PROJECTION_DEADLINE).await;
        let mut differences = before.differences(&after);
        let dashboard_after = self.window.text(&self.client).await?;
        if dashboard_before != dashboard_after {
            differences.push(snapshot::difference(
                "/dashboard",
                &dashboard_before,
                &dashboard_after,
            ));
        }
        report::replay(out, took, backlog, before.bodies.len(), differences.len())?;
        Ok(differences)
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
