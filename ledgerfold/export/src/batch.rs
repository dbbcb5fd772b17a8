//! Rows as units of files. Everything here is a function of the rows.

use std::collections::BTreeMap;

use jiff::civil::Date;
use ledgerfold::vocabulary::ContentId;
use parquet::errors::{ParquetError, Result};

use crate::{
    envelopes,
    manifest::{File, Unit},
    row::Row,
    typed::Tables,
};

/// The table with all events.
pub(crate) const EVENTS: &str = "events";

/// A unit with the content of its files.
#[derive(Clone, Debug)]
pub(crate) struct NewUnit {
    pub(crate) unit: Unit,
    /// By the place of the file in the unit.
    pub(crate) contents: Vec<Vec<u8>>,
}

/// The units of these rows, one for each day. The order of the rows does not matter.
pub(crate) fn units(mut rows: Vec<Row>, tables: &Tables) -> Result<Vec<NewUnit>> {
    rows.sort_by(|one, other| one.place().cmp(&other.place()));
    if let Some([twice, _]) = rows.array_windows().find(|[one, next]| one.place() == next.place()) {
        let Row { stream, version, .. } = twice;
        return Err(ParquetError::General(format!("event {version} of {stream} is there twice")));
    }
    let mut days = BTreeMap::<Date, Vec<Row>>::new();
    for row in rows {
        days.entry(row.day()).or_default().push(row);
    }
    days.into_iter().map(|(day, rows)| unit(day, &rows, tables)).collect()
}

/// The unit of the sorted rows of one day.
pub(crate) fn unit(day: Date, rows: &[Row], tables: &Tables) -> Result<NewUnit> {
    let mut by_table = BTreeMap::<String, Vec<&Row>>::new();
    for row in rows {
        if let Some(table) = tables.name_of(row) {
            by_table.entry(table).or_default().push(row);
        }
    }
    let mut unit = Unit { day, rows: count(rows.len()), files: Vec::new() };
    let mut contents = vec![envelopes::encode(rows)?];
    unit.files.push(file((EVENTS, ""), day, rows.len(), &contents[0]));
    for (table, rows) in by_table {
        let content = tables.encode(&table, &rows)?;
        let columns = tables.columns_of(&table).map(String::as_str).unwrap_or_default();
        unit.files.push(file((&table, columns), day, rows.len(), &content));
        contents.push(content);
    }
    Ok(NewUnit { unit, contents })
}

fn file((table, columns): (&str, &str), day: Date, rows: usize, content: &[u8]) -> File {
    let key = format!("{table}/day={day}/{}.parquet", ContentId::of(content));
    let (table, columns) = (table.to_owned(), columns.to_owned());
    File { table, key, columns, rows: count(rows), bytes: count(content.len()) }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
