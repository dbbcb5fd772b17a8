use async_trait::async_trait;

use super::walk::{Walk, look_ahead, walk};
use crate::{
    Envelope, StreamId, Timestamp, Version,
    ports::{
        Counter, EventReader, Memo, Quarantine, QuarantineError, Skip, Skips, StoredRow, Written,
    },
    project::{
        Counts, ProjectError, Projection, ReadModel, RowModel, Skipped, Tally, TallyModel, count,
        fold, inapplicable, index_of, read_memo, read_row, stored_row,
    },
    vocabulary::OfTenant,
};

/// A read model that can be compared with the log.
#[async_trait]
pub trait Verifiable: ReadModel {
    /// Compares the model's row or memo of a stream with the fold of the log without skipped events.
    ///
    /// # Errors
    /// [`ProjectError`] if the log or the read table fails. An unreadable row is a verdict, not an error.
    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
        skips: &dyn Skips,
    ) -> Result<Comparison, ProjectError>;

    /// Compares the model's row or memo with the end of a stream that is too long to be folded. Reads at most one page,
    /// and finds a row or memo that is missing, behind, ahead or unreadable, but not a wrong content.
    ///
    /// # Errors
    /// As for [`compare`](Self::compare).
    async fn compare_end(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Comparison, ProjectError>;

    /// Replaces the model's row with the fold of the stream. `None` for counters, because a wrong count cannot be
    /// distinguished from a right one.
    ///
    /// # Errors
    /// [`ProjectError`].
    async fn overwrite(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
        skips: &dyn Skips,
    ) -> Result<Option<Written>, ProjectError>;

    /// All counters of the model; `None` if it has rows.
    ///
    /// # Errors
    /// [`ProjectError`].
    async fn counters(&self) -> Result<Option<Vec<OfTenant<Counter>>>, ProjectError>;
}

/// The state of a read model in one stream, compared with the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The version of the row or memo, if there is one.
    pub stored: Option<Version>,
    /// The version of the stream. For a model of another context's events, the end of the last commit with a public
    /// event: the model may lack hidden events after it.
    pub head: Version,
    /// The time at which the first event was recorded that the model lacks, if it lacks any.
    pub waiting_since: Option<Timestamp>,
    /// The verdict.
    pub verdict: Verdict,
    /// The compared part of the stream.
    pub extent: Extent,
    /// The stream's contribution to counters up to the memo's version.
    pub counted: Option<Counts>,
    /// The events that the fold leaves out, because an operator has skipped them.
    pub skipped: Vec<Skip>,
}

/// The part of a stream that was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// The whole stream.
    #[default]
    Whole,
    /// Only the version of the row or memo and the events after it, because the stream is too long.
    End,
}

/// A verdict on a row or memo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The row or memo is the fold of its stream.
    Current,
    /// There is no row or memo, but the stream has events.
    Lost,
    /// The row or memo is the fold of its stream up to its own version, but the stream has later events.
    Behind,
    /// The row or memo is not the fold of its stream up to its own version.
    Diverged,
    /// The version of the row or memo is beyond the end of its stream: the log has lost commits, or the version is
    /// wrong.
    Ahead,
    /// The row, the memo or the stream cannot be read or folded, for this reason.
    Unreadable(String),
    /// The row or memo is late or unreadable, and this is known: the stream is quarantined, for this reason.
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
    pub(super) fn new<S>(stored: Option<Version>, walk: Walk<S>, is_fold: bool) -> Self {
        let Walk { head: end, announced: head, next: waiting_since, skipped, .. } = walk;
        let verdict = match stored {
            None if head == Version::NONE => Verdict::Current,
            None => Verdict::Lost,
            Some(version) if version > end => Verdict::Ahead,
            Some(_) if !is_fold => Verdict::Diverged,
            Some(version) if version < head => Verdict::Behind,
            Some(_) => Verdict::Current,
        };
        let skipped = skipped.into_skips();
        let extent = Extent::Whole;
        Self { stored, head, waiting_since, verdict, extent, counted: None, skipped }
    }

    /// The same comparison, of the end of the stream only.
    pub(super) fn of_end(self) -> Self {
        Self { extent: Extent::End, ..self }
    }

    /// The number of events that the model lacks.
    pub fn missing(&self) -> u64 {
        let stored = self.stored.unwrap_or(Version::NONE);
        self.head.get().saturating_sub(stored.get())
    }

    /// Whether events are missing that may still be in transit.
    pub(crate) const fn is_late(&self) -> bool {
        matches!(self.verdict, Verdict::Lost | Verdict::Behind)
    }

    /// Reports a late or unreadable stream as parked if it is in the quarantine.
    pub(crate) async fn or_parked(
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

    /// An error that concerns only this row or stream is a finding. A failed request is an error.
    pub(super) fn or_unreadable(
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
                    extent: Extent::Whole,
                    counted: None,
                    skipped: Vec::new(),
                })
            }
            other => other,
        }
    }
}

impl<P: Projection> RowModel<P> {
    async fn compare_row(
        stored: Option<&StoredRow>,
        stream: &StreamId,
        source: (&dyn EventReader, &dyn Skips),
    ) -> Result<Comparison, ProjectError> {
        let version = stored.map(|stored| stored.version);
        let at = version.unwrap_or(Version::NONE);
        let walk = walk(source, stream, at, None, fold::<P>).await?;
        let is_fold = match (stored, &walk.there) {
            (Some(stored), Some(row)) => {
                let index = index_of::<P>(row.as_ref())?;
                read_row::<P>(stored)? == *row && stored.index == index
            }
            (stored, _) => stored.is_none(),
        };
        Ok(Comparison::new(version, walk, is_fold))
    }

    async fn compare_end_of_row(
        stored: Option<&StoredRow>,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Comparison, ProjectError> {
        let version = stored.map(|stored| stored.version);
        let is_in_place = match stored {
            Some(stored) => stored.index == index_of::<P>(read_row::<P>(stored)?.as_ref())?,
            None => true,
        };
        let walk = look_ahead(log, stream, version.unwrap_or(Version::NONE)).await?;
        Ok(Comparison::new(version, walk, is_in_place))
    }
}

#[async_trait]
impl<P: Projection> Verifiable for RowModel<P> {
    /// Reads the row before the stream, so that a row that is updated meanwhile never seems to be ahead.
    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
        skips: &dyn Skips,
    ) -> Result<Comparison, ProjectError> {
        let stored = match self.rows.get(stream).await {
            Ok(stored) => stored,
            Err(error) => return Comparison::or_unreadable(Err(error.into()), None),
        };
        let compared = Self::compare_row(stored.as_ref(), stream, (log, skips)).await;
        Comparison::or_unreadable(compared, stored.map(|stored| stored.version))
    }

    async fn compare_end(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Comparison, ProjectError> {
        let stored = match self.rows.get(stream).await {
            Ok(stored) => stored,
            Err(error) => return Comparison::or_unreadable(Err(error.into()), None),
        };
        let compared = Self::compare_end_of_row(stored.as_ref(), stream, log).await;
        let version = stored.map(|stored| stored.version);
        Ok(Comparison::or_unreadable(compared, version)?.of_end())
    }

    async fn overwrite(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
        skips: &dyn Skips,
    ) -> Result<Option<Written>, ProjectError> {
        let Some(seen) = self.rows.get(stream).await? else {
            return Ok(Some(Written::Superseded));
        };
        let Walk { last: row, head: version, .. } =
            walk((log, skips), stream, Version::NONE, None, fold::<P>).await?;
        if version < seen.version {
            // The row is ahead of the log, and the log may be the damaged part.
            return Ok(None);
        }
        let fresh = stored_row::<P>(stream, version, row.as_ref())?;
        Ok(Some(self.rows.replace(&seen, &fresh).await?))
    }

    async fn counters(&self) -> Result<Option<Vec<OfTenant<Counter>>>, ProjectError> {
        Ok(None)
    }
}

impl<T: Tally> TallyModel<T> {
    async fn compare_memo(
        stored: Option<&Memo>,
        stream: &StreamId,
        source: (&dyn EventReader, &dyn Skips),
    ) -> Result<Comparison, ProjectError> {
        let version = stored.map(|stored| stored.version);
        let at = version.unwrap_or(Version::NONE);
        let initial = (T::Memo::default(), Counts::default());
        let mut walk = walk(source, stream, at, initial, count_on::<T>).await?;
        let (memo, counted) = walk.there.take().unzip();
        let is_fold = match (stored, &memo) {
            (Some(stored), Some(memo)) => read_memo::<T>(stored)? == *memo,
            (stored, _) => stored.is_none(),
        };
        Ok(Comparison { counted, ..Comparison::new(version, walk, is_fold) })
    }

    async fn compare_end_of_memo(
        stored: Option<&Memo>,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Comparison, ProjectError> {
        let version = stored.map(|stored| stored.version);
        stored.map(read_memo::<T>).transpose()?;
        let walk = look_ahead(log, stream, version.unwrap_or(Version::NONE)).await?;
        Ok(Comparison::new(version, walk, true))
    }
}

/// The memo and all counts after one more commit.
fn count_on<T: Tally>(
    (memo, mut counts): (T::Memo, Counts),
    commit: &[Envelope],
    skipped: &Skipped,
) -> Result<(T::Memo, Counts), ProjectError> {
    let (memo, added) = count::<T>(memo, commit, skipped)?;
    match (counts.merge(added), commit.last()) {
        (Err(reason), Some(last)) => Err(inapplicable(last, reason)),
        _ => Ok((memo, counts)),
    }
}

#[async_trait]
impl<T: Tally> Verifiable for TallyModel<T> {
    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
        skips: &dyn Skips,
    ) -> Result<Comparison, ProjectError> {
        let stored = match self.counters.memo(stream).await {
            Ok(stored) => stored,
            Err(error) => return Comparison::or_unreadable(Err(error.into()), None),
        };
        let compared = Self::compare_memo(stored.as_ref(), stream, (log, skips)).await;
        Comparison::or_unreadable(compared, stored.map(|stored| stored.version))
    }

    async fn compare_end(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Comparison, ProjectError> {
        let stored = match self.counters.memo(stream).await {
            Ok(stored) => stored,
            Err(error) => return Comparison::or_unreadable(Err(error.into()), None),
        };
        let compared = Self::compare_end_of_memo(stored.as_ref(), stream, log).await;
        let version = stored.map(|stored| stored.version);
        Ok(Comparison::or_unreadable(compared, version)?.of_end())
    }

    async fn overwrite(
        &self,
        _: &StreamId,
        _: &dyn EventReader,
        _: &dyn Skips,
    ) -> Result<Option<Written>, ProjectError> {
        Ok(None)
    }

    async fn counters(&self) -> Result<Option<Vec<OfTenant<Counter>>>, ProjectError> {
        Ok(Some(self.counters.all().await?))
    }
}
