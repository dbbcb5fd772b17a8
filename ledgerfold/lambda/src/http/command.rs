//! Requests that carry a command, and the answer to one that took effect.

use ledgerfold::{
    Actor, CausationId, CommandId, CorrelationId, EntityId, EventId, EventType, Traceparent,
    Version,
    command::{Answer, Context},
    derive_uuid,
    vocabulary::ConsistencyToken,
};
use serde::Serialize;

use super::{Fields, Problem, Request, Response, StatusCode, form, query::number};

/// The largest body of a command, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The headers of a command.
#[derive(Clone, Debug)]
pub struct CommandHeaders {
    key: String,
    caller: Actor,
    /// The version in `If-Match`.
    pub expected: Option<Version>,
    traceparent: Option<Traceparent>,
}

impl CommandHeaders {
    /// Reads the required and optional headers of a command.
    ///
    /// # Errors
    /// A problem that names the header and its rule.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        if request.header_values("if-none-match").next().is_some() {
            return Err(Problem::bad_request("If-None-Match is not supported for commands."));
        }
        Ok(Self {
            key: idempotency_key(request)?,
            caller: request.caller.clone(),
            expected: if_match(request)?,
            // A malformed trace is dropped: it must never fail a command.
            traceparent: single(request, "traceparent")
                .ok()
                .flatten()
                .and_then(|text| text.parse().ok()),
        })
    }

    /// The command's id. It is derived from the caller and the key, so a repeated request has the same id.
    ///
    /// # Errors
    /// None in practice: a UUID is a valid id.
    pub fn command_id(&self) -> Result<CommandId, Problem> {
        let id = derive_uuid(&["command", self.caller.as_str(), &self.key]);
        CommandId::new(id.to_string()).map_err(|_| Problem::internal())
    }

    /// The id of a resource that this command creates. It is derived from the caller and the key, so a repeated
    /// creation reaches the stream of the first.
    ///
    /// # Errors
    /// None in practice: a UUID is a valid id.
    pub fn created_id(&self, category: &str) -> Result<EntityId, Problem> {
        let id = derive_uuid(&["created", category, self.caller.as_str(), &self.key]);
        EntityId::new(id.to_string()).map_err(|_| Problem::internal())
    }

    /// The context to store with the commit. An HTTP request starts a conversation, so the command's id serves
    /// as correlation id and causation id.
    pub fn context(&self, id: &CommandId) -> Context {
        Context {
            actor: self.caller.clone(),
            correlation_id: CorrelationId::from(id),
            causation_id: CausationId::from(id),
            traceparent: self.traceparent.clone(),
        }
    }
}

/// Parses the command in a body. Checks media type, size and form, and names every invalid field.
///
/// # Errors
/// 415, 413 or 400.
pub fn command_body<T>(
    request: &Request,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, Problem> {
    let media_type = single(request, "content-type")?.unwrap_or_default();
    if !is_json(media_type) {
        return Err(Problem::unsupported_media_type());
    }
    if request.body.len() > MAX_BODY_BYTES {
        let bytes = request.body.len();
        return Err(Problem::too_large(format!(
            "The body has {bytes} bytes; the limit is {MAX_BODY_BYTES}."
        )));
    }
    form::parse_body(&request.body, read)
}

/// The answer to a command that took effect, now or on an earlier attempt.
pub fn accepted(status: StatusCode, answer: &Answer) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        id: &'a EntityId,
        version: Version,
        events: Vec<Event<'a>>,
    }
    #[derive(Serialize)]
    struct Event<'a> {
        id: EventId,
        #[serde(rename = "type")]
        event_type: &'a EventType,
        version: Version,
    }
    let events = answer.events.iter().map(|event| Event {
        id: event.id,
        event_type: &event.event_type,
        version: event.version,
    });
    let body = Body { id: answer.stream.id(), version: answer.version, events: events.collect() };
    let token = ConsistencyToken { stream: answer.stream.clone(), version: answer.version };
    Response::json(status, &body)
        .with_header("ETag", format!("\"{}\"", answer.version))
        .with_header("Consistency-Token", token.to_text())
}

fn idempotency_key(request: &Request) -> Result<String, Problem> {
    const RULE: &str = "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters.";
    let key = single(request, "idempotency-key")?.unwrap_or_default();
    let valid = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    valid.then(|| key.to_owned()).ok_or_else(|| Problem::bad_request(RULE))
}

fn if_match(request: &Request) -> Result<Option<Version>, Problem> {
    const RULE: &str = "If-Match must be one strong entity tag with a version of up to 15 digits, for example \"3\".";
    let Some(tag) = single(request, "if-match")? else {
        return Ok(None);
    };
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(number);
    version.map(|version| Some(Version::new(version))).ok_or_else(|| Problem::bad_request(RULE))
}

fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| {
        let charset = parameter.to_ascii_lowercase();
        charset.is_empty() || charset == "charset=utf-8" || charset == "charset=\"utf-8\""
    })
}

/// The value of a header that may occur at most once.
pub(super) fn single<'a>(request: &'a Request, name: &'a str) -> Result<Option<&'a str>, Problem> {
    let mut values = request.header_values(name);
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::bad_request(format!("The header {name} occurs more than once.")));
    }
    // White space around a value is not part of it; only these two count (RFC 9110, section 5.6.3).
    Ok(first.map(|value| value.trim_matches([' ', '\t'])))
}
