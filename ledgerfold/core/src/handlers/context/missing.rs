//! The ports that a program does not have. Every call fails with the reason.

use async_trait::async_trait;

use crate::{
    StreamId, TenantId, Version,
    ports::{
        CommitPage, ErasureReader, EventReader, KeyEraser, KeyReader, Keyring, KeyringError,
        PortError, Span, StoreError,
    },
    sealed::{KeyState, SubjectPseudonym, TenantKey},
    vocabulary::{ErasureRequest, ErasureState, LegalHold},
};

/// The log of a context that the program does not know. Every read fails.
#[derive(Clone, Copy, Debug)]
pub struct MissingLog(pub &'static str);

impl MissingLog {
    fn refused<T>(self) -> Result<T, StoreError> {
        let reason = format!("the program has no log of {}: give it the event table", self.0);
        Err(PortError::Refused(reason.into()).into())
    }
}

#[async_trait]
impl EventReader for MissingLog {
    async fn read(&self, _: &StreamId, _: Version) -> Result<CommitPage, StoreError> {
        self.refused()
    }

    async fn read_back(&self, _: &StreamId, _: Span, _: usize) -> Result<CommitPage, StoreError> {
        self.refused()
    }
}

/// The keyring of a context that does not seal. Every call fails.
#[derive(Clone, Copy, Debug)]
pub struct MissingKeyring;

impl MissingKeyring {
    fn refused<T>(self) -> Result<T, KeyringError> {
        let reason = "the context has no keys: declare the domain whose commands are `Keyed`";
        Err(PortError::Refused(reason.into()).into())
    }
}

#[async_trait]
impl KeyReader for MissingKeyring {
    async fn tenant_key(&self, _: &TenantId) -> Result<Option<TenantKey>, KeyringError> {
        self.refused()
    }

    async fn subject_key(
        &self,
        _: &TenantId,
        _: &SubjectPseudonym,
    ) -> Result<Option<KeyState>, KeyringError> {
        self.refused()
    }
}

#[async_trait]
impl Keyring for MissingKeyring {
    async fn provide_tenant_key(&self, _: &TenantId) -> Result<TenantKey, KeyringError> {
        self.refused()
    }

    async fn provide_subject_key(
        &self,
        _: &TenantId,
        _: &SubjectPseudonym,
    ) -> Result<KeyState, KeyringError> {
        self.refused()
    }
}

#[async_trait]
impl ErasureReader for MissingKeyring {
    async fn erasure_state(
        &self,
        _: &TenantId,
        _: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        self.refused()
    }
}

#[async_trait]
impl KeyEraser for MissingKeyring {
    async fn erase(
        &self,
        _: &TenantId,
        _: &SubjectPseudonym,
        _: &ErasureRequest,
    ) -> Result<ErasureState, KeyringError> {
        self.refused()
    }

    async fn hold(
        &self,
        _: &TenantId,
        _: &SubjectPseudonym,
        _: &LegalHold,
    ) -> Result<ErasureState, KeyringError> {
        self.refused()
    }

    async fn lift(&self, _: &TenantId, _: &SubjectPseudonym) -> Result<ErasureState, KeyringError> {
        self.refused()
    }
}
