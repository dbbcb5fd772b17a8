//! The true history of decisions: all effects, in their order. Rules over it belong to the checker.
//!
//! The log keeps no order between streams, and nothing in the product relies on one. The simulation knows the order
//! all the same, so that the checker need not search for one that explains everything.

use std::collections::BTreeMap;

use ledgerfold::{
    CommandId, Decider, Envelope, Event, PublicEvents, Recorded, StreamId, Timestamp, Version,
    project::Projection, vocabulary::Commit,
};

use crate::domain::sums::{Sum, add_up};
use ledgerfold_testkit::bank::{
    Account, AccountEvent, Accounts, PublicAccountEvent, PublicAccounts, Statement, Statements,
};
use ledgerfold_testkit::loyalty::Points;

/// How much has happened: the number of commits and transactions that have taken effect.
pub(crate) type Moment = usize;

/// Everything that took effect.
#[derive(Default)]
pub(crate) struct History {
    /// In the order in which they took effect. Only appended to: a moment is an index into it.
    effects: Vec<Effect>,
    /// Derived from `effects`, so that a rule need not fold a stream again at each moment.
    streams: BTreeMap<StreamId, StreamHistory>,
    /// Faults of the history itself, found while effects are recorded.
    broken: Vec<String>,
}

/// A commit, or the commits of one transaction.
pub(crate) struct Effect {
    /// The command behind the effect.
    pub(crate) command: CommandId,
    /// When it took effect.
    pub(crate) at: Timestamp,
    /// One for a plain command, and one per stream for a transaction.
    pub(crate) commits: Vec<Commit>,
}

/// A stream at each of its versions.
pub(crate) struct StreamHistory {
    /// From version 0 on.
    states: Vec<Account>,
    /// The expected row at each version: `None` while the account is closed.
    rows: Vec<Option<Statement>>,
    /// Whether each version is the last of its commit.
    ends_commit: Vec<bool>,
    /// The events, from version 1 on.
    events: Vec<AccountEvent>,
    /// The expected row of another context at each version.
    points: Vec<Option<u64>>,
    /// Whether the event of each version is public, from version 1 on.
    public: Vec<bool>,
    /// The contribution to the counters.
    sums: Vec<Sum>,
    /// When it reached which version.
    reached: Vec<(Moment, Version)>,
}

impl History {
    /// Records an effect.
    pub(crate) fn record(&mut self, at: Timestamp, commits: impl IntoIterator<Item = Commit>) {
        let commits: Vec<_> = commits.into_iter().collect();
        let Some(first) = commits.first() else { return };
        let command = first.command().id.clone();
        let moment = self.effects.len() + 1;
        for commit in &commits {
            let history = self.streams.entry(commit.stream().clone()).or_default();
            if let Err(rule) = history.add(commit, moment) {
                self.broken.push(rule);
            }
        }
        self.effects.push(Effect { command, at, commits });
    }

    pub(crate) fn now(&self) -> Moment {
        self.effects.len()
    }

    /// How much had happened by this time.
    pub(crate) fn at(&self, time: Timestamp) -> Moment {
        self.effects.partition_point(|effect| effect.at <= time)
    }

    pub(crate) fn effects(&self) -> &[Effect] {
        &self.effects
    }

    pub(crate) fn commits(&self) -> impl Iterator<Item = &Commit> {
        self.effects.iter().flat_map(|effect| &effect.commits)
    }

    pub(crate) fn streams(&self) -> &BTreeMap<StreamId, StreamHistory> {
        &self.streams
    }

    /// Faults of the history itself: gaps, and versions that were given twice.
    pub(crate) fn broken(&self) -> &[String] {
        &self.broken
    }

    pub(crate) fn stream(&self, stream: &StreamId) -> Option<&StreamHistory> {
        self.streams.get(stream)
    }

    /// Whether the event at this version of a stream has a public form.
    pub(crate) fn is_public(&self, stream: &StreamId, version: Version) -> bool {
        let at = usize::try_from(version.get()).ok().and_then(|version| version.checked_sub(1));
        let public = self.stream(stream).zip(at).and_then(|(it, at)| it.public.get(at));
        public.copied().unwrap_or(false)
    }

    /// The version of a stream at a moment.
    pub(crate) fn version_at(&self, stream: &StreamId, moment: Moment) -> Version {
        self.stream(stream).map_or(Version::NONE, |history| history.version_at(moment))
    }

    /// Whether counters that show this have each stream of the tenant of this one up to the end of some commit, and this
    /// one at least up to this version.
    pub(crate) fn adds_up(&self, shown: Sum, stream: &StreamId, version: Version) -> bool {
        let least = |of| if of == stream { version } else { Version::NONE };
        let ours = self.streams.iter().filter(|(of, _)| of.tenant() == stream.tenant());
        let sums = ours.map(|(of, history)| history.sums_from(least(of)));
        add_up(&sums.collect::<Vec<_>>(), shown)
    }

    /// An account at a moment.
    pub(crate) fn state_at(&self, stream: &StreamId, moment: Moment) -> Account {
        let history = self.stream(stream);
        history.map(|history| history.state(history.version_at(moment))).unwrap_or_default()
    }
}

impl Default for StreamHistory {
    fn default() -> Self {
        Self {
            states: vec![<Accounts>::initial()],
            rows: vec![None],
            ends_commit: vec![true],
            events: Vec::new(),
            points: vec![None],
            public: Vec::new(),
            sums: vec![Sum::default()],
            reached: Vec::new(),
        }
    }
}

impl StreamHistory {
    fn add(&mut self, commit: &Commit, moment: Moment) -> Result<(), String> {
        let stream = commit.stream();
        let head = self.head();
        if commit.from() != head.next() {
            return Err(format!("{stream} got version {} behind {head}", commit.from()));
        }
        for envelope in commit.envelopes() {
            self.add_event(&envelope)?;
        }
        self.ends_commit.pop();
        self.ends_commit.push(true);
        self.reached.push((moment, self.head()));
        Ok(())
    }

    fn add_event(&mut self, envelope: &Envelope) -> Result<(), String> {
        let opened = envelope.open::<AccountEvent>().map_err(|error| error.to_string())?;
        for recorded in opened {
            let state = self.states.last().cloned().unwrap_or_default();
            let row = self.rows.last().cloned().flatten();
            self.states.push(<Accounts>::evolve(state, &recorded.event));
            self.rows.push(Statements::evolve(row, &recorded)?);
            self.ends_commit.push(false);
            let public = PublicAccounts::public(&recorded.event);
            self.public.push(public.is_some());
            let points = self.points.last().copied().flatten();
            self.points.push(match public {
                Some(event) => Points::evolve(points, &published(&recorded, event))?,
                None => points,
            });
            let sum = self.sums.last().copied().unwrap_or_default();
            self.sums.push(sum + Sum::from(&recorded.event));
            self.events.push(recorded.event);
        }
        Ok(())
    }

    pub(crate) fn head(&self) -> Version {
        Version::NONE.advance(self.events.len())
    }

    pub(crate) fn events(&self) -> &[AccountEvent] {
        &self.events
    }

    fn version_at(&self, moment: Moment) -> Version {
        let until = self.reached.partition_point(|(reached, _)| *reached <= moment);
        self.reached[..until].last().map_or(Version::NONE, |(_, version)| *version)
    }

    pub(crate) fn state(&self, version: Version) -> Account {
        Self::at(&self.states, version).unwrap_or_default()
    }

    /// Whether a version is the last one of a commit.
    pub(crate) fn is_end_of_commit(&self, version: Version) -> bool {
        Self::at(&self.ends_commit, version).unwrap_or(false)
    }

    /// The contribution to the counters at the end of each commit, from this version on.
    fn sums_from(&self, version: Version) -> Vec<Sum> {
        let from = usize::try_from(version.get()).unwrap_or(usize::MAX);
        let ends = self.sums.iter().zip(&self.ends_commit).skip(from);
        ends.filter_map(|(sum, is_end)| is_end.then_some(*sum)).collect()
    }

    /// The end of the last commit with a public event. No message announces the events after it.
    pub(crate) fn announced(&self) -> Version {
        let last = self.public.iter().rposition(|is_public| *is_public);
        let Some(last) = last else { return Version::NONE };
        // The event at position `last` has the next version.
        let ends = self.ends_commit.iter().enumerate().skip(last + 1);
        let end = ends.into_iter().find_map(|(version, is_end)| is_end.then_some(version));
        Version::NONE.advance(end.unwrap_or_default())
    }

    /// The row that another context should have at a version.
    pub(crate) fn points(&self, version: Version) -> Option<u64> {
        Self::at(&self.points, version).flatten()
    }

    /// The row that a reader should see at a version.
    pub(crate) fn statement(&self, version: Version) -> Option<Statement> {
        Self::at(&self.rows, version).flatten()
    }

    fn at<T: Clone>(of: &[T], version: Version) -> Option<T> {
        usize::try_from(version.get()).ok().and_then(|at| of.get(at).cloned())
    }
}

/// The public form of a recorded event.
fn published(
    recorded: &Recorded<AccountEvent>,
    event: PublicAccountEvent,
) -> Recorded<PublicAccountEvent> {
    let Recorded { id, stream, version, recorded_at, .. } = recorded.clone();
    Recorded { event, id, stream, version, recorded_at }
}

/// The events of a commit as they would be stored.
pub(crate) fn encoded(events: &[AccountEvent]) -> Vec<String> {
    let encoded = events.iter().filter_map(|event| event.encode().ok());
    encoded.map(|data| data.as_str().to_owned()).collect()
}
