//! The demo: a fleet sends readings to a running stack, with restarts, repeated, late and lost batches, wrong clocks,
//! and functions that are killed.
//!
//! In the end it compares the sums of the input with those of the timelines and of the rollups, and ends at the first
//! difference. Every run has a tenant of its own, so you can run the demo repeatedly on the same stack.

pub mod fleet;
mod plot;
mod read;
mod report;
pub mod verdict;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use acceptance::killer::Killer;
use acceptance::progress::Progress;
use acceptance::report::{closing, steps};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use ledgerfold_testkit::http::{Stack, StackError};

use self::fleet::Device;
use self::verdict::Difference;
use crate::client::{CONTEXT, ClientError};
use crate::model::{BatchAnswer, FleetCounts, RegisterDevice};
use crate::wait::{NotInTime, eventually};
use crate::{Caller, Client, Patience};

// Generous: a killed function's batch is delivered again after several times the function's timeout.
const PROJECTED: Duration = Duration::from_secs(480);
const KILL_EVERY: Duration = Duration::from_millis(700);
/// How often each function that answers requests is killed.
const KILLS_OF_HANDLERS: usize = 8;
/// How often each other function is killed. A killed projector's batch waits for its visibility timeout, so all kills
/// are early.
const KILLS_OF_OTHERS: usize = 1;
/// The functions that answer requests, by role.
const HANDLERS: [&str; 2] = ["command", "query"];
/// The site of all devices.
const SITE: &str = "site-1";

/// The size of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The number of devices.
    pub devices: usize,
    /// The number of readings of all devices.
    pub readings: usize,
    /// The number of requests that are on their way at once.
    pub workers: usize,
    /// The seed of all random choices.
    pub seed: u64,
    /// Whether functions are killed.
    pub kill: bool,
}

impl Default for Options {
    /// 50 devices and 20,000 readings, which a local cloud handles in two minutes. `--readings 200000` is the long run.
    fn default() -> Self {
        Self { devices: 50, readings: 20_000, workers: 8, seed: 7, kill: true }
    }
}

/// The reason why the demo could not finish.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The service did not answer, or violated the contract.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A condition was not met in time.
    #[error(transparent)]
    NotInTime(#[from] NotInTime),
    /// Sums differ.
    #[error(transparent)]
    Difference(#[from] Difference),
    /// Something else differs from the input.
    #[error("{0}")]
    Differs(String),
    /// The report cannot be written, or functions cannot be killed.
    #[error("cannot write the report or kill a function: {0}")]
    Output(#[from] io::Error),
}

/// Runs the demo on the running stack, and writes its report to `out`.
///
/// # Errors
/// If the demo cannot finish, or the service differs from the input.
pub async fn run(options: Options, out: &mut impl Write) -> Result<(), DemoError> {
    let stack = Stack::find()?;
    let now = Timestamp::now();
    let tenant = format!("demo-{}", now.as_millisecond());
    let operator = Client::new(&stack, &Caller::operator().in_tenant(&tenant))?;
    let operator = operator.with_patience(Patience::ThroughCrashes);
    let fleet = Device::fleet(options.devices, options.readings, options.seed, now);
    report::opening(out, &stack, &options, &fleet)?;
    Demo { stack, options, operator, tenant, began: now }.show(&fleet, out).await
}

struct Demo {
    stack: Stack,
    options: Options,
    /// A client of the operator, who reads everything.
    operator: Client,
    tenant: String,
    began: Timestamp,
}

/// The batches that were sent.
struct Sent {
    answers: Vec<BatchAnswer>,
    latencies: Vec<Duration>,
    killed: usize,
    took: Duration,
}

impl Demo {
    async fn show(&self, fleet: &[Device], out: &mut impl Write) -> Result<(), DemoError> {
        let registering = Instant::now();
        self.register(fleet).await?;
        let registering = registering.elapsed();
        let sent = self.send(fleet).await?;
        report::sent(out, fleet, &sent)?;
        let projecting = Instant::now();
        let counts = self.projected(fleet).await?;
        let projecting = projecting.elapsed();
        report::counts(out, fleet, &counts)?;
        let comparing = Instant::now();
        let found = self.compare(fleet).await?;
        report::gaps(out, fleet)?;
        report::plot(out, fleet, &found)?;
        report::verdict(out, &found)?;
        let durations = [
            ("registering", registering),
            ("sending", sent.took),
            ("projecting", projecting),
            ("comparing", comparing.elapsed()),
        ];
        steps(out, &durations)?;
        Ok(closing(out, "Everything matches the input.", &[])?)
    }

    async fn register(&self, fleet: &[Device]) -> Result<(), DemoError> {
        let register = async |device: &Device| {
            let (id, model) = (Some(device.id.clone()), "Thermo 7".to_owned());
            let body = RegisterDevice { id, model, site: SITE.to_owned() };
            let key = format!("register-{}", device.id);
            self.operator.register(&key, &body).send().await?.expect_status(201)?;
            Ok::<_, ClientError>(())
        };
        let registering = stream::iter(fleet.iter().map(register));
        Ok(registering.buffered(self.options.workers).try_collect().await?)
    }

    /// Sends all batches, while functions are killed. Devices send concurrently, and each sends its batches in their order.
    async fn send(&self, fleet: &[Device]) -> Result<Sent, DemoError> {
        let batches: usize = fleet.iter().map(|device| device.batches.len()).sum();
        let progress = Progress::new("sending", batches.try_into().unwrap_or_default());
        let killer = Killer::new(&self.stack, self.kills());
        let is_sent = Cell::new(false);
        let started = Instant::now();
        let send = async |device: &Device| {
            let caller = Caller::device(&device.id).in_tenant(&self.tenant);
            let client = self.operator.for_caller(&self.stack, &caller)?;
            let mut answers = Vec::with_capacity(device.batches.len());
            for batch in &device.batches {
                let answer = client.send(&device.id, batch).send().await?.expect_status(200)?;
                answers.push((answer.json::<BatchAnswer>()?, answer.took()));
                progress.step();
            }
            Ok::<_, DemoError>(answers)
        };
        let sending = async {
            let sending = stream::iter(fleet.iter().map(send)).buffered(self.options.workers);
            let sent: Result<Vec<_>, DemoError> = sending.try_collect().await;
            is_sent.set(true);
            sent
        };
        let (sent, killing) = futures::join!(sending, killer.run(KILL_EVERY, &is_sent));
        killing?;
        let (answers, latencies) = sent?.into_iter().flatten().unzip();
        let took = started.elapsed();
        progress.finish();
        Ok(Sent { answers, latencies, killed: killer.killed(), took })
    }

    /// The counts over the fleet, once every batch is counted.
    async fn projected(&self, fleet: &[Device]) -> Result<FleetCounts, DemoError> {
        let expected: usize = fleet.iter().map(|device| device.taken().len()).sum();
        let expected = u64::try_from(expected).unwrap_or_default();
        let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
        let counted = eventually("every batch is counted", PROJECTED, async || {
            let to = day(Timestamp::now());
            let fleet = self.operator.fleet(&day(self.began), &to).send().await;
            let fleet = fleet.and_then(|answer| answer.expect_status(200)?.json());
            let fleet: crate::model::Fleet = fleet.map_err(|error| error.to_string())?;
            match fleet.totals.readings {
                found if found == expected => Ok(fleet.totals),
                found => Err(format!("{found} of {expected} readings are counted")),
            }
        });
        Ok(counted.await?)
    }

    /// How often each function is killed, by its full name.
    fn kills(&self) -> BTreeMap<String, usize> {
        let functions = self.stack.contexts.get(CONTEXT).map(|context| &context.functions);
        let functions = functions.filter(|_| self.options.kill).into_iter().flatten();
        functions
            .map(|(role, name)| {
                let is_handler = HANDLERS.contains(&role.as_str());
                (name.clone(), if is_handler { KILLS_OF_HANDLERS } else { KILLS_OF_OTHERS })
            })
            .collect()
    }
}
