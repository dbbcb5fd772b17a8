//! Ids and names. Each has its own type, and text is checked when it is parsed.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::derive_uuid;

/// A text breaks the rule of its id type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
pub struct InvalidId {
    what: &'static str,
    rule: &'static str,
}

impl InvalidId {
    pub(crate) const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }
}

/// Types for texts that `$valid` accepts.
macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $valid:expr, $rule:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text against the rule above.
            ///
            /// # Errors
            /// [`InvalidId`], whose text contains the rule.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidId::new($what, $rule))
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )*};
}

pub(crate) use text_ids;

fn is_made_of(text: &str, max: usize, allowed: fn(u8) -> bool) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(allowed)
}

fn in_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// `.` and `..` cannot be segments of a URL. Clients resolve them as "here" and "one level up" (RFC 3986, section
/// 5.2.4), even if they are percent-encoded.
fn is_dot_segment(text: &str) -> bool {
    matches!(text, "." | "..")
}

fn visible(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

/// <https://www.w3.org/TR/trace-context/#traceparent-header-field-values>
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], [version, trace, parent, flags]
        if [version, trace, parent, flags].map(str::len) == [2, 32, 16, 2]
            && [version, trace, parent, flags].into_iter().all(hex)
            && version != "ff" && trace.bytes().any(|b| b != b'0') && parent.bytes().any(|b| b != b'0'))
}

text_ids! {
    /// The id of a stream within its category: 1 to 64 of `A–Z a–z 0–9 . _ -`, but neither `.` nor `..`,
    /// so that every id can be a segment of a URL.
    EntityId: "an id", |text| is_made_of(text, 64, in_id) && !is_dot_segment(text), "1 to 64 characters of A-Z a-z 0-9 . _ -, but not . or ..";
    /// The id of a command, the same in every repetition: 1 to 64 visible ASCII characters.
    CommandId: "a command id", |text| is_made_of(text, 64, visible), "1 to 64 visible ASCII characters";
    /// The id that all commands and events share that follow from one request: 1 to 64 visible ASCII characters.
    CorrelationId: "a correlation id", |text| is_made_of(text, 64, visible), "1 to 64 visible ASCII characters";
    /// The id of the direct cause, which is a command or an event: 1 to 64 visible ASCII characters.
    CausationId: "a causation id", |text| is_made_of(text, 64, visible), "1 to 64 visible ASCII characters";
    /// The person or process on whose behalf a command is sent: 1 to 255 visible ASCII characters, so that every
    /// [`Subject`] is an actor. It is the name in the audit log, without rights: decisions use the
    /// [`Caller`](crate::vocabulary::Caller).
    Actor: "an actor", |text| is_made_of(text, 255, visible), "1 to 255 visible ASCII characters";
    /// A tenant: a customer or an organisation whose data never meets another's. 1 to 64 of `A–Z a–z 0–9 . _ -`, but
    /// neither `.` nor `..`.
    ///
    /// A tenant is part of the keys of tables and of paths in buckets. Their separators, `/` and `#`, are therefore
    /// impossible in it, as are the names that a path resolves. 64 characters are enough for a UUID or for an
    /// organisation's id of the usual issuers, and every key pays for them. Two tenants that differ in case are
    /// different.
    TenantId: "a tenant", |text| is_made_of(text, 64, in_id) && !is_dot_segment(text), "1 to 64 characters of A-Z a-z 0-9 . _ -, but not . or ..";
    /// The name of a caller within its tenant: 1 to 255 visible ASCII characters, the limit of OpenID Connect for `sub`
    /// (<https://openid.net/specs/openid-connect-core-1_0.html#IDToken>). It becomes the [`Actor`] of the commits
    /// that the caller causes.
    Subject: "a subject", |text| is_made_of(text, 255, visible), "1 to 255 visible ASCII characters";
    /// The name of a command, for example `PlaceOrder`: 1 to 64 letters and digits.
    CommandName: "a command name", |text| is_made_of(text, 64, |byte| byte.is_ascii_alphanumeric()), "1 to 64 letters and digits";
    /// A position in a trace, in the format of W3C Trace Context: `00-<trace>-<parent>-<flags>`.
    Traceparent: "a traceparent", is_traceparent, "in the format of W3C Trace Context: 00-<32 hex>-<16 hex>-<2 hex>";
}

impl CommandName {
    /// A name from the program's source.
    ///
    /// # Panics
    /// If the name does not consist of 1 to 64 letters and digits. The first test of the command shows this.
    pub fn from_static(name: &'static str) -> Self {
        Self::new(name).expect("a command's name has only letters and digits")
    }
}

impl CommandId {
    /// The id that is derived from these parts. Commands with the same origin get the same id, from every sender and
    /// at any time.
    pub(crate) fn derived(parts: &[&str]) -> Self {
        Self(derive_uuid(parts).to_string())
    }
}

impl From<&CommandId> for CausationId {
    fn from(id: &CommandId) -> Self {
        Self(id.0.clone())
    }
}

impl From<&CommandId> for CorrelationId {
    fn from(id: &CommandId) -> Self {
        Self(id.0.clone())
    }
}

impl From<EventId> for CausationId {
    fn from(id: EventId) -> Self {
        Self(id.to_string())
    }
}

impl Actor {
    /// The actor of a command from an unknown caller.
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }
}

impl TenantId {
    /// The tenant of everything in a service that has only one.
    pub fn default_tenant() -> Self {
        Self("default".to_owned())
    }
}

impl Subject {
    /// The subject of callers without credentials.
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }
}

impl From<&ProcessName> for Subject {
    fn from(name: &ProcessName) -> Self {
        Self(name.to_string())
    }
}

impl From<&Subject> for Actor {
    fn from(subject: &Subject) -> Self {
        Self(subject.0.clone())
    }
}

/// Types for names that the program's source may contain, with up to `$max` characters that `$allowed` accepts.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $allowed:ident, $max:literal, $rule:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            const RULE: InvalidId = InvalidId { what: $what, rule: $rule };

            /// A name from the program's source.
            ///
            /// # Panics
            /// If the name breaks the rule above. In a `const` this is a compile error.
            pub const fn from_static(name: &'static str) -> Self {
                let is_valid = is_short(name, $max) && $allowed(name);
                assert!(is_valid, concat!($what, " must be ", $rule));
                Self(Cow::Borrowed(name))
            }

            /// A name that is made while the program runs.
            ///
            /// # Errors
            /// [`InvalidId`] if it breaks the rule above.
            pub fn new(name: impl Into<String>) -> Result<Self, InvalidId> {
                let name = name.into();
                let is_valid = is_short(&name, $max) && $allowed(&name);
                if is_valid { Ok(Self(Cow::Owned(name))) } else { Err(Self::RULE) }
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(name: &str) -> Result<Self, InvalidId> {
                Self::new(name)
            }
        }
    )*};
}

const fn is_short(name: &str, max: usize) -> bool {
    !name.is_empty() && name.len() <= max
}

/// Checks in a `const` that each byte is in one of the patterns.
macro_rules! only {
    ($($(#[$doc:meta])* $name:ident: $pattern:pat,)*) => {$(
        $(#[$doc])*
        const fn $name(name: &str) -> bool {
            let bytes = name.as_bytes();
            let mut at = 0;
            while at < bytes.len() {
                if !matches!(bytes[at], $pattern) {
                    return false;
                }
                at += 1;
            }
            true
        }
    )*};
}

only! {
    is_slug: b'a'..=b'z' | b'0'..=b'9' | b'-',
    is_visible: b'!'..=b'~',
    /// The characters of a scope: RFC 6749, section 3.3.
    is_scope: b'!' | b'#'..=b'[' | b']'..=b'~',
}

names! {
    /// The kind of entity of a stream, for example `order`: 1 to 32 of `a–z 0–9 -`.
    Category: "a category", is_slug, 32, "1 to 32 characters of a-z 0-9 -";
    /// The name of a process manager, for example `payment-deadline`: 1 to 32 of `a–z 0–9 -`. It is part of the
    /// ids of its commands, so it must never change.
    ProcessName: "a process", is_slug, 32, "1 to 32 characters of a-z 0-9 -";
    /// The name of a deadline within its stream, for example `payment`: 1 to 64 of `a–z 0–9 -`.
    DeadlineName: "a deadline", is_slug, 64, "1 to 64 characters of a-z 0-9 -";
    /// The name of a role of a caller, for example `staff`: 1 to 128 visible ASCII characters, as issuers name groups
    /// and roles. A role that no rule mentions has no effect.
    Role: "a role", is_visible, 128, "1 to 128 visible ASCII characters";
    /// The name of a scope, which says what an application may do for its user, for example `orders:read`: 1 to 255
    /// visible ASCII characters, but neither `"` nor `\` (RFC 6749, section 3.3). Some issuers use addresses, so a scope
    /// may be longer than a role.
    Scope: "a scope", is_scope, 255, "1 to 255 visible ASCII characters, but not \" or \\";
}

/// The identity of an event, the same on every delivery and every replay.
///
/// A UUID (version 7), made when the event is committed. It does not order events; versions do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Uuid);

impl EventId {
    /// An id of this time, in milliseconds since 1970, and 74 of these random bits.
    pub fn new(unix_millis: u64, random: &[u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, random).into_uuid())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EventId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text)
            .map(Self)
            .map_err(|_| InvalidId { what: "an event id", rule: "a UUID" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_ids_are_refused() {
        for good in ["a", "...", ".a", "a..", &"a".repeat(64)] {
            assert!(EntityId::new(good).is_ok(), "{good:?} was refused as an id");
        }
        for bad in ["", "a b", "a#b", "ä", "a/b", ".", "..", &"a".repeat(65)] {
            assert!(EntityId::new(bad).is_err(), "{bad:?} was accepted as an id");
        }
        assert_eq!(
            EntityId::new("a b").map_err(|error| error.to_string()),
            Err("an id must be 1 to 64 characters of A-Z a-z 0-9 . _ -, but not . or ..".to_owned())
        );
    }

    #[test]
    fn a_tenant_cannot_contain_what_separates_parts_of_a_key() {
        for good in ["default", "T.1_a-b", &"t".repeat(64)] {
            assert!(TenantId::new(good).is_ok(), "{good:?} was refused as a tenant");
        }
        for bad in ["", "a/b", "a#b", "a b", "a:b", "é", ".", "..", "a\n", &"t".repeat(65)] {
            assert!(TenantId::new(bad).is_err(), "{bad:?} was accepted as a tenant");
        }
        assert!(TenantId::new(TenantId::default_tenant().as_str()).is_ok());
        assert!(serde_json::from_str::<TenantId>("\"a/b\"").is_err());
    }

    #[test]
    fn every_subject_is_an_actor() {
        let longest = "s".repeat(255);
        for good in ["auth0|5f7c8ec7c33c6c004bbafe82", "!~", &longest] {
            let subject = Subject::new(good).expect("a subject");
            assert_eq!(Actor::new(good), Ok(Actor::from(&subject)));
        }
        for bad in ["", "ada lovelace", "é", "a\n", &"s".repeat(256)] {
            assert!(Subject::new(bad).is_err(), "{bad:?} was accepted as a subject");
        }
    }

    #[test]
    fn roles_and_scopes_are_named_as_issuers_name_them() {
        const STAFF: Role = Role::from_static("staff");
        assert_eq!(Role::new("staff"), Ok(STAFF));
        for good in ["privacy-officer", "/org/Admins", "realm:admin", &"r".repeat(128)] {
            assert!(Role::new(good).is_ok(), "{good:?} was refused as a role");
        }
        for bad in ["", "a b", "é", &"r".repeat(129)] {
            assert!(Role::new(bad).is_err(), "{bad:?} was accepted as a role");
        }
        for good in ["orders:read", "https://example.org/auth/orders", &"s".repeat(255)] {
            assert!(Scope::new(good).is_ok(), "{good:?} was refused as a scope");
        }
        for bad in ["", "a b", "a\"", "a\\", &"s".repeat(256)] {
            assert!(Scope::new(bad).is_err(), "{bad:?} was accepted as a scope");
        }
    }
}
