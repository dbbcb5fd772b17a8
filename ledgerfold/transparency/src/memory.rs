//! The ports of a log in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::ports::PortError;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};

use crate::{
    CheckpointStore, HeadStore, KeyKind, LogError, LogKey, ObjectStore, SignatureLine, Signer,
};

/// The DER form of SubjectPublicKeyInfo of a key on P-256 before its point: RFC 5480.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Objects, checkpoints and the size of a log.
#[derive(Debug, Default)]
pub struct MemoryLog {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    checkpoints: Mutex<BTreeMap<u64, String>>,
    published: Mutex<Option<(u64, String)>>,
    size: Mutex<u64>,
}

/// Two keys that exist only in this process: one on P-256 and one of Ed25519.
pub struct LocalSigner {
    ecdsa: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    random: SystemRandom,
}

impl MemoryLog {
    /// All objects, by name.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        locked(&self.objects).clone()
    }

    /// All checkpoints, by size.
    pub fn checkpoints(&self) -> BTreeMap<u64, String> {
        locked(&self.checkpoints).clone()
    }

    /// The published checkpoint.
    pub fn published(&self) -> Option<String> {
        locked(&self.published).as_ref().map(|(_, note)| note.clone())
    }

    /// Replaces or removes an object, as nobody may do.
    pub fn overwrite(&self, name: &str, content: Option<Vec<u8>>) {
        let mut objects = locked(&self.objects);
        match content {
            Some(content) => objects.insert(name.to_owned(), content),
            None => objects.remove(name),
        };
    }

    /// Sets the size, as a restored backup does.
    pub fn set_size(&self, size: u64) {
        *locked(&self.size) = size;
    }
}

#[async_trait]
impl ObjectStore for MemoryLog {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, LogError> {
        Ok(locked(&self.objects).get(name).cloned())
    }

    async fn create(&self, name: &str, content: Vec<u8>) -> Result<bool, LogError> {
        let mut objects = locked(&self.objects);
        let is_new = !objects.contains_key(name);
        objects.entry(name.to_owned()).or_insert(content);
        Ok(is_new)
    }
}

#[async_trait]
impl CheckpointStore for MemoryLog {
    async fn get(&self, size: u64) -> Result<Option<String>, LogError> {
        Ok(locked(&self.checkpoints).get(&size).cloned())
    }

    async fn create(&self, size: u64, note: &str) -> Result<bool, LogError> {
        let mut checkpoints = locked(&self.checkpoints);
        let is_new = !checkpoints.contains_key(&size);
        checkpoints.entry(size).or_insert_with(|| note.to_owned());
        Ok(is_new)
    }

    async fn publish(&self, size: u64, note: &str) -> Result<(), LogError> {
        let mut published = locked(&self.published);
        if published.as_ref().is_none_or(|(larger, _)| *larger < size) {
            *published = Some((size, note.to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl HeadStore for MemoryLog {
    async fn size(&self) -> Result<u64, LogError> {
        Ok(*locked(&self.size))
    }

    async fn advance(&self, from: u64, to: u64) -> Result<bool, LogError> {
        let mut size = locked(&self.size);
        let is_there = *size == from;
        if is_there {
            *size = to;
        }
        Ok(is_there)
    }
}

impl LocalSigner {
    /// Makes new keys.
    ///
    /// # Errors
    /// [`LogError::Port`] if the system gives no random numbers.
    pub fn generate() -> Result<Self, LogError> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(refused)?;
        let ecdsa =
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).map_err(refused)?;
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).map_err(refused)?;
        let ed25519 = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(refused)?;
        Ok(Self { ecdsa, ed25519, random })
    }

    fn log_keys(&self) -> [LogKey; 2] {
        let mut spki = P256_SPKI.to_vec();
        spki.extend_from_slice(self.ecdsa.public_key().as_ref());
        let ed25519 = self.ed25519.public_key().as_ref().to_vec();
        [
            LogKey { kind: KeyKind::EcdsaP256, public: spki },
            LogKey { kind: KeyKind::Ed25519, public: ed25519 },
        ]
    }
}

#[async_trait]
impl Signer for LocalSigner {
    async fn keys(&self) -> Result<Vec<LogKey>, LogError> {
        Ok(self.log_keys().to_vec())
    }

    async fn sign(&self, name: &str, text: &str) -> Result<Vec<SignatureLine>, LogError> {
        let [ecdsa, ed25519] = self.log_keys();
        let signature = self.ecdsa.sign(&self.random, text.as_bytes()).map_err(refused)?;
        let line = |key: &LogKey, signature: &[u8]| SignatureLine {
            name: name.to_owned(),
            id: key.id(name),
            signature: signature.to_vec(),
        };
        let other = self.ed25519.sign(text.as_bytes());
        Ok(vec![line(&ecdsa, signature.as_ref()), line(&ed25519, other.as_ref())])
    }
}

fn refused(error: impl std::fmt::Display) -> LogError {
    PortError::Refused(error.to_string().into()).into()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
