//! The generations of projections in a DynamoDB table.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, error::SdkError, operation::put_item::builders::PutItemFluentBuilder,
    types::AttributeValue,
};
use ledgerfold::{
    Timestamp,
    ports::{
        CopyIndex, GenerationReader, GenerationStore, PortError, ReadStoreError, SegmentProgress,
        Written,
    },
    vocabulary::{Generations, Mark, RecordCopy},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use ledgerfold_aws::Failure;

use crate::stored;

/// The sort key of a projection's record and of its copies.
const RECORD: &str = "generations";

/// The generations of projections, in a DynamoDB table that also holds their quarantines and skips.
///
/// | item | `pk` | `sk` | attributes |
/// | --- | --- | --- | --- |
/// | record | projection | `generations` | `n` its number, `generations` |
/// | copy that shows a record | `copy#<projection>#<index>` | `generations` | `n` the record's number, `generations` |
/// | marked copy | `copy#<projection>#<index>` | `generations` | `n` the announced number, `marked` the time |
/// | progress | projection | `rebuild#<run>#<segment>` | `progress` |
///
/// The record is below 1 KB. Each batch of a projector and each query reads one copy for one read unit. A change of
/// the layout costs 33 write units, any other change one.
#[derive(Clone, Debug)]
pub struct DynamoGenerationStore {
    client: Client,
    table: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct RecordItem {
    /// Projection.
    pk: String,
    sk: String,
    #[serde(rename = "n")]
    number: u64,
    generations: Generations,
}

#[derive(Debug, Serialize, Deserialize)]
struct CopyItem {
    /// `copy#<projection>#<index>`. The copies differ in the partition key, because DynamoDB limits reads by that key.
    pk: String,
    sk: String,
    #[serde(rename = "n")]
    number: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generations: Option<Generations>,
    /// Present if and only if there are no generations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marked: Option<Timestamp>,
}

impl CopyItem {
    fn new(projection: &str, index: CopyIndex, copy: &RecordCopy) -> Self {
        let pk = copy_key(projection, index);
        let sk = RECORD.to_owned();
        let number = copy.number();
        let (generations, marked) = match copy {
            RecordCopy::Current(record) => (Some(record.clone()), None),
            RecordCopy::Marked(mark) => (None, Some(mark.at)),
        };
        Self { pk, sk, number, generations, marked }
    }

    /// The copy; `None` if the item neither shows a record nor is marked.
    fn copy(self) -> Option<RecordCopy> {
        let Self { number, generations, marked, .. } = self;
        let shown = generations.map(RecordCopy::Current);
        shown.or_else(|| marked.map(|at| RecordCopy::Marked(Mark { number, at })))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ProgressItem {
    /// Projection.
    pk: String,
    sk: String,
    progress: SegmentProgress,
}

impl DynamoGenerationStore {
    /// The records in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    fn put(&self, item: &impl Serialize) -> Result<PutItemFluentBuilder, ReadStoreError> {
        let item = serde_dynamo::to_item(item);
        let item = item.map_err(|error| ReadStoreError::Port(PortError::Refused(error.into())))?;
        Ok(self.client.put_item().table_name(&self.table).set_item(Some(item)))
    }

    /// The record or a copy of it.
    async fn get<T: DeserializeOwned>(
        &self,
        projection: &str,
        key: String,
    ) -> Result<Option<T>, ReadStoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(key))
            .key("sk", text(RECORD))
            .consistent_read(true)
            .send()
            .await
            .map_err(Failure::of)?;
        let Some(item) = answer.item else { return Ok(None) };
        let item = stored::read(item).map_err(|error| error.of_row(&projection))?;
        Ok(Some(item))
    }
}

async fn written(put: PutItemFluentBuilder) -> Result<Written, ReadStoreError> {
    match put.send().await {
        Ok(_) => Ok(Written::Done),
        Err(SdkError::ServiceError(refusal))
            if refusal.err().is_conditional_check_failed_exception() =>
        {
            Ok(Written::Superseded)
        }
        Err(error) => Err(Failure::of(error).into()),
    }
}

fn copy_key(projection: &str, copy: CopyIndex) -> String {
    format!("copy#{projection}#{}", copy.get())
}

fn run_key(run: u64) -> String {
    format!("rebuild#{run}#")
}

/// Padded, so that segments sort by number. There are at most a million.
fn segment_key(run: u64, segment: u32) -> String {
    format!("{}{segment:06}", run_key(run))
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

#[async_trait]
impl GenerationReader for DynamoGenerationStore {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        let item: Option<RecordItem> = self.get(projection, projection.to_owned()).await?;
        Ok(item.map(|item| item.generations))
    }

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        let key = copy_key(projection, copy);
        let item: Option<CopyItem> = self.get(projection, key.clone()).await?;
        let Some(item) = item else { return Ok(None) };
        let reason = "the copy shows no record, and it is not marked".to_owned();
        let copy = item.copy().ok_or(ReadStoreError::Corrupt { key, reason })?;
        Ok(Some(copy))
    }
}

#[async_trait]
impl GenerationStore for DynamoGenerationStore {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        let pk = projection.to_owned();
        let sk = RECORD.to_owned();
        let number = new.number();
        let put = self.put(&RecordItem { pk, sk, number, generations: new.clone() })?;
        let put = match number.saturating_sub(1) {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            seen => put
                .condition_expression("n = :seen")
                .expression_attribute_values(":seen", AttributeValue::N(seen.to_string())),
        };
        written(put).await
    }

    async fn write_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        let put = self.put(&CopyItem::new(projection, copy, new))?;
        // The same condition as `RecordCopy::replaces`.
        let put = put
            .condition_expression(
                "attribute_not_exists(pk) OR n < :new OR (n = :new AND attribute_exists(marked))",
            )
            .expression_attribute_values(":new", AttributeValue::N(new.number().to_string()));
        written(put).await
    }

    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        let mut segments = Vec::new();
        let mut resume = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :projection AND begins_with(sk, :run)")
                .expression_attribute_values(":projection", text(projection))
                .expression_attribute_values(":run", text(run_key(run)))
                .consistent_read(true)
                .set_exclusive_start_key(resume)
                .send()
                .await
                .map_err(Failure::of)?;
            for item in page.items.unwrap_or_default() {
                let item: Result<ProgressItem, _> = stored::read(item);
                segments.push(item.map_err(|error| error.of_row(&projection))?.progress);
            }
            resume = page.last_evaluated_key;
            if resume.is_none() {
                return Ok(segments);
            }
        }
    }

    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError> {
        let pk = projection.to_owned();
        let sk = segment_key(run, progress.index);
        let put = self.put(&ProgressItem { pk, sk, progress: progress.clone() })?;
        put.send().await.map_err(Failure::of)?;
        Ok(())
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        for segment in self.progress(projection, run).await? {
            self.client
                .delete_item()
                .table_name(&self.table)
                .key("pk", text(projection))
                .key("sk", text(segment_key(run, segment.index)))
                .send()
                .await
                .map_err(Failure::of)?;
        }
        Ok(())
    }
}
