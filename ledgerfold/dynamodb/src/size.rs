use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// The largest item that is stored, in bytes. DynamoDB refuses items over 400 KB; the rest is room
/// for what rides along with a commit.
pub const MAX_ITEM_BYTES: usize = 300 * 1024;

/// The largest content of one event of a commit that is kept in its item, in bytes. An event travels in
/// one call to the bus, of 256 KiB with its envelope, for which the rest is room.
pub const MAX_EVENT_BYTES: usize = 240 * 1024;

/// The largest commit whose events are kept elsewhere, in bytes: as much as every function that reads
/// it should be able to hold.
pub const MAX_CLAIMED_BYTES: usize = 5 * 1024 * 1024;

/// The size of an item as DynamoDB counts it, in bytes, from above: numbers are taken at one byte
/// per digit, where DynamoDB packs two.
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
        // A list or map costs 3 bytes, and 1 for each member.
        AttributeValue::L(values) => {
            3 + values.iter().map(|value| value_size(value) + 1).sum::<usize>()
        }
        AttributeValue::M(values) => 3 + item_size(values) + values.len(),
        _ => 1,
    }
}
