//! The read models behind queries.

use std::{marker::PhantomData, sync::Arc};

use ledgerfold::{
    StreamId,
    context::{QueryPorts, Readable, Undeclared},
    ports::{
        Counter, CounterKey, EventReader, IndexOrder, IndexPartition, Listing, RowReader,
        TallyReader,
    },
    project::{Projection, Tally},
    query::{
        AuditPage, AuditPosition, Fresh, Listed, QueryError, Until, as_of, audit, fresh_counts,
        fresh_list, fresh_row,
    },
    vocabulary::Cursor,
};

use super::{Limit, List, Page, PageCursor, QueryCall};
use crate::http::Problem;

/// The read models of a query. Implement this trait for an own type if a query needs several, or reads something else.
pub trait Models: Sized + Send + Sync + 'static {
    /// Opens the read models when the function starts.
    ///
    /// # Errors
    /// [`Undeclared`] if the context does not have one of them.
    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared>;
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
    /// The row of a stream, at least as new as the caller's token.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        stream: &StreamId,
        call: QueryCall<'_>,
    ) -> Result<Option<Fresh<P::Row>>, QueryError> {
        let Readable { table, log, skips } = &self.rows;
        fresh_row::<P>(&**table, &**log, &**skips, stream, call.token).await
    }

    /// The row as it was at a point in the past.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn as_of(
        &self,
        stream: &StreamId,
        until: Until,
    ) -> Result<Option<Fresh<P::Row>>, QueryError> {
        as_of::<P>(&*self.rows.log, &*self.rows.skips, stream, until).await
    }

    /// A page of a list, from the highest place down, at least as new as the caller's token, with the cursor of the next
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
        let Page { limit, from } = Page::<IndexOrder>::of(list, limit, cursor)?;
        // One extra row shows whether there is another page.
        let listing = Listing { partition: partition.into(), before: from, limit: limit + 1 };
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
        let Readable { table, log, skips } = &self.rows;
        fresh_list::<P>(&**table, &**log, &**skips, listing, call.token).await
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
    /// The counters from one key to another, both included, at least as new as the caller's token.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
        call: QueryCall<'_>,
    ) -> Result<Vec<Counter>, QueryError> {
        let Readable { table, log, skips } = &self.counters;
        fresh_counts::<T>(&**table, &**log, &**skips, (first, last), call.token).await
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
}
