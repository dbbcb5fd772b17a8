//! The compact form of a signed token: RFC 7515, section 7.1.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    MAX_TOKEN_BYTES,
    invalid::{InvalidToken, Part, Quoted},
    json::{self, JsonError},
    key::Algorithm,
};

/// Types of tokens that authorize a request, in lower case and without the prefix `application/`. Some issuers, such as
/// Cognito, set none. Tokens of the same issuer for other purposes have types of their own (RFC 8725, section 3.11).
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// A token whose header was read, and whose signature was not verified.
#[derive(Debug)]
pub(crate) struct Jws<'t> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: String,
    /// The text that the signature covers: header and claims as they were sent.
    pub(crate) signed: &'t [u8],
    pub(crate) signature: Vec<u8>,
    claims: &'t str,
}

impl<'t> Jws<'t> {
    pub(crate) fn parse(token: &'t str) -> Result<Self, InvalidToken> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvalidToken::TooLong(token.len()));
        }
        let parts: Vec<&str> = token.splitn(4, '.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(InvalidToken::NotThreeParts);
        };
        let Header { algorithm, key_id } = Header::parse(header)?;
        let signature = decode(signature, Part::Signature)?;
        let (signed, _) = token.split_at(header.len() + 1 + claims.len());
        Ok(Self { algorithm, key_id, signed: signed.as_bytes(), signature, claims })
    }

    /// The claims. Only a token whose signature was verified may be asked for them, which
    /// [`KeySet::claims`](crate::KeySet) does.
    pub(crate) fn claims(&self) -> Result<Value, InvalidToken> {
        object(self.claims, Part::Claims)
    }
}

struct Header {
    algorithm: Algorithm,
    key_id: String,
}

impl Header {
    /// Reads the members that verification needs. All others are ignored, above all those that offer a key or the address of
    /// one (`jwk`, `jku`, `x5c`, `x5u`): the sender of a token cannot choose the key.
    fn parse(part: &str) -> Result<Self, InvalidToken> {
        let header = object(part, Part::Header)?;
        // An extension that we do not understand must not be ignored: RFC 7515, section 4.1.11, and RFC 7797.
        if let Some(name) = ["crit", "b64"].into_iter().find(|name| header.get(name).is_some()) {
            return Err(InvalidToken::Extension(name));
        }
        if let Some(kind) = header.get("typ") {
            check_type(kind)?;
        }
        let algorithm = header.get("alg").unwrap_or(&Value::Null);
        let algorithm = algorithm
            .as_str()
            .and_then(Algorithm::of_name)
            .ok_or_else(|| InvalidToken::Algorithm(quoted(algorithm)))?;
        let key_id = header.get("kid").and_then(Value::as_str).ok_or(InvalidToken::NoKeyId)?;
        Ok(Self { algorithm, key_id: key_id.to_owned() })
    }
}

fn check_type(kind: &Value) -> Result<(), InvalidToken> {
    let name = kind.as_str().map(str::to_ascii_lowercase);
    let name = name.as_deref().map(|name| name.strip_prefix("application/").unwrap_or(name));
    match name {
        Some(name) if TYPES.contains(&name) => Ok(()),
        _ => Err(InvalidToken::Type(quoted(kind))),
    }
}

/// The text of a string, or the JSON of another value.
pub(crate) fn quoted(value: &Value) -> Quoted {
    match value {
        Value::String(text) => Quoted::new(text),
        other => Quoted::new(&other.to_string()),
    }
}

/// Decodes base64url. It refuses padding, and a last character with bits that do not count, so each token has one
/// spelling.
fn decode(text: &str, part: Part) -> Result<Vec<u8>, InvalidToken> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidToken::NotBase64Url(part))
}

fn object(text: &str, part: Part) -> Result<Value, InvalidToken> {
    json::object(&decode(text, part)?).map_err(|error| match error {
        JsonError::Malformed => InvalidToken::NotJson(part),
        JsonError::Repeated(name) => InvalidToken::RepeatedName(part, Quoted::new(&name)),
    })
}
