//! Interleaved runs of all contestants.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;

use crate::{
    Error, events,
    launch::{Bench, Process, Started, launch},
};

/// The event that `perf stat` counts: instructions in user space.
const COUNTED: &str = "instructions:u";

/// A program in a role, with its first event.
#[derive(Clone)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) event: First,
    /// The most TLS handshakes that it may make from an event to its answer.
    pub(crate) handshakes: usize,
}

/// The first event of a contestant.
#[derive(Clone)]
pub(crate) enum First {
    /// The same in every run.
    Same(Value),
    /// A request, which is another command in every run.
    Request(ledgerfold_lambda::http::Example),
}

impl First {
    fn of_run(&self, run: usize) -> Value {
        match self {
            Self::Same(event) => event.clone(),
            Self::Request(example) => events::request(example, run),
        }
    }
}

/// The figures of a contestant.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) ready: Vec<Duration>,
    pub(crate) answered: Vec<Duration>,
    pub(crate) resident: Vec<u64>,
    /// The most TLS handshakes from an event to its answer.
    pub(crate) handshakes: usize,
    pub(crate) bytes: u64,
    /// Instructions in user space until the first answer, where the machine counts them.
    pub(crate) instructions: Option<u64>,
}

impl Contestant {
    /// The same with connections to DynamoDB over TLS, as on AWS, and with at most this many handshakes.
    pub(crate) fn over_tls(
        mut self,
        variables: &BTreeMap<String, String>,
        handshakes: usize,
    ) -> Self {
        self.handshakes = handshakes;
        self.name += ", over TLS";
        self.variables.extend(variables.clone());
        self
    }

    /// Starts it once, and ends it.
    pub(crate) async fn start(&self, run: usize, bench: &mut Bench) -> Result<Started, Error> {
        let program = Command::new(&self.program);
        let (started, process) = self.launch(program, run, bench).await?;
        drop(process);
        Ok(started)
    }

    async fn launch(
        &self,
        program: Command,
        run: usize,
        bench: &mut Bench,
    ) -> Result<(Started, Process), Error> {
        let event = self.event.of_run(run);
        let launched = launch(program, &self.variables, &event, bench).await;
        let in_context =
            |error| Error::Contestant { name: self.name.clone(), source: Box::new(error) };
        let launched = launched.map_err(in_context)?;
        self.check(&launched.0)?;
        Ok(launched)
    }

    /// A function that fails fast would look fast.
    fn check(&self, started: &Started) -> Result<(), Error> {
        let Started { answer, handshakes, .. } = started;
        let is_refused = answer["statusCode"].as_u64().is_some_and(|status| status >= 300);
        let has_failed = answer["batchItemFailures"].as_array().is_some_and(|all| !all.is_empty());
        if is_refused || has_failed {
            return Err(Error::Setup(format!("{} has answered {answer}", self.name)));
        }
        if *handshakes > self.handshakes {
            let reason = "TLS handshakes between its first event and the answer";
            return Err(Error::Setup(format!("{}: {handshakes} {reason}", self.name)));
        }
        Ok(())
    }

    /// Counts the instructions until the first answer. `None` if `perf` does not count them on this machine.
    async fn instructions(&self, run: usize, bench: &mut Bench) -> Result<Option<u64>, Error> {
        let report = tempfile::NamedTempFile::new()?;
        let perf = || {
            let mut perf = Command::new("perf");
            perf.args(["stat", "-x,", "-e", COUNTED, "-o"]).arg(report.path()).arg("--");
            perf
        };
        let is_counted = perf().arg("true").status().is_ok_and(|status| status.success());
        if !is_counted || count(report.path())?.is_none() {
            return Ok(None);
        }
        let mut program = perf();
        program.arg(&self.program);
        let (_, process) = self.launch(program, run, bench).await?;
        process.interrupt()?;
        count(report.path())
    }
}

/// Starts every contestant in turn, so that all of them see the same machine.
pub(crate) async fn measure(
    contestants: &[Contestant],
    runs: usize,
    bench: &mut Bench,
) -> Result<Vec<Figures>, Error> {
    let mut all: Vec<Figures> = contestants.iter().map(|_| Figures::default()).collect();
    for run in 1..=runs {
        for (contestant, figures) in contestants.iter().zip(&mut all) {
            let started = contestant.start(run, bench).await?;
            figures.ready.push(started.ready);
            figures.answered.push(started.answered);
            figures.resident.push(started.resident);
            figures.handshakes = figures.handshakes.max(started.handshakes);
        }
    }
    for (contestant, figures) in contestants.iter().zip(&mut all) {
        figures.bytes = std::fs::metadata(&contestant.program)?.len();
        figures.instructions = contestant.instructions(runs + 1, bench).await?;
    }
    Ok(all)
}

/// The number in a report of `perf stat`.
fn count(report: &Path) -> Result<Option<u64>, Error> {
    let report = std::fs::read_to_string(report)?;
    Ok(report.lines().find_map(|line| line.split(',').next()?.parse().ok()))
}
