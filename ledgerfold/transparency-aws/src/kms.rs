//! Signatures of KMS.

use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use ledgerfold::ports::PortError;
use ledgerfold_aws::Failure;
use ledgerfold_transparency::{KeyKind, LogError, LogKey, SignatureLine, Signer};
use tokio::sync::OnceCell;

/// The DER form of SubjectPublicKeyInfo of an Ed25519 key before its 32 bytes: RFC 8410.
const ED25519_SPKI: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Signs checkpoints with keys of KMS. Nobody can read a private key.
#[derive(Debug)]
pub struct KmsSigner {
    client: Client,
    keys: Vec<Key>,
}

/// A key of KMS.
#[derive(Debug)]
struct Key {
    id: String,
    kind: KeyKind,
    /// Fetched once, because it never changes.
    public: OnceCell<LogKey>,
}

impl KmsSigner {
    /// Signs with this key, of the spec `ECC_NIST_P256`.
    pub fn new(client: Client, key_id: impl Into<String>) -> Self {
        Self { client, keys: Vec::new() }.and(key_id, KeyKind::EcdsaP256)
    }

    /// Signs with a second key too, for example one of the spec `ECC_NIST_EDWARDS25519`, which public witnesses want.
    #[must_use]
    pub fn and(mut self, key_id: impl Into<String>, kind: KeyKind) -> Self {
        self.keys.push(Key { id: key_id.into(), kind, public: OnceCell::new() });
        self
    }

    async fn public(&self, key: &Key) -> Result<LogKey, LogError> {
        let fetch = || async {
            let answer = self.client.get_public_key().key_id(&key.id).send().await;
            let answer = answer.map_err(|error| PortError::from(Failure::of(error)))?;
            let spki = answer.public_key.map(Blob::into_inner).unwrap_or_default();
            let public = match key.kind {
                KeyKind::EcdsaP256 => Some(spki),
                KeyKind::Ed25519 => spki.strip_prefix(&ED25519_SPKI).map(<[u8]>::to_vec),
            };
            let public = public.filter(|public| !public.is_empty());
            let refused = || PortError::Refused(format!("{} is no signing key", key.id).into());
            Ok::<_, LogError>(LogKey { kind: key.kind, public: public.ok_or_else(refused)? })
        };
        Ok(key.public.get_or_try_init(fetch).await?.clone())
    }

    async fn sign_with(
        &self,
        key: &Key,
        name: &str,
        text: &str,
    ) -> Result<SignatureLine, LogError> {
        let id = self.public(key).await?.id(name);
        let algorithm = match key.kind {
            KeyKind::EcdsaP256 => SigningAlgorithmSpec::EcdsaSha256,
            KeyKind::Ed25519 => SigningAlgorithmSpec::from("ED25519_SHA_512"),
        };
        let sign = self
            .client
            .sign()
            .key_id(&key.id)
            // A checkpoint is far shorter than the 4,096 bytes that KMS hashes itself.
            .message_type(MessageType::Raw)
            .message(Blob::new(text.as_bytes()))
            .signing_algorithm(algorithm);
        let answer = sign.send().await.map_err(|error| PortError::from(Failure::of(error)))?;
        let signature = answer.signature.map(Blob::into_inner);
        let refused = || PortError::Refused("KMS answered without a signature".into());
        Ok(SignatureLine { name: name.to_owned(), id, signature: signature.ok_or_else(refused)? })
    }
}

#[async_trait]
impl Signer for KmsSigner {
    async fn keys(&self) -> Result<Vec<LogKey>, LogError> {
        let mut keys = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            keys.push(self.public(key).await?);
        }
        Ok(keys)
    }

    async fn sign(&self, name: &str, text: &str) -> Result<Vec<SignatureLine>, LogError> {
        let mut lines = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            lines.push(self.sign_with(key, name, text).await?);
        }
        Ok(lines)
    }
}
