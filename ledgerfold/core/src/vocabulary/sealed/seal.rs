use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc};

use zeroize::Zeroizing;

use super::{
    DataSubject, FingerprintKey, KeyState, KeyedHash, OpenError, OpenKeys, Personal, Plain, Sealed,
    SubjectPseudonym, TenantKey,
    crypto::{self, Secret},
    open::bound_to,
};
use crate::Category;

/// A value cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The subject's data was erased. Nothing new is sealed for it.
    #[error("the data of the subject {0} was erased")]
    Erased(SubjectPseudonym),
    /// The program has not fetched the subject's key: the command does not name the subject.
    #[error("the key of the subject {0} was not provided: the command must name it")]
    NotProvided(SubjectPseudonym),
    /// The command names no subject or several, so the decision must say for whom it seals.
    #[error("the command names {0} subjects, not one: seal for one of them")]
    NotOne(usize),
    /// The content cannot be written as JSON.
    #[error("the content of a sealed value cannot be written as JSON")]
    Unwritable,
}

/// The keys of a command: they seal and open the values of the command's subjects. A plain value, already fetched.
///
/// [`provide_keys`](crate::keyring::provide_keys) makes it. A copy shares the keys of the original.
///
/// # Nonces
/// A decision is repeated after a conflict and must be the same each time, so sealing draws no random number. A nonce is
/// 96 bits of an HMAC over the command's random seed, the content, and all that it is bound to, under a key derived from
/// the subject's. Different contents get different nonces even with the same seed. The same content gets the same
/// ciphertext, but only within one command.
#[derive(Clone)]
pub struct SealingKeys {
    open: OpenKeys,
    tenant: TenantKey,
    /// The subjects of the command. Shared, so that copies are cheap.
    subjects: Arc<[DataSubject]>,
    /// Shared, so that copies are cheap.
    seed: Arc<Secret>,
}

impl SealingKeys {
    /// The keys of a command about these subjects. The seed is random and belongs to one command.
    pub fn new(
        open: OpenKeys,
        tenant: TenantKey,
        subjects: &[DataSubject],
        seed: [u8; 32],
    ) -> Self {
        Self { open, tenant, subjects: subjects.into(), seed: Arc::new(Zeroizing::new(seed)) }
    }

    /// The subjects of the command.
    pub fn subjects(&self) -> &[DataSubject] {
        &self.subjects
    }

    /// The subject of a command that has one, as most commands do.
    ///
    /// # Errors
    /// [`SealError::NotOne`].
    pub fn subject(&self) -> Result<&DataSubject, SealError> {
        match &self.subjects[..] {
            [subject] => Ok(subject),
            subjects => Err(SealError::NotOne(subjects.len())),
        }
    }

    /// Seals a content for a subject.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal<T: Personal>(
        &self,
        subject: &DataSubject,
        content: &Plain<T>,
    ) -> Result<Sealed<T>, SealError> {
        let subject = self.pseudonym(subject);
        let (version, key) = match self.open.state(&subject) {
            Ok(KeyState::Active { version, key }) => (*version, key),
            Ok(KeyState::Erased { .. }) => return Err(SealError::Erased(subject)),
            Err(_) => return Err(SealError::NotProvided(subject)),
        };
        let text = serde_json::to_vec(content.expose()).map_err(|_| SealError::Unwritable)?;
        let text = Zeroizing::new(text);
        let aad = bound_to(self.open.tenant(), &subject, version, T::LABEL);
        let parts: [&[u8]; 3] = [&**self.seed, &aad, &text];
        let nonce = crypto::first(&crypto::mac(&key.nonces(), "ledgerfold nonce 1", &parts));
        Ok(Sealed {
            ciphertext: crypto::encrypt(&key.encryption(), nonce, &aad, &text),
            subject,
            version,
            label: Cow::Borrowed(T::LABEL.as_str()),
            nonce,
            content: PhantomData,
        })
    }

    /// The keys that open.
    pub const fn to_open(&self) -> &OpenKeys {
        &self.open
    }

    /// The pseudonym of a subject.
    pub fn pseudonym(&self, subject: &DataSubject) -> SubjectPseudonym {
        self.tenant.pseudonym(subject)
    }

    /// Whether a subject's data was erased.
    ///
    /// # Errors
    /// [`OpenError::NotFetched`] if the command does not name the subject.
    pub fn is_erased(&self, subject: &DataSubject) -> Result<bool, OpenError> {
        let state = self.open.state(&self.pseudonym(subject))?;
        Ok(matches!(state, KeyState::Erased { .. }))
    }

    /// The keyed hash of a value of this kind, for a unique key or a search.
    pub fn hash(&self, kind: &Category, value: &str) -> KeyedHash {
        self.tenant.hash(kind, value)
    }

    /// The key for the fingerprint of the command: that of its subject if it has one that is not erased, and otherwise
    /// that of the tenant.
    pub(super) fn fingerprint_key(&self) -> FingerprintKey {
        if let Ok(subject) = self.subject()
            && let Ok(KeyState::Active { version, key }) = self.open.state(&self.pseudonym(subject))
        {
            return key.fingerprint_key(*version);
        }
        self.tenant.fingerprint_key()
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingKeys").field(&self.open).finish()
    }
}
