//! `ledgerfold parked`: lists quarantined streams and retries them; records and lists skips.

mod skip;
mod skips;

use std::process::ExitCode;

use aws_sdk_sqs::error::DisplayErrorContext;
use clap::{Args, Subcommand};
use ledgerfold::{
    ports,
    project::{Maintenance, RetryScope},
};
use ledgerfold_dynamodb::{DynamoQuarantine, ScopedParked};
use serde::Serialize;

pub(crate) use self::skips::signed;
use self::{
    skip::{EventOptions, SkipOptions},
    skips::ListOptions,
};
use crate::{
    error::CliError,
    output::{Output, Report, table},
    target::Target,
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Parked {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only this projection with its generations, for example `order-view`
    projection: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Retry all quarantined streams of a projection now, after you have fixed the cause
    Retry {
        /// The projection, for example `order-view`
        projection: String,
    },
    /// Skip an event that a projection cannot apply
    Skip(SkipOptions),
    /// Withdraw a skip
    Unskip(EventOptions),
    /// List the events that were skipped, with the reasons
    Skips(ListOptions),
}

pub(crate) async fn run(
    command: &Parked,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    match &command.action {
        Some(Action::Retry { projection }) => {
            output.report(&retry(projection, target).await?)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Skip(options)) => skip::skip(options, target, output).await,
        Some(Action::Unskip(options)) => skip::unskip(options, target, output).await,
        Some(Action::Skips(options)) => skips::list(options, target, output).await,
        None => list(command.projection.as_deref(), target, output).await,
    }
}

async fn list(
    projection: Option<&str>,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    if let Some(projection) = projection {
        target.check_projection(projection)?;
    }
    let client = target.connection.dynamodb().await;
    let mut all = DynamoQuarantine::everything(&client, target.projection_states()?).await?;
    all.retain(|scoped| target.tenant.includes(&scoped.parked.stream));
    output.report(&Listed::of(all, projection))?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Listed {
    parked: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    /// The projection, or its generation as `<projection>@<n>`.
    scope: String,
    #[serde(flatten)]
    parked: ports::Parked,
}

impl Listed {
    fn of(all: Vec<ScopedParked>, projection: Option<&str>) -> Self {
        let is_wanted = |scope: &str| projection.is_none_or(|wanted| is_of(scope, wanted));
        let mut parked: Vec<_> = all
            .into_iter()
            .filter(|scoped| is_wanted(&scoped.scope))
            .map(|ScopedParked { scope, parked }| Entry { scope, parked })
            .collect();
        parked.sort_by(|one, other| {
            (&one.scope, &one.parked.stream).cmp(&(&other.scope, &other.parked.stream))
        });
        Self { parked }
    }
}

fn is_of(scope: &str, projection: &str) -> bool {
    scope.strip_prefix(projection).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
}

impl Report for Listed {
    fn text(&self) -> String {
        if self.parked.is_empty() {
            return "No stream is quarantined.\n".to_owned();
        }
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let rows = self.parked.iter().map(|Entry { scope, parked }| {
            [
                scope.clone(),
                parked.stream.to_string(),
                or_dash(parked.position.map(|version| version.to_string())),
                or_dash(parked.version.map(|version| version.to_string())),
                parked.since.to_string(),
                parked.attempts.to_string(),
                parked.reason.clone(),
            ]
        });
        table(["projection", "stream", "row at", "stuck at", "since", "attempts", "reason"], rows)
    }
}

#[derive(Debug, Serialize)]
struct Retried {
    message: String,
}

/// Sends a `retry` message to the projection's queue, as its schedule does.
async fn retry(projection: &str, target: &Target) -> Result<Retried, CliError> {
    const CALL: &str = "SendMessage";
    let failed = |reason: String| CliError::Queue { call: CALL, reason };
    let body = serde_json::to_string(&Maintenance::Retry { streams: RetryScope::All })
        .map_err(|error| failed(error.to_string()))?;
    let queue = target.queue(projection)?;
    let sqs = target.connection.sqs().await;
    let sent = sqs.send_message().queue_url(queue).message_body(body).send().await;
    let sent = sent.map_err(|error| failed(DisplayErrorContext(&error).to_string()))?;
    Ok(Retried { message: sent.message_id.unwrap_or_default() })
}

impl Report for Retried {
    fn text(&self) -> String {
        "The projection has been notified. `parked` shows the streams that are left.\n".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{Timestamp, Version, ports::Parked};
    use ledgerfold_dynamodb::ScopedParked;

    use super::Listed;
    use crate::output::rendered;

    fn scoped(scope: &str) -> ScopedParked {
        let parked = Parked {
            stream: "default/account#1".parse().expect("a stream"),
            position: Some(Version::new(2)),
            version: None,
            owed_version: Version::new(4),
            reason: "it has no place".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            attempts: 3,
            tried: Timestamp::UNIX_EPOCH,
        };
        ScopedParked { scope: scope.to_owned(), parked }
    }

    #[test]
    fn quarantined_streams_are_rendered_in_both_forms() {
        let listed = Listed::of(vec![scoped("totals"), scoped("statements")], None);
        let text = rendered(&listed, false).expect("text");
        let first: Vec<_> = text.lines().nth(1).expect("a row").split_whitespace().collect();
        assert_eq!(first[..4], ["statements", "default/account#1", "2", "-"], "{text}");
        let json: serde_json::Value =
            serde_json::from_str(&rendered(&listed, true).expect("JSON")).expect("JSON");
        assert_eq!(json["parked"][1]["scope"], "totals");
        assert_eq!(json["parked"][1]["owed_version"], 4);
        assert_eq!(json["parked"][1]["version"], serde_json::Value::Null);
        assert_eq!(json["parked"][1]["since"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_projection_is_listed_with_its_generations_and_no_other() {
        let all =
            ["statements", "statements@2", "statements-by-year", "totals"].map(scoped).to_vec();
        let scopes: Vec<_> =
            Listed::of(all, Some("statements")).parked.into_iter().map(|it| it.scope).collect();
        assert_eq!(scopes, ["statements", "statements@2"]);
    }
}
