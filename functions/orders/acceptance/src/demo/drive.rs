//! Sends the scripts: the commands of each order in sequence, several orders concurrently.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::script::{Command, Line, Script};
use crate::client::{Client, ClientError, Request};
use crate::{Answer, Essence};

/// The result of one script.
#[derive(Debug, Clone)]
pub struct OrderRun {
    /// The script.
    pub script: Script,
    /// The id that the service chose, if the order was placed.
    pub id: Option<String>,
    /// The outcomes, line by line. There are fewer than lines if the order was never placed.
    pub outcomes: Vec<Outcome>,
}

/// The result of one line.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The answer.
    pub answer: Essence,
    /// The problem's name, if the answer was a problem.
    pub problem: Option<String>,
    /// How long the answer took.
    pub took: Duration,
}

/// Sends all scripts, `workers` orders concurrently, and calls `answered` after each answer.
///
/// `prefix` is put before each key, so that the same file can be sent again to the same stack.
///
/// # Errors
/// If a request gets no answer, or a success has another form than a command's.
pub async fn drive(
    client: &Client,
    scripts: Vec<Script>,
    prefix: &str,
    workers: usize,
    answered: impl Fn(),
) -> Result<Vec<OrderRun>, ClientError> {
    let answered = &answered;
    let runs = scripts.into_iter().map(|script| run(client, script, prefix, answered));
    stream::iter(runs).buffered(workers).try_collect().await
}

async fn run(
    client: &Client,
    script: Script,
    prefix: &str,
    answered: &impl Fn(),
) -> Result<OrderRun, ClientError> {
    let mut id: Option<String> = None;
    let mut outcomes = Vec::with_capacity(script.lines.len());
    for line in &script.lines {
        let Some(request) = request(client, line, prefix, id.as_deref()) else {
            break;
        };
        let answer = request.send().await?;
        answered();
        if line.command == Command::Place && answer.status() == 201 && id.is_none() {
            id = Some(answer.accepted()?.id);
        }
        outcomes.push(Outcome::of(&answer));
    }
    Ok(OrderRun { script, id, outcomes })
}

/// The line as a request, or `None` for an order without an id.
fn request<'a>(
    client: &'a Client,
    line: &Line,
    prefix: &str,
    id: Option<&str>,
) -> Option<Request<'a>> {
    let path = match line.command {
        Command::Place => "/orders".to_owned(),
        command => format!("/orders/{}/{command}", id?),
    };
    let request = client.command(&path, &format!("{prefix}{}", line.key), &line.body);
    Some(match line.if_match {
        Some(version) => request.if_match(version),
        None => request,
    })
}

impl Outcome {
    fn of(answer: &Answer) -> Self {
        let problem = answer.problem().ok().map(|problem| problem.name().to_owned());
        Self { answer: answer.essence(), problem, took: answer.took() }
    }

    /// Whether this is the expected answer for the line.
    #[must_use]
    pub fn is_expected(&self, line: &Line) -> bool {
        let named = line.expect.problem.is_none() || line.expect.problem == self.problem;
        self.answer.status == line.expect.status && named
    }
}
