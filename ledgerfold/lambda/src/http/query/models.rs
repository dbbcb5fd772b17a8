//! The read models behind queries.

use std::{marker::PhantomData, ops::RangeInclusive, sync::Arc};

use ledgerfold::{
    Access, Event, StreamId, Version,
    context::{QueryPorts, Readable, Undeclared},
    ports::{
        Counter, CounterKey, EventReader, IndexOrder, IndexPartition, Listing, PartGroup,
        PartOrder, PartRange, PartReader, RowReader, TallyReader,
    },
    project::{Parted, Projection, Tally},
    query::{
        AuditPage, AuditPosition, EventPage, Fresh, Listed, PartPage, QueryError, Until, as_of,
        audit, commit_hash, current_row, events, fresh_counts, fresh_list, fresh_parts, fresh_row,
    },
    vocabulary::{CommitHash, Cursor},
};

use super::{Limit, List, Page, PageCursor, QueryCall};
use crate::http::Problem;

/// The read models of a query. Implement this trait for an own type if a query needs several, or reads something else.
pub trait Models: Sized + Send + Sync + 'static {
    /// Whether it needs the keys of the context, which must then have a domain that seals.
    const OPENS: bool = false;

    /// Whether it records reads. Such a query does not wait for news, because each attempt would be a read.
    const RECORDS: bool = false;

    /// Opens the read models when the function starts.
    ///
    /// # Errors
    /// [`Undeclared`] if the context does not have one of them.
    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared>;
}

/// Two kinds of read models.
impl<A: Models, B: Models> Models for (A, B) {
    const OPENS: bool = A::OPENS || B::OPENS;
    const RECORDS: bool = A::RECORDS || B::RECORDS;

    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok((A::open(ports)?, B::open(ports)?))
    }
}

/// The rows of a projection.
pub struct Rows<P> {
    rows: Readable<dyn RowReader>,
    projection: PhantomData<fn() -> P>,
}

impl<P: Projection> Models for Rows<P> {
    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self { rows: ports.rows::<P>()?, projection: PhantomData })
    }
}

impl<P: Projection> Rows<P> {
    /// The row of a stream, at least as new as the caller's token. `None` if there is no row, or if
    /// [`Projection::may_see`] hides it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        stream: &StreamId,
        call: QueryCall<'_>,
    ) -> Result<Option<Fresh<P::Row>>, QueryError> {
        let Readable { table, log, skips, .. } = &self.rows;
        let token = self.rows.relevant(call.token);
        let found = fresh_row::<P>(&**table, &**log, &**skips, stream, token).await?;
        visible::<P>(found, call)
    }

    /// The row of a stream with every event of the log, at the cost of one more read. For answers that must not be older
    /// than a command of somebody else, for example a balance.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn current(
        &self,
        stream: &StreamId,
        call: QueryCall<'_>,
    ) -> Result<Option<Fresh<P::Row>>, QueryError> {
        let Readable { table, log, skips, .. } = &self.rows;
        let token = self.rows.relevant(call.token);
        let found = current_row::<P>(&**table, &**log, &**skips, stream, token).await?;
        visible::<P>(found, call)
    }

    /// The row as it was at a point in the past.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn as_of(
        &self,
        stream: &StreamId,
        until: Until,
        call: QueryCall<'_>,
    ) -> Result<Option<Fresh<P::Row>>, QueryError> {
        let found = as_of::<P>(&*self.rows.log, &*self.rows.skips, stream, until).await?;
        visible::<P>(found, call)
    }

    /// A page of a list of the caller's tenant, from the highest place down, at least as new as the caller's token, with the cursor of the next
    /// page. Places are those of [`Projection::index`], and the projection must be declared with `listed_by`. `list` names
    /// the list in its cursors, so that a cursor of another list is refused.
    ///
    /// # Errors
    /// 400 for a cursor of another list; otherwise those of the read table.
    pub async fn page(
        &self,
        list: &str,
        partition: impl Into<IndexPartition>,
        limit: Limit,
        cursor: Option<&PageCursor>,
        call: QueryCall<'_>,
    ) -> Result<List<Fresh<P::Row>>, Problem> {
        let tenant = call.caller().tenant.clone();
        let list = &format!("{tenant}/{list}");
        let Page { limit, from } = Page::<IndexOrder>::of(list, limit, cursor)?;
        // One extra row shows whether there is another page.
        let listing =
            Listing { tenant, partition: partition.into(), before: from, limit: limit + 1 };
        let mut rows = self.list(&listing, call).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more).map(|last| P::index(&last.fresh.row));
        let place = last.and_then(Result::ok).flatten();
        let next_cursor = place.map(|place| Cursor(place.order).to_text(list));
        Ok(List { items: rows.into_iter().map(|listed| listed.fresh).collect(), next_cursor })
    }

    /// A part of a list, newest first, at least as new as the caller's token.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(
        &self,
        listing: &Listing,
        call: QueryCall<'_>,
    ) -> Result<Vec<Listed<P::Row>>, QueryError> {
        let Readable { table, log, skips, .. } = &self.rows;
        let token = self.rows.relevant(call.token);
        fresh_list::<P>(&**table, &**log, &**skips, listing, token).await
    }
}

/// The row, if the rule of its projection shows it to the caller.
fn visible<P: Projection>(
    found: Option<Fresh<P::Row>>,
    call: QueryCall<'_>,
) -> Result<Option<Fresh<P::Row>>, QueryError> {
    match found.as_ref().map(|found| P::may_see(call.caller(), &found.row)) {
        None | Some(Access::Allowed) => Ok(found),
        Some(Access::Hidden) => Ok(None),
        Some(Access::Forbidden) => Err(QueryError::Forbidden),
    }
}

/// The counters of a tally.
pub struct Counters<T> {
    counters: Readable<dyn TallyReader>,
    tally: PhantomData<fn() -> T>,
}

impl<T: Tally> Models for Counters<T> {
    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self { counters: ports.tallies::<T>()?, tally: PhantomData })
    }
}

impl<T: Tally> Counters<T> {
    /// The counters of the caller's tenant from one key to another, both included, at least as new as the caller's token.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
        call: QueryCall<'_>,
    ) -> Result<Vec<Counter>, QueryError> {
        let Readable { table, log, skips, .. } = &self.counters;
        let token = self.counters.relevant(call.token);
        fresh_counts::<T>(&**table, &**log, &**skips, (&call.caller().tenant, first, last), token)
            .await
    }
}

/// The parts of a read model.
pub struct Parts<P> {
    parts: Readable<dyn PartReader>,
    model: PhantomData<fn() -> P>,
}

impl<P: Parted> Models for Parts<P> {
    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self { parts: ports.parts::<P>()?, model: PhantomData })
    }
}

impl<P: Parted> Parts<P> {
    /// The parts of a group of the caller's tenant from one order to another, both included, at least as new as the caller's
    /// token; at most `limit`, and those of the token's events.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn range(
        &self,
        group: &PartGroup,
        (first, last): (PartOrder, PartOrder),
        limit: usize,
        call: QueryCall<'_>,
    ) -> Result<PartPage<P::Part>, QueryError> {
        let Readable { table, log, skips, .. } = &self.parts;
        let token = self.parts.relevant(call.token);
        let tenant = call.caller().tenant.clone();
        let range = PartRange { tenant, group: group.clone(), first, last, limit };
        fresh_parts::<P>(&**table, &**log, &**skips, &range, token).await
    }
}

/// The log itself, which is always current.
pub struct EventLog(Arc<dyn EventReader>);

impl Models for EventLog {
    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self(ports.log()))
    }
}

impl EventLog {
    /// A page of a stream's events, oldest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn page(
        &self,
        stream: &StreamId,
        from: AuditPosition,
        limit: usize,
    ) -> Result<AuditPage, QueryError> {
        audit(&*self.0, stream, from, limit).await
    }

    /// A page of a stream's events with these versions, in their types of today, oldest first: see
    /// [`ledgerfold::query::events`].
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn events<E: Event>(
        &self,
        stream: &StreamId,
        versions: RangeInclusive<Version>,
        from: AuditPosition,
        limit: usize,
    ) -> Result<EventPage<E>, QueryError> {
        events::<E>(&*self.0, stream, versions, from, limit).await
    }

    /// The stored hash of the commit with this version, if the stream has reached it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn commit_hash(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<CommitHash>, QueryError> {
        Ok(commit_hash(&*self.0, stream, version).await?)
    }
}
