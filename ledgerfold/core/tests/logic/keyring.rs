//! Keys that are fetched before pure code runs, and cached.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc, time::Duration};

use ledgerfold::{
    TenantId, Timestamp,
    keyring::{
        CACHED_FOR, CachedKeys, FetchKeysError, MAX_SUBJECTS, fetch_keys, keys_to_open,
        provide_keys,
    },
    ports::{Clock, KeyEraser, KeyReader, Keyring},
    sealed::{
        DataSubject, KeyState, KeyVersion, Label, OpenError, Opened, Personal, Plain, Sealed,
        SubjectKey, SubjectPseudonym,
    },
    vocabulary::ErasureRequest,
};
use ledgerfold_testkit::{ManualClock, MemoryKeyring, SeededRandom};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Name(String);

impl Personal for Name {
    const LABEL: Label = Label::from_static("name");
}

struct Stage {
    keyring: Arc<MemoryKeyring>,
    clock: Arc<ManualClock>,
    cache: CachedKeys<MemoryKeyring>,
}

impl Stage {
    fn new() -> Self {
        Self::with_room_for(1_000)
    }

    fn with_room_for(most: usize) -> Self {
        let keyring = Arc::new(MemoryKeyring::default());
        let clock = Arc::new(ManualClock::default());
        let most = NonZeroUsize::new(most).expect("not 0");
        let cache = CachedKeys::with_limits(keyring.clone(), clock.clone(), CACHED_FOR, most);
        Self { keyring, clock, cache }
    }

    async fn subject(&self, id: &str) -> SubjectPseudonym {
        let key = self.keyring.provide_tenant_key(&acme()).await.expect("it is made");
        key.pseudonym(&subject(id))
    }

    /// How many calls it takes to provide the key of this subject.
    async fn calls_for(&self, subject: &SubjectPseudonym) -> usize {
        let before = self.keyring.calls();
        self.cache.provide_subject_key(&acme(), subject).await.expect("it is provided");
        self.keyring.calls() - before
    }
}

fn acme() -> TenantId {
    TenantId::new("acme").expect("a tenant")
}

fn subject(id: &str) -> DataSubject {
    DataSubject::new(id).expect("visible ASCII")
}

fn later(clock: &ManualClock, seconds: i64) -> Timestamp {
    Timestamp::from_second(clock.now().as_second() + seconds).expect("a time")
}

#[tokio::test]
async fn a_cached_key_costs_no_call() {
    let stage = Stage::new();
    let ada = stage.subject("ada").await;
    assert_eq!(stage.calls_for(&ada).await, 1);
    assert_eq!(stage.calls_for(&ada).await, 0);
    let before = stage.keyring.calls();
    assert!(stage.cache.subject_key(&acme(), &ada).await.expect("it is cached").is_some());
    for _ in 0..2 {
        assert!(stage.cache.tenant_key(&acme()).await.expect("it is read").is_some());
        stage.cache.provide_tenant_key(&acme()).await.expect("it is cached");
    }
    assert_eq!(stage.keyring.calls(), before + 1);
}

/// Whoever was erased is unreadable after this time.
// Guards: a-cached-key-lives-for-a-bounded-time
#[tokio::test]
async fn a_cached_key_is_dropped_at_its_age() {
    let stage = Stage::new();
    let ada = stage.subject("ada").await;
    stage.calls_for(&ada).await;
    stage.keyring.erase(&acme(), &ada, &ErasureRequest::example()).await.expect("it is erased");
    stage.clock.sleep(CACHED_FOR - Duration::from_millis(1)).await;
    let cached = stage.cache.subject_key(&acme(), &ada).await.expect("it is cached");
    assert!(matches!(cached, Some(KeyState::Active { .. })), "{cached:?}");
    stage.clock.sleep(Duration::from_millis(1)).await;
    let read = stage.cache.subject_key(&acme(), &ada).await.expect("it is read");
    assert_eq!(read, Some(KeyState::Erased { through: KeyVersion::FIRST }));
}

/// Use must not make it younger.
// Guards: a-cached-key-lives-for-a-bounded-time
#[tokio::test]
async fn a_key_in_steady_use_is_dropped_at_its_age() {
    let stage = Stage::new();
    let ada = stage.subject("ada").await;
    stage.calls_for(&ada).await;
    let mut calls = 0;
    for _ in 0..10 {
        stage.clock.sleep(CACHED_FOR / 4).await;
        calls += stage.calls_for(&ada).await;
    }
    assert_eq!(calls, 2);
}

// Guards: a-cached-key-lives-for-a-bounded-time
#[tokio::test]
async fn a_clock_that_is_set_back_drops_all_keys() {
    let stage = Stage::new();
    let ada = stage.subject("ada").await;
    stage.calls_for(&ada).await;
    // It goes back and forth, so that no key ever seems old.
    for _ in 0..3 {
        stage.clock.set(later(&stage.clock, 200));
        assert_eq!(stage.calls_for(&ada).await, 0);
        stage.clock.set(later(&stage.clock, -200));
        assert_eq!(stage.calls_for(&ada).await, 1);
    }
    stage.clock.set(later(&stage.clock, -31_536_000));
    assert_eq!(stage.calls_for(&ada).await, 1);
    assert_eq!(stage.calls_for(&ada).await, 0);
    stage.clock.sleep(CACHED_FOR).await;
    assert_eq!(stage.calls_for(&ada).await, 1);
}

/// A keyring that takes long, and sets the clock back meanwhile.
struct Slow {
    keyring: MemoryKeyring,
    clock: Arc<ManualClock>,
    seconds: i64,
}

#[async_trait::async_trait]
impl KeyReader for Slow {
    async fn tenant_key(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<ledgerfold::sealed::TenantKey>, ledgerfold::ports::KeyringError> {
        self.keyring.tenant_key(tenant).await
    }

    async fn subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<Option<KeyState>, ledgerfold::ports::KeyringError> {
        let state = self.keyring.provide_subject_key(tenant, subject).await.map(Some);
        self.clock.set(later(&self.clock, self.seconds));
        state
    }
}

/// A key that is read before an erasure may arrive long after it.
// Guards: a-cached-key-lives-for-a-bounded-time
#[tokio::test]
async fn the_age_of_a_key_counts_from_before_it_was_fetched() {
    let ada = Stage::new().subject("ada").await;
    for (seconds, calls) in [(0, 1), (200, 1), (300, 2), (-1, 2)] {
        let clock = Arc::new(ManualClock::default());
        let slow = Slow { keyring: MemoryKeyring::default(), clock: clock.clone(), seconds };
        let slow = Arc::new(slow);
        let cache = CachedKeys::new(slow.clone(), clock);
        for _ in 0..2 {
            cache.subject_key(&acme(), &ada).await.expect("it is read");
        }
        assert_eq!(slow.keyring.calls(), calls, "{seconds} seconds");
    }
}

#[tokio::test]
async fn the_cache_has_a_bounded_number_of_keys() {
    let stage = Stage::with_room_for(2);
    let subjects = [stage.subject("a").await, stage.subject("b").await, stage.subject("c").await];
    for subject in &subjects {
        stage.calls_for(subject).await;
    }
    assert_eq!(stage.calls_for(&subjects[2]).await, 0);
    assert_eq!(stage.calls_for(&subjects[1]).await, 0);
    assert_eq!(stage.calls_for(&subjects[0]).await, 1, "the oldest one was dropped");
}

/// Another process may make the key in the next moment.
#[tokio::test]
async fn a_missing_key_is_not_remembered() {
    let stage = Stage::new();
    let ada = stage.subject("ada").await;
    assert_eq!(stage.cache.subject_key(&acme(), &ada).await.expect("it is read"), None);
    let other = TenantId::new("other").expect("a tenant");
    assert_eq!(stage.cache.tenant_key(&other).await.expect("it is read"), None);
    let made = stage.keyring.provide_subject_key(&acme(), &ada).await.expect("it is made");
    assert_eq!(stage.cache.subject_key(&acme(), &ada).await.expect("it is read"), Some(made));
    stage.keyring.provide_tenant_key(&other).await.expect("it is made");
    assert!(stage.cache.tenant_key(&other).await.expect("it is read").is_some());
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let stage = Stage::new();
    let ada = stage.subject("ada").await;
    stage.keyring.fail(true);
    assert!(stage.cache.provide_subject_key(&acme(), &ada).await.is_err());
    stage.keyring.fail(false);
    assert_eq!(stage.calls_for(&ada).await, 1);
}

#[tokio::test]
async fn tenants_and_subjects_do_not_mix_in_the_cache() {
    let stage = Stage::new();
    let ada = stage.subject("ada").await;
    let other = TenantId::new("other").expect("a tenant");
    let here = stage.cache.provide_subject_key(&acme(), &ada).await.expect("it is made");
    let there = stage.cache.provide_subject_key(&other, &ada).await.expect("it is made");
    assert_ne!(here, there);
    let one = stage.cache.provide_tenant_key(&acme()).await.expect("it is made");
    let another = stage.cache.provide_tenant_key(&other).await.expect("it is made");
    assert_ne!(one, another);
}

/// A subject came back after its erasure, and a value of its new key arrives.
#[tokio::test]
async fn an_outdated_key_can_be_forgotten() {
    let stage = Stage::new();
    let ada = stage.subject("ada").await;
    stage.calls_for(&ada).await;
    let key = SubjectKey::from_bytes(&[9; 32]).expect("32 bytes");
    let new = KeyState::Active { version: KeyVersion::new(2).expect("not 0"), key };
    stage.keyring.set(&acme(), &ada, new.clone());
    stage.cache.forget(&acme(), &ada);
    assert_eq!(stage.cache.subject_key(&acme(), &ada).await.expect("it is read"), Some(new));
}

#[tokio::test]
async fn values_are_sealed_and_opened_with_fetched_keys() {
    let keyring = MemoryKeyring::default();
    let random = SeededRandom::new(5);
    let ada = subject("ada");
    let subjects = [ada.clone(), subject("bob"), ada.clone()];
    let keys = provide_keys(&keyring, &random, &acme(), &subjects).await.expect("they are made");
    assert_eq!(keyring.calls(), 3, "each subject once");
    let name = Plain::new(Name("Ada".to_owned()));
    let sealed = keys.seal(&ada, &name).expect("it is sealed");

    let row = vec![("x", sealed.clone())];
    let open = keys_to_open(&keyring, &acme(), &row).await.expect("they are fetched");
    assert_eq!(open.open(&sealed), Ok(Opened::Value(name.clone())));
    // Another command has another seed.
    let again = provide_keys(&keyring, &random, &acme(), &subjects).await.expect("they exist");
    assert_ne!(again.seal(&ada, &name).expect("it is sealed"), sealed);

    let pseudonym = keys.pseudonym(&ada);
    keyring.erase(&acme(), &pseudonym, &ErasureRequest::example()).await.expect("it is erased");
    let open = keys_to_open(&keyring, &acme(), &row).await.expect("they are fetched");
    assert_eq!(open.open(&sealed), Ok(Opened::Erased));
    // Fetching for a query makes no key, also in a tenant that has none.
    let other = TenantId::new("other").expect("a tenant");
    let open = keys_to_open(&keyring, &other, &row).await.expect("they are fetched");
    assert_eq!(open.open(&sealed), Err(OpenError::UnknownSubject(pseudonym.clone())));
    assert_eq!(keyring.subject_key(&other, &pseudonym).await.expect("it is read"), None);
}

#[tokio::test]
async fn the_number_of_subjects_is_bounded() {
    let keyring = MemoryKeyring::default();
    let random = SeededRandom::new(5);
    let subjects: Vec<_> = (0..=MAX_SUBJECTS).map(|id| subject(&id.to_string())).collect();
    let refused = provide_keys(&keyring, &random, &acme(), &subjects).await;
    assert!(matches!(refused, Err(FetchKeysError::TooManySubjects(101))), "{refused:?}");
    assert_eq!(keyring.calls(), 0);
    let most = provide_keys(&keyring, &random, &acme(), &subjects[1..]).await;
    let most = most.expect("they are made");
    let pseudonyms: BTreeSet<_> = subjects.iter().map(|it| most.pseudonym(it)).collect();
    let refused = fetch_keys(&keyring, &acme(), pseudonyms.clone()).await;
    assert!(matches!(refused, Err(FetchKeysError::TooManySubjects(101))), "{refused:?}");
    let row: Sealed<Name> =
        most.seal(&subjects[1], &Plain::new(Name(String::new()))).expect("it is sealed");
    assert!(keys_to_open(&keyring, &acme(), &row).await.is_ok());
}
