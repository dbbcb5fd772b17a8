//! Reading of items: first their format, then their content.
//!
//! Items of the first format have no format attribute, which saves bytes. If a program writes an item that older
//! programs would misread, it sets the attribute `format` to its format number. Older programs then retry until they
//! are replaced, instead of treating the item as damaged.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ledgerfold::ports::{NewerFormat, QuarantineError, ReadStoreError, StoreError};
use serde::de::DeserializeOwned;

/// The attributes of an item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The attribute with an item's format number.
const FORMAT: &str = "format";
/// The newest format that this program reads.
const KNOWN: u64 = 1;

/// The reason why an item cannot be read.
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
        None => Err(Unreadable::Malformed("its format is not a number".to_owned())),
    }
}

impl Unreadable {
    /// The error for a row, memo or record with this key.
    pub(crate) fn of_row(self, key: &impl ToString) -> ReadStoreError {
        let key = key.to_string();
        match self {
            Self::Newer(source) => ReadStoreError::Newer { key, source },
            Self::Malformed(reason) => ReadStoreError::Corrupt { key, reason },
        }
    }

    /// The error for a stream, unique key or command in the log.
    pub(crate) fn of_log(self, whose: &impl ToString) -> StoreError {
        let stream = whose.to_string();
        match self {
            Self::Newer(source) => StoreError::Newer { stream, source },
            Self::Malformed(reason) => StoreError::Corrupt { stream, reason },
        }
    }

    /// The error for the quarantine's entry of this stream.
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
