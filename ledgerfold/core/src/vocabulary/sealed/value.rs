use std::{borrow::Cow, fmt, marker::PhantomData};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{
    KeyVersion, Label, Personal, SubjectPseudonym,
    crypto::{NONCE_BYTES, TAG_BYTES},
    label::is_label,
    scope,
};

/// Personal data as ciphertext. Events, states and rows carry it, and nothing that they are written to ever holds more.
///
/// Its JSON has the subject's pseudonym, the version of the key, the label of the type, and the ciphertext:
///
/// ```json
/// {"s": "3q2-7wAAAAAAAAAAAAAAAA", "k": 1, "t": "patient-name", "c": "<base64url of nonce, ciphertext and tag>"}
/// ```
///
/// [`SealingKeys::seal`](super::SealingKeys::seal) makes it, and [`OpenKeys::open`](super::OpenKeys::open) opens it. Two
/// of them are equal if all of their JSON is. Equal content does not make them equal.
pub struct Sealed<T> {
    pub(super) subject: SubjectPseudonym,
    pub(super) version: KeyVersion,
    /// The type as stored. It differs from that of `T` if the value was moved to a field of another type.
    pub(super) label: Cow<'static, str>,
    pub(super) nonce: [u8; NONCE_BYTES],
    /// The ciphertext and its tag.
    pub(super) ciphertext: Vec<u8>,
    /// A value has no `T`, so it is `Send` and `Sync` whatever `T` is.
    pub(super) content: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    /// Whose data it is.
    pub const fn subject(&self) -> &SubjectPseudonym {
        &self.subject
    }

    /// The version of the key that sealed it.
    pub const fn version(&self) -> KeyVersion {
        self.version
    }

    /// The label of its type, as stored.
    pub fn label(&self) -> &str {
        &self.label
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<'a> {
    s: Cow<'a, SubjectPseudonym>,
    k: KeyVersion,
    t: Cow<'a, str>,
    c: String,
}

/// Why a stored form is not a sealed value.
#[derive(Debug, thiserror::Error)]
enum InvalidForm {
    #[error("the type of a sealed value must be a label")]
    Label,
    #[error("the ciphertext of a sealed value is not base64url")]
    Base64,
    #[error(
        "the ciphertext of a sealed value is truncated: it has {0} bytes, and a nonce and a tag alone have 28"
    )]
    Truncated(usize),
}

impl<T> Sealed<T> {
    fn of_form(form: Form<'_>) -> Result<Self, InvalidForm> {
        if !is_label(&form.t) {
            return Err(InvalidForm::Label);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&form.c).map_err(|_| InvalidForm::Base64)?;
        let truncated = InvalidForm::Truncated(bytes.len());
        let Some((nonce, ciphertext)) = bytes.split_first_chunk() else { return Err(truncated) };
        if ciphertext.len() < TAG_BYTES {
            return Err(truncated);
        }
        Ok(Self {
            subject: form.s.into_owned(),
            version: form.k,
            label: Cow::Owned(form.t.into_owned()),
            nonce: *nonce,
            ciphertext: ciphertext.to_vec(),
            content: PhantomData,
        })
    }
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        scope::note(&self.subject);
        let bytes = [&self.nonce, &*self.ciphertext].concat();
        let form = Form {
            s: Cow::Borrowed(&self.subject),
            k: self.version,
            t: Cow::Borrowed(&self.label),
            c: URL_SAFE_NO_PAD.encode(bytes),
        };
        form.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of_form(Form::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<T: Personal> JsonSchema for Sealed<T> {
    fn schema_name() -> Cow<'static, str> {
        let label: Label = T::LABEL;
        format!("Sealed-{label}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Personal data as ciphertext",
            "required": ["s", "k", "t", "c"],
            "additionalProperties": false,
            "properties": {
                "s": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$", "description": "The pseudonym of the person"},
                "k": {"type": "integer", "minimum": 1, "maximum": u32::MAX, "description": "The version of the person's key"},
                "t": {"const": T::LABEL.as_str(), "description": "The type of the content"},
                "c": {"type": "string", "pattern": "^[A-Za-z0-9_-]{38,}$", "description": "Nonce, ciphertext and tag of AES-256-GCM, in base64url"}
            }
        })
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self {
            subject: self.subject.clone(),
            version: self.version,
            label: self.label.clone(),
            nonce: self.nonce,
            ciphertext: self.ciphertext.clone(),
            content: PhantomData,
        }
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject
            && self.version == other.version
            && self.label == other.label
            && self.nonce == other.nonce
            && self.ciphertext == other.ciphertext
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({}, {}, key {})", self.label, self.subject, self.version)
    }
}
