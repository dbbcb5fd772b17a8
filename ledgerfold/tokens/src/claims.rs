//! From verified claims to a caller.

use ledgerfold::{Caller, Granted, Role, Scope, Subject, TenantId, Timestamp, Via};
use serde_json::Value;

use crate::{
    invalid::{InvalidToken, Quoted},
    jws::quoted,
};

/// How far our clock and the issuer's may differ, in seconds.
const LEEWAY_SECONDS: f64 = 30.0;

/// The issuer whose tokens a service accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    issuer: String,
    audience: String,
    claims: ClaimNames,
}

/// A setting of the issuer that cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} must not be empty")]
pub struct EmptySetting(&'static str);

/// The names of the claims with the tenant, the roles and the scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    /// A string. A token without it is one of the tenant `default`.
    pub tenant: ClaimName,
    /// A list of strings, or one string with spaces between them. A token without it has no roles.
    pub roles: ClaimName,
    /// The same for scopes.
    pub scopes: ClaimName,
}

/// `tenant`, `roles` and `scope`.
impl Default for ClaimNames {
    fn default() -> Self {
        let name = |name: &str| ClaimName(name.to_owned());
        Self { tenant: name("tenant"), roles: name("roles"), scopes: name("scope") }
    }
}

/// The name of a claim, for example `roles`, `cognito:groups` or `https://example.org/roles`. A name that begins with a
/// slash is a JSON Pointer (RFC 6901) into nested claims, for example `/realm_access/roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimName(String);

impl ClaimName {
    /// The claim of this name.
    ///
    /// # Errors
    /// [`EmptySetting`] if the name is empty.
    pub fn new(name: impl Into<String>) -> Result<Self, EmptySetting> {
        let name = name.into();
        if name.is_empty() { Err(EmptySetting("name of a claim")) } else { Ok(Self(name)) }
    }

    /// The value of this claim.
    pub fn of<'c>(&self, claims: &'c Value) -> Option<&'c Value> {
        if self.0.starts_with('/') { claims.pointer(&self.0) } else { claims.get(&self.0) }
    }

    fn must_be(&self, rule: &'static str) -> InvalidToken {
        InvalidToken::Claim(Quoted::new(&self.0), rule)
    }
}

impl TrustedIssuer {
    /// The issuer that names itself `issuer` in the claim `iss`, and us `audience` in the claim `aud`. Both are compared
    /// character by character.
    ///
    /// # Errors
    /// [`EmptySetting`] if one of them is empty.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, EmptySetting> {
        let issuer = issuer.into();
        let audience = audience.into();
        for (name, setting) in [("issuer", &issuer), ("audience", &audience)] {
            if setting.is_empty() {
                return Err(EmptySetting(name));
            }
        }
        Ok(Self { issuer, audience, claims: ClaimNames::default() })
    }

    /// The same issuer with other names of claims.
    #[must_use]
    pub fn with_claims(self, claims: ClaimNames) -> Self {
        Self { claims, ..self }
    }

    /// The caller of a token with these claims, whose signature was verified.
    pub(crate) fn caller(&self, claims: &Value, now: Timestamp) -> Result<Caller, InvalidToken> {
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        check_times(claims, now.as_duration().as_secs_f64())?;
        let subject = claims.get("sub").ok_or(InvalidToken::Missing("sub"))?;
        let subject = subject.as_str().and_then(|text| Subject::new(text).ok());
        let ClaimNames { tenant, roles, scopes } = &self.claims;
        Ok(Caller {
            tenant: tenant_of(claims, tenant)?,
            subject: subject.ok_or_else(|| claim("sub", "1 to 255 visible ASCII characters"))?,
            roles: granted(claims, roles, |name| Role::new(name).ok())?,
            scopes: granted(claims, scopes, |name| Scope::new(name).ok())?,
            via: Via::Token,
        })
    }

    fn check_issuer(&self, claims: &Value) -> Result<(), InvalidToken> {
        let issuer = claims.get("iss").unwrap_or(&Value::Null);
        if issuer.as_str() == Some(&self.issuer) {
            Ok(())
        } else {
            Err(InvalidToken::Issuer(quoted(issuer)))
        }
    }

    /// `aud` is a string or a list of strings. Access tokens of Cognito have none, but name the client for which they
    /// were issued.
    fn check_audience(&self, claims: &Value) -> Result<(), InvalidToken> {
        let is_ours = |one: &Value| one.as_str() == Some(&self.audience);
        let audience =
            claims.get("aud").or_else(|| claims.get("client_id")).unwrap_or(&Value::Null);
        let accepts = match (claims.get("aud"), audience) {
            (Some(_), Value::Array(all)) => all.iter().any(is_ours),
            (_, one) => is_ours(one),
        };
        if accepts { Ok(()) } else { Err(InvalidToken::Audience(quoted(audience))) }
    }
}

fn claim(name: &str, rule: &'static str) -> InvalidToken {
    InvalidToken::Claim(Quoted::new(name), rule)
}

/// Times are seconds since 1970, possibly with a fraction (RFC 7519, section 2).
fn check_times(claims: &Value, now: f64) -> Result<(), InvalidToken> {
    let time = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            value.as_f64().map(Some).ok_or_else(|| claim(name, "a number of seconds since 1970"))
        }
    };
    let expires = time("exp")?.ok_or(InvalidToken::Missing("exp"))?;
    if now >= expires + LEEWAY_SECONDS {
        return Err(InvalidToken::Expired);
    }
    if time("nbf")?.is_some_and(|begins| now + LEEWAY_SECONDS < begins) {
        return Err(InvalidToken::NotYetValid);
    }
    if time("iat")?.is_some_and(|issued| now + LEEWAY_SECONDS < issued) {
        return Err(InvalidToken::IssuedInFuture);
    }
    Ok(())
}

/// Only an absent claim means the tenant `default`. A null or an empty text is a mistake of the issuer, and must not
/// lead a caller to another tenant's data.
fn tenant_of(claims: &Value, name: &ClaimName) -> Result<TenantId, InvalidToken> {
    let Some(value) = name.of(claims) else { return Ok(TenantId::default_tenant()) };
    let tenant = value.as_str().and_then(|text| TenantId::new(text).ok());
    tenant.ok_or_else(|| name.must_be("1 to 64 characters of A-Z a-z 0-9 . _ -"))
}

/// The names in a claim. A name that can be no role of ours, for example a group with a space, gives no right and is
/// left out: issuers put groups of other applications in the same list.
fn granted<T: Ord>(
    claims: &Value,
    name: &ClaimName,
    parse: fn(&str) -> Option<T>,
) -> Result<Granted<T>, InvalidToken> {
    let wrong = || name.must_be("a list of strings, or one string with spaces between names");
    match name.of(claims) {
        None => Ok(Granted::none()),
        Some(Value::String(text)) => Ok(Granted::only(text.split(' ').filter_map(parse))),
        Some(Value::Array(items)) => {
            let names: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Ok(Granted::only(names.ok_or_else(wrong)?.into_iter().filter_map(parse)))
        }
        Some(_) => Err(wrong()),
    }
}
