//! Those who ask: they send commands, send them again, and look at what came of them.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    command::{Answer, CommandError},
    ports::{Clock, IndexPartition, Listing, PortError, StoreError},
    query::{Listed, QueryError, fresh_counts, fresh_list, fresh_row},
    vocabulary::ConsistencyToken,
};

use crate::simulator::{
    actors::{functions::Containers, readers::Readers},
    checker,
    domain::{
        accounts::{OPEN, Request, Statement, Statements, Totals, all},
        history::Chronicle,
        observations::Witness,
        sums::Sum,
    },
    infrastructure::{log::SimulatedLog, projection::Subject},
    network::{scheduler::Clockwork, tasks::Tasks},
    plan::schedule::Schedule,
};

const CLIENTS: usize = 3;
const COMMANDS: usize = 7;
/// How often a client sends a command that is not answered.
const SENDS: usize = 40;
/// The longest wait before a command is sent again.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a client knows of a command in the end.
enum Fate {
    Accepted(Vec<Answer>),
    /// It was refused, or there was nothing to do.
    Refused,
    /// It was sent as often as a client sends.
    Open,
}

/// The parts that clients use.
#[derive(Clone)]
pub(in crate::simulator) struct Clients {
    pub(in crate::simulator) clockwork: Clockwork,
    pub(in crate::simulator) schedule: Schedule,
    pub(in crate::simulator) witness: Arc<Witness>,
    pub(in crate::simulator) containers: Arc<Containers>,
    pub(in crate::simulator) log: Arc<SimulatedLog>,
    pub(in crate::simulator) subjects: [Subject; 2],
    pub(in crate::simulator) readers: Arc<Readers>,
}

struct Client {
    parts: Clients,
    name: usize,
}

pub(in crate::simulator) fn start(parts: &Clients, tasks: &Tasks) {
    for name in 0..CLIENTS {
        let client = Client { parts: parts.clone(), name };
        tasks.work(async move { client.live().await });
    }
}

impl Client {
    async fn live(&self) {
        let Clients { clockwork, schedule, witness, .. } = &self.parts;
        let mut done: Vec<Request> = Vec::new();
        for number in 0..COMMANDS {
            // Often at once, so that they get in each other's way.
            if clockwork.chance(60) {
                clockwork.sleep(clockwork.within(schedule.pace())).await;
            }
            let again = !done.is_empty() && clockwork.chance(25);
            let name = format!("c{}-{number}", self.name);
            let request = match number {
                0 => Request::open(self.name, &name),
                _ if again => done[clockwork.below(done.len())].clone(),
                _ => Request::draw(clockwork, &name),
            };
            if !again {
                witness.ask(&request);
            }
            match self.insist(&request).await {
                Fate::Accepted(answers) => {
                    for answer in &answers {
                        self.look(answer).await;
                    }
                    done.push(request);
                }
                Fate::Refused if again => {
                    let id = &request.id;
                    witness.violated(format!("{id} was accepted once, and then refused"));
                }
                Fate::Refused | Fate::Open => {}
            }
        }
    }

    /// Sends a command until it is answered.
    async fn insist(&self, request: &Request) -> Fate {
        let Clients { clockwork, containers, witness, log, .. } = &self.parts;
        let before = log.chronicle().now();
        for _ in 0..SENDS {
            let sent = log.chronicle().now();
            match containers.send(request).await {
                Some(Ok(answers)) => {
                    witness.answer(&request.id, &answers);
                    let nothing = answers.iter().all(|answer| answer.events.is_empty());
                    let chronicle = log.chronicle();
                    if nothing && !checker::nothing_was_to_do(request, before, &chronicle) {
                        witness.violated(format!("{} was taken for nothing to do", request.id));
                    }
                    return if nothing { Fate::Refused } else { Fate::Accepted(answers) };
                }
                Some(Err(error)) if is_passing(&error) => {}
                Some(Err(refusal)) => {
                    witness.count(|report| {
                        report.refusals += 1;
                        report.too_large +=
                            usize::from(matches!(refusal, CommandError::TooLarge(_)));
                    });
                    let chronicle = log.chronicle();
                    let limit = self.parts.schedule.commit_bytes;
                    if let Some(rule) =
                        checker::refused(request, &refusal, (before, sent), &chronicle, limit)
                    {
                        witness.violated(rule);
                    }
                    return Fate::Refused;
                }
                None => {}
            }
            clockwork.sleep(clockwork.within(PATIENCE)).await;
        }
        Fate::Open
    }

    /// Reads what was done, with the token that came with the answer.
    async fn look(&self, answer: &Answer) {
        let Clients { readers, log, witness, schedule, subjects, .. } = &self.parts;
        if schedule.mishap {
            // Somebody damages rows: what they show proves nothing.
            return;
        }
        let (stream, version) = (&answer.stream, answer.version);
        let token = ConsistencyToken { stream: stream.clone(), version };
        let skips = &*subjects[0].quarantine;
        match fresh_row::<Statements>(&**readers, &**log, skips, stream, Some(&token)).await {
            Ok(Some(shown)) => {
                let chronicle = log.chronicle();
                let Some(history) = chronicle.stream(stream) else { return };
                if shown.version < version {
                    let seen = shown.version;
                    witness.violated(format!("{stream} was shown at {seen} to who saw {version}"));
                }
                if !history.is_end_of_commit(shown.version) {
                    let seen = shown.version;
                    witness.violated(format!("half a commit of {stream} was shown, at {seen}"));
                }
                if history.statement(shown.version).as_ref() != Some(&shown.row) {
                    let seen = shown.version;
                    witness.violated(format!("{stream} at {seen} is not what was shown"));
                }
            }
            Ok(None) | Err(QueryError::Log(_) | QueryError::ReadStore(_)) => {}
            Err(error) => witness.violated(format!("who had an answer was told: {error}")),
        }
        self.list(&token).await;
        self.add_up(&token).await;
    }

    /// Looks at the counters, which must have what the token says, and nothing that never was.
    async fn add_up(&self, token: &ConsistencyToken) {
        let Clients { readers, log, witness, subjects, .. } = &self.parts;
        let (range, skips) = ((&all(), &all()), &*subjects[1].quarantine);
        let counted = fresh_counts::<Totals>(&**readers, &**log, skips, range, Some(token)).await;
        let Ok(counted) = counted else { return };
        let shown = counted.first().map(|counter| Sum::shown(&counter.amounts)).unwrap_or_default();
        witness.count(|report| report.added_up += 1);
        if !log.chronicle().adds_up(shown, &token.stream, token.version) {
            let ConsistencyToken { stream, version } = token;
            witness.violated(format!(
                "the counters were never what was shown to who saw {stream} at {version}: {shown:?}"
            ));
        }
    }

    /// Looks for an account in the list of all that are open.
    async fn list(&self, token: &ConsistencyToken) {
        let Clients { readers, log, witness, subjects, .. } = &self.parts;
        let skips = &*subjects[0].quarantine;
        let partition = IndexPartition::new(OPEN).expect("the name of a list");
        let listing = Listing { partition, before: None, limit: 10 };
        let listed = fresh_list::<Statements>(&**readers, &**log, skips, &listing, Some(token));
        let Ok(listed) = listed.await else { return };
        witness.count(|report| report.lists += 1);
        if !listed.is_sorted_by(|one, next| one.order >= next.order) {
            witness.violated("a list was not in its order".to_owned());
        }
        let chronicle = log.chronicle();
        for entry in &listed {
            if !was_ever(&chronicle, entry) {
                witness.violated(format!("{} was never as it was listed", entry.order));
            }
        }
    }
}

/// Whether some account was so at that version.
fn was_ever(chronicle: &Chronicle, entry: &Listed<Statement>) -> bool {
    let version = entry.fresh.version;
    chronicle.streams().values().any(|history| {
        history.is_end_of_commit(version)
            && history.statement(version).as_ref() == Some(&entry.fresh.row)
    })
}

/// Whether sending a command again may help.
const fn is_passing<R: ledgerfold::Rejection>(error: &CommandError<R>) -> bool {
    matches!(
        error,
        CommandError::Store(
            StoreError::Port(PortError::Throttled) | StoreError::Port(PortError::Unavailable(_))
        ) | CommandError::Contention { .. }
    )
}
