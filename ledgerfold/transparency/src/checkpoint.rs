//! Checkpoints and their signatures: C2SP tlog-checkpoint and signed-note.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::Hash;

/// The body of a checkpoint: the size and root of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log. It contains neither spaces nor `+`.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

/// The kind of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519, type `0x01`.
    Ed25519,
    /// ECDSA on P-256 with SHA-256, type `0x02`. A signature is in the form ASN.1 DER.
    EcdsaP256,
}

/// A public key of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKey {
    /// The kind of its signatures.
    pub kind: KeyKind,
    /// The key: the DER form of SubjectPublicKeyInfo for ECDSA, 32 bytes for Ed25519.
    pub public: Vec<u8>,
}

/// One signature of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// The name of the key, which is the origin of the log.
    pub name: String,
    /// The id of the key.
    pub id: [u8; 4],
    /// The signature.
    pub signature: Vec<u8>,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let Self { origin, size, root } = self;
        format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.as_bytes()))
    }

    /// The note with these signatures.
    pub fn signed(&self, signatures: &[SignatureLine]) -> String {
        let lines: String = signatures.iter().map(SignatureLine::line).collect();
        format!("{}\n{lines}", self.text())
    }

    /// Reads the body of a note, without a look at its signatures; `None` if it is no checkpoint.
    pub fn restore(note: &str) -> Option<Self> {
        let mut lines = note.lines();
        let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root = Hash::restore(&STANDARD.decode(lines.next()?).ok()?)?;
        Some(Self { origin, size, root })
    }
}

impl LogKey {
    /// The id of the key under this name.
    pub fn id(&self, name: &str) -> [u8; 4] {
        let digest = match self.kind {
            KeyKind::Ed25519 => Sha256::new_with_prefix(name)
                .chain_update(b"\n\x01")
                .chain_update(&self.public)
                .finalize(),
            KeyKind::EcdsaP256 => Sha256::digest(&self.public),
        };
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// The form in which a verifier is given the key: name, id and key, separated by `+`.
    pub fn verifier_key(&self, name: &str) -> String {
        let kind: u8 = match self.kind {
            KeyKind::Ed25519 => 1,
            KeyKind::EcdsaP256 => 2,
        };
        let mut key = vec![kind];
        key.extend_from_slice(&self.public);
        let id = u32::from_be_bytes(self.id(name));
        format!("{name}+{id:08x}+{}", STANDARD.encode(key))
    }
}

impl SignatureLine {
    fn line(&self) -> String {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.signature);
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}
