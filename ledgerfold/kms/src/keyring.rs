use async_trait::async_trait;
use ledgerfold::{
    TenantId,
    ports::{ErasureReader, KeyEraser, KeyReader, Keyring, KeyringError},
    sealed::{InvalidKey, KeyState, KeyVersion, SubjectKey, SubjectPseudonym, TenantKey},
    vocabulary::{ErasureRequest, ErasureState, LegalHold},
};
use zeroize::Zeroizing;

use crate::{
    owner::Owner,
    table::{KeyTable, StoredKey},
    wrapping::Wrapping,
};

/// The keys in a DynamoDB table, wrapped by a KMS key.
///
/// ```no_run
/// # fn example(kms: &aws_sdk_kms::Client, dynamo: &aws_sdk_dynamodb::Client) {
/// use ledgerfold_kms::KmsKeyring;
/// let keyring = KmsKeyring::new(kms.clone(), "alias/patients", dynamo.clone(), "patients-keys");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KmsKeyring {
    wrapping: Wrapping,
    table: KeyTable,
}

/// An unwrapped key.
struct Found {
    version: KeyVersion,
    bytes: Zeroizing<Vec<u8>>,
}

/// The state of an owner in the table.
enum State {
    Active(Found),
    Erased(KeyVersion),
}

impl KmsKeyring {
    /// The keys in this table, wrapped by this KMS key: its id, its ARN or its alias.
    pub fn new(
        kms: aws_sdk_kms::Client,
        key_id: impl Into<String>,
        dynamo: aws_sdk_dynamodb::Client,
        table: impl Into<String>,
    ) -> Self {
        Self {
            wrapping: Wrapping { client: kms, key_id: key_id.into() },
            table: KeyTable { client: dynamo, table: table.into() },
        }
    }

    async fn read(&self, owner: Owner<'_>) -> Result<Option<State>, KeyringError> {
        match self.table.get(owner).await? {
            Some(stored) => self.unwrap(owner, stored).await.map(Some),
            None => Ok(None),
        }
    }

    async fn provide(&self, owner: Owner<'_>) -> Result<State, KeyringError> {
        if let Some(state) = self.read(owner).await? {
            return Ok(state);
        }
        let new = self.wrapping.generate(owner).await?;
        match self.table.put_first(owner, &new.wrapped).await? {
            None => Ok(State::Active(Found { version: KeyVersion::FIRST, bytes: new.bytes })),
            // Another process was faster, or the answer to the first attempt of the write was lost.
            Some(stored) => self.unwrap(owner, stored).await,
        }
    }

    async fn unwrap(&self, owner: Owner<'_>, stored: StoredKey) -> Result<State, KeyringError> {
        Ok(match stored {
            StoredKey::Active { version, wrapped } => {
                let bytes = self.wrapping.unwrap(owner, wrapped).await?;
                State::Active(Found { version, bytes })
            }
            StoredKey::Erased { through } => State::Erased(through),
        })
    }
}

fn of_tenant(owner: Owner<'_>, state: State) -> Result<TenantKey, KeyringError> {
    match state {
        State::Active(Found { version, bytes }) => TenantKey::from_bytes(version, &bytes)
            .map_err(|error: InvalidKey| owner.damaged(error.to_string())),
        State::Erased(_) => Err(owner.damaged("it is marked as erased, as no tenant is")),
    }
}

fn of_subject(owner: Owner<'_>, state: State) -> Result<KeyState, KeyringError> {
    Ok(match state {
        State::Active(Found { version, bytes }) => {
            let key = SubjectKey::from_bytes(&bytes);
            KeyState::Active {
                version,
                key: key.map_err(|error| owner.damaged(error.to_string()))?,
            }
        }
        State::Erased(through) => KeyState::Erased { through },
    })
}

#[async_trait]
impl KeyReader for KmsKeyring {
    async fn tenant_key(&self, tenant: &TenantId) -> Result<Option<TenantKey>, KeyringError> {
        let owner = Owner::Tenant(tenant);
        self.read(owner).await?.map(|state| of_tenant(owner, state)).transpose()
    }

    async fn subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<Option<KeyState>, KeyringError> {
        let owner = Owner::Subject(tenant, subject);
        self.read(owner).await?.map(|state| of_subject(owner, state)).transpose()
    }
}

#[async_trait]
impl Keyring for KmsKeyring {
    async fn provide_tenant_key(&self, tenant: &TenantId) -> Result<TenantKey, KeyringError> {
        let owner = Owner::Tenant(tenant);
        of_tenant(owner, self.provide(owner).await?)
    }

    async fn provide_subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<KeyState, KeyringError> {
        let owner = Owner::Subject(tenant, subject);
        of_subject(owner, self.provide(owner).await?)
    }
}

#[async_trait]
impl ErasureReader for KmsKeyring {
    async fn erasure_state(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        self.table.erasure_state(Owner::Subject(tenant, subject)).await
    }
}

#[async_trait]
impl KeyEraser for KmsKeyring {
    async fn erase(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        request: &ErasureRequest,
    ) -> Result<ErasureState, KeyringError> {
        let owner = Owner::Subject(tenant, subject);
        match self.table.erase(owner, request).await? {
            ErasureState::Active | ErasureState::NoKey => {
                Err(owner.damaged("its key is still there after the erasure"))
            }
            state => Ok(state),
        }
    }

    async fn hold(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        hold: &LegalHold,
    ) -> Result<ErasureState, KeyringError> {
        self.table.hold(Owner::Subject(tenant, subject), hold).await
    }

    async fn lift(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        self.table.lift(Owner::Subject(tenant, subject)).await
    }
}
