use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    TenantId, Timestamp,
    ports::{CertificateSigner, PublicKey, SignerError},
    sealed::SubjectPseudonym,
    vocabulary::ErasureMark,
};

/// The format of certificates.
pub const FORMAT: &str = "ledgerfold-erasure-1";
/// The algorithm of signatures.
const ALGORITHM: &str = "ECDSA_P256_SHA256_ASN1";

/// How long keys outlive their erasure in a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a function caches a key.
    pub cached_for: Duration,
    /// How long a backup of the table of keys is kept.
    pub backups: Duration,
}

impl Terms {
    /// The time from which no running function can read the data.
    pub fn unreadable_since(&self, erased: Timestamp) -> Timestamp {
        erased.checked_add(self.cached_for).unwrap_or(Timestamp::MAX)
    }

    /// The time from which no backup of the table of keys has the key.
    pub fn irrecoverable_since(&self, erased: Timestamp) -> Timestamp {
        erased.checked_add(self.cached_for.max(self.backups)).unwrap_or(Timestamp::MAX)
    }
}

/// The statement that the data of a person was erased. It has no personal data: the person is a pseudonym.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// The format, `ledgerfold-erasure-1`.
    pub format: String,
    /// The context that erased.
    pub context: String,
    /// Its tenant.
    #[schemars(with = "String")]
    pub tenant: TenantId,
    /// The pseudonym of the person.
    #[schemars(with = "String")]
    pub subject: SubjectPseudonym,
    /// The legal basis.
    pub basis: String,
    /// Who asked for the erasure.
    pub requested_by: String,
    /// Who sent the request.
    pub actor: String,
    /// When the key was destroyed, and any other forbidden.
    pub erased_at: Timestamp,
    /// The newest version of the key that is destroyed.
    #[schemars(range(min = 1))]
    pub key_version: u32,
    /// The time from which no running function can read the data: caches of keys have expired.
    pub unreadable_since: Timestamp,
    /// The time from which no backup of the table of keys has the key.
    pub irrecoverable_since: Timestamp,
    /// When this was checked.
    pub checked_at: Timestamp,
    /// What was checked, with counts.
    pub checked: Vec<Checked>,
}

/// Something that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CheckedItem")]
pub struct Checked {
    /// What was counted.
    pub what: String,
    /// How many there are.
    pub count: u64,
    /// How many there may be: 0 for everything that an erasure must not leave, null for a mere count.
    pub allowed: Option<u64>,
}

impl Certificate {
    /// The certificate of this erasure.
    pub fn of(
        context: &str,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        mark: &ErasureMark,
        terms: Terms,
    ) -> Self {
        let at = mark.request.at;
        Self {
            format: FORMAT.to_owned(),
            context: context.to_owned(),
            tenant: tenant.clone(),
            subject: subject.clone(),
            basis: mark.request.basis.clone(),
            requested_by: mark.request.requested_by.clone(),
            actor: mark.request.by.to_string(),
            erased_at: at,
            key_version: mark.through.get(),
            unreadable_since: terms.unreadable_since(at),
            irrecoverable_since: terms.irrecoverable_since(at),
            checked_at: at,
            checked: Vec::new(),
        }
    }

    /// The same with these checks.
    #[must_use]
    pub fn with_checks(self, checked_at: Timestamp, checked: Vec<Checked>) -> Self {
        Self { checked_at, checked, ..self }
    }

    /// The bytes to sign: the JSON of the certificate with its members in the order of their declaration.
    fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Signs the certificate.
    ///
    /// # Errors
    /// [`SignerError`].
    pub async fn sign(
        self,
        signer: &dyn CertificateSigner,
    ) -> Result<SignedCertificate, SignerError> {
        let refused = |error: serde_json::Error| crate::ports::PortError::Refused(error.into());
        let bytes = self.to_bytes().map_err(refused)?;
        let signature = signer.sign(&bytes).await?;
        let PublicKey(key) = signer.public_key().await?;
        Ok(SignedCertificate {
            certificate: self,
            algorithm: ALGORITHM.to_owned(),
            public_key: URL_SAFE_NO_PAD.encode(key),
            signature: URL_SAFE_NO_PAD.encode(signature),
        })
    }
}

/// A certificate with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// The algorithm of the signature, `ECDSA_P256_SHA256_ASN1`.
    pub algorithm: String,
    /// The public key in base64url: a point of P-256 in its uncompressed form. Compare it with the key that the context
    /// publishes: whoever changes a certificate can also sign it with a key of their own.
    pub public_key: String,
    /// The signature in base64url, over the JSON of the certificate without spaces.
    pub signature: String,
}

/// A certificate does not hold.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It is no certificate of this format.
    #[error("this is no certificate of the format {FORMAT}: {0}")]
    Unreadable(String),
    /// Another key has signed it than the expected one.
    #[error("another key has signed the certificate than the expected one")]
    OtherKey,
    /// The signature does not fit: somebody changed the certificate.
    #[error("the signature does not fit: the certificate or the key was changed")]
    Forged,
    /// The certificate itself says that something is left.
    #[error("the certificate names {count} {what}")]
    Left {
        /// What is left.
        what: String,
        /// How many.
        count: u64,
    },
}

/// Verifies a certificate as JSON, without any request. With `expected`, in base64url, only this key may have signed it.
///
/// # Errors
/// [`CertificateError`].
pub fn verify_certificate(
    text: &str,
    expected: Option<&str>,
) -> Result<SignedCertificate, CertificateError> {
    let unreadable =
        |error: &dyn std::fmt::Display| CertificateError::Unreadable(error.to_string());
    let signed: SignedCertificate = serde_json::from_str(text).map_err(|it| unreadable(&it))?;
    if signed.certificate.format != FORMAT {
        return Err(unreadable(&format!("its format is {:?}", signed.certificate.format)));
    }
    if signed.algorithm != ALGORITHM {
        return Err(unreadable(&format!("its algorithm is {:?}", signed.algorithm)));
    }
    if expected.is_some_and(|key| key != signed.public_key) {
        return Err(CertificateError::OtherKey);
    }
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|it| unreadable(&it));
    let bytes = signed.certificate.to_bytes().map_err(|it| unreadable(&it))?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, decode(&signed.public_key)?)
        .verify(&bytes, &decode(&signed.signature)?)
        .map_err(|_| CertificateError::Forged)?;
    let is_left = |it: &&Checked| it.allowed.is_some_and(|allowed| it.count > allowed);
    let left = signed.certificate.checked.iter().find(is_left);
    match left {
        Some(left) => Err(CertificateError::Left { what: left.what.clone(), count: left.count }),
        None => Ok(signed),
    }
}
