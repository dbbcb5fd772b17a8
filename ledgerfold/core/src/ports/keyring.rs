use async_trait::async_trait;

use super::PortError;
use crate::{
    TenantId,
    sealed::{KeyState, SubjectPseudonym, TenantKey},
    vocabulary::{ErasureRequest, ErasureState, LegalHold},
};

/// The keys of data subjects and tenants, for functions that only open. They make no key.
#[async_trait]
pub trait KeyReader: Send + Sync {
    /// The key of a tenant; `None` if nothing was ever sealed there. Strongly consistent.
    ///
    /// # Errors
    /// [`KeyringError`].
    async fn tenant_key(&self, tenant: &TenantId) -> Result<Option<TenantKey>, KeyringError>;

    /// What there is of a subject; `None` if nothing was ever sealed for it, and it was never erased. Strongly
    /// consistent.
    ///
    /// # Errors
    /// [`KeyringError`].
    async fn subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<Option<KeyState>, KeyringError>;
}

/// The keys, for functions that seal.
///
/// A key is made once. Of concurrent calls, also in different processes, all get the same key: one stores it, on the
/// condition that there is none, and the others get that one. Two keys would make one of them unable to open the values
/// of the other.
#[async_trait]
pub trait Keyring: KeyReader {
    /// The key of a tenant. Makes it if there is none.
    ///
    /// # Errors
    /// [`KeyringError`].
    async fn provide_tenant_key(&self, tenant: &TenantId) -> Result<TenantKey, KeyringError>;

    /// The key of a subject. Makes it if there is none, but never for a subject that was erased.
    ///
    /// # Errors
    /// [`KeyringError`].
    async fn provide_subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<KeyState, KeyringError>;
}

/// Whether people can be erased, and were.
#[async_trait]
pub trait ErasureReader: Send + Sync {
    /// The state of a subject. Strongly consistent.
    ///
    /// # Errors
    /// [`KeyringError`].
    async fn erasure_state(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError>;
}

/// Destroys keys, for the erasure of a subject and nothing else, and keeps legal holds. All of it is in the item of the
/// key, so a store decides between an erasure and a hold as between two writes of one item: the first one wins.
#[async_trait]
pub trait KeyEraser: ErasureReader {
    /// Destroys the key of a subject and forbids another one, in one write: there is no moment between the two. Also
    /// forbids it for a subject that has no key, so that a command that is in flight makes none. Under a legal hold
    /// nothing changes. A second erasure changes nothing, and the mark keeps the first request.
    ///
    /// The result is the state after the call: [`ErasureState::Erased`] or [`ErasureState::Held`].
    ///
    /// # Errors
    /// [`KeyringError`].
    async fn erase(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        request: &ErasureRequest,
    ) -> Result<ErasureState, KeyringError>;

    /// Places a legal hold on a subject with a key. The first hold stays if there is one. Without a key, or after an
    /// erasure, nothing changes.
    ///
    /// The result is the state after the call.
    ///
    /// # Errors
    /// [`KeyringError`].
    async fn hold(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        hold: &LegalHold,
    ) -> Result<ErasureState, KeyringError>;

    /// Lifts the legal hold, if there is one. The result is the state after the call.
    ///
    /// # Errors
    /// [`KeyringError`].
    async fn lift(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError>;
}

/// A key could not be read or made. The keyring has already retried.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The request failed for a reason that all ports share.
    #[error("the keyring {0}")]
    Port(#[from] PortError),
    /// The stored key cannot be read. Its values cannot be opened until an operator restores it.
    #[error("the stored key of {of} is damaged: {reason}")]
    Damaged {
        /// The tenant, or the pseudonym of the subject.
        of: String,
        /// What is wrong with it, without any of its content.
        reason: String,
    },
}
