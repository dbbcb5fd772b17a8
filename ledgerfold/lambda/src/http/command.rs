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

/// What the headers of a command say, beside its body.
#[derive(Clone, Debug)]
pub struct CommandHeaders {
    key: String,
    caller: Actor,
    /// The version that `If-Match` asks for.
    pub expected: Option<Version>,
    traceparent: Option<Traceparent>,
}

impl CommandHeaders {
    /// Reads the headers that every command must or may have.
    ///
    /// # Errors
    /// A problem that names the header, and what it must be.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        if request.header_values("if-none-match").next().is_some() {
            return Err(Problem::bad_request("If-None-Match has no meaning for a command."));
        }
        Ok(Self {
            key: idempotency_key(request)?,
            caller: request.caller.clone(),
            expected: if_match(request)?,
            // Tracing is never a reason to refuse a command.
            traceparent: single(request, "traceparent")
                .ok()
                .flatten()
                .and_then(|text| text.parse().ok()),
        })
    }

    /// The command's id: the same for the same caller and key, whatever the key's length.
    ///
    /// # Errors
    /// None in fact: a UUID is an id.
    pub fn command_id(&self) -> Result<CommandId, Problem> {
        let id = derive_uuid(&["command", self.caller.as_str(), &self.key]);
        CommandId::new(id.to_string()).map_err(|_| Problem::internal())
    }

    /// The id of what a command creates: the same for the same caller and key, so that a repeated
    /// creation meets the first one's stream.
    ///
    /// # Errors
    /// None in fact: a UUID is an id.
    pub fn created_id(&self, category: &str) -> Result<EntityId, Problem> {
        let id = derive_uuid(&["created", category, self.caller.as_str(), &self.key]);
        EntityId::new(id.to_string()).map_err(|_| Problem::internal())
    }

    /// The circumstances that the commit is to remember. A request from outside begins a
    /// conversation: the command's id is its name, and what caused what follows.
    pub fn context(&self, id: &CommandId) -> Context {
        Context {
            actor: self.caller.clone(),
            correlation_id: CorrelationId::from(id),
            causation_id: CausationId::from(id),
            traceparent: self.traceparent.clone(),
        }
    }
}

/// The command in a body: its media type, size and form checked, every wrong field named.
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
            "The body has {bytes} bytes, and at most {MAX_BODY_BYTES} are taken."
        )));
    }
    form::parse_body(&request.body, read)
}

/// The answer to a command that took effect, now or when it was sent first.
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
    const RULE: &str = "Idempotency-Key must be 1 to 255 visible ASCII characters, once.";
    let key = single(request, "idempotency-key")?.unwrap_or_default();
    let valid = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    valid.then(|| key.to_owned()).ok_or_else(|| Problem::bad_request(RULE))
}

fn if_match(request: &Request) -> Result<Option<Version>, Problem> {
    const RULE: &str =
        "If-Match must be one strong entity tag with a version of up to 15 digits, as \"3\".";
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

/// The value of a header that may stand once at most.
pub(super) fn single<'a>(request: &'a Request, name: &'a str) -> Result<Option<&'a str>, Problem> {
    let mut values = request.header_values(name);
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::bad_request(format!("The header {name} stands more than once.")));
    }
    // White space around a value is not part of it; only these two count (RFC 9110, section 5.6.3).
    Ok(first.map(|value| value.trim_matches([' ', '\t'])))
}
