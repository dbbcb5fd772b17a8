use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Command, EncodeError, StreamId};

/// What a request asked for, in 128 bits: two requests with one command id but different
/// fingerprints are not the same request.
///
/// Taken over the command's name and its typed content, not over bytes sent, so that white space
/// and the order of fields make no difference.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a command.
    ///
    /// # Errors
    /// [`EncodeError`] if the command cannot be written as JSON.
    pub fn of(command: &impl Command) -> Result<Self, EncodeError> {
        let body = serde_json::to_vec(command)?;
        Ok(Self(text(&digest(&[command.name().as_str().as_bytes(), &body]))))
    }

    /// The fingerprint of a command for several streams, which are part of what is asked.
    ///
    /// # Errors
    /// [`EncodeError`] if the command cannot be written as JSON.
    pub fn of_joint(command: &impl Command, streams: &[StreamId]) -> Result<Self, EncodeError> {
        let own = Self::of(command)?;
        let streams: Vec<_> = streams.iter().map(ToString::to_string).collect();
        let parts = std::iter::once(own.as_str()).chain(streams.iter().map(String::as_str));
        let parts: Vec<_> = parts.map(str::as_bytes).collect();
        Ok(Self(text(&digest(&parts))))
    }

    /// A fingerprint read back from where it was kept.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The 22 characters it is kept as.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A UUID (version 8) that follows from these parts: the same parts, the same id, on every machine.
///
/// A repeated creation meets its own stream in this way, with nothing looked up. The parts are kept
/// apart, so that `["ab", "c"]` and `["a", "bc"]` differ.
pub fn derive_uuid(parts: &[&str]) -> Uuid {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    Uuid::new_v8(digest(&parts))
}

/// The first 128 bits of SHA-256 over the parts, each preceded by its length.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    first
}

fn text(digest: &[u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_depend_on_every_part_and_on_where_it_ends() {
        let id = derive_uuid(&["order", "anonymous", "key-1"]);
        assert_eq!(id, derive_uuid(&["order", "anonymous", "key-1"]));
        for other in [["order", "anonymous", "key-2"], ["order", "anonymousk", "ey-1"]] {
            assert_ne!(id, derive_uuid(&other));
        }
    }
}
