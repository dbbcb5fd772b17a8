use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{EntityId, InvalidId, vocabulary::id::text_ids};

fn is_subject(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The characters of 128 bits in base64url.
const PSEUDONYM: usize = 22;

fn is_pseudonym(text: &str) -> bool {
    let in_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == PSEUDONYM && text.bytes().all(in_base64url)
}

text_ids! {
    /// A person whose data is sealed, and erased on request: 1 to 255 visible ASCII characters. It is an id that your
    /// service made, for example the id of a patient, and never a name or an address.
    DataSubject: "a data subject", is_subject, "1 to 255 visible ASCII characters";
    /// The name of a [`DataSubject`] in stored data and in requests to a key service, whose audit log is readable by
    /// many: an HMAC of the subject under the key of its tenant, as 22 characters of base64url.
    /// [`TenantKey::pseudonym`](super::TenantKey::pseudonym) makes it.
    SubjectPseudonym: "the pseudonym of a data subject", is_pseudonym, "22 characters of A-Z a-z 0-9 _ -";
}

/// The person that a stream is about, under the id of the stream. An id has up to 64 characters, all of which a subject
/// may have.
impl From<&EntityId> for DataSubject {
    fn from(id: &EntityId) -> Self {
        Self(id.as_str().to_owned())
    }
}
