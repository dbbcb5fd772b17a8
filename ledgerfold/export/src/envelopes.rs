//! The table `events`: one row for each event, of any type.

use parquet::errors::Result;

use crate::{
    parquet_file::{Column, Reader, Values, write},
    row::Row,
};

/// The file with these rows.
pub(crate) fn encode(rows: &[Row]) -> Result<Vec<u8>> {
    let text = |name, of: fn(&Row) -> &String| {
        column(name, Values::Text(rows.iter().map(|row| of(row).clone()).collect()))
    };
    let integers = |of: fn(&Row) -> i64| rows.iter().map(of).collect();
    let trace = rows.iter().map(|row| row.traceparent.clone()).collect();
    let data = rows.iter().map(|row| Some(row.data.clone())).collect();
    write(&[
        text("stream", |row| &row.stream),
        text("tenant", |row| &row.tenant),
        text("category", |row| &row.category),
        text("entity_id", |row| &row.entity_id),
        column("version", Values::Integers(integers(|row| row.version))),
        text("event_id", |row| &row.event_id),
        text("event_type", |row| &row.event_type),
        column("schema_version", Values::Integers(integers(|row| row.schema_version))),
        column("recorded_at", Values::Times(integers(|row| row.recorded_at))),
        column("commit_from", Values::Integers(integers(|row| row.commit.0))),
        column("commit_to", Values::Integers(integers(|row| row.commit.1))),
        text("command_id", |row| &row.command_id),
        text("correlation_id", |row| &row.correlation_id),
        text("causation_id", |row| &row.causation_id),
        text("actor", |row| &row.actor),
        column("traceparent", Values::OptionalText(trace)),
        column("data", Values::Json(data)),
    ])
}

/// The rows of such a file, in its order.
pub(crate) fn decode(content: Vec<u8>) -> Result<Vec<Row>> {
    let mut file = Reader::open(content)?;
    let mut stream = file.texts("stream")?.into_iter();
    let mut tenant = file.texts("tenant")?.into_iter();
    let mut category = file.texts("category")?.into_iter();
    let mut entity = file.texts("entity_id")?.into_iter();
    let mut version = file.integers("version")?.into_iter();
    let mut event = file.texts("event_id")?.into_iter();
    let mut kind = file.texts("event_type")?.into_iter();
    let mut schema = file.integers("schema_version")?.into_iter();
    let mut recorded = file.integers("recorded_at")?.into_iter();
    let mut from = file.integers("commit_from")?.into_iter();
    let mut to = file.integers("commit_to")?.into_iter();
    let mut command = file.texts("command_id")?.into_iter();
    let mut correlation = file.texts("correlation_id")?.into_iter();
    let mut causation = file.texts("causation_id")?.into_iter();
    let mut actor = file.texts("actor")?.into_iter();
    let mut trace = file.optional_texts("traceparent")?.into_iter();
    let mut data = file.texts("data")?.into_iter();
    // Every column has as many values as the file has rows.
    let row = || {
        Some(Row {
            stream: stream.next()?,
            tenant: tenant.next()?,
            category: category.next()?,
            entity_id: entity.next()?,
            version: version.next()?,
            event_id: event.next()?,
            event_type: kind.next()?,
            schema_version: schema.next()?,
            recorded_at: recorded.next()?,
            commit: (from.next()?, to.next()?),
            command_id: command.next()?,
            correlation_id: correlation.next()?,
            causation_id: causation.next()?,
            actor: actor.next()?,
            traceparent: trace.next()?,
            data: data.next()?,
        })
    };
    Ok(std::iter::from_fn(row).collect())
}

fn column(name: &str, values: Values) -> Column {
    Column { name: name.to_owned(), values }
}
