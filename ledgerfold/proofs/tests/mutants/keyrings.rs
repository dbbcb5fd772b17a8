//! Faulty keyrings. They prove that the rules of their suite can fail.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    TenantId,
    ports::{ErasureReader, KeyEraser, KeyReader, Keyring, KeyringError, Random},
    sealed::{KeyState, KeyVersion, SubjectKey, SubjectPseudonym, TenantKey},
    vocabulary::{ErasureMark, ErasureRequest, ErasureState, LegalHold},
};
use ledgerfold_testkit::SeededRandom;

use crate::suite::{examine, named_rules};

/// A defect of a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    MakesKeysOnRead,
    MakesTenantKeysOnRead,
    MakesAKeyEachTime,
    MakesATenantKeyEachTime,
    LastKeyWins,
    LastTenantKeyWins,
    OneKeyForAll,
    OneKeyForAllTenants,
    IgnoresTheTenant,
    ErasesNothing,
    ForgetsTheErased,
    ForgetsToForbid,
    ErasesOnlyWhatIsThere,
    CountsErasures,
    ErasesTheWholeTenant,
    ErasesTheTenantsKey,
    ReadsTheFenceBeforehand,
    KeepsTheLastRequest,
    ErasesTheHeld,
    HoldsTheUnknown,
    ReadsTheHoldBeforehand,
}

/// The defects with the rules that they fail.
const MUTANTS: &[(Defect, &[&str])] = &[
    (Defect::None, &[]),
    (Defect::MakesKeysOnRead, &["reading_makes_no_key", "subjects_of_tenants_do_not_mix"]),
    (Defect::MakesTenantKeysOnRead, &["reading_makes_no_key_of_a_tenant"]),
    (Defect::MakesAKeyEachTime, &["a_key_is_made_once", "of_racing_provisions_all_get_one_key"]),
    (
        Defect::MakesATenantKeyEachTime,
        &[
            "a_key_of_a_tenant_is_made_once",
            "an_erasure_leaves_other_subjects_and_the_tenant",
            "of_racing_provisions_of_a_tenant_all_get_one_key",
        ],
    ),
    (Defect::LastKeyWins, &["of_racing_provisions_all_get_one_key"]),
    (Defect::LastTenantKeyWins, &["of_racing_provisions_of_a_tenant_all_get_one_key"]),
    (Defect::OneKeyForAll, &["keys_of_subjects_differ", "subjects_of_tenants_do_not_mix"]),
    (Defect::OneKeyForAllTenants, &["keys_of_tenants_differ"]),
    (Defect::IgnoresTheTenant, &["subjects_of_tenants_do_not_mix"]),
    (
        Defect::ErasesNothing,
        &[
            "a_legal_hold_refuses_an_erasure_until_it_is_lifted",
            "a_subject_without_a_key_can_be_erased",
            "an_erased_subject_gets_no_other_key",
            "an_erased_subject_has_no_key",
            "an_erasure_can_be_repeated",
            "of_a_hold_and_an_erasure_at_once_one_takes_effect",
            "of_provisions_and_an_erasure_at_once_the_erasure_stays",
            "the_mark_keeps_the_first_request",
            "there_is_nothing_to_hold_without_a_key",
        ],
    ),
    (
        Defect::ForgetsTheErased,
        &[
            "a_legal_hold_refuses_an_erasure_until_it_is_lifted",
            "a_subject_without_a_key_can_be_erased",
            "an_erased_subject_gets_no_other_key",
            "an_erased_subject_has_no_key",
            "an_erasure_can_be_repeated",
            "of_a_hold_and_an_erasure_at_once_one_takes_effect",
            "of_provisions_and_an_erasure_at_once_the_erasure_stays",
            "there_is_nothing_to_hold_without_a_key",
        ],
    ),
    (
        Defect::ForgetsToForbid,
        &["a_subject_without_a_key_can_be_erased", "an_erased_subject_gets_no_other_key"],
    ),
    (Defect::ErasesOnlyWhatIsThere, &["a_subject_without_a_key_can_be_erased"]),
    (Defect::CountsErasures, &["an_erasure_can_be_repeated", "the_mark_keeps_the_first_request"]),
    (Defect::ErasesTheWholeTenant, &["an_erasure_leaves_other_subjects_and_the_tenant"]),
    (Defect::ErasesTheTenantsKey, &["an_erasure_leaves_other_subjects_and_the_tenant"]),
    (Defect::ReadsTheFenceBeforehand, &["of_provisions_and_an_erasure_at_once_the_erasure_stays"]),
    (Defect::KeepsTheLastRequest, &["the_mark_keeps_the_first_request"]),
    (
        Defect::ErasesTheHeld,
        &[
            "a_legal_hold_refuses_an_erasure_until_it_is_lifted",
            "of_a_hold_and_an_erasure_at_once_one_takes_effect",
        ],
    ),
    (Defect::HoldsTheUnknown, &["there_is_nothing_to_hold_without_a_key"]),
    (Defect::ReadsTheHoldBeforehand, &["of_a_hold_and_an_erasure_at_once_one_takes_effect"]),
];

/// A keyring with one defect.
struct Wrong {
    defect: Defect,
    random: SeededRandom,
    keys: Mutex<Keys>,
}

type Subject = (TenantId, SubjectPseudonym);

#[derive(Default)]
struct Keys {
    tenants: BTreeMap<TenantId, TenantKey>,
    subjects: BTreeMap<Subject, KeyState>,
    holds: BTreeMap<Subject, LegalHold>,
    requests: BTreeMap<Subject, ErasureRequest>,
}

impl Wrong {
    fn new(defect: Defect) -> Self {
        Self { defect, random: SeededRandom::new(3), keys: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, tenant: &TenantId, subject: &SubjectPseudonym) -> Subject {
        let tenant = match self.defect {
            Defect::IgnoresTheTenant => TenantId::default_tenant(),
            _ => tenant.clone(),
        };
        (tenant, subject.clone())
    }

    fn bytes(&self, is_constant: bool) -> [u8; 32] {
        let mut bytes = [0; 32];
        if !is_constant {
            self.random.fill(&mut bytes);
        }
        bytes
    }

    fn new_key(&self) -> KeyState {
        let bytes = self.bytes(self.defect == Defect::OneKeyForAll);
        let key = SubjectKey::from_bytes(&bytes).expect("32 bytes");
        KeyState::Active { version: KeyVersion::FIRST, key }
    }

    fn new_tenant_key(&self) -> TenantKey {
        let bytes = self.bytes(self.defect == Defect::OneKeyForAllTenants);
        TenantKey::from_bytes(KeyVersion::FIRST, &bytes).expect("32 bytes")
    }
}

#[async_trait]
impl KeyReader for Wrong {
    async fn tenant_key(&self, tenant: &TenantId) -> Result<Option<TenantKey>, KeyringError> {
        if self.defect == Defect::MakesTenantKeysOnRead {
            return self.provide_tenant_key(tenant).await.map(Some);
        }
        Ok(self.lock().tenants.get(tenant).cloned())
    }

    async fn subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<Option<KeyState>, KeyringError> {
        if self.defect == Defect::MakesKeysOnRead {
            return self.provide_subject_key(tenant, subject).await.map(Some);
        }
        let found = self.lock().subjects.get(&self.name(tenant, subject)).cloned();
        Ok(match (self.defect, found) {
            (Defect::ForgetsTheErased, Some(KeyState::Erased { .. })) => None,
            (_, found) => found,
        })
    }
}

#[async_trait]
impl Keyring for Wrong {
    async fn provide_tenant_key(&self, tenant: &TenantId) -> Result<TenantKey, KeyringError> {
        let found = self.lock().tenants.get(tenant).cloned();
        if self.defect == Defect::LastTenantKeyWins && found.is_none() {
            tokio::task::yield_now().await;
            let key = self.new_tenant_key();
            self.lock().tenants.insert(tenant.clone(), key.clone());
            return Ok(key);
        }
        let key = self.new_tenant_key();
        if self.defect == Defect::MakesATenantKeyEachTime {
            return Ok(key);
        }
        Ok(self.lock().tenants.entry(tenant.clone()).or_insert(key).clone())
    }

    async fn provide_subject_key(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<KeyState, KeyringError> {
        let name = self.name(tenant, subject);
        let found = self.lock().subjects.get(&name).cloned();
        let key = self.new_key();
        match (self.defect, found) {
            (Defect::LastKeyWins, None) => {
                tokio::task::yield_now().await;
                let mut keys = self.lock();
                // It respects an erasure.
                if let Some(erased @ KeyState::Erased { .. }) = keys.subjects.get(&name) {
                    return Ok(erased.clone());
                }
                keys.subjects.insert(name, key.clone());
                return Ok(key);
            }
            (Defect::ReadsTheFenceBeforehand, None) => {
                tokio::task::yield_now().await;
                let mut keys = self.lock();
                match keys.subjects.get(&name) {
                    Some(active @ KeyState::Active { .. }) => return Ok(active.clone()),
                    _ => keys.subjects.insert(name, key.clone()),
                };
                return Ok(key);
            }
            (Defect::MakesAKeyEachTime, None | Some(KeyState::Active { .. })) => {
                self.lock().subjects.entry(name).or_insert_with(|| key.clone());
                return Ok(key);
            }
            (Defect::ForgetsToForbid, Some(KeyState::Erased { .. })) => {
                self.lock().subjects.insert(name, key.clone());
                return Ok(key);
            }
            _ => {}
        }
        Ok(self.lock().subjects.entry(name).or_insert(key).clone())
    }
}

impl Wrong {
    fn state(&self, name: &Subject) -> ErasureState {
        let keys = self.lock();
        match (keys.subjects.get(name), keys.holds.get(name)) {
            (Some(KeyState::Erased { through }), _) => {
                let request = keys.requests.get(name).cloned();
                let request = request.unwrap_or_else(ErasureRequest::example);
                ErasureState::Erased(ErasureMark { through: *through, request })
            }
            (Some(KeyState::Active { .. }), None) => ErasureState::Active,
            (_, Some(hold)) => ErasureState::Held(hold.clone()),
            (None, None) => ErasureState::NoKey,
        }
    }
}

#[async_trait]
impl ErasureReader for Wrong {
    async fn erasure_state(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        Ok(self.state(&self.name(tenant, subject)))
    }
}

#[async_trait]
impl KeyEraser for Wrong {
    async fn erase(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        request: &ErasureRequest,
    ) -> Result<ErasureState, KeyringError> {
        let name = self.name(tenant, subject);
        let is_held = self.lock().holds.contains_key(&name);
        if is_held && self.defect != Defect::ErasesTheHeld {
            return Ok(self.state(&name));
        }
        if self.defect == Defect::ReadsTheHoldBeforehand {
            tokio::task::yield_now().await;
        }
        let mut keys = self.lock();
        let found = keys.subjects.get(&name).cloned();
        let erased = |through| KeyState::Erased { through };
        let through = match (self.defect, &found) {
            (Defect::CountsErasures, Some(KeyState::Erased { through })) => {
                KeyVersion::new(through.get() + 1).expect("not 0")
            }
            (Defect::ErasesNothing, _) | (Defect::ErasesOnlyWhatIsThere, None) => {
                let (through, request) = (KeyVersion::FIRST, request.clone());
                return Ok(ErasureState::Erased(ErasureMark { through, request }));
            }
            (_, Some(KeyState::Erased { through })) => *through,
            (_, Some(KeyState::Active { version, .. })) => *version,
            (_, None) => KeyVersion::FIRST,
        };
        if self.defect == Defect::ErasesTheWholeTenant {
            let subjects = keys.subjects.iter_mut().filter(|((of, _), _)| of == tenant);
            subjects.for_each(|(_, state)| *state = erased(through));
        }
        if self.defect == Defect::ErasesTheTenantsKey {
            keys.tenants.remove(tenant);
        }
        keys.subjects.insert(name.clone(), erased(through));
        if self.defect == Defect::KeepsTheLastRequest || !keys.requests.contains_key(&name) {
            keys.requests.insert(name.clone(), request.clone());
        }
        drop(keys);
        Ok(self.state(&name))
    }

    async fn hold(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
        hold: &LegalHold,
    ) -> Result<ErasureState, KeyringError> {
        let name = self.name(tenant, subject);
        let has_key = matches!(self.lock().subjects.get(&name), Some(KeyState::Active { .. }));
        if has_key || self.defect == Defect::HoldsTheUnknown {
            self.lock().holds.insert(name.clone(), hold.clone());
        }
        Ok(self.state(&name))
    }

    async fn lift(
        &self,
        tenant: &TenantId,
        subject: &SubjectPseudonym,
    ) -> Result<ErasureState, KeyringError> {
        let name = self.name(tenant, subject);
        self.lock().holds.remove(&name);
        Ok(self.state(&name))
    }
}

#[test]
fn every_wrong_keyring_fails_its_rules_and_no_others_and_every_rule_is_failed() {
    type Subject = Wrong;
    let rules = ledgerfold_proofs::keyring_rules!([named_rules] keyring);
    examine(&rules, MUTANTS, |defect| Arc::new(Wrong::new(defect)));
}
