//! The calls of KMS.

use aws_sdk_kms::{Client, primitives::Blob, types::DataKeySpec};
use ledgerfold::ports::KeyringError;
use ledgerfold_aws::Failure;
use zeroize::Zeroizing;

use crate::owner::Owner;

/// The KMS key that wraps.
#[derive(Clone, Debug)]
pub(crate) struct Wrapping {
    pub(crate) client: Client,
    pub(crate) key_id: String,
}

/// A new key.
pub(crate) struct NewKey {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) wrapped: Vec<u8>,
}

impl Wrapping {
    /// Makes a key.
    pub(crate) async fn generate(&self, owner: Owner<'_>) -> Result<NewKey, KeyringError> {
        let generate = self
            .client
            .generate_data_key()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(owner.context()));
        let answer = generate.send().await.map_err(Failure::of)?;
        let incomplete = || Failure::refused("KMS answered without a key");
        Ok(NewKey {
            bytes: secret(answer.plaintext.ok_or_else(incomplete)?),
            wrapped: answer.ciphertext_blob.ok_or_else(incomplete)?.into_inner(),
        })
    }

    /// Unwraps the key of this owner.
    pub(crate) async fn unwrap(
        &self,
        owner: Owner<'_>,
        wrapped: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let decrypt = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(wrapped))
            .set_encryption_context(Some(owner.context()));
        let answer = decrypt.send().await.map_err(|error| {
            // Also if the key was wrapped for another owner.
            let is_damage =
                error.as_service_error().is_some_and(|it| it.is_invalid_ciphertext_exception());
            if is_damage {
                owner.damaged("KMS cannot unwrap it")
            } else {
                Failure::of(error).into()
            }
        })?;
        let plaintext =
            answer.plaintext.ok_or_else(|| Failure::refused("KMS answered without a key"))?;
        Ok(secret(plaintext))
    }
}

/// The bytes of a key, which are overwritten when they are dropped. The SDK's own buffers are not.
fn secret(blob: Blob) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(blob.into_inner())
}
