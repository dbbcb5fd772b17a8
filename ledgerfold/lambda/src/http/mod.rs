//! HTTP for services: requests and responses, how headers, queries and bodies are parsed, and the problem for each
//! failure. The contract is in each service's OpenAPI document.

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
