//! The reasons why a token is refused. They are for the log only.

use std::fmt;

/// The most characters of a token's own text that an error quotes.
const MOST_QUOTED: usize = 64;

/// Why a token is refused. The text is for the log. A client gets status 401 with `error="invalid_token"` and nothing
/// else, because a reason helps an attacker more than an honest client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// The value of `Authorization` is not `Bearer` with one token.
    #[error("the header Authorization is not `Bearer` with one token")]
    NotBearer,
    /// It is longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    #[error("the token has {0} bytes, at most {max} are read", max = crate::MAX_TOKEN_BYTES)]
    TooLong(usize),
    /// It is not a header, claims and a signature, separated by dots.
    #[error("the token does not have exactly three parts")]
    NotThreeParts,
    /// A part is not in base64url, has padding, or has a second spelling.
    #[error("the {0} is not in base64url without padding")]
    NotBase64Url(Part),
    /// A part is not a JSON object.
    #[error("the {0} is not a JSON object")]
    NotJson(Part),
    /// An object in a part has two members with the same name.
    #[error("the {0} repeats the name {1}")]
    RepeatedName(Part, Quoted),
    /// The header has `crit`, or `b64`: it asks for an extension, and there is none that we understand.
    #[error("the header needs an extension: it has {0:?}")]
    Extension(&'static str),
    /// The type in the header is not one of an access token.
    #[error("the type {0} is not that of an access token")]
    Type(Quoted),
    /// The algorithm in the header is not allowed.
    #[error("the algorithm {0} is not allowed")]
    Algorithm(Quoted),
    /// The header has no `kid`.
    #[error("the header does not name a key")]
    NoKeyId,
    /// The issuer's key set has no such key.
    #[error("the issuer has no key {0}")]
    UnknownKey(Quoted),
    /// The key belongs to the other algorithm.
    #[error("the key {0} is not for the algorithm in the header")]
    OtherAlgorithm(Quoted),
    /// The key has not made the signature.
    #[error("the signature does not fit")]
    Signature,
    /// It comes from another issuer, or names none.
    #[error("the issuer is {0}")]
    Issuer(Quoted),
    /// It is for another audience, or names none.
    #[error("the audience is {0}")]
    Audience(Quoted),
    /// A required claim is missing.
    #[error("the claim {0:?} is missing")]
    Missing(&'static str),
    /// A claim has a value that its rule forbids.
    #[error("the claim {0} must be {1}")]
    Claim(Quoted, &'static str),
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It was issued in the future, as our clock sees it.
    #[error("the token was issued in the future")]
    IssuedInFuture,
}

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first one.
    Header,
    /// The second one.
    Claims,
    /// The third one.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Signature => "signature",
        })
    }
}

/// The beginning of a text from a token. A client can write anything there, so it is short, and a log shows line ends
/// and control characters as escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.chars().take(MOST_QUOTED).collect())
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl InvalidToken {
    /// A short name of the reason, for example to count by it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotBearer => "not-bearer",
            Self::TooLong(_) => "too-long",
            Self::NotThreeParts => "not-three-parts",
            Self::NotBase64Url(_) => "not-base64url",
            Self::NotJson(_) => "not-json",
            Self::RepeatedName(..) => "repeated-name",
            Self::Extension(_) => "extension",
            Self::Type(_) => "type",
            Self::Algorithm(_) => "algorithm",
            Self::NoKeyId => "no-key-id",
            Self::UnknownKey(_) => "unknown-key",
            Self::OtherAlgorithm(_) => "other-algorithm",
            Self::Signature => "signature",
            Self::Issuer(_) => "issuer",
            Self::Audience(_) => "audience",
            Self::Missing(_) => "missing-claim",
            Self::Claim(..) => "claim",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::IssuedInFuture => "issued-in-future",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_a_token_is_short_and_cannot_forge_lines_of_a_log() {
        let long = format!("a\n{}", "b".repeat(10_000));
        let shown = InvalidToken::UnknownKey(Quoted::new(&long)).to_string();
        assert!(shown.len() < 100 && !shown.contains('\n'), "{shown}");
        assert!(shown.starts_with(r#"the issuer has no key "a\nbbb"#), "{shown}");
    }
}
