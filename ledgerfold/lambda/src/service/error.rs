//! The reasons why a function cannot start.

use ledgerfold::{
    context::{Contradictions, InvalidSetting, UnknownRole},
    project::{UnknownModel, UnknownProjection},
};
use ledgerfold_eventbridge::WeakSecret;

use super::{InvalidVariable, MissingVariable};
use crate::{
    InvalidTrustStore, RunError,
    http::{ApiError, InvalidAuthentication},
};

/// A function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is missing.
    #[error(transparent)]
    Missing(#[from] MissingVariable),
    /// A variable is invalid.
    #[error(transparent)]
    Invalid(#[from] InvalidVariable),
    /// The role does not exist.
    #[error(transparent)]
    Role(#[from] UnknownRole),
    /// The variable `PROJECTION` or `PROCESS` has a name that the context does not declare.
    #[error("{context} has no {subject} called {name:?}; it has {known}", known = .known.join(", "))]
    Unknown {
        /// The context.
        context: &'static str,
        /// `projection` or `process`.
        subject: &'static str,
        /// The name.
        name: String,
        /// The declared names.
        known: Vec<String>,
    },
    /// The variable `SOURCE_CONTEXT` names another context than the declaration does.
    #[error(
        "SOURCE_CONTEXT is {found:?}, but the projection {projection} reads the events of {declared}"
    )]
    OtherSource {
        /// The projection.
        projection: &'static str,
        /// The context of the declaration.
        declared: &'static str,
        /// The value of the variable.
        found: String,
    },
    /// The environment does not say how callers prove who they are.
    #[error(transparent)]
    Authentication(#[from] InvalidAuthentication),
    /// The declaration contradicts itself.
    #[error(transparent)]
    Declaration(#[from] Contradictions),
    /// The HTTP operations contradict themselves or the context.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The catalog lacks a declared projection.
    #[error(transparent)]
    Projection(#[from] UnknownProjection),
    /// The live generation needs a model that this program does not have.
    #[error(transparent)]
    Model(#[from] UnknownModel),
    /// The setting of a process is invalid.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// The context seals, and the program has no client of KMS.
    #[error("{0} seals, but this program has no keys: enable the feature kms of ledgerfold-lambda")]
    NoKms(&'static str),
    /// The context has no export, or the program cannot export.
    #[error(
        "{0} cannot export: declare .exports::<…>(), and enable the feature export of ledgerfold-lambda"
    )]
    NoExport(&'static str),
    /// The context has a transparency log, and the program has no sealer.
    #[error(
        "{0} has a transparency log, but this program has no sealer: enable the feature transparency of ledgerfold-lambda"
    )]
    NoSealer(&'static str),
    /// The key of the bus is too short.
    #[error("the environment variable BUS_KEY: {0}")]
    Key(#[from] WeakSecret),
    /// The trusted certificates cannot be read.
    #[error(transparent)]
    Trust(#[from] InvalidTrustStore),
    /// Lambda's runtime cannot go on.
    #[error("Lambda's runtime: {0}")]
    Runtime(#[source] RunError),
}
