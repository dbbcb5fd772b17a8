//! Signatures of events.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

use crate::CloudEvent;

/// The shortest secret: 128 bits, if its bytes are random.
const MIN_SECRET_BYTES: usize = 16;
/// The length of the truncated HMAC. A forger needs 2^128 guesses for one signature.
const SIGNATURE_BYTES: usize = 16;

/// The secret of a context. Its relay signs events with it, and its consumers verify them.
///
/// EventBridge does not show who published an event. A signature proves to a consumer that the event comes from the
/// relay, and so from the log. An event without a valid signature is looked up in the log and not lost, so you may
/// deploy a new secret to one function after the other.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

/// A secret that is short enough to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret of the bus has {0} bytes; it needs at least {MIN_SECRET_BYTES}")]
pub struct WeakSecret(usize);

/// A signature in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Signature(String);

impl SigningKey {
    /// The key of a secret, which must be random text or random bytes.
    ///
    /// # Errors
    /// [`WeakSecret`] if it is too short.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, WeakSecret> {
        let secret = secret.as_ref();
        let weak = WeakSecret(secret.len());
        if secret.len() < MIN_SECRET_BYTES {
            return Err(weak);
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|_| weak)
    }

    /// Signs an event that has no signature yet.
    pub(crate) fn sign(&self, event: &CloudEvent) -> serde_json::Result<Signature> {
        let whole = self.mac(event)?.finalize().into_bytes();
        Ok(Signature(URL_SAFE_NO_PAD.encode(&whole[..SIGNATURE_BYTES])))
    }

    /// Whether this is the signature of an event. Pass the event without its signature.
    pub(crate) fn verifies(&self, event: &CloudEvent, Signature(text): &Signature) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) else { return false };
        // HMAC itself would also accept a shorter one.
        bytes.len() == SIGNATURE_BYTES
            && self.mac(event).is_ok_and(|mac| mac.verify_truncated_left(&bytes).is_ok())
    }

    fn mac(&self, event: &CloudEvent) -> serde_json::Result<Hmac<Sha256>> {
        let mut mac = self.0.clone();
        mac.update(canonical(&serde_json::to_value(event)?).as_bytes());
        Ok(mac)
    }
}

/// Hides the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// JSON without white space, with the names of each object sorted. A bus parses and writes an event on its way, and may
/// change both.
fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let name = |name: &str| Value::from(name).to_string();
            let fields = fields.into_iter();
            let fields: Vec<_> =
                fields.map(|(key, value)| format!("{}:{}", name(key), canonical(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{SigningKey, WeakSecret, canonical};

    #[test]
    fn the_order_of_names_does_not_matter_but_that_of_a_list_does() {
        let one =
            serde_json::from_str(r#"{"b": [1, 2], "a": {"d": null, "c": "\""}}"#).expect("JSON");
        assert_eq!(canonical(&one), r#"{"a":{"c":"\"","d":null},"b":[1,2]}"#);
        assert_ne!(canonical(&one), canonical(&json!({"a": {"d": null, "c": "\""}, "b": [2, 1]})));
    }

    #[test]
    fn a_short_secret_is_refused_and_a_secret_is_never_shown() {
        assert_eq!(SigningKey::new("short").err(), Some(WeakSecret(5)));
        let key = SigningKey::new("a long and secret text").expect("it is long enough");
        assert_eq!(format!("{key:?}"), "SigningKey");
    }
}
