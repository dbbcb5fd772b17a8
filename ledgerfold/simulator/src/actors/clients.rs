//! Clients: they send commands, send them again, and check answers and read models. Handlers and their containers
//! belong to `functions`, and the rules about answers to the checker.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    TenantId,
    command::{Answer, CommandError},
    ports::{Clock, IndexPartition, Listing, PortError, StoreError},
    query::{Listed, QueryError, fresh_counts, fresh_list, fresh_row},
    vocabulary::ConsistencyToken,
};
use ledgerfold_testkit::bank::{OPEN, Statement, Statements, Totals, all_accounts};

use crate::{
    actors::{functions::Containers, readers::Readers},
    checker,
    domain::{accounts::Request, history::History, observations::Observations, sums::Sum},
    infrastructure::{pipeline_log::PipelineLog, projection::SimulatedProjection},
    network::{scheduler::Scheduler, tasks::Tasks},
    plan::schedule::Schedule,
};

const CLIENTS: usize = 3;
const COMMANDS: usize = 7;
/// How often a client sends a command that is not answered.
const SENDS: usize = 40;
/// The longest wait before a command is sent again.
const LONGEST_RETRY_WAIT: Duration = Duration::from_secs(1);

/// The outcome of a command, as its client knows it.
enum CommandOutcome {
    Accepted(Vec<Answer>),
    /// It was refused, or there was nothing to do.
    Refused,
    /// No answer came, however often the client sent it.
    Unanswered,
}

/// The handles of clients. Clones share the parts behind them.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) scheduler: Scheduler,
    pub(crate) schedule: Schedule,
    pub(crate) observations: Arc<Observations>,
    pub(crate) containers: Arc<Containers>,
    pub(crate) log: Arc<PipelineLog>,
    pub(crate) projections: [SimulatedProjection; 2],
    pub(crate) readers: Arc<Readers>,
}

struct Client {
    parts: Clients,
    name: usize,
}

pub(crate) fn start(parts: &Clients, tasks: &Tasks) {
    for name in 0..CLIENTS {
        let client = Client { parts: parts.clone(), name };
        tasks.work(async move { client.run().await });
    }
}

impl Client {
    async fn run(&self) {
        let Clients { scheduler, schedule, observations, .. } = &self.parts;
        let mut done: Vec<Request> = Vec::new();
        for number in 0..COMMANDS {
            // Mostly at once, so that clients compete.
            if scheduler.chance(60) {
                scheduler.sleep(scheduler.within(schedule.pace())).await;
            }
            let again = !done.is_empty() && scheduler.chance(25);
            let name = format!("c{}-{number}", self.name);
            let request = match number {
                0 => Request::open(self.name, &name),
                _ if again => done[scheduler.below(done.len())].clone(),
                _ => Request::draw(scheduler, &name),
            };
            if !again {
                observations.request(&request);
            }
            match self.send_until_answered(&request).await {
                CommandOutcome::Accepted(answers) => {
                    for answer in &answers {
                        self.check_reads(answer).await;
                    }
                    done.push(request);
                }
                CommandOutcome::Refused if again => {
                    let id = &request.id;
                    observations.violated(format!("{id} was accepted once, and then refused"));
                }
                CommandOutcome::Refused | CommandOutcome::Unanswered => {}
            }
        }
    }

    /// Sends a command until it is answered.
    async fn send_until_answered(&self, request: &Request) -> CommandOutcome {
        let Clients { scheduler, containers, observations, log, .. } = &self.parts;
        let before = log.history().now();
        for _ in 0..SENDS {
            let sent = log.history().now();
            match containers.send(request).await {
                Some(Ok(answers)) => {
                    observations.answer(&request.id, &answers);
                    let nothing = answers.iter().all(|answer| answer.events.is_empty());
                    let history = log.history();
                    if nothing && !checker::nothing_was_to_do(request, before, &history) {
                        observations
                            .violated(format!("{} was taken for nothing to do", request.id));
                    }
                    return if nothing {
                        CommandOutcome::Refused
                    } else {
                        CommandOutcome::Accepted(answers)
                    };
                }
                Some(Err(error)) if is_transient(&error) => {}
                Some(Err(refusal)) => {
                    observations.count(|report| {
                        report.refusals += 1;
                        report.too_large +=
                            usize::from(matches!(refusal, CommandError::TooLarge(_)));
                    });
                    let history = log.history();
                    let limit = self.parts.schedule.commit_bytes;
                    if let Some(rule) =
                        checker::refused(request, &refusal, (before, sent), &history, limit)
                    {
                        observations.violated(rule);
                    }
                    return CommandOutcome::Refused;
                }
                None => {}
            }
            scheduler.sleep(scheduler.within(LONGEST_RETRY_WAIT)).await;
        }
        CommandOutcome::Unanswered
    }

    /// Reads the stream with the token of the answer.
    async fn check_reads(&self, answer: &Answer) {
        let Clients { readers, log, observations, schedule, projections, .. } = &self.parts;
        if schedule.damage {
            // This schedule damages rows, so they prove nothing.
            return;
        }
        let stream = &answer.stream;
        let version = answer.version;
        let token = ConsistencyToken { stream: stream.clone(), version };
        let skips = &*projections[0].quarantine;
        match fresh_row::<Statements>(&**readers, &**log, skips, stream, Some(&token)).await {
            Ok(Some(shown)) => {
                let history = log.history();
                let Some(history) = history.stream(stream) else { return };
                if shown.version < version {
                    let seen = shown.version;
                    observations.violated(format!(
                        "{stream} was shown at {seen} to a client that saw {version}"
                    ));
                }
                if !history.is_end_of_commit(shown.version) {
                    let seen = shown.version;
                    observations
                        .violated(format!("half a commit of {stream} was shown, at {seen}"));
                }
                if history.statement(shown.version).as_ref() != Some(&shown.row) {
                    let seen = shown.version;
                    observations.violated(format!("{stream} at {seen} is not what was shown"));
                }
            }
            Ok(None) | Err(QueryError::Log(_) | QueryError::ReadStore(_)) => {}
            Err(error) => {
                observations.violated(format!("a client with a token got an error: {error}"));
            }
        }
        self.check_list(&token).await;
        self.check_counters(&token).await;
    }

    /// Reads the counters. They must contain the events of the token, and no value that never existed.
    async fn check_counters(&self, token: &ConsistencyToken) {
        let Clients { readers, log, observations, projections, .. } = &self.parts;
        let key = all_accounts();
        let range = (token.stream.tenant(), &key, &key);
        let skips = &*projections[1].quarantine;
        let counted = fresh_counts::<Totals>(&**readers, &**log, skips, range, Some(token)).await;
        let Ok(counted) = counted else { return };
        let shown = counted.first().map(|counter| Sum::shown(&counter.amounts)).unwrap_or_default();
        observations.count(|report| report.added_up += 1);
        if !log.history().adds_up(shown, &token.stream, token.version) {
            let ConsistencyToken { stream, version } = token;
            observations.violated(format!(
                "a client that saw {stream} at {version} was shown counters that never existed: {shown:?}"
            ));
        }
    }

    /// Looks for an account in the list of all that are open.
    async fn check_list(&self, token: &ConsistencyToken) {
        let Clients { readers, log, observations, projections, .. } = &self.parts;
        let skips = &*projections[0].quarantine;
        let partition = IndexPartition::new(OPEN).expect("the name of a list");
        let tenant = token.stream.tenant().clone();
        let listing = Listing { tenant, partition, before: None, limit: 10 };
        let listed = fresh_list::<Statements>(&**readers, &**log, skips, &listing, Some(token));
        let Ok(listed) = listed.await else { return };
        observations.count(|report| report.lists += 1);
        if !listed.is_sorted_by(|one, next| one.order >= next.order) {
            observations.violated("a list was not in its order".to_owned());
        }
        let history = log.history();
        for entry in &listed {
            if !was_ever(&history, &listing.tenant, entry) {
                observations.violated(format!("{} was never as it was listed", entry.order));
            }
        }
    }
}

/// Whether some account of the tenant had this row at that version.
fn was_ever(history: &History, tenant: &TenantId, entry: &Listed<Statement>) -> bool {
    let version = entry.fresh.version;
    history.streams().iter().any(|(stream, history)| {
        stream.tenant() == tenant
            && history.is_end_of_commit(version)
            && history.statement(version).as_ref() == Some(&entry.fresh.row)
    })
}

/// Whether sending a command again may help.
const fn is_transient<R: ledgerfold::Rejection>(error: &CommandError<R>) -> bool {
    matches!(
        error,
        CommandError::Store(
            StoreError::Port(PortError::Throttled) | StoreError::Port(PortError::Unavailable(_))
        ) | CommandError::Contention { .. }
    )
}
