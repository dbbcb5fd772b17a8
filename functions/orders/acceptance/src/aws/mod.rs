//! The AWS side of a stack: calls that read or change its state behind the HTTP contract.
//!
//! The endpoint is a local cloud on plain HTTP, so no TLS is linked.

mod archive;
mod by_hand;
mod deadlines;
mod event_table;
#[cfg(feature = "local-cloud")]
mod functions;
mod quarantine;
mod queues;
mod read_tables;
#[cfg(feature = "local-cloud")]
mod switches;

use std::fmt;

use aws_smithy_http_client::Builder;

use ledgerfold_testkit::http::Stack;

pub use archive::{Replay, ReplayProgress};
#[cfg(feature = "local-cloud")]
pub use functions::Variables;
pub use queues::Backlog;
#[cfg(feature = "local-cloud")]
pub use switches::Mapping;

/// Clients of the AWS services of one stack.
#[derive(Debug, Clone)]
pub struct Aws {
    stack: Stack,
    tables: aws_sdk_dynamodb::Client,
    events: aws_sdk_eventbridge::Client,
    queues: aws_sdk_sqs::Client,
    #[cfg(feature = "local-cloud")]
    functions: aws_sdk_lambda::Client,
}

/// A failed AWS call.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {reason}")]
pub struct AwsError {
    call: &'static str,
    reason: String,
}

impl AwsError {
    fn new(call: &'static str, reason: impl fmt::Display) -> Self {
        Self { call, reason: reason.to_string() }
    }
}

/// The SDKs' configurations have different types with the same methods.
macro_rules! client_of {
    ($sdk:ident, $stack:expr, $endpoint:expr) => {{
        use $sdk::config::{BehaviorVersion, Config, Credentials, Region};
        let credentials = Credentials::new("test", "test", None, None, "local cloud");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new($stack.region.clone()))
            .endpoint_url($endpoint)
            .credentials_provider(credentials)
            .http_client(Builder::new().build_http())
            .build();
        $sdk::Client::from_conf(config)
    }};
}

impl Aws {
    /// Clients of a stack in a local cloud.
    #[must_use]
    pub fn new(stack: &Stack) -> Self {
        let edge = &stack.endpoint;
        let tables = stack.tables_endpoint.as_ref().unwrap_or(edge);
        Self {
            tables: client_of!(aws_sdk_dynamodb, stack, tables),
            events: client_of!(aws_sdk_eventbridge, stack, edge),
            queues: client_of!(aws_sdk_sqs, stack, edge),
            #[cfg(feature = "local-cloud")]
            functions: client_of!(aws_sdk_lambda, stack, edge),
            stack: stack.clone(),
        }
    }
}

/// An SDK error with its causes, because its own text is only "service error".
fn explain<E: std::error::Error>(call: &'static str) -> impl FnOnce(E) -> AwsError {
    move |error| AwsError::new(call, aws_sdk_dynamodb::error::DisplayErrorContext(&error))
}
