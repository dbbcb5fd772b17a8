//! Tables for the contestants.

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType,
    },
};

#[derive(Clone, Copy)]
pub enum Key {
    S(&'static str),
    N(&'static str),
}

impl Key {
    fn definition(self) -> AttributeDefinition {
        let (name, kind) = match self {
            Self::S(name) => (name, ScalarAttributeType::S),
            Self::N(name) => (name, ScalarAttributeType::N),
        };
        let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        definition.build().expect("name and type are set")
    }

    fn element(self, kind: KeyType) -> KeySchemaElement {
        let (Self::S(name) | Self::N(name)) = self;
        let element = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        element.build().expect("name and type are set")
    }
}

/// An index with the table's own hash key: its name and its range key.
pub type Index = (&'static str, Key);

pub async fn create_table(
    client: &Client,
    name: &str,
    hash: Key,
    range: Option<Key>,
    index: Option<Index>,
) {
    let mut table = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(hash.definition())
        .key_schema(hash.element(KeyType::Hash));
    if let Some(range) = range {
        table = table
            .attribute_definitions(range.definition())
            .key_schema(range.element(KeyType::Range));
    }
    if let Some((name, range)) = index {
        let projection = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(hash.element(KeyType::Hash))
            .key_schema(range.element(KeyType::Range))
            .projection(projection);
        table = table
            .attribute_definitions(range.definition())
            .global_secondary_indexes(index.build().expect("name and keys are set"));
    }
    table.send().await.expect("the table can be created");
}
