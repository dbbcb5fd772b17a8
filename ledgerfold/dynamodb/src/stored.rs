//! How items are read: first the format that they are written in, then their content.
//!
//! An item of the first format does not say so, because each byte of an item is paid for. A program that
//! writes an item which older programs would misread puts the number of its format into the attribute
//! `format`; older programs then retry until they are replaced, instead of taking the item for damaged.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ledgerfold::ports::{NewerFormat, QuarantineError, ReadStoreError, StoreError};
use serde::de::DeserializeOwned;

/// The attributes of an item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The attribute that says which format an item is in.
const FORMAT: &str = "format";
/// The newest format that this program reads.
const KNOWN: u64 = 1;

/// Why an item cannot be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    Newer(NewerFormat),
    Malformed(String),
}

/// The content of an item.
pub(crate) fn read<T: DeserializeOwned>(
    item: impl Into<serde_dynamo::Item>,
) -> Result<T, Unreadable> {
    let item: serde_dynamo::Item = item.into();
    check_format(&item)?;
    serde_dynamo::from_item(item).map_err(|error| Unreadable::Malformed(error.to_string()))
}

fn check_format(item: &serde_dynamo::Item) -> Result<(), Unreadable> {
    let found = match item.inner().get(FORMAT) {
        None => return Ok(()),
        Some(serde_dynamo::AttributeValue::N(number)) => number.parse().ok(),
        Some(_) => None,
    };
    match found {
        Some(found) if found <= KNOWN => Ok(()),
        Some(found) => Err(Unreadable::Newer(NewerFormat { found, known: KNOWN })),
        None => Err(Unreadable::Malformed("its format is no number".to_owned())),
    }
}

impl Unreadable {
    /// Of the row, memo or record of this key.
    pub(crate) fn of_row(self, key: &impl ToString) -> ReadStoreError {
        let key = key.to_string();
        match self {
            Self::Newer(source) => ReadStoreError::Newer { key, source },
            Self::Malformed(reason) => ReadStoreError::Corrupt { key, reason },
        }
    }

    /// Of what the log keeps of this stream, key or command.
    pub(crate) fn of_log(self, whose: &impl ToString) -> StoreError {
        let stream = whose.to_string();
        match self {
            Self::Newer(source) => StoreError::Newer { stream, source },
            Self::Malformed(reason) => StoreError::Corrupt { stream, reason },
        }
    }

    /// Of the quarantine's entry of this stream.
    pub(crate) fn of_entry(self, stream: &impl ToString) -> QuarantineError {
        let stream = stream.to_string();
        match self {
            Self::Newer(source) => QuarantineError::Newer { stream, source },
            Self::Malformed(reason) => QuarantineError::Corrupt { stream, reason },
        }
    }
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Newer(format) => format.fmt(f),
            Self::Malformed(reason) => f.write_str(reason),
        }
    }
}
