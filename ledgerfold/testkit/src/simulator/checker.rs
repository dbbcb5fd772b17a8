//! What must be true when all has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use ledgerfold::{
    Commit, Decider, Event, StreamId, Version,
    command::{CommandError, CommandRequest},
    ports::StoredRow,
    project::Projection,
};

use super::{
    clients::is_of_client,
    log::SimulatedLog,
    readings::{Statement, Statements, all},
    world::World,
};
use crate::conformance::account::{
    Account, AccountCommand, AccountEvent, AccountRejection, Accounts,
};

/// A stream, folded by the checker itself.
pub(super) struct History {
    /// The state at each version, from 0.
    states: Vec<Account>,
    rows: Vec<Option<Statement>>,
    events: Vec<AccountEvent>,
    commits: Vec<Commit>,
}

impl History {
    pub(super) fn of(log: &SimulatedLog, stream: &StreamId) -> Self {
        let commits = log.commits().into_iter().filter(|commit| commit.stream() == stream);
        let mut history = Self {
            states: vec![Accounts::initial()],
            rows: vec![None],
            events: Vec::new(),
            commits: commits.collect(),
        };
        for commit in &history.commits {
            for envelope in commit.envelopes() {
                let Ok(opened) = envelope.open::<AccountEvent>() else { continue };
                for recorded in opened {
                    let state = history.states.last().cloned().unwrap_or_default();
                    let row = history.rows.last().cloned().flatten();
                    history.states.push(Accounts::evolve(state, &recorded.event));
                    history.rows.push(Statements::evolve(row, &recorded).unwrap_or_default());
                    history.events.push(recorded.event);
                }
            }
        }
        history
    }

    fn head(&self) -> Version {
        Version::NONE.advance(self.events.len())
    }

    fn at<T: Clone>(of: &[T], version: Version) -> Option<T> {
        usize::try_from(version.get()).ok().and_then(|at| of.get(at).cloned())
    }

    fn state(&self, version: Version) -> Account {
        Self::at(&self.states, version).unwrap_or_default()
    }

    /// Whether a version is the last one of a commit.
    pub(super) fn is_end_of_commit(&self, version: Version) -> bool {
        self.commits.iter().any(|commit| commit.to() == version)
    }

    /// What a reader should see at a version.
    pub(super) fn statement(&self, version: Version) -> Option<Statement> {
        Self::at(&self.rows, version).flatten()
    }
}

/// Whether a refusal was true at some moment of the call, and if not, what is wrong with it.
pub(super) fn refused(
    request: &CommandRequest<AccountCommand>,
    refusal: &CommandError<AccountRejection>,
    before: &History,
    after: &History,
) -> Option<String> {
    let moments = before.head().get()..=after.head().get();
    let mut moments = moments.map(Version::new);
    let id = &request.id;
    if after.commits.iter().any(|commit| commit.command().id == *id)
        && !matches!(refusal, CommandError::Reused)
    {
        return Some(format!("{id} was committed, and refused: {refusal}"));
    }
    let true_once = match refusal {
        CommandError::Rejected(rejection) => moments.any(|version| {
            Accounts::decide(&after.state(version), &request.command).err() == Some(*rejection)
        }),
        CommandError::ExpectedVersion { expected, actual } => {
            expected != actual && moments.any(|version| version == *actual)
        }
        CommandError::Reserved { .. } => true,
        _ => false,
    };
    (!true_once).then(|| format!("{id} was refused without a reason: {refusal}"))
}

/// All rules that are broken.
pub(super) fn check(world: &World) -> Vec<String> {
    let commits = world.log.commits();
    let streams: BTreeSet<_> = commits.iter().map(|commit| commit.stream().clone()).collect();
    let histories: BTreeMap<_, _> = streams
        .into_iter()
        .map(|stream| {
            let history = History::of(&world.log, &stream);
            (stream, history)
        })
        .collect();
    let mut broken = Vec::new();
    for (stream, history) in &histories {
        decided_rightly(world, stream, history, &mut broken);
    }
    effects_are_single(&commits, &mut broken);
    answers_are_true(world, &commits, &mut broken);
    addresses_are_unique(&histories, &mut broken);
    everything_was_published(world, &commits, &mut broken);
    rows_are_folds(world, &histories, &mut broken);
    counts_are_right(world, &histories, &mut broken);
    broken
}

/// Each commit is what its command decides on the state before it: nothing was decided on a state
/// that was not, and versions have no holes.
fn decided_rightly(world: &World, stream: &StreamId, history: &History, broken: &mut Vec<String>) {
    let asked = world.witness.asked();
    let mut version = Version::NONE;
    for commit in &history.commits {
        let id = &commit.command().id;
        if commit.from() != version.next() {
            broken.push(format!("{stream} has a hole before {}", commit.from()));
        }
        let Some((_, command)) = asked.get(id) else {
            broken.push(format!("nobody asked for {id}"));
            continue;
        };
        let decided = Accounts::decide(&history.state(version), command);
        let stored: Vec<_> =
            commit.events().map(|(_, event)| event.data.as_str().to_owned()).collect();
        let expected: Vec<_> = decided
            .iter()
            .flatten()
            .filter_map(|event| event.encode().ok())
            .map(|data| data.as_str().to_owned())
            .collect();
        if stored != expected {
            broken.push(format!("{id} was not decided on {stream} at {version}: {command:?}"));
        }
        version = commit.to();
    }
}

fn effects_are_single(commits: &[Commit], broken: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for commit in commits {
        let id = &commit.command().id;
        if is_of_client(id) && !seen.insert(id.clone()) {
            broken.push(format!("{id} took effect twice"));
        }
    }
}

fn answers_are_true(world: &World, commits: &[Commit], broken: &mut Vec<String>) {
    for (id, answer) in world.witness.answers() {
        let commit = commits.iter().find(|commit| commit.command().id == id);
        match commit {
            Some(commit) if ledgerfold::command::Answer::from(commit) == answer => {}
            None if answer.events.is_empty() => {}
            _ => broken.push(format!("the answer to {id} is not what was committed: {answer:?}")),
        }
    }
}

fn addresses_are_unique(histories: &BTreeMap<StreamId, History>, broken: &mut Vec<String>) {
    let mut taken = BTreeSet::new();
    for history in histories.values() {
        let email = history.state(history.head()).email;
        if let Some(email) = email.filter(|email| !taken.insert(email.clone())) {
            broken.push(format!("{email} belongs to two accounts"));
        }
    }
}

fn everything_was_published(world: &World, commits: &[Commit], broken: &mut Vec<String>) {
    let published: BTreeSet<_> =
        world.bus.archive().into_iter().map(|event| event.event.id.to_string()).collect();
    for commit in commits {
        for (version, event) in commit.events() {
            if !published.contains(&event.id.to_string()) {
                broken.push(format!("version {version} of {} was not published", commit.stream()));
            }
        }
    }
    let aside: usize = world.queues.iter().map(|queue| queue.aside()).sum();
    if aside > 0 {
        broken.push(format!("{aside} messages can not be applied"));
    }
}

fn rows_are_folds(
    world: &World,
    histories: &BTreeMap<StreamId, History>,
    broken: &mut Vec<String>,
) {
    let rows: BTreeMap<_, _> =
        world.rows.rows().into_iter().map(|row| (row.stream.clone(), row)).collect();
    for (stream, history) in histories {
        let row = rows.get(stream);
        let shown =
            row.and_then(|StoredRow { body, .. }| body.as_ref()?.decode::<Statement>().ok());
        if shown != history.statement(history.head()) {
            broken.push(format!("the row of {stream} is not the fold of its {}", history.head()));
        }
    }
}

fn counts_are_right(
    world: &World,
    histories: &BTreeMap<StreamId, History>,
    broken: &mut Vec<String>,
) {
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    for event in histories.values().flat_map(|history| &history.events) {
        *counted.entry("events".to_owned()).or_default() += 1;
        let (name, amount) = match event {
            AccountEvent::Deposited(it) => ("deposited", i64::try_from(it.amount).unwrap_or(0)),
            AccountEvent::Opened(_) => ("open", 1),
            AccountEvent::Closed(_) => ("open", -1),
            AccountEvent::Withdrawn(_) | AccountEvent::Moved(_) => continue,
        };
        *counted.entry(name.to_owned()).or_default() += amount;
    }
    let shown = world.tallies.counter(&all());
    if shown != counted {
        broken.push(format!("the counters show {shown:?}, and the log has {counted:?}"));
    }
    for (stream, history) in histories {
        if world.tallies.counted(stream) != history.head() {
            broken.push(format!("{stream} was not counted to its end"));
        }
    }
}
