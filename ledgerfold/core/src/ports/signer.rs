use async_trait::async_trait;

use super::PortError;

/// A public key for ECDSA over P-256 with SHA-256: a point in its uncompressed form, 65 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(pub Vec<u8>);

/// Signs certificates with a key that never leaves its store.
#[async_trait]
pub trait CertificateSigner: Send + Sync {
    /// The public key, which verifies the signatures.
    ///
    /// # Errors
    /// [`SignerError`].
    async fn public_key(&self) -> Result<PublicKey, SignerError>;

    /// The signature of a message: ECDSA over P-256 with SHA-256, in ASN.1 DER.
    ///
    /// # Errors
    /// [`SignerError`].
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// The signer failed.
#[derive(Debug, thiserror::Error)]
#[error("the signer of certificates {0}")]
pub struct SignerError(#[from] pub PortError);
