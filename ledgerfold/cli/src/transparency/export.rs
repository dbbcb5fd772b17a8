//! Commits from files: one item in the JSON form of DynamoDB in each line, as its export to S3 has them, unpacked.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::{Map, Value};

use super::LogCommandError;

/// Gives each item of a file to the caller.
pub(super) fn items(
    path: &Path,
    mut take: impl FnMut(Map<String, Value>),
) -> Result<(), LogCommandError> {
    let unreadable = |source| LogCommandError::Unreadable { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    for (number, line) in (1..).zip(file.lines()) {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        let item = parse(&line);
        take(item.ok_or_else(|| LogCommandError::Export { path: path.to_owned(), line: number })?);
    }
    Ok(())
}

/// The item of a line: `{"Item": {…}}`, or the item alone.
fn parse(line: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(line).ok()? {
        Value::Object(mut line) => match line.remove("Item") {
            Some(Value::Object(item)) => Some(item),
            Some(_) => None,
            None => Some(line),
        },
        _ => None,
    }
}
