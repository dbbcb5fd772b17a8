//! Sizes of items, and the limits for commits and events.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// The largest commit that is stored in an item, in bytes. DynamoDB refuses items over 400 KB; the rest leaves room
/// for a snapshot.
pub const MAX_ITEM_BYTES: usize = 300 * 1024;

/// The largest event of a commit in an item, in bytes. The bus takes an event in one call of at most 256 KiB; the
/// rest leaves room for its envelope.
pub const MAX_EVENT_BYTES: usize = 240 * 1024;

/// The largest commit with its events in a payload store, in bytes. Every function that reads it must be able to hold
/// it in memory.
pub const MAX_CLAIMED_BYTES: usize = 5 * 1024 * 1024;

/// An upper bound of an item's size as DynamoDB counts it, in bytes. Numbers count one byte per digit, although
/// DynamoDB packs two.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
pub fn item_size(item: &HashMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

pub(crate) fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len() + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => {
            texts.iter().map(|text| text.len() + 1).sum()
        }
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| blob.as_ref().len()).sum(),
        // A list or map costs 3 bytes, plus 1 for each element.
        AttributeValue::L(values) => {
            3 + values.iter().map(|value| value_size(value) + 1).sum::<usize>()
        }
        AttributeValue::M(values) => 3 + item_size(values) + values.len(),
        _ => 1,
    }
}
