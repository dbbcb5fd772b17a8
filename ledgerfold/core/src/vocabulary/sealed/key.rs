use std::{fmt, num::NonZeroU32, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    DataSubject, KeyedHash, SubjectPseudonym,
    crypto::{self, Secret},
};
use crate::{Category, InvalidId};

/// The version of a key, from 1.
///
/// The key of a subject changes only by its erasure: values of a version below that of the current key are erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyVersion(NonZeroU32);

impl KeyVersion {
    /// The version of the first key.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// This version, from a store.
    ///
    /// # Errors
    /// [`InvalidId`] if it is 0.
    pub const fn new(version: u32) -> Result<Self, InvalidId> {
        match NonZeroU32::new(version) {
            Some(version) => Ok(Self(version)),
            None => Err(InvalidId::new("the version of a key", "at least 1")),
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The bytes of a key are not 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 32 bytes, not {0}")]
pub struct InvalidKey(usize);

/// The key of a data subject: 32 random bytes, which are overwritten when the last copy is dropped.
#[derive(Clone)]
pub struct SubjectKey(Arc<Secret>);

/// The key of a tenant: 32 random bytes, which are overwritten when the last copy is dropped. It makes pseudonyms and
/// keyed hashes, and encrypts nothing.
#[derive(Clone)]
pub struct TenantKey {
    version: KeyVersion,
    secret: Arc<Secret>,
}

/// A key for the fingerprints of commands.
#[derive(Clone)]
pub struct FingerprintKey {
    name: String,
    secret: Arc<Secret>,
}

/// What a keyring has of a data subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Its values can be sealed, and those of this version can be opened. Older ones are erased.
    Active {
        /// The version of the key.
        version: KeyVersion,
        /// The key.
        key: SubjectKey,
    },
    /// The key was destroyed, and no other may be made.
    Erased {
        /// The newest version that was destroyed.
        through: KeyVersion,
    },
}

fn secret(bytes: &[u8]) -> Result<Arc<Secret>, InvalidKey> {
    let bytes: &[u8; crypto::KEY_BYTES] = bytes.try_into().map_err(|_| InvalidKey(bytes.len()))?;
    Ok(Arc::new(Zeroizing::new(*bytes)))
}

impl SubjectKey {
    /// The key with these bytes. The caller should overwrite its own copy.
    ///
    /// # Errors
    /// [`InvalidKey`] if there are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidKey> {
        secret(bytes).map(Self)
    }

    /// The key for the fingerprints of commands about this subject. They can no longer be compared once the subject's
    /// key is erased.
    pub fn fingerprint_key(&self, version: KeyVersion) -> FingerprintKey {
        let name = format!("s{version}");
        FingerprintKey { name, secret: self.derived("ledgerfold subject fingerprint 1") }
    }

    pub(super) fn encryption(&self) -> Secret {
        crypto::derived(&self.0, "ledgerfold sealed encryption 1")
    }

    pub(super) fn nonces(&self) -> Secret {
        crypto::derived(&self.0, "ledgerfold sealed nonce 1")
    }

    fn derived(&self, purpose: &str) -> Arc<Secret> {
        Arc::new(crypto::derived(&self.0, purpose))
    }
}

impl TenantKey {
    /// The key of this version with these bytes. The caller should overwrite its own copy.
    ///
    /// # Errors
    /// [`InvalidKey`] if there are not 32.
    pub fn from_bytes(version: KeyVersion, bytes: &[u8]) -> Result<Self, InvalidKey> {
        Ok(Self { version, secret: secret(bytes)? })
    }

    /// The version.
    pub const fn version(&self) -> KeyVersion {
        self.version
    }

    /// The pseudonym of a subject of this tenant.
    ///
    /// # Panics
    /// Never, because base64url of 128 bits is a pseudonym.
    pub fn pseudonym(&self, subject: &DataSubject) -> SubjectPseudonym {
        let parts = [subject.as_str().as_bytes()];
        let tag = crypto::mac(&self.secret, "ledgerfold pseudonym 1", &parts);
        SubjectPseudonym::new(URL_SAFE_NO_PAD.encode(crypto::first::<16>(&tag)))
            .expect("base64url of 128 bits has 22 characters")
    }

    /// The keyed hash of a value of this kind, for a unique key or a search. Equal values have equal hashes, so
    /// normalise them first, for example to lower case.
    pub fn hash(&self, kind: &Category, value: &str) -> KeyedHash {
        let parts = [kind.as_str().as_bytes(), value.as_bytes()];
        let tag = crypto::mac(&self.secret, "ledgerfold hash 1", &parts);
        KeyedHash::of(self.version, &crypto::first(&tag))
    }

    /// The key for the fingerprints of commands that concern no single subject.
    pub fn fingerprint_key(&self) -> FingerprintKey {
        let name = format!("t{}", self.version);
        let secret = crypto::derived(&self.secret, "ledgerfold tenant fingerprint 1");
        FingerprintKey { name, secret: Arc::new(secret) }
    }
}

impl FingerprintKey {
    /// The name of the key in a fingerprint: whose key it is, and its version.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// 128 bits of HMAC-SHA-256 over these parts.
    pub(crate) fn digest(&self, parts: &[&[u8]]) -> [u8; 16] {
        crypto::first(&crypto::mac(&self.secret, "ledgerfold fingerprint 1", parts))
    }
}

/// Whether two keys are equal. Takes the same time for any two, because it compares tags under them.
fn is_equal(one: &Secret, other: &Secret) -> bool {
    let tag = |key| crypto::mac(key, "ledgerfold comparison 1", &[]);
    tag(one) == tag(other)
}

impl PartialEq for SubjectKey {
    fn eq(&self, other: &Self) -> bool {
        is_equal(&self.0, &other.0)
    }
}

impl Eq for SubjectKey {}

impl PartialEq for TenantKey {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && is_equal(&self.secret, &other.secret)
    }
}

impl Eq for TenantKey {}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantKey({}, ..)", self.version)
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintKey({}, ..)", self.name)
    }
}
