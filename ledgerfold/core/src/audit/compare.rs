use async_trait::async_trait;

use crate::{
    Envelope, StreamId, Timestamp, Version,
    ports::{Counter, CounterKey, EventStore, Quarantine, QuarantineError, StoredRow, Written},
    project::{
        Counts, ProjectError, Projection, ReadModel, RowModel, Tally, TallyModel, count, fold,
        index_of, read_log, read_memo, read_row, stored_row,
    },
};

/// A read model that can be held against the log.
#[async_trait]
pub trait Audited: ReadModel {
    /// What the model holds of a stream, beside what the log says of it.
    ///
    /// # Errors
    /// [`ProjectError`] where the log or the read table fails. What is there and cannot be read is no
    /// error but a verdict.
    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventStore,
    ) -> Result<Comparison, ProjectError>;

    /// Puts the fold of the stream in the place of what the model holds of it. `None` where that is
    /// not possible: what was counted wrongly cannot be told from what was counted rightly.
    ///
    /// # Errors
    /// [`ProjectError`].
    async fn overwrite(
        &self,
        stream: &StreamId,
        log: &dyn EventStore,
    ) -> Result<Option<Written>, ProjectError>;

    /// All counters of the model; `None` where it has rows.
    ///
    /// # Errors
    /// [`ProjectError`].
    async fn counters(&self) -> Result<Option<Vec<Counter>>, ProjectError>;
}

/// What a read model holds of a stream, beside the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The version of the row or memo, where there is one.
    pub stored: Option<Version>,
    /// The version of the stream.
    pub head: Version,
    /// When the first event was recorded that the model lacks, if it lacks any.
    pub waiting_since: Option<Timestamp>,
    /// What to think of it.
    pub verdict: Verdict,
    /// What the stream has added to counters up to the memo's version.
    pub counted: Option<Counts>,
}

/// What to think of a row or memo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the fold of its stream.
    Current,
    /// There is none, though the stream has events.
    Lost,
    /// It is the fold of its stream up to its own version, which is not the last.
    Behind,
    /// It is not the fold of its stream up to its own version.
    Diverged,
    /// Its version is beyond the end of its stream: the log has lost commits, or the row is made up.
    Ahead,
    /// The row, the memo or the stream cannot be read or folded; here is why.
    Unreadable(String),
    /// It is late or not to be read, and known to be: the stream stands parked, for this reason.
    Parked(String),
}

impl Verdict {
    /// The verdict in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Lost => "lost",
            Self::Behind => "behind",
            Self::Diverged => "diverged",
            Self::Ahead => "ahead",
            Self::Unreadable(_) => "unreadable",
            Self::Parked(_) => "parked",
        }
    }
}

impl Comparison {
    fn new<S>(stored: Option<Version>, walk: &Walk<S>, is_fold: bool) -> Self {
        let head = walk.head;
        let verdict = match stored {
            None if head == Version::NONE => Verdict::Current,
            None => Verdict::Lost,
            Some(version) if version > head => Verdict::Ahead,
            Some(_) if !is_fold => Verdict::Diverged,
            Some(version) if version < head => Verdict::Behind,
            Some(_) => Verdict::Current,
        };
        Self { stored, head, waiting_since: walk.next, verdict, counted: None }
    }

    /// How many events the model lacks.
    pub fn missing(&self) -> u64 {
        let stored = self.stored.unwrap_or(Version::NONE);
        self.head.get().saturating_sub(stored.get())
    }

    /// Whether events are missing that may be on their way.
    pub(crate) const fn is_late(&self) -> bool {
        matches!(self.verdict, Verdict::Lost | Verdict::Behind)
    }

    /// What is late or unreadable and stands in the quarantine is known to be.
    pub(super) async fn or_parked(
        self,
        stream: &StreamId,
        quarantine: Option<&dyn Quarantine>,
    ) -> Result<Self, QuarantineError> {
        let (Some(quarantine), Verdict::Lost | Verdict::Behind | Verdict::Unreadable(_)) =
            (quarantine, &self.verdict)
        else {
            return Ok(self);
        };
        Ok(match quarantine.get(stream).await? {
            Some(parked) => Self { verdict: Verdict::Parked(parked.reason), ..self },
            None => self,
        })
    }

    /// What cannot be read is a finding; what could not be asked is an error.
    fn or_unreadable(
        compared: Result<Self, ProjectError>,
        stored: Option<Version>,
    ) -> Result<Self, ProjectError> {
        match compared {
            Err(error) if error.is_lasting() => {
                let verdict = Verdict::Unreadable(error.to_string());
                Ok(Self {
                    stored,
                    head: Version::NONE,
                    waiting_since: None,
                    verdict,
                    counted: None,
                })
            }
            other => other,
        }
    }
}

/// A stream folded to its end.
struct Walk<S> {
    /// The fold at the version that was asked for; `None` if no commit ends there.
    there: Option<S>,
    /// When the event behind that version was recorded.
    next: Option<Timestamp>,
    last: S,
    head: Version,
}

/// Folds a stream commit by commit, and keeps what it was at one version on the way.
async fn walk<S: Clone>(
    log: &dyn EventStore,
    stream: &StreamId,
    at: Version,
    initial: S,
    step: impl Fn(S, &[Envelope]) -> Result<S, ProjectError>,
) -> Result<Walk<S>, ProjectError> {
    let (mut state, mut head) = (initial, Version::NONE);
    let mut there = (at == head).then(|| state.clone());
    let mut next = None;
    loop {
        let page = read_log(head, stream, log).await?;
        for commit in page.events.chunk_by(|one, next| one.commit == next.commit) {
            if head == at {
                next = commit.first().map(|event| event.metadata.recorded_at);
            }
            state = step(state, commit)?;
            head = head.advance(commit.len());
            if head == at {
                there = Some(state.clone());
            }
        }
        if !page.more {
            return Ok(Walk { there, next, last: state, head });
        }
    }
}

impl<P: Projection> RowModel<P> {
    async fn compare_row(
        stored: Option<&StoredRow>,
        stream: &StreamId,
        log: &dyn EventStore,
    ) -> Result<Comparison, ProjectError> {
        let version = stored.map(|stored| stored.version);
        let walk = walk(log, stream, version.unwrap_or(Version::NONE), None, fold::<P>).await?;
        let is_fold = match (stored, &walk.there) {
            (Some(stored), Some(row)) => {
                let index = index_of::<P>(stream, stored.version, row.as_ref())?;
                read_row::<P>(stored)? == *row && stored.index == index
            }
            (stored, _) => stored.is_none(),
        };
        Ok(Comparison::new(version, &walk, is_fold))
    }
}

#[async_trait]
impl<P: Projection> Audited for RowModel<P> {
    /// The row is read before the stream, so that a row which moves meanwhile never looks ahead.
    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventStore,
    ) -> Result<Comparison, ProjectError> {
        let stored = match self.rows.get(stream).await {
            Ok(stored) => stored,
            Err(error) => return Comparison::or_unreadable(Err(error.into()), None),
        };
        let compared = Self::compare_row(stored.as_ref(), stream, log).await;
        Comparison::or_unreadable(compared, stored.map(|stored| stored.version))
    }

    async fn overwrite(
        &self,
        stream: &StreamId,
        log: &dyn EventStore,
    ) -> Result<Option<Written>, ProjectError> {
        let Some(seen) = self.rows.get(stream).await? else {
            return Ok(Some(Written::Superseded));
        };
        let Walk { last: row, head: version, .. } =
            walk(log, stream, Version::NONE, None, fold::<P>).await?;
        if version < seen.version {
            // It says more than the log, which may be what is damaged.
            return Ok(None);
        }
        let fresh = stored_row::<P>(stream, version, row.as_ref())?;
        Ok(Some(self.rows.replace(&seen, &fresh).await?))
    }

    async fn counters(&self) -> Result<Option<Vec<Counter>>, ProjectError> {
        Ok(None)
    }
}

impl<T: Tally> TallyModel<T> {
    async fn compare_memo(
        &self,
        stored: Option<&crate::ports::Memo>,
        stream: &StreamId,
        log: &dyn EventStore,
    ) -> Result<Comparison, ProjectError> {
        let version = stored.map(|stored| stored.version);
        let initial = (T::Memo::default(), Counts::default());
        let walk = walk(log, stream, version.unwrap_or(Version::NONE), initial, |state, commit| {
            let (mut memo, mut counts) = state;
            let added = count::<T>(&mut memo, commit)?;
            counts.merge(added).map_err(|reason| crate::project::Inapplicable {
                stream: stream.clone(),
                version: commit.last().map_or(Version::NONE, |event| event.version),
                reason,
            })?;
            Ok((memo, counts))
        })
        .await?;
        let is_fold = match (stored, &walk.there) {
            (Some(stored), Some((memo, _))) => read_memo::<T>(stored)? == *memo,
            (stored, _) => stored.is_none(),
        };
        let compared = Comparison::new(version, &walk, is_fold);
        Ok(Comparison { counted: walk.there.map(|(_, counts)| counts), ..compared })
    }
}

#[async_trait]
impl<T: Tally> Audited for TallyModel<T> {
    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventStore,
    ) -> Result<Comparison, ProjectError> {
        let stored = match self.counters.memo(stream).await {
            Ok(stored) => stored,
            Err(error) => return Comparison::or_unreadable(Err(error.into()), None),
        };
        let compared = self.compare_memo(stored.as_ref(), stream, log).await;
        Comparison::or_unreadable(compared, stored.map(|stored| stored.version))
    }

    async fn overwrite(
        &self,
        _: &StreamId,
        _: &dyn EventStore,
    ) -> Result<Option<Written>, ProjectError> {
        Ok(None)
    }

    async fn counters(&self) -> Result<Option<Vec<Counter>>, ProjectError> {
        let (first, last) = (CounterKey::least(), CounterKey::greatest());
        Ok(Some(self.counters.range(&first, &last).await?))
    }
}
