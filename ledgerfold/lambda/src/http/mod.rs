//! HTTP as every service here speaks it: what a request is, how its headers, lists and bodies are
//! read, and how each failure is answered. See the contract in the service's OpenAPI document.

mod command;
mod form;
mod gateway;
mod message;
mod problem;
mod query;

pub use command::{CommandHeaders, accepted, command_body};
pub use form::{Fields, parse_body};
pub use gateway::serve_http;
pub use message::{Method, Request, Response, StatusCode};
pub use problem::{FieldError, Problem};
pub use query::{Page, QueryParameters, consistency_token};
