//! Measures the cost of one stream.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::DisplayErrorContext,
    operation::query::QueryOutput,
    types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity},
};
use ledgerfold::StreamId;
use ledgerfold_dynamodb::{CommitItem, item_size};
use serde::Serialize;

use crate::error::CliError;

const READ_UNIT_BYTES: usize = 4096;
const WRITE_UNIT_BYTES: usize = 1024;

/// A stream, with the cost of appending to it and of loading it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Measured {
    pub(super) stream: StreamId,
    pub(super) commits: usize,
    pub(super) events: u64,
    pub(super) bytes: usize,
    /// The sum over all commits.
    pub(super) write_units: usize,
    /// For a cold load.
    pub(super) read_units: f64,
    pub(super) requests: usize,
    pub(super) has_snapshot: bool,
    /// The size from the newest snapshot on.
    #[serde(skip)]
    tail_bytes: usize,
}

/// Reads a whole stream.
pub(super) async fn measure(
    client: &Client,
    table: &str,
    stream: &StreamId,
) -> Result<Measured, CliError> {
    let mut measured = Measured::empty(stream);
    let mut after = None;
    loop {
        let page = client
            .query()
            .table_name(table)
            .key_condition_expression("pk = :stream")
            .expression_attribute_values(":stream", AttributeValue::S(stream.to_string()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_exclusive_start_key(after)
            .send()
            .await
            .map_err(|error| CliError::Call {
                call: "Query",
                reason: DisplayErrorContext(&error).to_string(),
            })?;
        measured.add_page(&page)?;
        after = page.last_evaluated_key;
        if after.is_none() {
            break;
        }
    }
    if measured.commits == 0 {
        return Err(CliError::NoStream { stream: stream.to_string(), until: "" });
    }
    Ok(measured.since_newest_snapshot())
}

impl Measured {
    fn empty(stream: &StreamId) -> Self {
        Self {
            stream: stream.clone(),
            commits: 0,
            events: 0,
            bytes: 0,
            write_units: 0,
            read_units: 0.0,
            requests: 0,
            has_snapshot: false,
            tail_bytes: 0,
        }
    }

    fn add_page(&mut self, page: &QueryOutput) -> Result<(), CliError> {
        let before = self.bytes;
        for item in page.items() {
            self.add(item)?;
        }
        self.requests += 1;
        let reported = page.consumed_capacity().and_then(ConsumedCapacity::capacity_units);
        self.read_units += reported.unwrap_or_else(|| read_units(self.bytes - before));
        Ok(())
    }

    fn add(&mut self, item: &HashMap<String, AttributeValue>) -> Result<(), CliError> {
        let bytes = item_size(item);
        let commit = CommitItem::from_attributes(item.clone()).map_err(|error| CliError::Call {
            call: "Query",
            reason: format!("{}: {error}", self.stream),
        })?;
        if commit.has_snapshot() {
            (self.has_snapshot, self.tail_bytes) = (true, 0);
        }
        self.commits += 1;
        self.events += commit.event_count();
        self.bytes += bytes;
        self.tail_bytes += bytes;
        self.write_units += bytes.div_ceil(WRITE_UNIT_BYTES).max(1);
        Ok(())
    }

    /// A load of a stream with a snapshot reads only from the newest commit back to the snapshot.
    fn since_newest_snapshot(self) -> Self {
        if !self.has_snapshot {
            return self;
        }
        Self { requests: 1, read_units: read_units(self.tail_bytes), ..self }
    }
}

fn read_units(bytes: usize) -> f64 {
    number(bytes.div_ceil(READ_UNIT_BYTES).max(1))
}

/// Converts a count for arithmetic with prices.
pub(super) fn number(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

#[cfg(test)]
pub(super) mod tests {
    use aws_sdk_dynamodb::{operation::query::QueryOutput, types::ConsumedCapacity};
    use ledgerfold::{
        Payload,
        command::Loaded,
        vocabulary::{RecentCommands, Snapshot, StateSchema},
    };
    use ledgerfold_dynamodb::CommitItem;
    use ledgerfold_proofs::conformance::requests::{commit, fresh};

    use super::Measured;

    /// A stream of one page of commits. With `snapshot`, the second commit has one.
    pub(in crate::costs) fn measured(notes: &[usize], snapshot: bool) -> Measured {
        let stream = fresh();
        let items = notes.iter().enumerate().map(|(at, length)| {
            let text = "n".repeat(*length);
            let one =
                commit(&Loaded::unread(stream.clone()), "attempt", &[&text], 60).into_commit();
            let snapshot = (snapshot && at == 1).then(|| Snapshot {
                schema: StateSchema::restore("s"),
                state: Payload::from_text("{}".to_owned()).expect("JSON"),
                recent: RecentCommands::restore(Vec::new()).expect("none"),
            });
            CommitItem::from(&one.with_snapshot(snapshot)).into_attributes().expect("an item")
        });
        let capacity = ConsumedCapacity::builder().capacity_units(17.0).build();
        let page = QueryOutput::builder().set_items(Some(items.collect()));
        let page = page.consumed_capacity(capacity).build();
        let mut measured = Measured::empty(&stream);
        measured.add_page(&page).expect("they are commits");
        measured.since_newest_snapshot()
    }

    #[test]
    fn a_load_costs_the_units_that_dynamodb_reports_and_an_append_each_started_kilobyte() {
        let whole = measured(&[100, 100, 3_000], false);
        assert_eq!((whole.commits, whole.events, whole.requests), (3, 3, 1));
        assert_eq!((whole.write_units, whole.has_snapshot), (1 + 1 + 4, false));
        assert!((whole.read_units - 17.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_load_reads_back_to_the_snapshot_only() {
        let short = measured(&[60_000, 100, 4_000], true);
        assert!(short.has_snapshot);
        assert!((short.read_units - 2.0).abs() < f64::EPSILON, "{}", short.read_units);
    }
}
