//! The log in a DynamoDB table.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    operation::{
        put_item::PutItemError, query::builders::QueryFluentBuilder,
        transact_write_items::TransactWriteItemsError,
    },
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure},
};
use futures::{StreamExt, TryStreamExt, stream};
use ledgerfold::{
    CommandId, StreamId, Version,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, MAX_TRANSACTION_BYTES,
        Newest, PayloadStore, PortError, Reservations, Span, StoreError, Transaction,
    },
    vocabulary::{Commit, NewCommit, StateSchema},
};
use ledgerfold_aws::Failure;

use crate::{
    failure,
    item::CommitItem,
    record::CommandItem,
    size::{MAX_CLAIMED_BYTES, MAX_EVENT_BYTES, MAX_ITEM_BYTES, item_size, value_size},
    stored::Item,
    transaction::{self, Plan, Verdict},
};

/// How many payloads a read fetches concurrently. More would not be faster.
const CONCURRENT_FETCHES: usize = 4;

/// The log in a DynamoDB table: one commit is one item, one append is one conditional Put.
///
/// A read is one strongly consistent Query of up to 1 MB. If payloads are in another store, a page ends before
/// [`MAX_PAGE_BYTES`](ledgerfold::ports::MAX_PAGE_BYTES), and a load fetches only the payloads that it folds, none
/// before a snapshot.
///
/// An append of up to 1 KB costs one write unit, even if it loses a race; the refusal includes the winner at no extra
/// cost. In a transaction each item costs twice as much.
#[derive(Clone)]
pub struct DynamoEventStore {
    pub(crate) client: Client,
    pub(crate) table: String,
    reservations: Option<String>,
    pub(crate) reservations_per_page: Option<i32>,
    /// Shared by the clones of the log and by the publisher of the same events.
    payloads: Option<Arc<dyn PayloadStore>>,
}

impl DynamoEventStore {
    /// The log in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        let table = table.into();
        Self { client, table, reservations: None, reservations_per_page: None, payloads: None }
    }

    /// Adds a table for unique keys and for commands that are recognised for ever. Its key is `pk` (S).
    ///
    /// It is a separate table because keys are given back, while nothing is ever deleted from the log. Commands need
    /// `PutItem`, `DeleteItem`, `ConditionCheckItem` and `GetItem` on it.
    #[must_use]
    pub fn with_reservations(self, table: impl Into<String>) -> Self {
        Self { reservations: Some(table.into()), ..self }
    }

    /// Lists at most this many items of the reservation table per page, instead of a megabyte.
    #[must_use]
    pub fn with_reservations_in_pages_of(self, items: u16) -> Self {
        Self { reservations_per_page: Some(i32::from(items.max(1))), ..self }
    }

    /// The table of reservations.
    pub(crate) fn reservations(&self) -> Result<&str, StoreError> {
        self.reservations.as_deref().ok_or_else(|| {
            let reason = "the event store was made without a table for reservations";
            StoreError::Port(PortError::Refused(reason.into()))
        })
    }

    /// Adds a store for payloads: the events of commits over [`MAX_ITEM_BYTES`] go there instead of being refused.
    /// Every reader of the log or its change stream needs the same store.
    #[must_use]
    pub fn with_payloads(self, payloads: Arc<dyn PayloadStore>) -> Self {
        Self { payloads: Some(payloads), ..self }
    }

    /// Converts a commit to the item to store.
    async fn storable(&self, commit: &Commit) -> Result<Item, AppendError> {
        let item = attributes(CommitItem::from(commit))?;
        let bytes = stored_bytes(&item);
        if bytes <= MAX_ITEM_BYTES {
            self.check_events(commit)?;
            return Ok(item);
        }
        match &self.payloads {
            Some(payloads) if bytes <= MAX_CLAIMED_BYTES => {
                Ok(attributes(CommitItem::from(commit).check_in(&**payloads).await?)?)
            }
            Some(_) => Err(AppendError::TooLarge { bytes, limit: MAX_CLAIMED_BYTES }),
            None => Err(AppendError::TooLarge { bytes, limit: MAX_ITEM_BYTES }),
        }
    }

    /// Checks that the bus can carry each event. With a payload store it can: it carries a pointer instead.
    fn check_events(&self, commit: &Commit) -> Result<(), AppendError> {
        let sizes = commit.events().map(|(_, event)| event.data.as_str().len());
        match sizes.max() {
            Some(bytes) if bytes > MAX_EVENT_BYTES && self.payloads.is_none() => {
                Err(AppendError::EventTooLarge { bytes, limit: MAX_EVENT_BYTES })
            }
            _ => Ok(()),
        }
    }

    /// The items that a query finds, without payloads in another store, and whether there are more.
    async fn items(
        &self,
        stream: &StreamId,
        query: QueryFluentBuilder,
    ) -> Result<(Vec<CommitItem>, bool), StoreError> {
        let answer = query.send().await.map_err(Failure::of)?;
        let items = answer.items.unwrap_or_default().into_iter();
        let items = items
            .map(|item| CommitItem::from_attributes(item).map_err(|error| error.of_stream(stream)));
        Ok((items.collect::<Result<_, _>>()?, answer.last_evaluated_key.is_some()))
    }

    /// Converts items to commits, as many as fit into a page.
    async fn page(
        &self,
        stream: &StreamId,
        (mut items, more): (Vec<CommitItem>, bool),
    ) -> Result<CommitPage, StoreError> {
        let found = items.len();
        items.truncate(CommitPage::fitting(items.iter().map(CommitItem::content_bytes)));
        let more = more || items.len() < found;
        let commits = stream::iter(items)
            .map(|item| self.commit(stream, item))
            .buffered(CONCURRENT_FETCHES)
            .try_collect();
        Ok(CommitPage { commits: commits.await?, more })
    }

    async fn commit(&self, stream: &StreamId, item: CommitItem) -> Result<Commit, StoreError> {
        let commit = item.resolve(self.payloads.as_deref()).await;
        commit.map_err(|error| error.of_stream(stream))
    }

    /// The newest items of a span, newest first, and whether there are more.
    async fn items_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<(Vec<CommitItem>, bool), StoreError> {
        // DynamoDB refuses a range whose end is before its beginning.
        if span.is_empty() {
            return Ok((Vec::new(), false));
        }
        let last = span.before.map_or(u64::MAX, |before| before.get() - 1);
        let query = self
            .query(stream)
            .scan_index_forward(false)
            .set_limit(i32::try_from(commits).ok())
            .key_condition_expression("pk = :stream AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":first", AttributeValue::N(span.after.next().to_string()))
            .expression_attribute_values(":last", AttributeValue::N(last.to_string()));
        self.items(stream, query).await
    }

    /// A strongly consistent Query of one stream.
    fn query(&self, stream: &StreamId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .expression_attribute_values(":stream", AttributeValue::S(stream.to_string()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// The error of a commit that lost a race, with the commit that won.
    async fn conflict(&self, lost: &Commit, item: Option<Item>) -> Result<AppendError, StoreError> {
        let (stream, from) = (lost.stream(), lost.from());
        let winner = match item {
            Some(item) => {
                let item = CommitItem::from_attributes(item);
                Some(self.commit(stream, item.map_err(|error| error.of_stream(stream))?).await?)
            }
            // Some emulators refuse without returning the existing item.
            None => {
                let page = self.read_back(stream, Span::before(from.next()), 1).await?;
                page.commits.into_iter().next()
            }
        };
        let winner = winner.ok_or_else(|| StoreError::Corrupt {
            stream: stream.to_string(),
            reason: format!("version {from} is taken, and is not there"),
        })?;
        Ok(AppendError::Conflict { winner: Box::new(winner) })
    }
}

#[async_trait]
impl EventReader for DynamoEventStore {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        let query = self.query(stream);
        let query = match after {
            Version::NONE => query.key_condition_expression("pk = :stream"),
            _ => query
                .key_condition_expression("pk = :stream AND sk > :after")
                .expression_attribute_values(":after", AttributeValue::N(after.to_string())),
        };
        self.page(stream, self.items(stream, query).await?).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.page(stream, self.items_back(stream, span, commits).await?).await
    }

    async fn read_back_to(
        &self,
        schema: &StateSchema,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<Newest, StoreError> {
        let (mut items, more) = self.items_back(stream, span, commits).await?;
        let found = items.iter().enumerate().find_map(|(at, it)| Some((at, it.base(schema)?)));
        let Some((at, base)) = found else {
            return Ok(Newest::Commits(self.page(stream, (items, more)).await?));
        };
        items.truncate(at);
        items.reverse();
        let following = self.page(stream, (items, false)).await?;
        Ok(Newest::Snapshot { base, following })
    }

    async fn head(&self, stream: &StreamId) -> Result<Version, StoreError> {
        let (items, _) = self.items_back(stream, Span::ALL, 1).await?;
        Ok(items.first().map_or(Version::NONE, CommitItem::to))
    }
}

#[async_trait]
impl EventStore for DynamoEventStore {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        let commit = new.as_commit();
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(self.storable(commit).await?))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let error = match put.send().await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                Err(self.conflict(commit, refusal.item.clone()).await?)
            }
            Some(PutItemError::TransactionConflictException(_)) => Err(AppendError::Busy),
            _ => Err(StoreError::from(Failure::of(error)).into()),
        }
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        let mut items = Vec::new();
        for new in transaction.commits() {
            items.push(self.storable(new.as_commit()).await?);
        }
        let (bytes, limit) = (items.iter().map(item_size).sum(), MAX_TRANSACTION_BYTES);
        if bytes > limit {
            return Err(AppendError::TooLarge { bytes, limit });
        }
        let needs_table = transaction.strict().is_some() || !transaction.claims().is_empty();
        let reservations = if needs_table { self.reservations()? } else { "" };
        let mut plan = Plan::new(transaction, items, &self.table, reservations);
        let call = self
            .client
            .transact_write_items()
            .set_transact_items(Some(plan.take_items()?))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let error = match call.send().await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let verdict = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                plan.verdict(cancelled.cancellation_reasons())?
            }
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                Verdict::Refused(AppendError::Busy)
            }
            _ => Verdict::Unknown,
        };
        match verdict {
            Verdict::Lost { commit, item } => Err(self.conflict(commit, item).await?),
            Verdict::NotReserved { key, stream } => {
                let complete = self.read_record(stream.category()).await?.complete();
                let (key, stream) = (key.clone(), stream.clone());
                Err(AppendError::NotReserved { key, stream, complete })
            }
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Unknown => {
                let reason = error.as_service_error().and_then(failure::write_reason);
                Err(StoreError::from(failure::of_transaction(reason, error)).into())
            }
        }
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        let Some(reservations) = &self.reservations else { return Ok(None) };
        let answer = self
            .client
            .get_item()
            .table_name(reservations)
            .key("pk", CommandItem::key(command))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(Failure::of)?;
        let Some(item) = answer.item else { return Ok(None) };
        let record: CommandItem = transaction::read(Some(item), command)?;
        record.read().map(Some).map_err(|reason| transaction::corrupt(command, reason))
    }
}

fn attributes(item: CommitItem) -> Result<Item, StoreError> {
    item.into_attributes().map_err(|error| StoreError::Port(PortError::Refused(error.into())))
}

/// The size that counts against the limit: the commit without its snapshot, which has a limit of its own.
fn stored_bytes(item: &Item) -> usize {
    item_size(item) - item.get("s").map_or(0, value_size)
}
