//! Tables.

use super::encryption::{key_if_any, with_key};
use crate::document::{Map, Resource, Value, list, map, no_value};

/// An attribute of a key, with its type.
pub(crate) struct Key(pub &'static str, pub &'static str);

impl Key {
    pub(crate) const STREAM: Self = Self("pk", "S");
    pub(crate) const SORT: Self = Self("sk", "S");
    pub(crate) const VERSION: Self = Self("sk", "N");
    pub(crate) const LIST: Self = Self("ix", "S");
    pub(crate) const PLACE: Self = Self("io", "S");
}

/// An index over the attributes `ix` and `io`.
#[derive(Clone, Copy)]
pub(crate) struct Index<'a>(pub &'a str);

/// A table that is billed by request, with point-in-time recovery.
pub(crate) fn table(id: &str, keys: &[Key], index: Option<Index<'_>>) -> Resource {
    let of_index = index.map_or(&[][..], |_| &[Key::LIST, Key::PLACE]);
    let attributes: Value = keys.iter().chain(of_index).map(attribute).collect();
    let indexes = index.map(|Index(name)| {
        let index = map! {
            IndexName: name,
            KeySchema: schema(of_index),
            Projection: map! { ProjectionType: "ALL" },
        };
        ("GlobalSecondaryIndexes", list![index])
    });
    let properties = map! {
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: schema(keys),
        AttributeDefinitions: attributes,
    };
    let encryption = map! {
        SSEEnabled: with_key(true, false),
        SSEType: with_key("KMS", no_value()),
        KMSMasterKeyId: key_if_any(),
    };
    let safety = map! {
        PointInTimeRecoverySpecification: map! { PointInTimeRecoveryEnabled: true },
        SSESpecification: encryption,
    };
    let properties = properties.and(indexes.into_iter().collect()).and(safety);
    Resource::new(id, "AWS::DynamoDB::Table", properties)
}

fn attribute(Key(name, kind): &Key) -> Map {
    map! { AttributeName: *name, AttributeType: *kind }
}

fn schema(keys: &[Key]) -> Value {
    let kinds = ["HASH", "RANGE"];
    let keys = keys.iter().zip(kinds);
    keys.map(|(Key(name, _), kind)| map! { AttributeName: *name, KeyType: kind }).collect()
}
