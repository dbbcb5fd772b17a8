//! The state of a patient, and how events change it.

use std::collections::{BTreeMap, BTreeSet};

use ledgerfold::{
    Access, Caller, Category, Claim, Decider, DecisionContext, EntityId, SnapshotPolicy, Snapshots,
    Subject, Timestamp, UniqueKey,
    erasure::Erasable,
    sealed::{Keyed, KeyedHash},
};
use patients_events::{PatientErased, PatientEvent, Purpose, RecordKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PatientRejection, access};
use crate::commands::PatientCommand;

/// The domain of patients.
#[derive(Clone, Copy, Debug)]
pub struct Patients;

/// The state that decisions depend on. `None` means that the patient has not been registered.
pub type PatientState = Option<Patient>;

/// The events of a command, or the reason to refuse it.
pub type Decision = Result<Vec<PatientEvent>, PatientRejection>;

/// The kind of unique key of an identifier.
pub const IDENTIFIER: Category = Category::from_static("identifier");

/// The most records of a patient, so that its state fits into a snapshot.
pub const MAX_RECORDS: usize = 500;

/// The most consents of a patient, also withdrawn ones.
pub const MAX_CONSENTS: usize = 100;

/// A registered patient, without any personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Patient {
    /// The id, which is also the `sub` of the patient's tokens.
    pub id: EntityId,
    /// The keyed hashes of the identifiers, which an erasure releases.
    pub identifiers: Vec<KeyedHash>,
    /// The records by id.
    pub records: BTreeMap<EntityId, RecordEntry>,
    /// The consents by id, without those that were withdrawn.
    pub consents: BTreeMap<EntityId, Consent>,
    /// The ids of withdrawn consents.
    pub withdrawn: BTreeSet<EntityId>,
    /// The newest emergency access of each clinician, until its end is recorded.
    pub emergencies: BTreeMap<String, Emergency>,
    /// Whether the data was erased.
    pub is_erased: bool,
}

/// A record, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordEntry {
    /// Its kind.
    pub kind: RecordKind,
    /// Whether it was retracted.
    pub is_retracted: bool,
}

/// A consent to reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// The reader: the `sub` of a clinician, or a role.
    #[schemars(with = "String")]
    pub grantee: Subject,
    /// The kinds of records, or `None` for all.
    pub kinds: Option<BTreeSet<RecordKind>>,
    /// The purposes.
    pub purposes: BTreeSet<Purpose>,
    /// The time from which it no longer counts.
    pub until: Option<Timestamp>,
}

/// An emergency access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Emergency {
    /// Its id.
    pub access: EntityId,
    /// The time from which it no longer counts.
    pub until: Timestamp,
}

/// The patient that a command changes.
///
/// # Errors
/// [`PatientRejection::NotFound`] if it is not registered, and [`PatientRejection::Erased`] if it was erased.
pub fn registered(state: &PatientState) -> Result<&Patient, PatientRejection> {
    let patient = state.as_ref().ok_or(PatientRejection::NotFound)?;
    if patient.is_erased { Err(PatientRejection::Erased) } else { Ok(patient) }
}

impl Patient {
    /// A record that can be changed.
    ///
    /// # Errors
    /// [`PatientRejection::NoSuchRecord`] or [`PatientRejection::RecordRetracted`].
    pub fn record(&self, record: &EntityId) -> Result<RecordEntry, PatientRejection> {
        let entry = self.records.get(record).ok_or(PatientRejection::NoSuchRecord)?;
        if entry.is_retracted { Err(PatientRejection::RecordRetracted) } else { Ok(*entry) }
    }

    fn after(mut self, event: &PatientEvent) -> Self {
        match event {
            PatientEvent::PatientRegistered(_) => {}
            PatientEvent::RecordAdded(it) => {
                let entry = RecordEntry { kind: it.kind, is_retracted: false };
                self.records.insert(it.record.clone(), entry);
            }
            PatientEvent::RecordAmended(it) => {
                let entry = RecordEntry { kind: it.kind, is_retracted: false };
                self.records.insert(it.record.clone(), entry);
            }
            PatientEvent::RecordRetracted(it) => {
                if let Some(entry) = self.records.get_mut(&it.record) {
                    entry.is_retracted = true;
                }
            }
            PatientEvent::ConsentGiven(it) => {
                let consent = Consent {
                    grantee: it.grantee.clone(),
                    kinds: it.kinds.clone(),
                    purposes: it.purposes.clone(),
                    until: it.until,
                };
                self.consents.insert(it.consent.clone(), consent);
            }
            PatientEvent::ConsentWithdrawn(it) => {
                self.consents.remove(&it.consent);
                self.withdrawn.insert(it.consent.clone());
            }
            PatientEvent::EmergencyAccessStarted(it) => {
                let emergency = Emergency { access: it.access.clone(), until: it.until };
                self.emergencies.insert(it.clinician.to_string(), emergency);
            }
            PatientEvent::EmergencyAccessEnded(it) => {
                self.emergencies.retain(|_, emergency| emergency.access != it.access);
            }
            PatientEvent::PatientErased(_) => {
                self.identifiers.clear();
                self.consents.clear();
                self.emergencies.clear();
                self.is_erased = true;
            }
        }
        self
    }
}

impl Decider for Patients {
    type Command = Keyed<PatientCommand>;
    type Event = PatientEvent;
    type State = PatientState;
    type Rejection = PatientRejection;

    const CATEGORY: Category = Category::from_static("patient");

    fn initial() -> PatientState {
        None
    }

    fn evolve(state: PatientState, event: &PatientEvent) -> PatientState {
        match (state, event) {
            (None, PatientEvent::PatientRegistered(it)) => Some(Patient {
                id: it.patient.clone(),
                identifiers: it.identifiers.clone(),
                records: BTreeMap::new(),
                consents: BTreeMap::new(),
                withdrawn: BTreeSet::new(),
                emergencies: BTreeMap::new(),
                is_erased: false,
            }),
            (state, event) => state.map(|patient| patient.after(event)),
        }
    }

    fn may(caller: &Caller, command: &Keyed<PatientCommand>, state: &PatientState) -> Access {
        command.command().may(caller, state)
    }

    fn decide(
        state: &PatientState,
        command: &Keyed<PatientCommand>,
        context: &DecisionContext<'_>,
    ) -> Decision {
        command.command().decide(state, command.keys(), context)
    }

    fn snapshots() -> Option<Snapshots<PatientState>> {
        Some(Snapshots::of::<Self>(1).every(SnapshotPolicy { events: 50, bytes: 65_536 }))
    }

    fn claims(event: &PatientEvent) -> Vec<Claim> {
        let key = |hash| UniqueKey::keyed(IDENTIFIER, hash);
        match event {
            PatientEvent::PatientRegistered(it) => {
                it.identifiers.iter().map(|hash| Claim::Reserve(key(hash))).collect()
            }
            PatientEvent::PatientErased(it) => {
                it.identifiers.iter().map(|hash| Claim::Release(key(hash))).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Erasable for Patients {
    fn may_erase(caller: &Caller, state: &PatientState) -> Access {
        access::by(caller, &access::PRIVACY_OFFICER, state)
    }

    fn erase(state: &PatientState) -> Decision {
        let patient = registered(state)?;
        Ok(vec![PatientErased { identifiers: patient.identifiers.clone() }.into()])
    }
}
