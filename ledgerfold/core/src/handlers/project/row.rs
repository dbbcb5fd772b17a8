use std::{fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use super::{Inapplicable, Position, ProjectError, ReadModel, Skipped, gathered::Gathered};
use crate::{
    Access, Caller, Decoded, Envelope, Event, InvalidId, Payload, Recorded, StreamId, Version,
    ports::{IndexKey, PortError, ReadStoreError, RowStore, StoredRow, Written},
    vocabulary::panics::guarded,
};

/// A read model with one row per stream. The row is the fold of the stream's events into a view for readers.
pub trait Projection: Send + Sync + 'static {
    /// The revision of the model. Raise it if the same events make other rows than before. The existing rows must then
    /// be rebuilt, and a [`Catalog`](super::Catalog) can have both revisions meanwhile.
    const REVISION: u32 = 1;

    /// The events that are folded.
    type Event: Event;
    /// The row.
    type Row: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The row after an event. It is `None` before the first event, and again if the stream should have no row any
    /// more.
    ///
    /// # Errors
    /// A sentence that explains how the event contradicts the row.
    fn evolve(
        row: Option<Self::Row>,
        event: &Recorded<Self::Event>,
    ) -> Result<Option<Self::Row>, String>;

    /// Whether a caller of the row's tenant may see the row. Without this function every caller may.
    ///
    /// Lists do not ask this rule for each row, so that no page has to be filtered. List rows by their owner, and let the
    /// query decide who may see the list.
    fn may_see(_caller: &Caller, _row: &Self::Row) -> Access {
        Access::Allowed
    }

    /// The row's place in a list, if it is listed.
    ///
    /// # Errors
    /// [`InvalidId`] if a part of the key is invalid. The event that made the row then cannot be applied.
    fn index(_row: &Self::Row) -> Result<Option<IndexKey>, InvalidId> {
        Ok(None)
    }
}

/// The fold of `events` onto a row, without those that were skipped.
pub(crate) fn fold<P: Projection>(
    row: Option<P::Row>,
    events: &[Envelope],
    skipped: &Skipped,
) -> Result<Option<P::Row>, ProjectError> {
    events.iter().try_fold(row, |row, envelope| {
        skipped.apply(row, envelope, |row| apply::<P>(row, envelope))
    })
}

fn apply<P: Projection>(
    row: Option<P::Row>,
    envelope: &Envelope,
) -> Result<Option<P::Row>, ProjectError> {
    let mut events = open::<P::Event>(envelope)?.into_iter();
    guarded(|| events.try_fold(row, |row, event| P::evolve(row, &event)))
        .unwrap_or_else(|panicked| Err(panicked.to_string()))
        .map_err(|reason| inapplicable(envelope, reason))
}

pub(super) fn open<E: Event>(envelope: &Envelope) -> Result<Decoded<Recorded<E>>, ProjectError> {
    let (stream, version) = (&envelope.stream, envelope.version);
    envelope.open().map_err(|source| ProjectError::Event {
        stream: stream.clone(),
        version,
        source,
    })
}

pub(crate) fn inapplicable(envelope: &Envelope, reason: String) -> ProjectError {
    let (stream, version) = (envelope.stream.clone(), envelope.version);
    Inapplicable { stream, version, reason }.into()
}

/// The decoded row.
pub(crate) fn read_row<P: Projection>(
    stored: &StoredRow,
) -> Result<Option<P::Row>, ReadStoreError> {
    let row = stored.body.as_ref().map(Payload::decode).transpose();
    row.map_err(|error| ReadStoreError::Corrupt {
        key: stored.stream.to_string(),
        reason: error.to_string(),
    })
}

/// The encoded row, with its place in the list.
pub(crate) fn stored_row<P: Projection>(
    stream: &StreamId,
    version: Version,
    row: Option<&P::Row>,
) -> Result<StoredRow, ProjectError> {
    let body = row.map(Payload::encode).transpose()?;
    let index = index_of::<P>(row)?;
    Ok(StoredRow { stream: stream.clone(), version, body, index })
}

/// The place of a row in the list. An invalid place is not blamed on a single event, because the event is unknown.
pub(crate) fn index_of<P: Projection>(
    row: Option<&P::Row>,
) -> Result<Option<IndexKey>, ProjectError> {
    Ok(guarded(|| row.map_or(Ok(None), P::index))??)
}

/// A [`Projection`] with the table of its rows.
pub struct RowModel<P> {
    pub(crate) rows: Arc<dyn RowStore>,
    /// The reads of concurrent streams.
    reads: Gathered<StreamId, Result<Option<StoredRow>, ReadStoreError>>,
    projection: PhantomData<fn() -> P>,
}

impl<P: Projection> RowModel<P> {
    /// The model with this table.
    pub fn new(rows: Arc<dyn RowStore>) -> Self {
        Self { rows, reads: Gathered::default(), projection: PhantomData }
    }
}

#[async_trait]
impl<P: Projection> ReadModel for RowModel<P> {
    /// As many as a batch has by default. Each stream writes its own row.
    fn streams_at_once(&self) -> usize {
        10
    }

    async fn open(&self, stream: &StreamId) -> Result<Box<dyn Position>, ProjectError> {
        let rows = &self.rows;
        let read = async |streams: Vec<StreamId>| rows.get_all(&streams).await;
        let stored = self.reads.call(stream.clone(), read).await.unwrap_or_else(unanswered)?;
        let (version, row) = match &stored {
            Some(stored) => (stored.version, read_row::<P>(stored)?),
            None => (Version::NONE, None),
        };
        let rows = rows.clone();
        Ok(Box::new(RowPosition::<P> { rows, stream: stream.clone(), version, row }))
    }
}

/// The result of a gathered call that was never sent.
pub(super) fn unanswered<T>() -> Result<T, ReadStoreError> {
    Err(ReadStoreError::Port(PortError::Unavailable(
        "another stream of the batch failed before it sent the request".into(),
    )))
}

struct RowPosition<P: Projection> {
    rows: Arc<dyn RowStore>,
    stream: StreamId,
    version: Version,
    row: Option<P::Row>,
}

#[async_trait]
impl<P: Projection> Position for RowPosition<P> {
    fn version(&self) -> Version {
        self.version
    }

    async fn advance(
        &mut self,
        events: &[Envelope],
        skipped: &Skipped,
    ) -> Result<Written, ProjectError> {
        let row = fold::<P>(self.row.clone(), events, skipped)?;
        let version = self.version.advance(events.len());
        let stored = stored_row::<P>(&self.stream, version, row.as_ref())?;
        let written = self.rows.put(&stored).await?;
        (self.row, self.version) = (row, version);
        Ok(written)
    }
}
