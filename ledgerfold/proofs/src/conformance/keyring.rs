//! The rules of a keyring. A keyring may be shared by all rules: each one uses tenants and subjects of its own.

use futures::future::join_all;
use ledgerfold::{
    TenantId,
    ports::{KeyEraser, Keyring},
    sealed::{DataSubject, KeyState, KeyVersion, SubjectPseudonym, TenantKey},
    vocabulary::{ErasureMark, ErasureRequest, ErasureState, LegalHold},
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
    let request = ErasureRequest::example();
    let state = keys.erase(tenant, subject, &request).await.expect("the subject can be erased");
    let ErasureState::Erased(mark) = state else { unreachable!("no hold refuses it: {state:?}") };
    mark.through
}

async fn hold(
    keys: &dyn ErasableKeyring,
    tenant: &TenantId,
    subject: &SubjectPseudonym,
) -> ErasureState {
    keys.hold(tenant, subject, &LegalHold::example()).await.expect("the hold is answered")
}

async fn state(
    keys: &dyn ErasableKeyring,
    tenant: &TenantId,
    subject: &SubjectPseudonym,
) -> ErasureState {
    keys.erasure_state(tenant, subject).await.expect("the state can be read")
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

/// The certificate shows who asked for it. A later request is not the one that destroyed the key.
pub async fn the_mark_keeps_the_first_request(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    provide(keys, &tenant, &subject).await;
    erase(keys, &tenant, &subject).await;
    let later = ErasureRequest { basis: "another".to_owned(), ..ErasureRequest::example() };
    let mark = ErasureMark { through: KeyVersion::FIRST, request: ErasureRequest::example() };
    let marked = ErasureState::Erased(mark);
    let again = keys.erase(&tenant, &subject, &later).await.expect("it is repeated");
    assert_eq!(again, marked);
    assert_eq!(state(keys, &tenant, &subject).await, marked);
}

/// Somebody must keep the data.
// Guards: a-legal-hold-refuses-an-erasure
pub async fn a_legal_hold_refuses_an_erasure_until_it_is_lifted(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    let key = provide(keys, &tenant, &subject).await;
    let held = ErasureState::Held(LegalHold::example());
    assert_eq!(hold(keys, &tenant, &subject).await, held);
    let refused = keys.erase(&tenant, &subject, &ErasureRequest::example()).await;
    assert_eq!(refused.expect("the answer is the hold"), held);
    assert_eq!(read(keys, &tenant, &subject).await, Some(key));
    for _ in 0..2 {
        let lifted = keys.lift(&tenant, &subject).await.expect("it is lifted");
        assert_eq!(lifted, ErasureState::Active);
    }
    assert_eq!(erase(keys, &tenant, &subject).await, KeyVersion::FIRST);
    assert_eq!(read(keys, &tenant, &subject).await, Some(ERASED));
}

/// A hold cannot bring data back, and makes no item for somebody unknown, which would stop the first key.
pub async fn there_is_nothing_to_hold_without_a_key(keys: &dyn ErasableKeyring) {
    let tenant = fresh_tenant();
    let subject = fresh_subject();
    assert_eq!(hold(keys, &tenant, &subject).await, ErasureState::NoKey);
    assert_eq!(state(keys, &tenant, &subject).await, ErasureState::NoKey);
    provide(keys, &tenant, &subject).await;
    assert_eq!(state(keys, &tenant, &subject).await, ErasureState::Active);
    erase(keys, &tenant, &subject).await;
    assert!(matches!(hold(keys, &tenant, &subject).await, ErasureState::Erased(_)));
    assert_eq!(read(keys, &tenant, &subject).await, Some(ERASED));
}

/// The first of the two wins, and the other learns of it.
// Guards: a-legal-hold-refuses-an-erasure
pub async fn of_a_hold_and_an_erasure_at_once_one_takes_effect(keys: &dyn ErasableKeyring) {
    for number in 0..RACERS {
        let tenant = fresh_tenant();
        let subject = fresh_subject();
        provide(keys, &tenant, &subject).await;
        let request = ErasureRequest::example();
        let holds = hold(keys, &tenant, &subject);
        let erases = keys.erase(&tenant, &subject, &request);
        // Either of them begins.
        let (held, erased) = match number % 2 {
            0 => futures::join!(holds, erases),
            _ => {
                let (erased, held) = futures::join!(erases, holds);
                (held, erased)
            }
        };
        let stored = state(keys, &tenant, &subject).await;
        assert_eq!((&held, &erased.expect("it is answered")), (&stored, &stored));
        let is_erased = matches!(stored, ErasureState::Erased(_));
        assert_eq!(read(keys, &tenant, &subject).await == Some(ERASED), is_erased);
    }
}
