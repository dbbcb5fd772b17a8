use async_trait::async_trait;
use ledgerfold::ports::{CertificateSigner, PortError, PublicKey, SignerError};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};

/// A signer with a key in memory, for tests and for development.
pub struct MemorySigner {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl MemorySigner {
    /// A signer with a new key.
    ///
    /// # Errors
    /// [`SignerError`] if the system has no random numbers.
    pub fn new() -> Result<Self, SignerError> {
        let refused = |reason: String| SignerError(PortError::Refused(reason.into()));
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random)
            .map_err(|error| refused(error.to_string()))?;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random)
            .map_err(|error| refused(error.to_string()))?;
        Ok(Self { key, random })
    }
}

#[async_trait]
impl CertificateSigner for MemorySigner {
    async fn public_key(&self) -> Result<PublicKey, SignerError> {
        Ok(PublicKey(self.key.public_key().as_ref().to_vec()))
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signed = self.key.sign(&self.random, message);
        let signed = signed.map_err(|error| PortError::Refused(error.to_string().into()))?;
        Ok(signed.as_ref().to_vec())
    }
}

impl std::fmt::Debug for MemorySigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySigner").finish_non_exhaustive()
    }
}
