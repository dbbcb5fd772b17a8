//! `ledgerfold parked skip` and `unskip`: lets a projection continue without an event.

use std::process::ExitCode;

use clap::Args;
use ledgerfold::{
    Actor, Version,
    ports::{Clock, Signature, Skip, SkipError, SkipReason, SkipRegister},
};
use ledgerfold_dynamodb::DynamoSkips;
use serde::Serialize;

use super::retry;
use crate::{
    error::CliError,
    output::{Output, Report},
    stream_name::StreamName,
    target::Target,
};
use ledgerfold_aws::SystemClock;

/// An event of a projection, and the operator who skips it.
#[derive(Debug, Args)]
pub(super) struct EventOptions {
    /// The projection, such as `order-view`
    projection: String,
    /// The event's stream
    stream: StreamName,
    /// The event's version
    #[arg(value_parser = version)]
    version: Version,
    /// Your name, for the record
    #[arg(long, value_name = "NAME", env = "USER")]
    actor: Actor,
}

#[derive(Debug, Args)]
pub(super) struct SkipOptions {
    #[command(flatten)]
    event: EventOptions,
    /// The reason why the projection can do without the event: one line of up to 500 characters
    #[arg(long)]
    reason: SkipReason,
}

fn version(text: &str) -> Result<Version, std::num::ParseIntError> {
    text.parse::<std::num::NonZeroU64>().map(|version| Version::new(version.get()))
}

impl EventOptions {
    async fn register(&self, target: &Target) -> Result<DynamoSkips, CliError> {
        target.check_projection(&self.projection)?;
        let client = target.connection.dynamodb().await;
        Ok(DynamoSkips::new(client, target.projection_states()?, &self.projection))
    }

    fn signature(&self) -> Signature {
        Signature { actor: self.actor.clone(), at: SystemClock.now() }
    }
}

/// Records the skip, then has the projection retry its quarantined streams. If the command is interrupted
/// between the two, run it again or wait for the next scheduled retry.
pub(super) async fn skip(
    options: &SkipOptions,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let EventOptions { projection, stream, version, .. } = &options.event;
    let register = options.event.register(target).await?;
    target.queue(projection)?;
    let skip = Skip {
        stream: target.tenant.stream(stream),
        version: *version,
        reason: options.reason.clone(),
        by: options.event.signature(),
    };
    let outcome = Outcome::of(skip.clone(), register.record(&skip).await)?;
    let retried = retry(projection, target).await;
    output.report(&Done { projection: projection.clone(), outcome })?;
    retried.map_err(|cause| CliError::SkippedNotRetried(Box::new(cause)))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn unskip(
    options: &EventOptions,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let EventOptions { projection, version, .. } = options;
    let stream = target.tenant.stream(&options.stream);
    let register = options.register(target).await?;
    let withdrawn = register.withdraw(&stream, *version, &options.signature()).await?;
    let skip = withdrawn.ok_or_else(|| CliError::NotSkipped {
        projection: projection.clone(),
        stream,
        version: *version,
    })?;
    let admin = format!("{}-admin", target.context_name().unwrap_or("<context>"));
    output.report(&Withdrawn { projection: projection.clone(), skip, admin })?;
    Ok(ExitCode::SUCCESS)
}

/// The result of recording a skip.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Recorded(Skip),
    /// An earlier skip of the same event stays in force.
    AlreadySkipped(Skip),
}

impl Outcome {
    fn of(skip: Skip, recorded: Result<(), SkipError>) -> Result<Self, CliError> {
        match recorded {
            Ok(()) => Ok(Self::Recorded(skip)),
            Err(SkipError::AlreadySkipped(there)) => Ok(Self::AlreadySkipped(*there)),
            Err(error) => Err(error.into()),
        }
    }
}

#[derive(Debug, Serialize)]
struct Done {
    projection: String,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Report for Done {
    fn text(&self) -> String {
        let projection = &self.projection;
        let first = match &self.outcome {
            Outcome::Recorded(Skip { stream, version, .. }) => {
                format!("{projection} continues without version {version} of {stream}.")
            }
            Outcome::AlreadySkipped(Skip { stream, version, reason, by }) => format!(
                "{} had already skipped version {version} of {stream} for {projection} at {}: \
                 {reason}. Your reason was not recorded.",
                by.actor, by.at
            ),
        };
        format!("{first}\nThe projection retries now. `parked` shows the streams that are left.\n")
    }
}

#[derive(Debug, Serialize)]
struct Withdrawn {
    projection: String,
    #[serde(rename = "withdrawn")]
    skip: Skip,
    /// The name of the context's admin program, which repairs rows.
    #[serde(skip)]
    admin: String,
}

impl Report for Withdrawn {
    fn text(&self) -> String {
        let Self { projection, skip: Skip { stream, version, reason, by }, admin } = self;
        format!(
            "The skip of version {version} of {stream} for {projection} is withdrawn. {} had skipped it at \
             {}: {reason}\n\
             A row that was written without the event still lacks it. Deploy code that can apply the \
             event, then replace the row:\n  \
             {admin} repair --projection {projection} --stream {stream} --overwrite\n\
             Counters cannot be repaired for one stream; rebuild them: {admin} rebuild {projection}\n",
            by.actor, by.at
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ledgerfold::{
        Timestamp, Version,
        ports::{Signature, Skip, SkipError},
    };

    use super::{Done, Outcome, Withdrawn};
    use crate::output::rendered;

    pub(in crate::parked) fn by(actor: &str) -> Signature {
        Signature { actor: actor.parse().expect("visible ASCII"), at: Timestamp::UNIX_EPOCH }
    }

    pub(in crate::parked) fn skip(version: u64) -> Skip {
        Skip {
            stream: "default/account#1".parse().expect("a stream"),
            version: Version::new(version),
            reason: "lent twice".parse().expect("one line"),
            by: by("ada"),
        }
    }

    pub(in crate::parked) fn json(text: &str) -> serde_json::Value {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn a_second_skip_reports_the_first_one() {
        let already = Err(SkipError::AlreadySkipped(Box::new(skip(3))));
        let outcome = Outcome::of(skip(3), already).expect("the event is skipped");
        let done = Done { projection: "statements".to_owned(), outcome };
        let text = rendered(&done, false).expect("text");
        assert!(text.contains("ada had already skipped version 3 of default/account#1"), "{text}");
        let json = json(&rendered(&done, true).expect("JSON"));
        assert_eq!(json["alreadySkipped"]["reason"], "lent twice");
        assert_eq!(json["projection"], "statements");
    }

    #[test]
    fn a_withdrawal_explains_how_to_repair_the_row() {
        let (projection, admin) = ("statements".to_owned(), "bank-admin".to_owned());
        let withdrawn = Withdrawn { projection, skip: skip(3), admin };
        let text = rendered(&withdrawn, false).expect("text");
        let repair =
            "bank-admin repair --projection statements --stream default/account#1 --overwrite";
        assert!(text.contains(repair), "{text}");
        assert_eq!(json(&rendered(&withdrawn, true).expect("JSON"))["withdrawn"]["version"], 3);
    }
}
