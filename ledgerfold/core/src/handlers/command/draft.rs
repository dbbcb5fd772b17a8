use super::{
    Answer, CommandError, Loaded, Loader,
    answer::Effect,
    claiming::{self, Revisions},
    origin::Origin,
};
use crate::{
    Claim, Command, Decider, MAX_EVENTS_PER_COMMIT, Rejection, StreamId, Timestamp,
    ports::{AppendError, EventStore, InvalidTransaction, StrictCommand, Transaction, Unchanged},
    vocabulary::{NewCommit, StreamVersion, panics::guarded},
};

/// The changes of one decision, before anything is stored.
#[doc(hidden)]
pub struct Draft {
    /// The time of the decision, which its commits record.
    decided_at: Timestamp,
    commits: Vec<NewCommit>,
    /// The streams without events. They are a condition of the commits.
    unchanged: Vec<StreamVersion>,
    claims: Vec<(StreamId, Claim)>,
    revisions: Revisions,
}

/// A decision that is ready to be stored, with its effect.
pub(super) struct Plan {
    pub(super) effect: Effect,
    write: Write,
}

enum Write {
    /// Nothing changes, and no record of that is needed.
    Nothing,
    /// One Put, at half the price of a transaction.
    Append(Box<NewCommit>),
    Transaction(Transaction, Revisions),
}

impl Draft {
    /// A decision of this time that changes nothing yet.
    pub(super) fn decided_at(decided_at: Timestamp) -> Self {
        Self {
            decided_at,
            commits: Vec::new(),
            unchanged: Vec::new(),
            claims: Vec::new(),
            revisions: Revisions::new(),
        }
    }

    /// Adds the events of one stream. Returns the stream after them, if there are any.
    ///
    /// # Errors
    /// [`CommandError`] if the events are too many, or could not be read or folded again later.
    pub(super) fn add<D: Decider, R: Rejection>(
        &mut self,
        loader: &Loader<D>,
        loaded: &Loaded<D>,
        events: &[D::Event],
        origin: &Origin<'_>,
    ) -> Result<Option<Loaded<D>>, CommandError<R>> {
        if events.is_empty() {
            self.unchanged.push(loaded.stream_version());
            return Ok(None);
        }
        check_number(events.len())?;
        let (commit, after) = loader.follow(loaded, events, origin, self.decided_at)?;
        self.commits.push(commit);
        let stream = loaded.stream();
        let claims = guarded(|| events.iter().flat_map(D::claims).collect::<Vec<_>>())?;
        if D::Command::SEALS || origin.seals {
            claiming::check_keyed(&claims)?;
        }
        self.claims.extend(claims.into_iter().map(|claim| (stream.clone(), claim)));
        self.revisions.insert(stream.category().clone(), D::CLAIMS_REVISION);
        Ok(Some(after))
    }

    /// The write that stores the draft. A strict command is recorded even if nothing changes, so that a later
    /// repetition has no effect either.
    pub(super) fn plan(self, strict: Option<StrictCommand>) -> Result<Plan, InvalidTransaction> {
        let effect = self.effect();
        let Self { mut commits, unchanged, claims, revisions, .. } = self;
        let write = match (strict, &commits[..], &unchanged[..], &claims[..]) {
            (None, [], ..) => Write::Nothing,
            (None, [_], [], []) => Write::Append(Box::new(commits.remove(0))),
            (strict, ..) => {
                let places: Vec<_> = commits.iter().map(|new| new.as_commit().place()).collect();
                let commits = commits.into_iter().map(|new| new.with_siblings(&places)).collect();
                let transaction = Transaction::new(commits, unchanged, claims, strict)?;
                Write::Transaction(transaction, revisions)
            }
        };
        Ok(Plan { effect, write })
    }

    fn effect(&self) -> Effect {
        let committed = self.commits.iter().map(|new| Answer::from(new.as_commit()));
        Effect {
            committed: committed.collect(),
            unchanged: self.unchanged.iter().map(Unchanged::from).collect(),
        }
    }
}

impl Plan {
    /// Whether storing it verifies the states that the decision is based on.
    pub(super) const fn has_commits(&self) -> bool {
        !self.effect.committed.is_empty()
    }

    /// Stores everything, or nothing.
    pub(super) async fn store(&self, log: &dyn EventStore) -> Result<(), AppendError> {
        match &self.write {
            Write::Nothing => Ok(()),
            Write::Append(commit) => log.append(commit).await,
            Write::Transaction(transaction, revisions) => {
                claiming::transact(log, transaction, revisions).await
            }
        }
    }
}

fn check_number<R: Rejection>(events: usize) -> Result<(), CommandError<R>> {
    if events <= MAX_EVENTS_PER_COMMIT {
        return Ok(());
    }
    Err(CommandError::TooLarge(format!(
        "it makes {events} events, and a commit holds at most {MAX_EVENTS_PER_COMMIT}"
    )))
}
