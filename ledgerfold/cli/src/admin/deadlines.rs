//! `audit --deadlines` and `repair --deadlines`: compares the deadlines in the table with the log.

use std::{process::ExitCode, sync::Arc, time::Duration};

use ledgerfold::{
    StreamId, Timestamp,
    context::DeclaredProcess,
    ports::{Clock, DeadlineStore},
    process::{DeadlineCheck, DeadlineFault, ScheduleError, Scheduling, WrongDeadline},
};
use ledgerfold_dynamodb::DynamoDeadlineStore;
use serde::Serialize;

use super::{
    Context,
    walk::{Choice, interrupted},
};
use crate::{
    deadlines::BY_DUE,
    error::{CliError, FINDINGS},
    output::{Output, Report, confirm, progress, table},
};
use ledgerfold_aws::SystemClock;

/// How long a message may be on its way by default: longer than its queue retries it.
const MESSAGES_TAKE: Duration = Duration::from_secs(1_800);

/// The schedule of a process with the settings of the deployment.
fn schedule_of(
    process: &DeclaredProcess,
    context: &Context,
) -> Result<Arc<dyn Scheduling>, CliError> {
    let name = process.name().to_string();
    let setting = if process.is_configured() { context.target.setting(&name)? } else { "" };
    Ok(process.schedule(setting)?)
}

/// The current time, and the time up to which messages of events must have arrived.
struct Cutoff {
    now: Timestamp,
    settled: Timestamp,
}

impl Cutoff {
    fn with(grace: Option<Duration>) -> Self {
        let now = SystemClock.now();
        let settled = now.checked_sub(grace.unwrap_or(MESSAGES_TAKE)).unwrap_or(Timestamp::MIN);
        Self { now, settled }
    }
}

/// The checks of the deadlines of all processes.
pub(super) struct AuditedDeadlines(Vec<DeadlineCheck>);

impl AuditedDeadlines {
    pub(super) async fn begin(context: &Context) -> Result<Self, CliError> {
        let client = context.target.connection.dynamodb().await;
        let store = DynamoDeadlineStore::new(client, context.target.deadlines()?, BY_DUE);
        let store: Arc<dyn DeadlineStore> = Arc::new(store);
        let mut audits = Vec::new();
        for process in context.declaration.processes() {
            let scheduling = schedule_of(process, context)?;
            let audit = DeadlineCheck::begin(scheduling, store.clone(), context.log.clone());
            audits.push(audit.await?);
        }
        Ok(Self(audits))
    }

    /// The faults of the deadlines that these streams require.
    pub(super) async fn examine(
        &mut self,
        streams: &[StreamId],
        grace: Option<Duration>,
    ) -> Result<Vec<DeadlineFinding>, CliError> {
        let Cutoff { now, settled } = Cutoff::with(grace);
        let mut wrong = Vec::new();
        for audit in &mut self.0 {
            for stream in streams {
                match audit.examine(stream, settled, now).await {
                    Ok(found) => wrong.extend(found.iter().map(DeadlineFinding::from)),
                    Err(error) => wrong.push(DeadlineFinding::unreadable(audit, stream, error)?),
                }
            }
        }
        Ok(wrong)
    }

    /// Deadlines that no stream requires. Call it after all streams have been examined.
    pub(super) fn superfluous(self) -> Vec<DeadlineFinding> {
        let left = self.0.into_iter().flat_map(DeadlineCheck::superfluous);
        left.map(|wrong| DeadlineFinding::from(&wrong)).collect()
    }

    async fn schedule(
        &mut self,
        streams: &[StreamId],
        grace: Option<Duration>,
        report: &mut Scheduled,
    ) -> Result<(), CliError> {
        let Cutoff { now, settled } = Cutoff::with(grace);
        for audit in &mut self.0 {
            for stream in streams {
                let found = match audit.examine(stream, settled, now).await {
                    Ok(found) => found,
                    Err(error) => {
                        report.left.push(DeadlineFinding::unreadable(audit, stream, error)?);
                        continue;
                    }
                };
                for wrong in found {
                    if wrong.fault.is_lost() {
                        audit.schedule(&wrong).await?;
                        report.scheduled.push(DeadlineFinding::from(&wrong));
                    } else {
                        report.left.push(DeadlineFinding::from(&wrong));
                    }
                }
            }
        }
        Ok(())
    }
}

/// `repair --deadlines`: schedules missing deadlines.
pub(super) async fn repair(
    choice: &Choice,
    grace: Option<Duration>,
    yes: bool,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    confirm("Schedule the missing deadlines? Commands for those already due follow.", yes)?;
    let mut report = Scheduled::default();
    let outcome = schedule(choice, grace, context, &mut report).await;
    // Continuing with `--from` does not report these again, so report them now.
    if outcome.is_ok() || !report.scheduled.is_empty() {
        output.report(&report)?;
    }
    outcome?;
    Ok(if report.left.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

async fn schedule(
    choice: &Choice,
    grace: Option<Duration>,
    context: &Context,
    report: &mut Scheduled,
) -> Result<(), CliError> {
    let mut deadlines = AuditedDeadlines::begin(context).await?;
    let bar = progress("streams checked");
    let mut walk = choice.walk(context);
    while let Some((streams, place)) = walk.next().await? {
        let scheduled = deadlines.schedule(&streams, grace, report).await;
        scheduled.map_err(|cause| interrupted(cause, place.as_ref()))?;
        report.streams += u64::try_from(streams.len()).unwrap_or(u64::MAX);
        bar.set_position(report.streams);
    }
    if choice.is_everything(&context.target.tenant) {
        report.left.extend(deadlines.superfluous());
    }
    bar.finish_and_clear();
    Ok(())
}

/// A deadline that differs from the log, or a stream that could not be checked.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DeadlineFinding {
    process: String,
    stream: StreamId,
    fault: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The due time in the table, if it differs from the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    stands: Option<Timestamp>,
}

impl From<&WrongDeadline> for DeadlineFinding {
    fn from(WrongDeadline { deadline, fault }: &WrongDeadline) -> Self {
        let key = &deadline.key;
        Self {
            process: key.process.to_string(),
            stream: key.stream.clone(),
            fault: fault.name(),
            name: Some(key.name.to_string()),
            due: Some(deadline.due),
            reason: None,
            stands: match fault {
                DeadlineFault::WrongDue { stands } => Some(*stands),
                _ => None,
            },
        }
    }
}

impl DeadlineFinding {
    /// A fault of a single stream becomes a finding. Any other error ends the audit.
    fn unreadable(
        audit: &DeadlineCheck,
        stream: &StreamId,
        error: ScheduleError,
    ) -> Result<Self, ScheduleError> {
        if !error.is_of_the_stream() {
            return Err(error);
        }
        Ok(Self {
            process: audit.process().to_string(),
            stream: stream.clone(),
            fault: "unreadable",
            name: None,
            due: None,
            reason: Some(error.to_string()),
            stands: None,
        })
    }

    pub(super) fn table(wrong: &[Self]) -> String {
        let instant = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
        let rows = wrong.iter().map(|wrong| {
            let stands = wrong.reason.clone().unwrap_or_else(|| instant(wrong.stands));
            let name = wrong.name.clone().unwrap_or_default();
            let Self { process, stream, fault, due, .. } = wrong;
            let fault = (*fault).to_owned();
            [process.clone(), stream.to_string(), name, fault, instant(*due), stands]
        });
        table(["process", "stream", "deadline", "fault", "due", "due in table, or reason"], rows)
    }
}

/// The result of the repair.
#[derive(Debug, Default, Serialize)]
struct Scheduled {
    streams: u64,
    scheduled: Vec<DeadlineFinding>,
    /// Deadlines that exist but should not, or that differ. An operator has to find out why.
    left: Vec<DeadlineFinding>,
}

impl Report for Scheduled {
    fn text(&self) -> String {
        let Self { streams, scheduled, left } = self;
        let all: Vec<_> = scheduled.iter().chain(left).cloned().collect();
        let mut text = if all.is_empty() { String::new() } else { DeadlineFinding::table(&all) };
        let scheduled = scheduled.len();
        let left = left.len();
        text += &format!("scheduled={scheduled} left={left} streams={streams}\n");
        text
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ledgerfold::{
        Timestamp,
        ports::{Cause, Deadline},
        process::{DeadlineFault, WrongDeadline},
    };

    use super::{DeadlineFinding, Scheduled};
    use crate::output::rendered;

    pub(in crate::admin) fn wrong(fault: DeadlineFault) -> DeadlineFinding {
        let deadline = Deadline {
            key: "lending#default/account#1#repayment".parse().expect("a key"),
            due: Timestamp::UNIX_EPOCH,
            cause: Cause {
                event: "018bcfe5-6800-7000-8000-000000000000".parse().expect("a UUID"),
                correlation_id: ledgerfold::CorrelationId::new("c").expect("visible ASCII"),
                traceparent: None,
            },
        };
        DeadlineFinding::from(&WrongDeadline { deadline, fault })
    }

    #[test]
    fn scheduled_and_remaining_deadlines_are_reported() {
        let stands = Timestamp::from_second(60).expect("a second of our era");
        let report = Scheduled {
            streams: 3,
            scheduled: vec![wrong(DeadlineFault::Missing), wrong(DeadlineFault::Missed)],
            left: vec![wrong(DeadlineFault::WrongDue { stands })],
        };
        let text = rendered(&report, false).expect("text");
        assert!(text.ends_with("scheduled=2 left=1 streams=3\n"), "{text}");
        assert!(text.contains("wrong due") && text.contains("1970-01-01T00:01:00Z"), "{text}");
        let json = rendered(&report, true).expect("JSON");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["scheduled"][1]["fault"], "missed");
        assert_eq!(json["left"][0]["stands"], "1970-01-01T00:01:00Z");
    }
}
