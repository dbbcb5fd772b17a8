//! Tables.

use crate::document::{Map, Resource, Value, list, map};

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
pub(crate) struct Index<'a>(pub &'a str);

/// A table that is billed by request, with point-in-time recovery.
pub(crate) fn table(id: &str, keys: &[Key], index: Option<Index<'_>>) -> Resource {
    let mut attributes: Vec<_> = keys.iter().map(attribute).collect();
    let mut properties = map! { BillingMode: "PAY_PER_REQUEST", KeySchema: schema(keys) };
    if let Some(Index(name)) = index {
        attributes.extend([Key::LIST, Key::PLACE].iter().map(attribute));
        let index = map! {
            IndexName: name,
            KeySchema: schema(&[Key::LIST, Key::PLACE]),
            Projection: map! { ProjectionType: "ALL" },
        };
        properties =
            properties.with("AttributeDefinitions", attributes.into_iter().collect::<Value>());
        properties = properties.with("GlobalSecondaryIndexes", list![index]);
    } else {
        properties =
            properties.with("AttributeDefinitions", attributes.into_iter().collect::<Value>());
    }
    let recovery = map! { PointInTimeRecoveryEnabled: true };
    properties = properties.with("PointInTimeRecoverySpecification", recovery);
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
