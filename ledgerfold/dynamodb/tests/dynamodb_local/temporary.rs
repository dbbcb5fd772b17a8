//! Tables that are deleted after a test.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use ledgerfold::{
    CommandId, StreamId, Version,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, Newest, Span, StoreError,
        Transaction,
    },
    vocabulary::{NewCommit, StateSchema},
};
use ledgerfold_dynamodb::DynamoEventStore;

use crate::tables;

/// A log whose tables are deleted when it is dropped, even after a failed test, so that a cloud that keeps running is
/// left unchanged.
pub(crate) struct Temporary {
    pub(crate) store: DynamoEventStore,
    pub(crate) tables: [String; 2],
}

#[async_trait]
impl EventReader for Temporary {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.store.read(stream, after).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.store.read_back(stream, span, commits).await
    }

    async fn read_back_to(
        &self,
        schema: &StateSchema,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<Newest, StoreError> {
        self.store.read_back_to(schema, stream, span, commits).await
    }

    async fn head(&self, stream: &StreamId) -> Result<Version, StoreError> {
        self.store.head(stream).await
    }
}

#[async_trait]
impl EventStore for Temporary {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        self.store.append(new).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.store.transact(transaction).await
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.store.record(command).await
    }
}

impl Drop for Temporary {
    /// Runs on a thread with its own runtime, because the test's runtime is blocked by the drop.
    fn drop(&mut self) {
        let tables = std::mem::take(&mut self.tables);
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let client = Client::from_conf(tables::config().build());
                for table in tables {
                    client.delete_table().table_name(table).send().await?;
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        });
        if !matches!(deleted.join(), Ok(Ok(()))) {
            eprintln!("the tables of this test could not be deleted");
        }
    }
}
