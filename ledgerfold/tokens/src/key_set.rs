//! The key set of an issuer: RFC 7517, section 5.

use serde_json::Value;

use crate::{
    invalid::{InvalidToken, Quoted},
    json,
    jws::Jws,
    key::{Unusable, VerifyingKey},
};

/// The most bytes of a key set. That of a large issuer, with ten RSA keys and their certificates, has 20,000.
pub const MAX_KEY_SET_BYTES: usize = 128 * 1024;

/// The public keys of an issuer, by their ids.
///
/// ```
/// use ledgerfold_tokens::KeySet;
///
/// let keys = KeySet::parse(br#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1",
///     "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
///     "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#)?;
/// assert!(keys.has("1"));
/// # Ok::<(), ledgerfold_tokens::InvalidKeySet>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<(String, VerifyingKey)>,
    ignored: Vec<IgnoredKey>,
}

/// A key of the set that verifies no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredKey {
    /// Its id, if it has one.
    pub id: Option<Quoted>,
    /// Why it is not used.
    pub reason: Unusable,
}

/// A text that is not the key set of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeySet {
    /// It is longer than [`MAX_KEY_SET_BYTES`].
    #[error("the key set has more than {MAX_KEY_SET_BYTES} bytes")]
    TooLong,
    /// It is not a JSON object with the array `keys`, or it repeats a name.
    #[error(
        "the key set is not a JSON object with an array `keys`, or an object in it repeats a name"
    )]
    Malformed,
    /// None of its keys can verify a token.
    #[error(
        "the key set has no key that can be used; of the first one, {}",
        .0.map_or("there is none".to_owned(), |reason| reason.to_string())
    )]
    NoKey(Option<Unusable>),
}

impl KeySet {
    /// Reads a JWK set. Keys that cannot verify a token are left out, as RFC 7517 demands: [`KeySet::ignored`] has
    /// them.
    ///
    /// # Errors
    /// [`InvalidKeySet`], also if no key is left.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidKeySet> {
        if text.len() > MAX_KEY_SET_BYTES {
            return Err(InvalidKeySet::TooLong);
        }
        let set = json::object(text).map_err(|_| InvalidKeySet::Malformed)?;
        let jwks = set.get("keys").and_then(Value::as_array).ok_or(InvalidKeySet::Malformed)?;
        let mut keys = Vec::new();
        let mut ignored = Vec::new();
        for jwk in jwks {
            let id = jwk.get("kid").and_then(Value::as_str);
            match (id, VerifyingKey::of_jwk(jwk)) {
                (Some(id), Ok(key)) => keys.push((id.to_owned(), key)),
                (None, Ok(_)) => ignored.push(IgnoredKey { id: None, reason: Unusable::NoId }),
                (id, Err(reason)) => {
                    ignored.push(IgnoredKey { id: id.map(Quoted::new), reason });
                }
            }
        }
        if keys.is_empty() {
            return Err(InvalidKeySet::NoKey(ignored.first().map(|key| key.reason)));
        }
        Ok(Self { keys, ignored })
    }

    /// Whether the set has a key with this id.
    pub fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|(known, _)| known == id)
    }

    /// The keys of the issuer that are not used, for the log.
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }

    /// The claims of a token that a key of this set has signed. A set may contain a key of each algorithm under the
    /// same id.
    pub(crate) fn claims(&self, token: &Jws<'_>) -> Result<Value, InvalidToken> {
        let id = || Quoted::new(&token.key_id);
        if !self.has(&token.key_id) {
            return Err(InvalidToken::UnknownKey(id()));
        }
        let with_id = self.keys.iter().filter(|(known, _)| *known == token.key_id);
        let fitting = with_id.filter(|(_, key)| key.algorithm() == token.algorithm);
        let mut fitting = fitting.peekable();
        if fitting.peek().is_none() {
            return Err(InvalidToken::OtherAlgorithm(id()));
        }
        if fitting.any(|(_, key)| key.verifies(token.signed, &token.signature)) {
            token.claims()
        } else {
            Err(InvalidToken::Signature)
        }
    }
}
