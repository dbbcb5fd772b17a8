//! Stores with faulty reads. A name in a comment is a library with this defect.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{CommitPage, EventReader, Newest, Span},
    vocabulary::{Commit, StateSchema},
};
use ledgerfold_proofs::conformance::history::ModelStore;

use crate::wrong::{Defect, Read, are_twins};

/// The commits of one Query.
fn first_megabyte(commits: Vec<Commit>) -> Vec<Commit> {
    let mut bytes = 0;
    let fits = |commit: &Commit| {
        bytes += commit.payload_bytes();
        bytes <= 1_000_000
    };
    commits.into_iter().take_while(fits).collect()
}

/// Reads one Query and ignores its `LastEvaluatedKey`. dynamo-es 0.5 does this: of 1,000 events a load returned 332,
/// without an error.
#[derive(Default)]
pub(crate) struct FirstPageOnly;

#[async_trait]
impl Defect for FirstPageOnly {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let commits = first_megabyte(log.read(stream, after).await?.commits);
        Ok(CommitPage { commits, more: false })
    }
}

/// Does the same when reading back.
#[derive(Default)]
pub(crate) struct FirstPageBackOnly;

#[async_trait]
impl Defect for FirstPageBackOnly {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let page = log.read_back(stream, span, commits).await?;
        let commits = first_megabyte(page.commits);
        Ok(CommitPage { commits, more: page.more })
    }
}

/// Hides a stream's newest commit from the first read after another commit, like a lagging index or replica.
#[derive(Default)]
struct Lag(Mutex<Option<(StreamId, Version)>>);

impl Lag {
    fn hides(&self, commit: &Commit) -> bool {
        let place = (commit.stream().clone(), commit.from());
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hidden = seen.as_ref() != Some(&place);
        *seen = Some(place);
        hidden
    }
}

/// Reads without `ConsistentRead`. dynamo-es does this after a snapshot. event-store-adapter v1 does it always, because
/// an index of DynamoDB cannot be read with strong consistency.
#[derive(Default)]
pub(crate) struct EventuallyConsistentTail(Lag);

#[async_trait]
impl Defect for EventuallyConsistentTail {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut page = log.read(stream, after).await?;
        if after != Version::NONE && page.commits.last().is_some_and(|it| self.0.hides(it)) {
            page.commits.pop();
        }
        Ok(page)
    }
}

/// Does the same when reading back.
#[derive(Default)]
pub(crate) struct EventuallyConsistentBack(Lag);

#[async_trait]
impl Defect for EventuallyConsistentBack {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let mut page = log.read_back(stream, span, commits).await?;
        if span.before.is_none() && page.commits.first().is_some_and(|it| self.0.hides(it)) {
            page.commits.remove(0);
        }
        Ok(page)
    }
}

/// Begins at the version instead of after it. cqrs-es-example does this: it reads from the snapshot's number, but the
/// library's documentation requires to add one.
#[derive(Default)]
pub(crate) struct BeginsAtTheVersion;

#[async_trait]
impl Defect for BeginsAtTheVersion {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut page = log.read(stream, Version::NONE).await?;
        page.commits.retain(|commit| commit.to() >= after);
        Ok(page)
    }
}

/// Uses the version as the number of commits to skip.
#[derive(Default)]
pub(crate) struct SkipsByVersion;

#[async_trait]
impl Defect for SkipsByVersion {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let page = log.read(stream, Version::NONE).await?;
        let skipped = usize::try_from(after.get()).expect("streams of tests are short");
        Ok(CommitPage { commits: page.commits.into_iter().skip(skipped).collect(), more: false })
    }
}

/// Compares only the beginning of stream names.
#[derive(Default)]
pub(crate) struct BeginsWithTheName;

#[async_trait]
impl Defect for BeginsWithTheName {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut commits = log.lock().commits.clone();
        commits.retain(|it| {
            it.from() > after && it.stream().to_string().starts_with(&stream.to_string())
        });
        Ok(CommitPage { commits, more: false })
    }
}

/// Ignores the category of a stream.
#[derive(Default)]
pub(crate) struct ForgetsTheCategory;

#[async_trait]
impl Defect for ForgetsTheCategory {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut commits = log.lock().commits.clone();
        commits.retain(|it| it.from() > after && it.stream().id() == stream.id());
        Ok(CommitPage { commits, more: false })
    }
}

/// Ignores the tenant of a stream.
#[derive(Default)]
pub(crate) struct ForgetsTheTenant;

#[async_trait]
impl Defect for ForgetsTheTenant {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let mut found = log.lock().commits.clone();
        found.retain(|it| span.contains(it.from()) && are_twins(it.stream(), stream));
        found.sort_by_key(|commit| std::cmp::Reverse(commit.from()));
        let more = found.len() > commits;
        found.truncate(commits);
        Ok(CommitPage { commits: found, more }.bounded())
    }
}

/// Orders a stream by time. Booster does this: its sort key is the time.
#[derive(Default)]
pub(crate) struct OrdersByTime;

#[async_trait]
impl Defect for OrdersByTime {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut page = log.read(stream, after).await?;
        page.commits.sort_by_key(|commit| commit.metadata().recorded_at);
        Ok(page)
    }
}

/// Numbers commits when it reads them, so a gap is never noticed. castore and cqrs-es allow gaps: their condition is
/// only that the written version is free.
#[derive(Default)]
pub(crate) struct NumbersWhatItFinds;

fn numbered(commits: Vec<Commit>) -> Vec<Commit> {
    let mut next = Version::new(1);
    let mut numbered = Vec::new();
    for commit in commits {
        let events: Vec<_> = commit.events().map(|(_, event)| event.clone()).collect();
        let commit = crate::wrong::restored(&commit, next, events);
        next = commit.to().next();
        numbered.push(commit);
    }
    numbered
}

#[async_trait]
impl Defect for NumbersWhatItFinds {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut commits = numbered(log.lock().of(stream));
        commits.retain(|commit| commit.from() > after);
        Ok(CommitPage { commits, more: false })
    }

    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let mut found = numbered(log.lock().of(stream));
        found.retain(|commit| span.contains(commit.from()));
        let more = found.len() > commits;
        Ok(CommitPage { commits: found.into_iter().rev().take(commits).collect(), more })
    }
}

/// Ends a stream at its first gap.
#[derive(Default)]
pub(crate) struct EndsAtTheHole;

#[async_trait]
impl Defect for EndsAtTheHole {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut next = after.next();
        let mut page = log.read(stream, after).await?;
        let end = page.commits.iter().position(|commit| {
            let hole = commit.from() != next;
            next = commit.to().next();
            hole
        });
        page.commits.truncate(end.unwrap_or(usize::MAX));
        Ok(page)
    }
}

/// Reads back in ascending order.
#[derive(Default)]
pub(crate) struct ForgetsToTurnRound;

#[async_trait]
impl Defect for ForgetsToTurnRound {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let mut page = log.read_back(stream, span, commits).await?;
        page.commits.reverse();
        Ok(page)
    }
}

/// Ignores the limit.
#[derive(Default)]
pub(crate) struct IgnoresTheLimit;

#[async_trait]
impl Defect for IgnoresTheLimit {
    async fn read_back(&self, log: &ModelStore, stream: &StreamId, span: Span, _: usize) -> Read {
        log.read_back(stream, span, usize::MAX).await
    }
}

/// Reports the end of the stream at the limit of a page.
#[derive(Default)]
pub(crate) struct TakesTheLimitForTheEnd;

#[async_trait]
impl Defect for TakesTheLimitForTheEnd {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let page = log.read_back(stream, span, commits).await?;
        Ok(CommitPage { more: false, ..page })
    }
}

/// Reads back from the version itself instead of before it.
#[derive(Default)]
pub(crate) struct BeginsBackAtTheVersion;

#[async_trait]
impl Defect for BeginsBackAtTheVersion {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let span = Span { before: span.before.map(Version::next), ..span };
        log.read_back(stream, span, commits).await
    }
}

/// Ignores the end of a read back, so a cached state gets commits again that it has.
#[derive(Default)]
pub(crate) struct ReadsBackTooFar;

#[async_trait]
impl Defect for ReadsBackTooFar {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        log.read_back(stream, Span { after: Version::NONE, ..span }, commits).await
    }
}

/// Ends a read back at the version itself instead of after it.
#[derive(Default)]
pub(crate) struct EndsBackAtTheVersion;

#[async_trait]
impl Defect for EndsBackAtTheVersion {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let after = Version::new(span.after.get().saturating_sub(1));
        log.read_back(stream, Span { after, ..span }, commits).await
    }
}

/// Reads back commits that *end* before the version, so a commit that contains it is skipped.
#[derive(Default)]
pub(crate) struct LooksAtTheEnd;

#[async_trait]
impl Defect for LooksAtTheEnd {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let mut found = log.lock().of(stream);
        found.retain(|commit| commit.from() > span.after);
        found.retain(|commit| span.before.is_none_or(|before| commit.to() < before));
        let more = found.len() > commits;
        Ok(CommitPage { commits: found.into_iter().rev().take(commits).collect(), more })
    }
}

/// Skips a commit between two pages.
#[derive(Default)]
pub(crate) struct SkipsBetweenPages;

#[async_trait]
impl Defect for SkipsBetweenPages {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let follows = log.lock().of(stream).into_iter().any(|it| Some(it.from()) == span.before);
        let mut page = log.read_back(stream, span, commits.saturating_add(1)).await?;
        if follows && page.commits.len() > 1 {
            page.commits.remove(0);
        }
        let more = page.more || page.commits.len() > commits;
        page.commits.truncate(commits);
        Ok(CommitPage { more, ..page })
    }
}

/// Reports more commits for an unknown stream.
#[derive(Default)]
pub(crate) struct PromisesMore;

#[async_trait]
impl Defect for PromisesMore {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let page = log.read_back(stream, span, commits).await?;
        let more = page.more || log.lock().of(stream).is_empty();
        Ok(CommitPage { more, ..page })
    }
}

/// Begins every read at the newest snapshot.
#[derive(Default)]
pub(crate) struct BeginsAtTheSnapshot;

#[async_trait]
impl Defect for BeginsAtTheSnapshot {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut page = log.read(stream, after).await?;
        let newest = page.commits.iter().rposition(|commit| commit.snapshot().is_some());
        page.commits.drain(..newest.unwrap_or(0));
        Ok(page)
    }
}

/// Has no size limit for pages: 40 commits of 2 MB need 80 MB of memory.
#[derive(Default)]
pub(crate) struct KnowsNoEnd;

#[async_trait]
impl Defect for KnowsNoEnd {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut commits = log.lock().of(stream);
        commits.retain(|commit| commit.from() > after);
        Ok(CommitPage { commits, more: false })
    }
}

/// Returns the first version of the last commit as the head.
#[derive(Default)]
pub(crate) struct TakesTheBeginningForTheHead;

impl Defect for TakesTheBeginningForTheHead {
    fn head(&self, newest: &Commit) -> Version {
        newest.from()
    }
}

/// Begins a load at a snapshot of any schema.
#[derive(Default)]
pub(crate) struct TakesAnySnapshot;

impl Defect for TakesAnySnapshot {
    fn newest(&self, page: CommitPage, schema: &StateSchema) -> Newest {
        let any = page.commits.iter().find_map(|commit| commit.snapshot()).cloned();
        Newest::of(page, any.as_ref().map_or(schema, |snapshot| &snapshot.schema))
    }
}
