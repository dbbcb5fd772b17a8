use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    TenantId,
    ports::{ErasureReader, KeyEraser, KeyReader, Keyring, KeyringError, PortError, Random},
    sealed::{KeyState, KeyVersion, SubjectKey, SubjectPseudonym, TenantKey},
    vocabulary::{ErasureMark, ErasureRequest, ErasureState, LegalHold},
};
use sha2::{Digest, Sha256};

/// A keyring in memory. Its keys follow from a seed, so they are the same again in another process with this seed.
pub struct MemoryKeyring {
    seed: [u8; 32],
    /// A mutex, so that every call is atomic. Only the methods of the ports change it.
    keys: Mutex<Keys>,
    /// Whether calls fail. Atomic, because a test changes it during calls.
    failing: AtomicBool,
    /// The number of calls. Atomic, because they run concurrently.
    calls: AtomicUsize,
}

#[derive(Default)]
struct Keys {
    tenants: BTreeMap<TenantId, TenantKey>,
    subjects: BTreeMap<(TenantId, SubjectPseudonym), KeyState>,
    holds: BTreeMap<(TenantId, SubjectPseudonym), LegalHold>,
    requests: BTreeMap<(TenantId, SubjectPseudonym), ErasureRequest>,
}

impl Keys {
    fn state(&self, name: &(TenantId, SubjectPseudonym)) -> Result<ErasureState, KeyringError> {
        Ok(match (self.subjects.get(name), self.holds.get(name)) {
            (None, _) => ErasureState::NoKey,
            (Some(KeyState::Active { .. }), None) => ErasureState::Active,
            (Some(KeyState::Active { .. }), Some(hold)) => ErasureState::Held(hold.clone()),
            (Some(KeyState::Erased { through }), _) => {
                let request =
                    self.requests.get(name).cloned().ok_or_else(|| {
                        damaged(PortError::Refused("the mark has no request".into()))
                    })?;
                ErasureState::Erased(ErasureMark { through: *through, request })
            }
        })
    }
}

impl MemoryKeyring {
    /// A keyring with a seed from this source.
    pub fn new(random: &dyn Random) -> Self {
        let mut seed = [0; 32];
        random.fill(&mut seed);
        Self::from_seed(seed)
    }

    /// A keyring with this seed. Its keys are only as secret as the seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self {
            seed,
            keys: Mutex::default(),
            failing: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
        }
    }

    /// Makes all calls fail, or succeed again.
    pub fn fail(&self, fails: bool) {
        self.failing.store(fails, Ordering::SeqCst);
    }

    /// The number of calls so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Sets what there is of a subject: for states that no call makes, for example a new key after an erasure.
    pub fn set(&self, tenant: &TenantId, subject: &SubjectPseudonym, state: KeyState) {
        self.lock().subjects.insert((tenant.clone(), subject.clone()), state);
    }

    fn begin(&self) -> Result<MutexGuard<'_, Keys>, KeyringError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.failing.load(Ordering::SeqCst) {
            return Err(PortError::Unavailable("the keyring was made to fail".into()).into());
        }
        Ok(self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of the key of a tenant, or of a subject of it. `#` is in no tenant.
    fn bytes(&self, tenant: &TenantId, subject: Option<&SubjectPseudonym>) -> [u8; 32] {
        let subject = subject.map_or("", SubjectPseudonym::as_str);
        let owner = format!("{tenant}#{subject}");
        Sha256::new_with_prefix(self.seed).chain_update(owner).finalize().into()
    }
}

/// A keyring for tests: its keys are the same in every run.
impl Default for MemoryKeyring {
    fn default() -> Self {
        Self::from_seed([2; 32])
    }
}

#[async_trait]
impl KeyReader for MemoryKeyring {
    async fn tenant_key(&self, tenant: &TenantId) -> Result<Option<TenantKey>, KeyringError> {
        Ok(self.begin()?.tenants.get(tenant).cloned())
    }

    async fn subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<Option<KeyState>, KeyringError> {
        Ok(self.begin()?.subjects.get(&(tenant.clone(), subject.clone())).cloned())
    }
}

#[async_trait]
impl Keyring for MemoryKeyring {
    async fn provide_tenant_key(&self, tenant: &TenantId) -> Result<TenantKey, KeyringError> {
        let mut keys = self.begin()?;
        if let Some(key) = keys.tenants.get(tenant) {
            return Ok(key.clone());
        }
        let key = TenantKey::from_bytes(KeyVersion::FIRST, &self.bytes(tenant, None));
        let key = key.map_err(damaged)?;
        keys.tenants.insert(tenant.clone(), key.clone());
        Ok(key)
    }

    async fn provide_subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<KeyState, KeyringError> {
        let mut keys = self.begin()?;
        let name = (tenant.clone(), subject.clone());
        if let Some(state) = keys.subjects.get(&name) {
            return Ok(state.clone());
        }
        let key = SubjectKey::from_bytes(&self.bytes(tenant, Some(subject))).map_err(damaged)?;
        let state = KeyState::Active { version: KeyVersion::FIRST, key };
        keys.subjects.insert(name, state.clone());
        Ok(state)
    }
}

#[async_trait]
impl ErasureReader for MemoryKeyring {
    async fn erasure_state(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        self.begin()?.state(&(tenant.clone(), subject.clone()))
    }
}

#[async_trait]
impl KeyEraser for MemoryKeyring {
    async fn erase(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        request: &ErasureRequest,
    ) -> Result<ErasureState, KeyringError> {
        let mut keys = self.begin()?;
        let name = (tenant.clone(), subject.clone());
        let through = match keys.subjects.get(&name) {
            _ if keys.holds.contains_key(&name) => return keys.state(&name),
            Some(KeyState::Erased { .. }) => return keys.state(&name),
            Some(KeyState::Active { version, .. }) => *version,
            None => KeyVersion::FIRST,
        };
        keys.subjects.insert(name.clone(), KeyState::Erased { through });
        keys.requests.insert(name.clone(), request.clone());
        keys.state(&name)
    }

    async fn hold(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        hold: &LegalHold,
    ) -> Result<ErasureState, KeyringError> {
        let mut keys = self.begin()?;
        let name = (tenant.clone(), subject.clone());
        if let Some(KeyState::Active { .. }) = keys.subjects.get(&name) {
            keys.holds.entry(name.clone()).or_insert_with(|| hold.clone());
        }
        keys.state(&name)
    }

    async fn lift(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        let mut keys = self.begin()?;
        let name = (tenant.clone(), subject.clone());
        keys.holds.remove(&name);
        keys.state(&name)
    }
}

fn damaged(error: impl std::error::Error) -> KeyringError {
    KeyringError::Damaged { of: "a new key".to_owned(), reason: error.to_string() }
}

impl std::fmt::Debug for MemoryKeyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let subjects = self.lock().subjects.len();
        f.debug_struct("MemoryKeyring").field("subjects", &subjects).finish_non_exhaustive()
    }
}
