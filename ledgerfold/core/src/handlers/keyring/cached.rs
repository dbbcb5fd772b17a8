use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use lru::LruCache;

use crate::{
    TenantId, Timestamp,
    ports::{Clock, ErasureReader, KeyEraser, KeyReader, Keyring, KeyringError},
    sealed::{KeyState, SubjectPseudonym, TenantKey},
    vocabulary::{ErasureRequest, ErasureState, LegalHold},
};

/// How long a key is cached. A process can read the data of an erased subject for this long.
pub const CACHED_FOR: Duration = Duration::from_secs(5 * 60);
/// The number of keys that are cached.
pub const MAX_CACHED_KEYS: NonZeroUsize = NonZeroUsize::new(1_000).expect("it is not 0");

/// A keyring that remembers keys for a bounded time. The least recently used ones are dropped first.
///
/// The age of a key counts from before it was fetched. If the clock runs backwards, ages cannot be known, so all keys are
/// dropped. A missing key is not remembered, because another process may make it at any time.
pub struct CachedKeys<K: ?Sized> {
    clock: Arc<dyn Clock>,
    cached_for: Duration,
    /// A mutex, because concurrent requests share the cache. Nobody waits while holding it.
    cached: Mutex<Cached>,
    keyring: Arc<K>,
}

struct Cached {
    keys: LruCache<Name, Remembered>,
    /// The latest time that was seen.
    latest: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    tenant: TenantId,
    /// `None`: the key of the tenant itself.
    subject: Option<SubjectPseudonym>,
}

struct Remembered {
    key: Key,
    fetched: Timestamp,
}

#[derive(Clone)]
enum Key {
    Tenant(TenantKey),
    Subject(KeyState),
}

impl Key {
    fn tenant(self) -> Option<TenantKey> {
        match self {
            Self::Tenant(key) => Some(key),
            Self::Subject(_) => None,
        }
    }

    fn subject(self) -> Option<KeyState> {
        match self {
            Self::Subject(state) => Some(state),
            Self::Tenant(_) => None,
        }
    }
}

impl<K: ?Sized> CachedKeys<K> {
    /// A cache of [`MAX_CACHED_KEYS`] keys for [`CACHED_FOR`].
    pub fn new(keyring: Arc<K>, clock: Arc<dyn Clock>) -> Self {
        Self::with_limits(keyring, clock, CACHED_FOR, MAX_CACHED_KEYS)
    }

    /// A cache of so many keys for this time.
    pub fn with_limits(
        keyring: Arc<K>,
        clock: Arc<dyn Clock>,
        cached_for: Duration,
        most: NonZeroUsize,
    ) -> Self {
        let cached = Cached { keys: LruCache::new(most), latest: Timestamp::MIN };
        Self { clock, cached_for, cached: Mutex::new(cached), keyring }
    }

    /// Drops the key of a subject, for example if a value has a newer version than it, or after an erasure.
    pub fn forget(&self, tenant: &TenantId, subject: &SubjectPseudonym) {
        self.lock().keys.pop(&Name::of(tenant, Some(subject)));
    }

    fn recall(&self, name: &Name) -> Option<Key> {
        let mut cached = self.lock();
        let now = cached.now(&*self.clock);
        let remembered = cached.keys.get(name)?;
        let age = now.duration_since(remembered.fetched);
        if age.unsigned_abs() < self.cached_for {
            return Some(remembered.key.clone());
        }
        cached.keys.pop(name);
        None
    }

    fn remember(&self, name: Name, key: Key, fetched: Timestamp) {
        let mut cached = self.lock();
        // If the clock was set back during the fetch, the age of the key is unknown.
        if fetched <= cached.now(&*self.clock) {
            cached.keys.put(name, Remembered { key, fetched });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cached {
    /// The time. Read with the lock held, so that an earlier time than the latest means that the clock was set back, and
    /// not that two requests overtook each other.
    fn now(&mut self, clock: &dyn Clock) -> Timestamp {
        let now = clock.now();
        if now < self.latest {
            self.keys.clear();
        }
        self.latest = now;
        now
    }
}

impl Name {
    fn of(tenant: &TenantId, subject: Option<&SubjectPseudonym>) -> Self {
        Self { tenant: tenant.clone(), subject: subject.cloned() }
    }
}

#[async_trait]
impl<K: KeyReader + ?Sized> KeyReader for CachedKeys<K> {
    async fn tenant_key(&self, tenant: &TenantId) -> Result<Option<TenantKey>, KeyringError> {
        let name = Name::of(tenant, None);
        if let Some(key) = self.recall(&name).and_then(Key::tenant) {
            return Ok(Some(key));
        }
        let asked = self.clock.now();
        let key = self.keyring.tenant_key(tenant).await?;
        if let Some(key) = &key {
            self.remember(name, Key::Tenant(key.clone()), asked);
        }
        Ok(key)
    }

    async fn subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<Option<KeyState>, KeyringError> {
        let name = Name::of(tenant, Some(subject));
        if let Some(state) = self.recall(&name).and_then(Key::subject) {
            return Ok(Some(state));
        }
        let asked = self.clock.now();
        let state = self.keyring.subject_key(tenant, subject).await?;
        if let Some(state) = &state {
            self.remember(name, Key::Subject(state.clone()), asked);
        }
        Ok(state)
    }
}

#[async_trait]
impl<K: Keyring + ?Sized> Keyring for CachedKeys<K> {
    async fn provide_tenant_key(&self, tenant: &TenantId) -> Result<TenantKey, KeyringError> {
        let name = Name::of(tenant, None);
        if let Some(key) = self.recall(&name).and_then(Key::tenant) {
            return Ok(key);
        }
        let asked = self.clock.now();
        let key = self.keyring.provide_tenant_key(tenant).await?;
        self.remember(name, Key::Tenant(key.clone()), asked);
        Ok(key)
    }

    async fn provide_subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<KeyState, KeyringError> {
        let name = Name::of(tenant, Some(subject));
        if let Some(state) = self.recall(&name).and_then(Key::subject) {
            return Ok(state);
        }
        let asked = self.clock.now();
        let state = self.keyring.provide_subject_key(tenant, subject).await?;
        self.remember(name, Key::Subject(state.clone()), asked);
        Ok(state)
    }
}

#[async_trait]
impl<K: ErasureReader + ?Sized> ErasureReader for CachedKeys<K> {
    async fn erasure_state(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        self.keyring.erasure_state(tenant, subject).await
    }
}

/// Erasures and holds are never cached. An erasure also drops the cached key of this process.
#[async_trait]
impl<K: KeyEraser + ?Sized> KeyEraser for CachedKeys<K> {
    async fn erase(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        request: &ErasureRequest,
    ) -> Result<ErasureState, KeyringError> {
        let state = self.keyring.erase(tenant, subject, request).await?;
        self.forget(tenant, subject);
        Ok(state)
    }

    async fn hold(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        hold: &LegalHold,
    ) -> Result<ErasureState, KeyringError> {
        self.keyring.hold(tenant, subject, hold).await
    }

    async fn lift(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        self.keyring.lift(tenant, subject).await
    }
}

impl<K: ?Sized> fmt::Debug for CachedKeys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedKeys")
            .field("cached_for", &self.cached_for)
            .field("keys", &self.lock().keys.len())
            .finish_non_exhaustive()
    }
}
