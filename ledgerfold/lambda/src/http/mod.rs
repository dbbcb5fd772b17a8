//! HTTP as every service here speaks it: what a request is, how its headers, lists and bodies are
//! read, and how each failure is answered. See the contract in the service's OpenAPI document.

mod command;
mod form;
mod gateway;
mod json;
mod message;
mod path;
mod problem;
mod query;

pub use command::{CommandHeaders, accepted, command_body};
pub use form::{Fields, parse_body};
pub use gateway::{GatewayEvent, GatewayResponse, answer_event, serve_http};
pub use message::{Method, Request, Response, StatusCode};
pub use path::{Path, reference};
pub use problem::{FieldError, Problem};
pub use query::{ListPosition, Page, QueryParameters, consistency_token, number};
