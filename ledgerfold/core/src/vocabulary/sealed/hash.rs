use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::KeyVersion;
use crate::{InvalidId, vocabulary::id::text_ids};

/// The version of the algorithm: 128 bits of HMAC-SHA-256 over the kind and the value.
const ALGORITHM: &str = "h1";
/// The characters of 128 bits in base64url.
const DIGEST: usize = 22;

text_ids! {
    /// A keyed hash of personal data, for a [`UniqueKey`](crate::UniqueKey) or a search: `h1.t<version>.<digest>`, with
    /// the version of the algorithm and of the tenant's key. [`SealingKeys::hash`](super::SealingKeys::hash) makes it.
    ///
    /// Without the key nobody can compute it, so nobody can guess the value from it. Whoever has the key can confirm a
    /// guess, also after the subject's data was erased: remove the hash with the data.
    KeyedHash: "a keyed hash", is_hash, "in the format h1.t<version of the key>.<22 characters of base64url>";
}

fn is_hash(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let [algorithm, key, digest] = parts[..] else { return false };
    let version = key.strip_prefix('t').and_then(|version| version.parse().ok());
    algorithm == ALGORITHM
        && version.is_some_and(|version: u32| version > 0 && key == format!("t{version}"))
        && digest.len() == DIGEST
        && URL_SAFE_NO_PAD.decode(digest).is_ok()
}

impl KeyedHash {
    pub(super) fn of(version: KeyVersion, digest: &[u8; 16]) -> Self {
        Self(format!("{ALGORITHM}.t{version}.{}", URL_SAFE_NO_PAD.encode(digest)))
    }
}

impl schemars::JsonSchema for KeyedHash {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "KeyedHash".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^h1\\.t[1-9][0-9]*\\.[A-Za-z0-9_-]{22}$",
            "description": "A keyed hash of personal data"
        })
    }
}
