//! The reasons why an API cannot be opened.

use ledgerfold::context::Undeclared;

use crate::http::UnsupportedSchema;

/// A declared operation contradicts itself or its context. A service with this error does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Two commands or two queries have the same path.
    #[error("two operations of the same kind have the path {0}")]
    Twice(&'static str),
    /// A parameter of the path has no field.
    #[error("the path {path} has the parameter {{{parameter}}}: add a field of this name")]
    NoField {
        /// The path.
        path: &'static str,
        /// The parameter.
        parameter: String,
    },
    /// A parameter of the `Location` has no value.
    #[error(
        "the Location {location} of {path} has the parameter {{{parameter}}}: use {{created}} or a parameter of the path"
    )]
    NoParameter {
        /// The path.
        path: &'static str,
        /// The path of the `Location`.
        location: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// A command is not a struct with named fields.
    #[error(
        "the command at {0} must be a struct with named fields, possibly none: struct Name {{}}"
    )]
    NoObject(&'static str),
    /// A name in the document stands for two schemas: those of two types, or those of one type with optional fields in
    /// requests and in answers.
    #[error("two schemas have the name {0}: rename one type with #[schemars(rename = \"…\")]")]
    TwoSchemas(String),
    /// A type cannot be checked.
    #[error(transparent)]
    Schema(#[from] UnsupportedSchema),
    /// An operation seals or opens, and no domain of the context seals.
    #[error(
        "the operation {path} uses keys, and {context} has none: declare the domain whose commands are `Keyed`"
    )]
    NoKeys {
        /// The path.
        path: &'static str,
        /// The context.
        context: &'static str,
    },
    /// A query uses a read model that the context does not declare.
    #[error(transparent)]
    Undeclared(#[from] Undeclared),
}
