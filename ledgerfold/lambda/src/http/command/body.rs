//! The bodies of commands.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::{FieldError, Problem, Request, json, schema::Shape, schema::pointer_to};

/// The largest body of a command, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The JSON of a body. Every name of an object occurs once.
///
/// # Errors
/// 415 for another media type, 413 for a large body, 400 for invalid JSON.
pub(super) fn json(request: &Request) -> Result<Value, Problem> {
    let media_type = request.single_header("content-type")?.unwrap_or_default();
    if !is_json(media_type) {
        return Err(Problem::unsupported_media_type());
    }
    let bytes = request.body.len();
    if bytes > MAX_BYTES {
        let detail = format!("The body has {bytes} bytes; the limit is {MAX_BYTES}.");
        return Err(Problem::too_large(detail));
    }
    json::parse(&request.body)
        .map_err(|error| Problem::bad_request(format!("The body is not valid JSON: {error}.")))
}

/// Checks a body.
///
/// # Errors
/// 400 with every wrong field.
pub(super) fn check(shape: &Shape, body: &mut Value) -> Result<(), Problem> {
    let errors = shape.check(body);
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid_body(errors)) }
}

/// Converts a checked body to its type.
///
/// # Errors
/// 400 with the field that breaks a rule which only its type knows.
pub(super) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let pointer = pointer(error.path());
        Problem::invalid_body(vec![FieldError { pointer, detail: error.inner().to_string() }])
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment::{Enum, Map, Seq, Unknown};
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Seq { index } => format!("{pointer}/{index}"),
        Map { key } => pointer_to(&pointer, key),
        Enum { .. } | Unknown => pointer,
    })
}

fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| {
        let charset = parameter.to_ascii_lowercase();
        charset.is_empty() || charset == "charset=utf-8" || charset == "charset=\"utf-8\""
    })
}
