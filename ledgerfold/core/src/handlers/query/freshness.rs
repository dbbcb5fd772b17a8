use crate::{
    StreamId, TenantId, Version,
    ports::{
        Counted, Counter, CounterKey, EventReader, IndexOrder, Listing, ReadStoreError, RowReader,
        Skips, StoreError, StoredRow, TallyReader,
    },
    project::{
        Counts, ProjectError, Projection, Skipped, Tally, count, fold, index_of, read_log,
        read_memo, read_row,
    },
    vocabulary::ConsistencyToken,
};

/// A row with the version that it shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Fresh<R> {
    /// The row.
    pub row: R,
    /// The version of the stream that the row shows.
    pub version: Version,
}

/// A row in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<R> {
    /// The row's order key. The next page begins below it.
    pub order: IndexOrder,
    /// The row.
    pub fresh: Fresh<R>,
}

/// A query failed.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// A read table failed.
    #[error(transparent)]
    ReadStore(#[from] ReadStoreError),
    /// Events cannot be folded.
    #[error(transparent)]
    Fold(#[from] ProjectError),
    /// The rule of the read model does not show the row to this caller.
    #[error("the caller may not see the row")]
    Forbidden,
    /// The caller's token has a version that the stream has not reached. No command has returned such a token.
    #[error("{stream} has not reached version {shown}")]
    Ahead {
        /// The stream.
        stream: StreamId,
        /// The version in the token.
        shown: Version,
    },
}

/// The row of a stream, at least as new as the token. If the stored row is older, the missing events are folded in
/// from the log, except events that were skipped for the projection. If there is no row, it is folded from the log, so
/// a new stream is never reported as unknown.
///
/// # Errors
/// [`QueryError`].
pub async fn fresh_row<P: Projection>(
    rows: &dyn RowReader,
    log: &dyn EventReader,
    skips: &dyn Skips,
    stream: &StreamId,
    token: Option<&ConsistencyToken>,
) -> Result<Option<Fresh<P::Row>>, QueryError> {
    let stored = rows.get(stream).await?;
    let seen = seen_of(stream, token);
    let reached = Reached::<P::Row>::stored::<P>(stored.as_ref())?;
    if stored.is_some() && seen.is_none_or(|seen| seen <= reached.version) {
        return Ok(reached.into());
    }
    let reached = fold_on::<P>(reached, (log, skips), stream).await?;
    check_reached(stream, seen, reached.version)?;
    Ok(reached.into())
}

/// The row of a stream with every event of the log, for answers that must not be older than a command that somebody else
/// sent, for example a balance. Costs one read of the log more than [`fresh_row`] without a token.
///
/// # Errors
/// [`QueryError`].
pub async fn current_row<P: Projection>(
    rows: &dyn RowReader,
    log: &dyn EventReader,
    skips: &dyn Skips,
    stream: &StreamId,
    token: Option<&ConsistencyToken>,
) -> Result<Option<Fresh<P::Row>>, QueryError> {
    let stored = rows.get(stream).await?;
    let reached = Reached::<P::Row>::stored::<P>(stored.as_ref())?;
    let reached = fold_on::<P>(reached, (log, skips), stream).await?;
    check_reached(stream, seen_of(stream, token), reached.version)?;
    Ok(reached.into())
}

/// The version of the stream that the caller must see.
fn seen_of(stream: &StreamId, token: Option<&ConsistencyToken>) -> Option<Version> {
    token.filter(|token| token.stream == *stream).map(|token| token.version)
}

/// The fold of a stream up to a version. The row is `None` if the fold has no row.
struct Reached<R> {
    row: Option<R>,
    version: Version,
}

impl<R> Reached<R> {
    fn stored<P: Projection<Row = R>>(stored: Option<&StoredRow>) -> Result<Self, ReadStoreError> {
        Ok(match stored {
            Some(stored) => Self { row: read_row::<P>(stored)?, version: stored.version },
            None => Self { row: None, version: Version::NONE },
        })
    }
}

impl<R> From<Reached<R>> for Option<Fresh<R>> {
    fn from(Reached { row, version }: Reached<R>) -> Self {
        row.map(|row| Fresh { row, version })
    }
}

/// Folds the rest of the stream from the log.
async fn fold_on<P: Projection>(
    Reached { mut row, mut version }: Reached<P::Row>,
    (log, skips): (&dyn EventReader, &dyn Skips),
    stream: &StreamId,
) -> Result<Reached<P::Row>, QueryError> {
    let mut skipped = Skipped::default();
    loop {
        let page = read_log(version, stream, log).await?;
        let fold = |skipped: &_| fold::<P>(row.clone(), &page.events, skipped);
        row = skipped.fold(stream, skips, fold).await?;
        version = version.advance(page.events.len());
        if !page.more {
            return Ok(Reached { row, version });
        }
    }
}

pub(super) fn check_reached(
    stream: &StreamId,
    seen: Option<Version>,
    version: Version,
) -> Result<(), QueryError> {
    match seen {
        Some(shown) if shown > version => Err(QueryError::Ahead { stream: stream.clone(), shown }),
        _ => Ok(()),
    }
}

/// A page of a list, newest first. The row of the token's stream is at least as new as the token, even while the index
/// lags: this row is read as by [`fresh_row`] and inserted at its place.
///
/// # Errors
/// [`QueryError`].
pub async fn fresh_list<P: Projection>(
    rows: &dyn RowReader,
    log: &dyn EventReader,
    skips: &dyn Skips,
    listing: &Listing,
    token: Option<&ConsistencyToken>,
) -> Result<Vec<Listed<P::Row>>, QueryError> {
    let token = token.filter(|token| *token.stream.tenant() == listing.tenant);
    // One row more than requested, because the token's row is removed from the result: the index may have an
    // old version of it, at an old place.
    let limit = listing.limit + usize::from(token.is_some());
    let mut stored = rows.list(&Listing { limit, ..listing.clone() }).await?;
    stored.retain(|row| token.is_none_or(|token| row.stream != token.stream));
    let mut page = Vec::new();
    for row in &stored {
        page.extend(list_entry::<P>(row)?);
    }
    let Some(token) = token else { return Ok(page) };
    let fresh = fresh_row::<P>(rows, log, skips, &token.stream, Some(token)).await?;
    // A row with an invalid place is in no list, and its stream is quarantined.
    let key = index_of::<P>(fresh.as_ref().map(|fresh| &fresh.row)).unwrap_or_default();
    if let (Some(fresh), Some(key)) = (fresh, key) {
        let above = listing.before.as_ref().is_none_or(|before| key.order < *before);
        if key.partition == listing.partition && above {
            let place = page.partition_point(|listed| listed.order > key.order);
            if place < page.len() || page.len() < listing.limit {
                page.insert(place, Listed { order: key.order, fresh });
            }
        }
    }
    page.truncate(listing.limit);
    Ok(page)
}

fn list_entry<P: Projection>(stored: &StoredRow) -> Result<Option<Listed<P::Row>>, QueryError> {
    let order = stored.index.as_ref().map(|index| index.order.clone());
    let row = read_row::<P>(stored)?;
    let version = stored.version;
    Ok(order.zip(row).map(|(order, row)| Listed { order, fresh: Fresh { row, version } }))
}

/// A tenant's counters with keys from `first` to `last`. With a token they contain the events of its stream at least up to its
/// version, each event once. Missing events are added from the log.
///
/// Groups are not read at one moment, so one group may show an event that another group does not show yet. The events
/// of the token's stream are an exception: all groups show them.
///
/// # Errors
/// [`QueryError`].
pub async fn fresh_counts<T: Tally>(
    counters: &dyn TallyReader,
    log: &dyn EventReader,
    skips: &dyn Skips,
    (tenant, first, last): (&TenantId, &CounterKey, &CounterKey),
    token: Option<&ConsistencyToken>,
) -> Result<Vec<Counter>, QueryError> {
    let Some(token) = token.filter(|token| token.stream.tenant() == tenant) else {
        return Ok(counters.range(tenant, first, last).await?);
    };
    let Counted { memo, counters } = counters.range_with(&token.stream, first, last).await?;
    let (past, version) = match &memo {
        Some(memo) if memo.version >= token.version => return Ok(counters),
        Some(memo) => (read_memo::<T>(memo)?, memo.version),
        None => (T::Memo::default(), Version::NONE),
    };
    let missing = count_on::<T>(past, version, (log, skips), token).await?;
    Ok(add(counters, &missing, first, last))
}

async fn count_on<T: Tally>(
    mut memo: T::Memo,
    mut version: Version,
    (log, skips): (&dyn EventReader, &dyn Skips),
    token: &ConsistencyToken,
) -> Result<Counts, QueryError> {
    let mut missing = Counts::default();
    let mut skipped = Skipped::default();
    loop {
        let page = read_log(version, &token.stream, log).await?;
        let count = |skipped: &_| count::<T>(memo.clone(), &page.events, skipped);
        let (behind, added) = skipped.fold(&token.stream, skips, count).await?;
        memo = behind;
        missing.merge(added).map_err(|reason| {
            ProjectError::Inapplicable(crate::project::Inapplicable {
                stream: token.stream.clone(),
                version,
                reason,
            })
        })?;
        version = version.advance(page.events.len());
        if !page.more {
            check_reached(&token.stream, Some(token.version), version)?;
            return Ok(missing);
        }
    }
}

fn add(
    mut counted: Vec<Counter>,
    missing: &Counts,
    first: &CounterKey,
    last: &CounterKey,
) -> Vec<Counter> {
    for (key, amounts) in missing.iter().filter(|(key, _)| first <= *key && *key <= last) {
        let place = counted.partition_point(|counter| counter.key < *key);
        if counted.get(place).is_none_or(|counter| counter.key != *key) {
            counted.insert(place, Counter { key: key.clone(), amounts: Default::default() });
        }
        for (counter, amount) in amounts {
            let sum = counted[place].amounts.entry(counter.clone()).or_default();
            *sum += i128::from(*amount);
        }
    }
    counted
}
