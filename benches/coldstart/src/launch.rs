//! One start of a program: from the start of the process to its first answer.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use hyper::StatusCode;
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    Error,
    services::{Arrival, Services},
    tls::Handshakes,
};

/// A program that has asked for nothing so long does not start.
const PATIENCE: Duration = Duration::from_secs(30);
const NEXT: &str = "/2018-06-01/runtime/invocation/next";
/// The deadline of every invocation, in milliseconds since 1970: far away.
const DEADLINE: &str = "4102444800000";

/// What one start has shown.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    /// From the start of the process to its first request for work.
    pub(crate) ready: Duration,
    /// From the start of the process to its first answer.
    pub(crate) answered: Duration,
    /// The resident memory in bytes at the first request for work.
    pub(crate) resident: u64,
    /// The TLS handshakes from the event to its answer.
    pub(crate) handshakes: usize,
    /// The answer.
    pub(crate) answer: Value,
    /// The body of its call to EventBridge, if it made one.
    pub(crate) published: Option<Vec<u8>>,
}

/// Everything that a start needs beside its program.
pub(crate) struct Bench {
    pub(crate) services: Services,
    pub(crate) handshakes: Handshakes,
    /// The file for the output of the program.
    pub(crate) log: PathBuf,
}

/// A running program, which is ended with the value.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Interrupts it, so that `perf` still writes its report, and waits for its end.
    pub(crate) fn interrupt(mut self) -> std::io::Result<()> {
        Command::new("kill").args(["-INT", &self.0.id().to_string()]).status()?;
        self.0.wait().map(drop)
    }

    fn resident(&self) -> Result<u64, Error> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        let kilobytes = kilobytes.ok_or_else(|| Error::Setup("no VmRSS in /proc".to_owned()))?;
        Ok(kilobytes * 1024)
    }
}

/// Starts a program, hands it one event, and waits for its answer.
pub(crate) async fn launch(
    mut program: Command,
    variables: &BTreeMap<String, String>,
    event: &Value,
    bench: &mut Bench,
) -> Result<(Started, Process), Error> {
    let Bench { services, handshakes, log } = bench;
    let output = File::create(&*log)?;
    program
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let began = Instant::now();
    let process = Process(program.spawn()?);
    let first = arrival(services, log).await?;
    if first.path != NEXT {
        return Err(failed(log, &format!("its first request is for {}", first.path)));
    }
    let ready = first.at - began;
    let resident = process.resident()?;
    let before = handshakes.count();
    hand_over(first, event);
    let mut published = None;
    loop {
        let next = arrival(services, log).await?;
        if next.path.ends_with("/response") {
            let answered = next.at - began;
            let answer = serde_json::from_slice(&next.body)?;
            let handshakes = handshakes.count() - before;
            let started = Started { ready, answered, resident, handshakes, answer, published };
            return Ok((started, process));
        }
        if next.path.ends_with("/error") {
            return Err(failed(log, &String::from_utf8_lossy(&next.body)));
        }
        published = Some(next.body.to_vec());
        let accepted = r#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#;
        let kind = [("content-type", "application/x-amz-json-1.1")];
        next.reply(StatusCode::OK, &kind, accepted.to_owned());
    }
}

fn hand_over(request: Arrival, event: &Value) {
    let headers = [
        ("lambda-runtime-aws-request-id", "1"),
        ("lambda-runtime-deadline-ms", DEADLINE),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:1:function:coldstart"),
        ("content-type", "application/json"),
    ];
    request.reply(StatusCode::OK, &headers, event.to_string());
}

async fn arrival(services: &mut Services, log: &Path) -> Result<Arrival, Error> {
    match timeout(PATIENCE, services.arrivals.recv()).await {
        Ok(Some(arrival)) => Ok(arrival),
        _ => Err(failed(log, "it sends no request")),
    }
}

fn failed(log: &Path, reason: &str) -> Error {
    let output = std::fs::read_to_string(log).unwrap_or_default();
    Error::Program { reason: reason.to_owned(), output }
}
