//! One operation: how it is opened, and its description.

use std::sync::Arc;

use ledgerfold::{__private::example_json, Category, Decider};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use serde_json::Value;

use super::{ApiError, Template, router::Endpoint};
use crate::http::{
    Answer, CommandSide, Handles, HttpCommand, HttpJointCommand, HttpQuery, Jointly, Models,
    RequiredHeader, Success,
    command::{CommandChecks, CommandEndpoint, check_location},
    query::{QueryChecks, QueryEndpoint, QuerySide},
};

/// The kind of an operation, which decides its method and its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::http) enum Kind {
    Command,
    Query,
}

/// An operation of an API.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Operation {
    pub(in crate::http) kind: Kind,
    pub(in crate::http) path: &'static str,
    /// Whether it seals or opens.
    pub(super) has_keys: bool,
    pub(super) open: Open,
    pub(super) check: Check,
    pub(in crate::http) describe: fn(&mut Generators) -> Description,
}

/// Opens an operation over the ports of its kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Open {
    Command(OpenCommand),
    Query(OpenQuery),
}

/// Finds contradictions between a type and its path.
type Check = fn(&Template) -> Result<(), ApiError>;
type OpenCommand = fn(&mut CommandSide<'_>) -> Arc<dyn Endpoint>;
type OpenQuery = fn(&QuerySide<'_>) -> Result<Arc<dyn Endpoint>, ApiError>;

/// Everything that the document says about an operation.
pub(in crate::http) struct Description {
    /// The name of its type.
    pub(in crate::http) name: String,
    /// The schema of its type. Its fields are parameters and fields of the body.
    pub(in crate::http) schema: Schema,
    /// An example of its type.
    pub(in crate::http) example: Value,
    pub(in crate::http) part: Part,
}

/// The part of a description that depends on the kind.
pub(in crate::http) enum Part {
    Command(CommandPart),
    Query(QueryPart),
}

pub(in crate::http) struct CommandPart {
    pub(in crate::http) refusals: &'static [&'static str],
    /// The field that the service fills.
    pub(in crate::http) adds: Option<&'static str>,
    pub(in crate::http) needs_key: bool,
    pub(in crate::http) creates: Option<Category>,
    pub(in crate::http) may_not_find: bool,
    pub(in crate::http) seals: bool,
    /// Each success with the schema of its body.
    pub(in crate::http) successes: Vec<(Success, Schema)>,
}

pub(in crate::http) struct QueryPart {
    pub(in crate::http) category: Category,
    pub(in crate::http) answer: Schema,
    pub(in crate::http) has_version: bool,
    pub(in crate::http) opens: bool,
    pub(in crate::http) headers: &'static [RequiredHeader],
    /// The media types beside JSON.
    pub(in crate::http) also: &'static [&'static str],
}

/// Collects the schemas of all types. Requests and answers differ: an optional field of a request may be missing, and one
/// of an answer is null.
pub(in crate::http) struct Generators {
    pub(in crate::http) requests: SchemaGenerator,
    pub(in crate::http) answers: SchemaGenerator,
}

impl Generators {
    pub(in crate::http) fn new() -> Self {
        let settings = || {
            let path = "/components/schemas".into();
            SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = path)
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }
}

impl Operation {
    pub(super) fn command<C: HttpCommand, H: Handles<C>>() -> Self {
        Self {
            kind: Kind::Command,
            path: C::PATH,
            has_keys: H::SEALS,
            open: Open::Command(|side| Arc::new(CommandEndpoint::<C, H>::open(side))),
            check: |template| CommandChecks::of::<C>(template).map(drop),
            describe: |generators| {
                let successes = H::successes().into_iter().map(|success| {
                    let body = (success.body)(&mut generators.answers);
                    (success, body)
                });
                let part = CommandPart {
                    refusals: C::REFUSALS,
                    adds: C::ADDS,
                    needs_key: H::NEEDS_KEY,
                    creates: H::creates(),
                    may_not_find: H::MAY_NOT_FIND,
                    seals: H::SEALS,
                    successes: successes.collect(),
                };
                describe(&C::example(), generators, Part::Command(part))
            },
        }
    }

    pub(super) fn joint_command<C: HttpJointCommand>() -> Self {
        let check: Check = |template| {
            CommandChecks::of::<C>(template)?;
            check_location::<C>(template)
        };
        Self { check, ..Self::command::<C, Jointly<C>>() }
    }

    pub(super) fn query<Q: HttpQuery>() -> Self {
        Self {
            kind: Kind::Query,
            path: Q::PATH,
            has_keys: Q::Models::OPENS,
            open: Open::Query(|side| Ok(Arc::new(QueryEndpoint::<Q>::open(side)?))),
            check: |template| QueryChecks::of::<Q>(template).map(drop),
            describe: |generators| {
                let part = QueryPart {
                    category: Q::Decider::CATEGORY,
                    answer: generators.answers.subschema_for::<<Q::Answer as Answer>::Body>(),
                    has_version: Q::Answer::HAS_VERSION,
                    opens: Q::Models::OPENS,
                    headers: Q::HEADERS,
                    also: Q::Answer::ALSO,
                };
                describe(&Q::example(), generators, Part::Query(part))
            },
        }
    }
}

fn describe<T: JsonSchema + Serialize>(
    example: &T,
    generators: &mut Generators,
    part: Part,
) -> Description {
    Description {
        name: T::schema_name().into_owned(),
        schema: T::json_schema(&mut generators.requests),
        // A request is a struct of JSON values; its test would show an example that is none. Its person is invented.
        example: example_json(example).unwrap_or_default(),
        part,
    }
}
