//! Signed notes and checkpoints: C2SP signed-note and tlog-checkpoint.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};

use crate::Digest;

const ED25519_TYPE: u8 = 1;
const ECDSA_TYPE: u8 = 2;
/// SubjectPublicKeyInfo of a key on P-256 is 26 bytes that never differ, and the point of 65 bytes.
const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The most signatures that are read. The specification demands at least 16.
const MAX_SIGNATURES: usize = 32;

/// A public key that a checkpoint may be signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: [u8; 4],
    kind: Kind,
    key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ed25519,
    EcdsaP256,
}

/// A checkpoint whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root of the tree.
    pub root: Digest,
}

/// The reason why a key or a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text is no key of the form `name+id+base64`.
    #[error(
        "the key does not have the form name+id+base64 of an Ed25519 key or of an ECDSA key on P-256"
    )]
    Key,
    /// The id in the key's text is not that of the key.
    #[error("the id of the key is not that of its bytes")]
    KeyId,
    /// The text is no checkpoint.
    #[error("it is not a checkpoint")]
    Form,
    /// No known key has signed it.
    #[error("no known key has signed it")]
    Unsigned,
    /// A signature with the name and id of a known key is wrong.
    #[error("a signature is wrong")]
    Signature,
}

impl PublicKey {
    /// Reads a key, for example `orders.example+1a2b3c4d+Ajk…`, which `ledgerfold log-key` prints.
    ///
    /// # Errors
    /// [`NoteError::Key`] and [`NoteError::KeyId`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let id = u32::from_str_radix(id, 16).map_err(|_| NoteError::Key)?.to_be_bytes();
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let (kind, computed, key) = match bytes.split_first() {
            Some((&ED25519_TYPE, key)) if key.len() == 32 => {
                let id = Digest::of(&[name.as_bytes(), b"\n", &[ED25519_TYPE], key]);
                (Kind::Ed25519, id, key)
            }
            Some((&ECDSA_TYPE, spki)) if spki.len() == 91 && spki.starts_with(P256_PREFIX) => {
                (Kind::EcdsaP256, Digest::of(&[spki]), &spki[P256_PREFIX.len()..])
            }
            _ => return Err(NoteError::Key),
        };
        if name.is_empty() || computed.0[..4] != id {
            return Err(NoteError::KeyId);
        }
        Ok(Self { name: name.to_owned(), id, kind, key: key.to_vec() })
    }

    fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        let text = text.as_bytes();
        match self.kind {
            Kind::Ed25519 => UnparsedPublicKey::new(&ED25519, &self.key).verify(text, signature),
            Kind::EcdsaP256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.key).verify(text, signature)
            }
        }
        .is_ok()
    }
}

impl Checkpoint {
    /// Verifies and reads a checkpoint.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn verify(note: &str, keys: &[PublicKey]) -> Result<Self, NoteError> {
        if note.chars().any(|character| character.is_ascii_control() && character != '\n') {
            return Err(NoteError::Form);
        }
        let at = note.rfind("\n\n").ok_or(NoteError::Form)? + 1;
        let (text, signatures) = note.split_at(at);
        let lines = signatures.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n'));
        let mut signed = false;
        for line in lines.ok_or(NoteError::Form)?.split('\n').take(MAX_SIGNATURES) {
            let (name, signature) = signature(line).ok_or(NoteError::Form)?;
            let (id, signature) = signature.split_at_checked(4).ok_or(NoteError::Form)?;
            for key in keys.iter().filter(|key| key.name == name && key.id == *id) {
                if !key.has_signed(text, signature) {
                    return Err(NoteError::Signature);
                }
                signed = true;
            }
        }
        let read = Self::read(text).ok_or(NoteError::Form)?;
        // The keys of a log have its name, so one log cannot speak for another.
        let own = keys.iter().any(|key| key.name == read.origin);
        if signed && own { Ok(read) } else { Err(NoteError::Unsigned) }
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
        let number = lines.next()?;
        let size: u64 = number.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?;
        let root = Digest(root.as_slice().try_into().ok()?);
        (size.to_string() == number).then_some(Self { origin, size, root })
    }
}

/// The name and the bytes of a signature line.
fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, bytes) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    Some((name, STANDARD.decode(bytes).ok()?))
}
