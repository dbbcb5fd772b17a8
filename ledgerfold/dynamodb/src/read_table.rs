//! A read table with all its generations.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures::{StreamExt, TryStreamExt, stream};
use ledgerfold::{
    ports::{
        PartReader, PartStore, PortError, ReadStoreError, ReadTable, ReadView, RemovedPage, Resume,
        RowReader, RowStore, TallyReader, TallyStore,
    },
    vocabulary::{Cursor, DamagedToken, Generation, Retired},
};

use ledgerfold_aws::Failure;

use crate::{DynamoPartStore, DynamoRowStore, DynamoTallyStore, keys, stored::Item};

/// How many items are deleted concurrently: few, so that live traffic keeps its throughput.
const CONCURRENT_DELETES: usize = 4;

/// A projection's read table in DynamoDB with all its generations.
///
/// To remove a generation, it reads the whole table, at a read unit for each 4 KB, and deletes items one by one, at
/// a write unit for each started 1 KB and for each index entry of the item.
#[derive(Clone, Debug)]
pub struct DynamoReadTable {
    client: Client,
    table: String,
    index: Option<String>,
    items_per_page: Option<i32>,
}

impl DynamoReadTable {
    /// The read table of this name.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), index: None, items_per_page: None }
    }

    /// Lists rows through this index; see [`DynamoRowStore::listed_by`].
    #[must_use]
    pub fn listed_by(self, index: impl Into<String>) -> Self {
        Self { index: Some(index.into()), ..self }
    }

    /// Reads this many items per page during a removal, instead of a megabyte.
    #[must_use]
    pub fn in_pages_of(self, items: u16) -> Self {
        Self { items_per_page: Some(i32::from(items.max(1))), ..self }
    }

    async fn delete(&self, key: Item) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        delete.send().await.map(drop).map_err(Failure::of)
    }

    fn scope(&self) -> String {
        format!("items of {}", self.table)
    }

    fn start_key(&self, from: &Resume) -> Result<Item, DamagedToken> {
        let Cursor(key) = Cursor::<Vec<(String, String)>>::parse(&from.0, &self.scope())?;
        Ok(key.into_iter().map(|(name, value)| (name, AttributeValue::S(value))).collect())
    }

    /// The last key of a page: `pk`, and `sk` if the table has it.
    fn resume(&self, key: Item) -> Resume {
        let texts = key.into_iter().filter_map(|(name, value)| match value {
            AttributeValue::S(text) => Some((name, text)),
            _ => None,
        });
        Resume(Cursor(texts.collect::<Vec<_>>()).to_text(&self.scope()))
    }
}

fn is_of(retired: &Retired, key: &Item) -> bool {
    let pk = key.get("pk").and_then(|pk| pk.as_s().ok());
    pk.is_some_and(|pk| retired.contains(keys::split(pk).0))
}

impl ReadView for DynamoReadTable {
    fn read_rows(&self, generation: Generation) -> Arc<dyn RowReader> {
        self.rows(generation)
    }

    fn read_tallies(&self, generation: Generation) -> Arc<dyn TallyReader> {
        self.tallies(generation)
    }

    fn read_parts(&self, generation: Generation) -> Arc<dyn PartReader> {
        self.parts(generation)
    }
}

#[async_trait]
impl ReadTable for DynamoReadTable {
    fn rows(&self, generation: Generation) -> Arc<dyn RowStore> {
        let rows = DynamoRowStore::new(self.client.clone(), &self.table).of_generation(generation);
        match &self.index {
            Some(index) => Arc::new(rows.listed_by(index)),
            None => Arc::new(rows),
        }
    }

    fn tallies(&self, generation: Generation) -> Arc<dyn TallyStore> {
        let tallies = DynamoTallyStore::new(self.client.clone(), &self.table);
        Arc::new(tallies.of_generation(generation))
    }

    fn parts(&self, generation: Generation) -> Arc<dyn PartStore> {
        let parts = DynamoPartStore::new(self.client.clone(), &self.table);
        Arc::new(parts.of_generation(generation))
    }

    async fn remove(
        &self,
        retired: &Retired,
        from: Option<&Resume>,
    ) -> Result<RemovedPage, ReadStoreError> {
        let start = from.map(|from| self.start_key(from)).transpose();
        let start =
            start.map_err(|error| ReadStoreError::Port(PortError::Refused(error.into())))?;
        // Rows have no `sk`, so this projection returns the key of both kinds of items.
        let page = self
            .client
            .scan()
            .table_name(&self.table)
            .projection_expression("pk, sk")
            .consistent_read(true)
            .set_limit(self.items_per_page)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(Failure::of)?;
        let found = page.items.unwrap_or_default().into_iter().filter(|key| is_of(retired, key));
        let found: Vec<_> = found.collect();
        let removed = u64::try_from(found.len()).unwrap_or(u64::MAX);
        stream::iter(found)
            .map(|key| self.delete(key))
            .buffer_unordered(CONCURRENT_DELETES)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(RemovedPage { removed, next: page.last_evaluated_key.map(|key| self.resume(key)) })
    }
}
