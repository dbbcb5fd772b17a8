//! Opaque tokens, which a client stores and sends back without reading them: consistency tokens and cursors.
//!
//! A token is JSON in base64url after a checksum over its purpose and its content. A truncated or edited token is
//! refused, and so is a token of another list.
//!
//! The checksum protects against accidents, not against forgery: a token grants nothing that its bearer could not
//! request anyway. Anybody can compute the checksum. So the content's type must refuse every value that the service
//! cannot have issued, and only the exact text of the service is accepted.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{StreamId, Version, vocabulary::digest::digest};

/// A token is not one that the service has issued for this use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("was not issued by this service for this use, or was damaged on the way")]
pub struct DamagedToken;

/// The version of a stream that a client has seen. A command returns it, and a query then answers with this version
/// or a newer one.
///
/// ```
/// # use ledgerfold::{StreamId, Version, vocabulary::ConsistencyToken};
/// let seen = ConsistencyToken { stream: "default/order#1".parse()?, version: Version::new(2) };
/// assert_eq!(ConsistencyToken::parse(&seen.to_text())?, seen);
/// assert!(ConsistencyToken::parse("nonsense").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyToken {
    /// The stream.
    #[serde(rename = "s")]
    pub stream: StreamId,
    /// The version that the client has seen: the last event of a commit.
    #[serde(rename = "v")]
    pub version: Version,
}

impl ConsistencyToken {
    const SCOPE: &'static str = "consistency";

    /// The text for the client.
    pub fn to_text(&self) -> String {
        seal(Self::SCOPE, self)
    }

    /// Parses a client's token.
    ///
    /// # Errors
    /// [`DamagedToken`] if the token was not issued by the service, or was changed.
    pub fn parse(text: &str) -> Result<Self, DamagedToken> {
        open(Self::SCOPE, text)
    }
}

/// The start of the next page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor<T>(pub T);

impl<T: Serialize + DeserializeOwned> Cursor<T> {
    /// The text for the client. `list` names the list that the cursor belongs to, for example `orders of c-1`.
    pub fn to_text(&self, list: &str) -> String {
        seal(list, &self.0)
    }

    /// Parses a client's cursor of this list.
    ///
    /// # Errors
    /// [`DamagedToken`] if the cursor belongs to another list, or was changed.
    pub fn parse(text: &str, list: &str) -> Result<Self, DamagedToken> {
        open(list, text).map(Self)
    }
}

const CHECKSUM: usize = 6;

fn seal(scope: &str, content: &impl Serialize) -> String {
    // The contents are small structs of text and numbers, so JSON can represent them.
    let content = serde_json::to_vec(content).unwrap_or_default();
    let mut bytes = checksum(scope, &content).to_vec();
    bytes.extend(content);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open<T: Serialize + DeserializeOwned>(scope: &str, text: &str) -> Result<T, DamagedToken> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| DamagedToken)?;
    let (sum, content) = bytes.split_at_checked(CHECKSUM).ok_or(DamagedToken)?;
    if sum != checksum(scope, content) {
        return Err(DamagedToken);
    }
    let value: T = serde_json::from_slice(content).map_err(|_| DamagedToken)?;
    // The service never issues another spelling of the content, for example with spaces or unknown fields.
    if seal(scope, &value) == text { Ok(value) } else { Err(DamagedToken) }
}

fn checksum(scope: &str, content: &[u8]) -> [u8; CHECKSUM] {
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&digest(&[scope.as_bytes(), content])[..CHECKSUM]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_of_the_content_is_refused() {
        for (spelling, taken) in [("42", true), (" 42", false), ("42 ", false), ("42.0", false)] {
            let mut bytes = checksum("list", spelling.as_bytes()).to_vec();
            bytes.extend(spelling.as_bytes());
            let text = URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(Cursor::<u64>::parse(&text, "list").is_ok(), taken, "{spelling:?}");
        }
    }

    #[test]
    fn any_changed_character_is_noticed() {
        let text = Cursor(42_u64).to_text("orders of c-1");
        assert_eq!(Cursor::<u64>::parse(&text, "orders of c-1"), Ok(Cursor(42)));
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).expect("ASCII");
            assert_eq!(Cursor::<u64>::parse(&damaged, "orders of c-1"), Err(DamagedToken));
        }
    }

    #[test]
    fn a_cursor_serves_one_list_only() {
        let text = Cursor(42_u64).to_text("orders of c-1");
        assert_eq!(Cursor::<u64>::parse(&text, "orders of c-2"), Err(DamagedToken));
    }

    /// Anybody can compute the checksum: it protects against accidents only.
    #[test]
    fn a_cursor_with_an_invalid_key_is_refused() {
        for forged in [String::new(), "z".repeat(1_025)] {
            let text = Cursor(forged).to_text("orders of c-1");
            let read = Cursor::<crate::EntityId>::parse(&text, "orders of c-1");
            assert_eq!(read, Err(DamagedToken));
        }
    }
}
