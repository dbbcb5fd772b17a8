//! The headers of commands.

use ledgerfold::{
    Caller, CausationId, CommandId, CorrelationId, EntityId, Traceparent, Version,
    command::Context, derive_uuid,
};

use crate::http::{Problem, Request, query::number};

/// The headers of a command.
#[derive(Clone, Debug)]
pub struct CommandHeaders {
    key: String,
    /// The caller.
    pub caller: Caller,
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
            traceparent: request
                .single_header("traceparent")
                .ok()
                .flatten()
                .and_then(|text| text.parse().ok()),
        })
    }

    /// The version in `If-Match`, for a command without an `Idempotency-Key`.
    ///
    /// # Errors
    /// 400 if it is not one strong tag with a version.
    pub fn expected(request: &Request) -> Result<Option<Version>, Problem> {
        if_match(request)
    }

    /// The command's id. It is derived from the caller's tenant and subject, from the place that the key belongs to, and
    /// from the key, so a repeated request has the same id, also with a new token or other roles. The place is the stream
    /// that the command is about, or the path of a joint command that creates something.
    ///
    /// # Errors
    /// None in practice: a UUID is a valid id.
    pub fn command_id(&self, place: &str) -> Result<CommandId, Problem> {
        let Caller { tenant, subject, .. } = &self.caller;
        let id = derive_uuid(&["command", tenant.as_str(), subject.as_str(), place, &self.key]);
        CommandId::new(id.to_string()).map_err(|_| Problem::internal())
    }

    /// The id that the service chooses for a request to this path. It is derived from the caller, the path and the key, so
    /// a repeated creation reaches the stream of the first.
    ///
    /// # Errors
    /// None in practice: a UUID is a valid id.
    pub fn created_id(&self, path: &str) -> Result<EntityId, Problem> {
        let id = created_id(path, &self.caller, &self.key);
        EntityId::new(id).map_err(|_| Problem::internal())
    }

    /// The context to store with the commit. An HTTP request starts a conversation, so the command's id serves
    /// as correlation id and causation id.
    pub fn context(&self, id: &CommandId) -> Context {
        Context {
            caller: self.caller.clone(),
            correlation_id: CorrelationId::from(id),
            causation_id: CausationId::from(id),
            traceparent: self.traceparent.clone(),
        }
    }
}

/// The id of a resource that this caller creates at this path with this key.
pub(in crate::http) fn created_id(path: &str, caller: &Caller, key: &str) -> String {
    let Caller { tenant, subject, .. } = caller;
    derive_uuid(&["created", path, tenant.as_str(), subject.as_str(), key]).to_string()
}

fn idempotency_key(request: &Request) -> Result<String, Problem> {
    const RULE: &str = "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters.";
    let key = request.single_header("idempotency-key")?.unwrap_or_default();
    let valid = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    valid.then(|| key.to_owned()).ok_or_else(|| Problem::bad_request(RULE))
}

fn if_match(request: &Request) -> Result<Option<Version>, Problem> {
    const RULE: &str = "If-Match must be one strong entity tag with a version of up to 15 digits, for example \"3\".";
    let Some(tag) = request.single_header("if-match")? else {
        return Ok(None);
    };
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(number);
    version.map(|version| Some(Version::new(version))).ok_or_else(|| Problem::bad_request(RULE))
}
