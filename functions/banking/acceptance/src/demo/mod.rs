//! The demo: random operations on a running stack, with duplicates, refusals, and functions that are killed.
//!
//! It keeps an independent book, and compares everything that the service shows with it. The first step that finds a
//! difference prints it and ends the demo with [`Verdict::Differs`].
//!
//! Every run has a tenant of its own, so you can run the demo repeatedly on the same stack.

pub mod banks;
pub mod book;
pub mod callers;
pub mod compare;
pub mod generate;
pub mod ids;
pub mod operation;
mod report;
pub mod send;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use acceptance::killer::Killer;
use acceptance::progress::Progress;
use acceptance::report::{closing, steps};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use ledgerfold_testkit::http::{Stack, StackError};

use self::banks::{Banks, Crossed};
use self::callers::Callers;
use self::compare::Comparer;
use self::generate::{Plan, owner_of};
use self::ids::Ids;
use self::send::{Outcome, Sender};
use crate::client::{CONTEXT, ClientError};
use crate::model::OpenAccount;
use crate::wait::{NotInTime, eventually};

// Generous: a killed function's batch is delivered again after several times the function's timeout.
const PROJECTED: Duration = Duration::from_secs(480);
const KILL_EVERY: Duration = Duration::from_millis(700);
/// How often each function that answers requests is killed.
const KILLS_OF_HANDLERS: usize = 10;
/// How often each other function is killed. A killed projector's batch waits for its visibility timeout, so all kills
/// are early.
const KILLS_OF_OTHERS: usize = 1;
/// The functions that answer requests, by role.
const HANDLERS: [&str; 2] = ["command", "query"];
/// One transfer between banks for so many operations.
const OPERATIONS_PER_CROSSING: usize = 100;
/// The longest run. A run that includes midnight cannot know the use of a daily limit, so it begins after it.
const LONGEST_RUN: i64 = 8;

/// The size of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The number of accounts.
    pub accounts: usize,
    /// The number of operations.
    pub operations: usize,
    /// The number of operations that are on their way at once.
    pub workers: usize,
    /// The seed of all random choices.
    pub seed: u64,
    /// Whether functions are killed.
    pub kill: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { accounts: 200, operations: 5_000, workers: 8, seed: 7, kill: true }
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
    /// The report cannot be written, or functions cannot be killed.
    #[error("cannot write the report or kill a function: {0}")]
    Output(#[from] io::Error),
}

/// The outcome of a demo. It is the exit code of the program.
#[must_use = "a demo with differences has failed"]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything matches the book.
    Matches,
    /// The service and the book differ.
    Differs,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Matches => Self::SUCCESS,
            Verdict::Differs => Self::FAILURE,
        }
    }
}

/// Runs the demo on the running stack, and writes its report to `out`.
///
/// # Errors
/// If the demo cannot finish.
pub async fn run(options: Options, out: &mut impl Write) -> Result<Verdict, DemoError> {
    let stack = Stack::find()?;
    let run = format!("demo-{}", Timestamp::now().as_millisecond());
    let callers = Callers::new(&stack, &run, options.accounts)?;
    let demo = Demo { stack, options, callers, run };
    let plan = Plan::new(options.accounts, options.operations, options.seed);
    report::opening(out, &demo.stack, &options)?;
    demo.show(&plan, out).await
}

struct Demo {
    stack: Stack,
    options: Options,
    callers: Callers,
    run: String,
}

/// The operations that were sent, with their outcomes.
struct Sent {
    ids: Ids,
    outcomes: Vec<Outcome>,
    killed: usize,
    crossed: Crossed,
    took: Duration,
}

impl Demo {
    async fn show(&self, plan: &Plan, out: &mut impl Write) -> Result<Verdict, DemoError> {
        self.await_next_day().await?;
        let began = today();
        let opening = Instant::now();
        let baseline = self.customers().await?;
        let ids = self.open_accounts(plan).await?;
        let opening = opening.elapsed();
        let mut sent = self.send(plan, ids).await?;
        let differences = report::operations(out, plan, &sent.outcomes, sent.took)?;
        report::kills(out, sent.killed)?;
        let differences = [differences, report::banks(out, &sent.crossed)?].concat();
        if !differences.is_empty() {
            return conclude(out, &differences);
        }

        let projecting = Instant::now();
        let expected = plan.book.balances().into_iter().map(|(currency, sum)| {
            (currency, sum + baseline.get(currency).copied().unwrap_or_default())
        });
        let expected = expected.collect();
        let manager = &self.callers.manager;
        let (trial, late) = compare::trial_balance(manager, &expected, PROJECTED).await?;
        if let Some(late) = late {
            return conclude(out, &[late]);
        }
        let projecting = projecting.elapsed();

        let comparing = Instant::now();
        let comparer = Comparer {
            callers: &self.callers,
            book: &plan.book,
            days: (began, today()),
            until: Instant::now() + PROJECTED,
        };
        let comparison = comparer.compare(&mut sent.ids).await?;
        let mut differences = comparison.differences.clone();
        differences.extend(report::money(out, plan, &comparison, &trial, &baseline)?);
        report::comparison(out, plan, &comparison)?;
        report::latencies(out, &sent.outcomes, &comparison.took)?;
        let durations = [
            ("opening accounts", opening),
            ("sending", sent.took),
            ("projecting", projecting),
            ("comparing", comparing.elapsed()),
        ];
        steps(out, &durations)?;
        conclude(out, &differences)
    }

    /// Waits until midnight has passed, if it is near.
    async fn await_next_day(&self) -> Result<(), DemoError> {
        let ends = Timestamp::now().saturating_add(LONGEST_RUN.minutes()).unwrap_or(Timestamp::MAX);
        let day = ends.to_zoned(TimeZone::UTC).date();
        if day == today() {
            return Ok(());
        }
        eprintln!("Waiting for midnight in UTC, which this run must not include.");
        let patience = Duration::from_secs(60 * (LONGEST_RUN.unsigned_abs() + 1));
        let tomorrow = async || if today() == day { Ok(()) } else { Err("it is today".to_owned()) };
        Ok(eventually("midnight has passed", patience, tomorrow).await?)
    }

    /// The balances of customers before the run, by currency. A stack without an issuer has only one tenant.
    async fn customers(&self) -> Result<BTreeMap<String, i64>, DemoError> {
        let none = BTreeMap::new();
        let manager = &self.callers.manager;
        let (trial, _) = compare::trial_balance(manager, &none, Duration::ZERO).await?;
        Ok(trial.currencies.into_iter().map(|it| (it.currency, it.customers)).collect())
    }

    async fn open_accounts(&self, plan: &Plan) -> Result<Ids, DemoError> {
        let open = async |number: usize| {
            let account = &plan.book.accounts[number];
            let body = OpenAccount {
                owner_id: owner_of(number),
                currency: account.currency.to_owned(),
                overdraft_limit: Some(account.overdraft),
            };
            let key = format!("{}-account-{number}", self.run);
            let answer = self.callers.manager.open(&key, &body).send().await?;
            Ok::<_, ClientError>(answer.expect_status(201)?.accepted()?.id)
        };
        let opening = (0..plan.book.accounts.len()).map(open);
        let ids = stream::iter(opening).buffered(self.options.workers).try_collect().await?;
        Ok(Ids::of_accounts(ids))
    }

    /// Sends all steps, while functions are killed.
    async fn send(&self, plan: &Plan, ids: Ids) -> Result<Sent, DemoError> {
        let count = plan.steps.len().try_into().unwrap_or_default();
        let progress = Progress::new("sending", count);
        let killer = Killer::new(&self.stack, self.kills());
        let is_sent = Cell::new(false);
        let started = Instant::now();
        let sending = async {
            let sender = Sender::new(&self.callers, &self.run, ids);
            let sent = sender.send(&plan.steps, self.options.workers, || progress.step()).await;
            is_sent.set(true);
            sent
        };
        let (sent, crossed, killing) =
            futures::join!(sending, self.cross(), killer.run(KILL_EVERY, &is_sent));
        killing?;
        let crossed = crossed?;
        let (ids, outcomes) = sent?;
        let took = started.elapsed();
        progress.finish();
        Ok(Sent { ids, outcomes, killed: killer.killed(), crossed, took })
    }

    /// Sends money between two other banks, if the stack tells tenants apart.
    async fn cross(&self) -> Result<Crossed, DemoError> {
        let Options { operations, seed, .. } = self.options;
        match Banks::new(&self.stack, &self.run, seed)? {
            Some(banks) => banks.run(operations / OPERATIONS_PER_CROSSING, PROJECTED).await,
            None => Ok(Crossed::default()),
        }
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

/// Writes the end of the report.
fn conclude(out: &mut impl Write, differences: &[String]) -> Result<Verdict, DemoError> {
    closing(out, "Everything matches the book.", differences)?;
    Ok(if differences.is_empty() { Verdict::Matches } else { Verdict::Differs })
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::{Verdict, conclude};

    #[test]
    fn any_difference_is_a_failure() {
        let verdict = |differences: &[String]| conclude(&mut Vec::new(), differences);
        assert_eq!(verdict(&[]).expect("memory takes it"), Verdict::Matches);
        let one = ["a cent is missing".to_owned()];
        assert_eq!(verdict(&one).expect("memory takes it"), Verdict::Differs);
    }
}
