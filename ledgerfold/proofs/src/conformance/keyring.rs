//! The rules of a keyring. A keyring may be shared by all rules: each one uses tenants and subjects of its own.

use futures::future::join_all;
use ledgerfold::{
    TenantId,
    ports::{KeyEraser, Keyring},
    sealed::{DataSubject, KeyState, KeyVersion, SubjectPseudonym, TenantKey},
};
use uuid::Uuid;

/// The number of concurrent calls.
const RACERS: usize = 8;

/// A keyring whose keys can be erased.
pub trait ErasableKeyring: Keyring + KeyEraser {}

impl<K: Keyring + KeyEraser> ErasableKeyring for K {}

fn fresh_tenant() -> TenantId {
    TenantId::new(Uuid::new_v4().to_string()).expect("a UUID is a tenant")
}

/// A pseudonym that is unique, although no key of a tenant made it.
fn fresh_subject() -> SubjectPseudonym {
    let key = TenantKey::from_bytes(KeyVersion::FIRST, &[0; 32]).expect("32 bytes");
    let subject = DataSubject::new(Uuid::new_v4().to_string()).expect("a UUID is a subject");
    key.pseudonym(&subject)
}

async fn read(
    keys: &dyn ErasableKeyring,
    tenant: &TenantId,
    subject: &SubjectPseudonym,
) -> Option<KeyState> {
    keys.subject_key(tenant, subject).await.expect("the key can be read")
}

async fn provide(
    keys: &dyn ErasableKeyring,
    tenant: &TenantId,
    subject: &SubjectPseudonym,
) -> KeyState {
    keys.provide_subject_key(tenant, subject).await.expect("the key can be provided")
}

async fn provide_tenant(keys: &dyn ErasableKeyring, tenant: &TenantId) -> TenantKey {
    keys.provide_tenant_key(tenant).await.expect("the key can be provided")
}

async fn erase(
    keys: &dyn ErasableKeyring,
    tenant: &TenantId,
    subject: &SubjectPseudonym,
) -> KeyVersion {
    keys.erase(tenant, subject).await.expect("the subject can be erased")
}

const ERASED: KeyState = KeyState::Erased { through: KeyVersion::FIRST };

/// A query for somebody who does not exist leaves no trace.
pub async fn reading_makes_no_key(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    for _ in 0..2 {
        assert_eq!(read(keys, &tenant, &subject).await, None);
    }
}

/// Also not the key of a tenant.
pub async fn reading_makes_no_key_of_a_tenant(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    for _ in 0..2 {
        assert_eq!(keys.tenant_key(&tenant).await.expect("it can be read"), None);
    }
}

/// The first version, and the same key ever after.
// Guards: a-subject-has-one-key
pub async fn a_key_is_made_once(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    let made = provide(keys, &tenant, &subject).await;
    assert!(matches!(made, KeyState::Active { version: KeyVersion::FIRST, .. }), "{made:?}");
    assert_eq!(provide(keys, &tenant, &subject).await, made);
    assert_eq!(read(keys, &tenant, &subject).await, Some(made));
}

/// Pseudonyms and keyed hashes are compared with stored ones.
// Guards: a-subject-has-one-key
pub async fn a_key_of_a_tenant_is_made_once(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let made = provide_tenant(keys, &tenant).await;
    assert_eq!(made.version(), KeyVersion::FIRST);
    assert_eq!(provide_tenant(keys, &tenant).await, made);
    assert_eq!(keys.tenant_key(&tenant).await.expect("it can be read"), Some(made));
}

/// The first two commands about a person may run in two processes.
// Guards: a-subject-has-one-key
pub async fn of_racing_provisions_all_get_one_key(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    let made = join_all((0..RACERS).map(|_| provide(keys, &tenant, &subject))).await;
    let stored = read(keys, &tenant, &subject).await.expect("it was made");
    assert_eq!(made, vec![stored; RACERS]);
}

/// The same for a tenant.
// Guards: a-subject-has-one-key
pub async fn of_racing_provisions_of_a_tenant_all_get_one_key(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let made = join_all((0..RACERS).map(|_| provide_tenant(keys, &tenant))).await;
    let stored = keys.tenant_key(&tenant).await.expect("it can be read").expect("it was made");
    assert_eq!(made, vec![stored; RACERS]);
}

/// Otherwise an erasure would erase both, or neither.
pub async fn keys_of_subjects_differ(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let one = provide(keys, &tenant, &fresh_subject()).await;
    let other = provide(keys, &tenant, &fresh_subject()).await;
    assert_ne!(one, other);
}

/// Otherwise a tenant could compute the pseudonyms of another.
pub async fn keys_of_tenants_differ(keys: &dyn ErasableKeyring) {
    let one = provide_tenant(keys, &fresh_tenant()).await;
    let other = provide_tenant(keys, &fresh_tenant()).await;
    assert_ne!(one, other);
}

/// The same pseudonym in two tenants is two subjects.
pub async fn subjects_of_tenants_do_not_mix(keys: &dyn ErasableKeyring) {
    let here = fresh_tenant();
    let there = fresh_tenant();
    let subject = fresh_subject();
    let one = provide(keys, &here, &subject).await;
    assert_eq!(read(keys, &there, &subject).await, None);
    let other = provide(keys, &there, &subject).await;
    assert_ne!(one, other);
    erase(keys, &there, &subject).await;
    assert_eq!(read(keys, &here, &subject).await, Some(one));
}

/// It is not absent either: whoever reads its values must learn that they are erased.
// Guards: an-erased-subject-gets-no-key
pub async fn an_erased_subject_has_no_key(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    provide(keys, &tenant, &subject).await;
    assert_eq!(erase(keys, &tenant, &subject).await, KeyVersion::FIRST);
    assert_eq!(read(keys, &tenant, &subject).await, Some(ERASED));
}

/// A late command must not bring an erased person back.
// Guards: an-erased-subject-gets-no-key
pub async fn an_erased_subject_gets_no_other_key(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    provide(keys, &tenant, &subject).await;
    erase(keys, &tenant, &subject).await;
    assert_eq!(provide(keys, &tenant, &subject).await, ERASED);
    assert_eq!(read(keys, &tenant, &subject).await, Some(ERASED));
}

/// The first command about the person may be in flight.
// Guards: an-erased-subject-gets-no-key
pub async fn a_subject_without_a_key_can_be_erased(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    assert_eq!(erase(keys, &tenant, &subject).await, KeyVersion::FIRST);
    assert_eq!(read(keys, &tenant, &subject).await, Some(ERASED));
    assert_eq!(provide(keys, &tenant, &subject).await, ERASED);
}

/// An erasure whose answer was lost is repeated.
pub async fn an_erasure_can_be_repeated(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    provide(keys, &tenant, &subject).await;
    for _ in 0..3 {
        assert_eq!(erase(keys, &tenant, &subject).await, KeyVersion::FIRST);
    }
    assert_eq!(read(keys, &tenant, &subject).await, Some(ERASED));
}

/// Everybody else's data stays readable.
pub async fn an_erasure_leaves_other_subjects_and_the_tenant(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let of_tenant = provide_tenant(keys, &tenant).await;
    let other = fresh_subject();
    let of_other = provide(keys, &tenant, &other).await;
    let erased = fresh_subject();
    provide(keys, &tenant, &erased).await;
    erase(keys, &tenant, &erased).await;
    assert_eq!(read(keys, &tenant, &other).await, Some(of_other));
    assert_eq!(keys.tenant_key(&tenant).await.expect("it can be read"), Some(of_tenant));
}

/// A provision that has read "no key" before the erasure writes no key after it.
// Guards: an-erased-subject-gets-no-key
pub async fn of_provisions_and_an_erasure_at_once_the_erasure_stays(keys: &dyn ErasableKeyring) {
    for _ in 0..RACERS {
        let tenant = fresh_tenant();
        let subject = fresh_subject();
        let provisions = join_all((0..RACERS).map(|_| provide(keys, &tenant, &subject)));
        futures::join!(provisions, erase(keys, &tenant, &subject));
        assert_eq!(read(keys, &tenant, &subject).await, Some(ERASED));
    }
}
