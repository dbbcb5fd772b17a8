//! The list of streams of an event table.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use ledgerfold::{
    StreamId,
    ports::{Page, Resume, Segment, StoreError, Streams, StreamsError},
    vocabulary::{Cursor, DamagedToken},
};

use ledgerfold_aws::Failure;

/// Lists the streams of an event table. It is a Scan for commits at version 1 that returns only their keys.
///
/// DynamoDB charges for the data a Scan reads, not for the data it returns: half a read unit for each 4 KB of the
/// **whole table**, so 128,000 read units for a gigabyte. One page reads up to 1 MB, for 128 units.
///
/// The Scan is eventually consistent, which halves the price: a stream that began within the last second may be
/// missing. [`strongly_consistent`](Self::strongly_consistent) avoids that.
#[derive(Clone, Debug)]
pub struct DynamoStreams {
    client: Client,
    table: String,
    items_per_page: Option<i32>,
    consistent: bool,
}

impl DynamoStreams {
    /// The streams in this event table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), items_per_page: None, consistent: false }
    }

    /// Reads at most this many commits per page, instead of a megabyte, so that a slow reader leaves throughput to
    /// others.
    #[must_use]
    pub fn in_pages_of(self, commits: u16) -> Self {
        Self { items_per_page: Some(i32::from(commits.max(1))), ..self }
    }

    /// Finds every stream that began before the call, at twice the price. A rebuild needs this.
    #[must_use]
    pub fn strongly_consistent(self) -> Self {
        Self { consistent: true, ..self }
    }

    /// The purpose in the token of a place, so that it is only valid for the same list.
    fn scope(&self, segment: Segment) -> String {
        format!("streams of {} {}/{}", self.table, segment.index(), segment.of())
    }

    /// The last key of a page.
    fn resume(&self, segment: Segment, key: &HashMap<String, AttributeValue>) -> Option<Resume> {
        let stream = key.get("pk")?.as_s().ok()?.clone();
        let version = key.get("sk")?.as_n().ok()?.clone();
        Some(Resume(Cursor((stream, version)).to_text(&self.scope(segment))))
    }

    fn start_key(
        &self,
        segment: Segment,
        from: &Resume,
    ) -> Result<HashMap<String, AttributeValue>, DamagedToken> {
        let Cursor((stream, version)) =
            Cursor::<(String, String)>::parse(&from.0, &self.scope(segment))?;
        Ok(HashMap::from([
            ("pk".to_owned(), AttributeValue::S(stream)),
            ("sk".to_owned(), AttributeValue::N(version)),
        ]))
    }
}

#[async_trait]
impl Streams for DynamoStreams {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        let start = from.map(|from| self.start_key(segment, from)).transpose()?;
        let answer = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("sk = :first")
            .expression_attribute_values(":first", AttributeValue::N("1".to_owned()))
            .projection_expression("pk, sk")
            .segment(i32::try_from(segment.index()).unwrap_or(i32::MAX))
            .total_segments(i32::try_from(segment.of()).unwrap_or(i32::MAX))
            .consistent_read(self.consistent)
            .set_limit(self.items_per_page)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::from(Failure::of(error)))?;
        let next = match &answer.last_evaluated_key {
            Some(key) => Some(self.resume(segment, key).ok_or_else(|| corrupt("a page's end"))?),
            None => None,
        };
        let streams = answer.items.unwrap_or_default().iter().map(stream).collect::<Result<_, _>>();
        Ok(Page { items: streams?, next })
    }
}

fn stream(item: &HashMap<String, AttributeValue>) -> Result<StreamId, StoreError> {
    let key = item.get("pk").and_then(|key| key.as_s().ok());
    let key = key.ok_or_else(|| corrupt("an item"))?;
    key.parse().map_err(|error: ledgerfold::InvalidId| StoreError::Corrupt {
        stream: key.clone(),
        reason: error.to_string(),
    })
}

fn corrupt(subject: &str) -> StoreError {
    StoreError::Corrupt { stream: subject.to_owned(), reason: "its key is not a commit's".into() }
}
