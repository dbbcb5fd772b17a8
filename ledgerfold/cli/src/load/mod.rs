//! `ledgerfold load`: sends requests to a deployed service at a fixed rate, and reports latencies.

mod credentials;
mod engine;
mod http_service;
mod report;
mod scenario;
mod template;
#[cfg(test)]
mod tests;

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use futures::stream;
use ledgerfold::ports::Clock;
use ledgerfold_aws::SystemClock;

use crate::{
    duration::duration,
    error::{CliError, FINDINGS},
    output::Output,
    target::Target,
};

use credentials::Credentials;
use engine::{Plan, SystemTime};
use http_service::HttpService;
use report::LoadReport;
use scenario::Scenario;
pub(crate) use scenario::ScenarioError;
use tokio::time::Instant;

/// The end of the help.
const SCENARIO: &str = r#"A scenario has one JSON object a line. Lines that begin with # are comments.

  {"name": "place", "method": "POST", "path": "/orders", "headers": {"Idempotency-Key": "{uuid}"},
   "body": {"customerId": "c-{number}"}, "expect": [201], "save": {"order": "/id", "token": "consistency-token"}}
  {"name": "show", "after": "place", "reuse": true, "weight": 2, "method": "GET", "path": "/orders/{order}"}

(The first request is on one line, too.)

  name, method, path   required
  headers, body        with placeholders: {uuid} is fresh in each request, {number} counts the requests
  expect               the statuses that are no error [every 2xx]
  save                 names for values of the answer: a JSON pointer into its body, or the name of a header
  after                continues an answer of this earlier request, and has its saved values as placeholders
  reuse                continues an answer again and again, and not once [false]
  weight               how often it is sent, in comparison with the others [1]

If a request has no answer to continue, the request before it takes its turn.

The rate does not depend on the answers, and a latency begins when its request is due. So a service that stops for a
second delays all requests of this second in the report (no coordinated omission).

Ctrl-C ends the load with a report; a second Ctrl-C does not wait for answers. The exit code is 3 if there were answers
that the scenario does not expect."#;

/// Sends the requests of a scenario at a fixed rate, and reports the latency of each.
#[derive(Debug, Args)]
#[command(after_long_help = SCENARIO)]
pub(crate) struct Load {
    /// The scenario
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    /// Requests per second
    #[arg(long, default_value_t = 10.0, value_parser = rate)]
    rate: f64,
    /// How long to send, for example 30s, 10m or 1h
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    lasting: Duration,
    /// The most requests without an answer; further ones are sent late
    #[arg(long, value_name = "REQUESTS", default_value_t = 1_000, value_parser = at_least_one)]
    in_flight: usize,
    /// The address of the API [default: the one in the stack file]
    #[arg(long, value_name = "URL", value_parser = address)]
    api: Option<String>,
    #[command(flatten)]
    credentials: Credentials,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number from 0.001 to 100000".to_owned()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "at least 1".to_owned())
}

fn address(text: &str) -> Result<String, String> {
    let address = text.parse::<http::Uri>().ok();
    let is_http = address.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    if is_http {
        Ok(text.to_owned())
    } else {
        Err("an address begins with http:// or https://".to_owned())
    }
}

pub(crate) async fn run(
    command: &Load,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let path = &command.scenario;
    let text = fs::read_to_string(path)
        .map_err(|source| CliError::UnreadableScenario { path: path.clone(), source })?;
    let scenario = Scenario::parse(&text)
        .map_err(|source| CliError::Scenario { path: path.clone(), source })?;
    let api = command.api.as_deref().map_or_else(|| target.api(), Ok)?;
    let own_target = command.api.is_none().then_some(target);
    let headers = command.credentials.headers(own_target, command.lasting, SystemClock.now())?;
    let service = HttpService::new(api, headers).map_err(CliError::Runtime)?;
    let Load { rate, lasting, in_flight, .. } = *command;
    let plan = Plan { rate, lasting, in_flight };
    eprintln!(
        "Sending {rate} requests/s to {api} for {} s. Press Ctrl-C to stop.",
        lasting.as_secs()
    );
    let interrupts =
        stream::unfold((), async |()| tokio::signal::ctrl_c().await.ok().map(|()| ((), ())));
    let results =
        engine::run(&scenario, &service, &SystemTime(Instant::now()), plan, interrupts).await;
    let report = LoadReport::new(api, plan, &results);
    output.report(&report)?;
    Ok(if report.unexpected() == 0 { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}
