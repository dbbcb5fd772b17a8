//! The headers of commands.

use ledgerfold::{
    Actor, CausationId, CommandId, CorrelationId, EntityId, Traceparent, Version, command::Context,
    derive_uuid,
};

use crate::http::{Problem, Request, query::number};

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
            traceparent: request
                .single_header("traceparent")
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
        let id = created_id(category, &self.caller, &self.key);
        EntityId::new(id).map_err(|_| Problem::internal())
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

/// The id of a resource that this caller creates with this key.
pub(in crate::http) fn created_id(category: &str, caller: &Actor, key: &str) -> String {
    derive_uuid(&["created", category, caller.as_str(), key]).to_string()
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
