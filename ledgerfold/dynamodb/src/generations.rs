//! The generations of projections in a DynamoDB table.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, error::SdkError, operation::put_item::builders::PutItemFluentBuilder,
    types::AttributeValue,
};
use ledgerfold::{
    ports::{
        GenerationReader, GenerationStore, PortError, ReadStoreError, SegmentProgress, Written,
    },
    vocabulary::Generations,
};
use serde::{Deserialize, Serialize};

use ledgerfold_aws::Failure;

use crate::stored;

/// The sort key of a projection's record.
const RECORD: &str = "generations";

/// The generations of projections, in a DynamoDB table that also holds their quarantines and skips.
///
/// | item | `pk` | `sk` | attributes |
/// | --- | --- | --- | --- |
/// | record | projection | `generations` | `n` its number, `generations` |
/// | progress | projection | `rebuild#<run>#<segment>` | `progress` |
///
/// The record is below 1 KB. Each batch of a projector and each query reads it for one read unit, and each
/// change costs one write unit.
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
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(projection))
            .key("sk", text(RECORD))
            .consistent_read(true)
            .send()
            .await
            .map_err(Failure::of)?;
        let Some(item) = answer.item else { return Ok(None) };
        let item: RecordItem = stored::read(item).map_err(|error| error.of_row(&projection))?;
        Ok(Some(item.generations))
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
