use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use ledgerfold::ports::{CertificateSigner, PortError, PublicKey, SignerError};
use ledgerfold_aws::Failure;
use sha2::{Digest, Sha256};

/// The beginning of a public key of P-256 in DER, before its point (RFC 5480).
const SPKI_OF_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Signs with a KMS key for ECDSA over P-256 (`ECC_NIST_P256`, `SIGN_VERIFY`).
#[derive(Clone, Debug)]
pub struct KmsSigner {
    client: Client,
    key_id: String,
}

impl KmsSigner {
    /// A signer with this KMS key: its id, its ARN or its alias.
    pub fn new(client: Client, key_id: impl Into<String>) -> Self {
        Self { client, key_id: key_id.into() }
    }
}

#[async_trait]
impl CertificateSigner for KmsSigner {
    async fn public_key(&self) -> Result<PublicKey, SignerError> {
        let get = self.client.get_public_key().key_id(&self.key_id);
        let answer = get.send().await.map_err(|error| PortError::from(Failure::of(error)))?;
        let der = answer.public_key.map(Blob::into_inner).unwrap_or_default();
        let point = der.strip_prefix(&SPKI_OF_P256).filter(|point| point.len() == 65);
        let refused = || PortError::Refused("the key of certificates is not of P-256".into());
        Ok(PublicKey(point.ok_or_else(refused)?.to_vec()))
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let digest: [u8; 32] = Sha256::digest(message).into();
        let sign = self
            .client
            .sign()
            .key_id(&self.key_id)
            .message(Blob::new(digest))
            .message_type(MessageType::Digest)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256);
        let answer = sign.send().await.map_err(|error| PortError::from(Failure::of(error)))?;
        let refused = || PortError::Refused("KMS answered without a signature".into());
        Ok(answer.signature.map(Blob::into_inner).ok_or_else(refused)?)
    }
}
