//! The bodies of commands.

use std::{borrow::Cow, cell::LazyCell};

use ledgerfold::{__private::example_json, vocabulary::strict_json};
use serde_json::{Map, Value};

use super::{HttpCommand, numbers};
use crate::http::{FieldError, Problem, Request, schema::pointer_to};

/// The largest body of a command, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The JSON of a body. Every name of an object occurs once.
///
/// # Errors
/// 415 for another media type, 413 for a large body, 400 for invalid JSON.
pub(super) fn json<C: HttpCommand>(request: &Request) -> Result<Value, Problem> {
    let media_type = request.single_header("content-type")?.unwrap_or_default();
    if !is_json(media_type) {
        return Err(Problem::unsupported_media_type());
    }
    let bytes = request.body.len();
    if bytes > MAX_BYTES {
        let detail = format!("The body has {bytes} bytes; the limit is {MAX_BYTES}.");
        return Err(Problem::too_large(detail));
    }
    let text = match C::TAKES_ANY_NUMBER {
        true => numbers::within_range(&request.body),
        false => Cow::Borrowed(&*request.body),
    };
    strict_json(&text)
        .map_err(|error| Problem::bad_request(format!("The body is not valid JSON: {error}.")))
}

/// Converts the fields of a body to their command. `errors` are those that the schema has found.
///
/// The rules of types, which a schema cannot state, are checked in the other fields nevertheless: a wrong field is replaced
/// by the example's. So the answer names every wrong field.
///
/// # Errors
/// 400 with every wrong field.
pub(super) fn read<C: HttpCommand>(
    fields: Map<String, Value>,
    mut errors: Vec<FieldError>,
) -> Result<C, Problem> {
    let mut body = Value::Object(fields);
    let example = || example_json(&C::example()).unwrap_or_default();
    let example = LazyCell::new(example);
    for error in &errors {
        replace(&mut body, field_of(&error.pointer), &example);
    }
    loop {
        let error = match serde_path_to_error::deserialize(&body) {
            Ok(command) if errors.is_empty() => return Ok(command),
            Ok(_) => return Err(Problem::invalid_body(errors)),
            Err::<C, _>(error) => error,
        };
        let pointer = pointer(error.path());
        let field = field_of(&pointer).to_owned();
        if errors.iter().any(|known| field_of(&known.pointer) == field) {
            return Err(Problem::invalid_body(errors));
        }
        errors.push(FieldError { pointer, detail: error.inner().to_string() });
        replace(&mut body, &field, &example);
    }
}

/// The field of the body that a pointer leads to or into.
fn field_of(pointer: &str) -> &str {
    pointer.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// Replaces a field by that of the example, which may have none.
fn replace(body: &mut Value, field: &str, example: &Value) {
    if let Value::Object(fields) = body {
        match example.get(field) {
            Some(value) => fields.insert(field.to_owned(), value.clone()),
            None => fields.remove(field),
        };
    }
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
