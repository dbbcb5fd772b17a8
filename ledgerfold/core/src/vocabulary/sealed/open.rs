use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    KeyState, KeyVersion, Label, Personal, Plain, Sealed, SubjectKey, SubjectPseudonym, crypto,
};
use crate::TenantId;

/// The content of a sealed value, for a reader who has the keys. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Opened<T> {
    /// The content.
    Value(Plain<T>),
    /// The subject's data was erased. Nobody can read the content any more.
    Erased,
}

impl<T> Opened<T> {
    /// The content, unless it was erased.
    pub fn value(self) -> Option<Plain<T>> {
        match self {
            Self::Value(content) => Some(content),
            Self::Erased => None,
        }
    }
}

impl<T> fmt::Debug for Opened<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(content) => f.debug_tuple("Value").field(content).finish(),
            Self::Erased => f.write_str("Erased"),
        }
    }
}

/// A sealed value cannot be opened. None of these errors contains anything of the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It has another type. A label was changed, or a value was moved to a field of another type.
    #[error("it was sealed as `{found}`, and is opened as `{expected}`")]
    OtherType {
        /// The label of the type that it is opened as.
        expected: Label,
        /// The label that it has.
        found: String,
    },
    /// It belongs to another subject than the caller expects.
    #[error("it belongs to the subject {found}, not to {expected}")]
    OtherSubject {
        /// The subject that the caller expects.
        expected: SubjectPseudonym,
        /// The subject that it has.
        found: SubjectPseudonym,
    },
    /// The tenant has no such subject. The value is from another tenant, or the subject's key was lost.
    #[error("the tenant has no key of the subject {0}")]
    UnknownSubject(SubjectPseudonym),
    /// The program has not fetched the key.
    #[error("the key of the subject {0} was not fetched")]
    NotFetched(SubjectPseudonym),
    /// The subject has a newer key than the one that was fetched. Fetch it again, without the cache.
    #[error("the key of the subject {subject} is outdated: the value has version {version}")]
    Outdated {
        /// The subject.
        subject: SubjectPseudonym,
        /// The version that the value needs.
        version: KeyVersion,
    },
    /// The ciphertext is not the one that was sealed for this tenant, subject, version and type. Something was changed,
    /// or taken from another value.
    #[error("its ciphertext was changed or belongs to another value")]
    Tampered,
    /// The content is authentic and does not have the form of its type. The type was changed.
    #[error("its content does not have the form of `{0}`")]
    Malformed(Label),
}

/// The keys that open the values of some subjects of a tenant: a plain value, already fetched.
///
/// [`fetch_keys`](crate::keyring::fetch_keys) makes it. A copy shares the keys of the original.
#[derive(Clone)]
pub struct OpenKeys {
    tenant: TenantId,
    /// Shared, because commands are cloned. `None`: the tenant has no such subject.
    subjects: Arc<BTreeMap<SubjectPseudonym, Option<KeyState>>>,
}

impl OpenKeys {
    /// These keys of this tenant. A subject without keys was fetched, and the tenant does not have it.
    pub fn new(
        tenant: TenantId,
        subjects: impl IntoIterator<Item = (SubjectPseudonym, Option<KeyState>)>,
    ) -> Self {
        Self { tenant, subjects: Arc::new(subjects.into_iter().collect()) }
    }

    /// The content of a value.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open<T: Personal>(&self, sealed: &Sealed<T>) -> Result<Opened<T>, OpenError> {
        if sealed.label != T::LABEL.as_str() {
            let found = sealed.label.clone().into_owned();
            return Err(OpenError::OtherType { expected: T::LABEL, found });
        }
        match self.state(&sealed.subject)? {
            KeyState::Active { version, key } if sealed.version == *version => {
                decrypt(&self.tenant, key, sealed).map(Opened::Value)
            }
            // A key changes only by erasure.
            KeyState::Active { version, .. } if sealed.version < *version => Ok(Opened::Erased),
            KeyState::Erased { through } if sealed.version <= *through => Ok(Opened::Erased),
            KeyState::Active { .. } | KeyState::Erased { .. } => Err(OpenError::Outdated {
                subject: sealed.subject.clone(),
                version: sealed.version,
            }),
        }
    }

    /// The content of a value that must belong to this subject, for example to the person that the row is about. It
    /// refuses a value that was exchanged as a whole, with its subject.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_of<T: Personal>(
        &self,
        subject: &SubjectPseudonym,
        sealed: &Sealed<T>,
    ) -> Result<Opened<T>, OpenError> {
        if sealed.subject == *subject {
            return self.open(sealed);
        }
        let found = sealed.subject.clone();
        Err(OpenError::OtherSubject { expected: subject.clone(), found })
    }

    /// The tenant.
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// What the keyring has of a subject.
    ///
    /// # Errors
    /// [`OpenError::NotFetched`] and [`OpenError::UnknownSubject`].
    pub fn state(&self, subject: &SubjectPseudonym) -> Result<&KeyState, OpenError> {
        match self.subjects.get(subject) {
            Some(Some(state)) => Ok(state),
            Some(None) => Err(OpenError::UnknownSubject(subject.clone())),
            None => Err(OpenError::NotFetched(subject.clone())),
        }
    }
}

impl fmt::Debug for OpenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenKeys({}, {} subjects)", self.tenant, self.subjects.len())
    }
}

fn decrypt<T: Personal>(
    tenant: &TenantId,
    key: &SubjectKey,
    sealed: &Sealed<T>,
) -> Result<Plain<T>, OpenError> {
    let aad = bound_to(tenant, &sealed.subject, sealed.version, T::LABEL);
    let text = crypto::decrypt(&key.encryption(), sealed.nonce, &aad, &sealed.ciphertext)
        .ok_or(OpenError::Tampered)?;
    // The error of serde_json quotes the content.
    let content = serde_json::from_slice(&text).map_err(|_| OpenError::Malformed(T::LABEL))?;
    Ok(Plain::new(content))
}

/// What a ciphertext is bound to: the additional authenticated data (AAD) of its encryption.
pub(super) fn bound_to(
    tenant: &TenantId,
    subject: &SubjectPseudonym,
    version: KeyVersion,
    label: Label,
) -> Vec<u8> {
    let version = version.get().to_be_bytes();
    let parts: [&[u8]; 4] = [
        tenant.as_str().as_bytes(),
        subject.as_str().as_bytes(),
        &version,
        label.as_str().as_bytes(),
    ];
    crypto::framed("ledgerfold sealed 1", &parts).to_vec()
}
