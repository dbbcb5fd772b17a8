//! The events of a patient.

use std::collections::BTreeSet;

use ledgerfold::{
    EntityId, Subject, Timestamp, events,
    sealed::{KeyedHash, Sealed},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Demographics, Purpose, Reason, RecordContent, RecordKind};

events! {
    /// The events of a patient.
    pub enum PatientEvent {
        PatientRegistered: 1,
        RecordAdded: 1,
        RecordAmended: 1,
        RecordRetracted: 1,
        ConsentGiven: 1,
        ConsentWithdrawn: 1,
        EmergencyAccessStarted: 1,
        EmergencyAccessEnded: 1,
        PatientErased: 1,
    }
}

/// A patient was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PatientRegistered {
    /// The patient's id, which is also the `sub` of its tokens.
    pub patient: EntityId,
    /// The demographics.
    pub demographics: Sealed<Demographics>,
    /// Keyed hashes of the identifiers, each of which belongs to one patient.
    pub identifiers: Vec<KeyedHash>,
}

/// A clinician added a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordAdded {
    /// The record's id.
    pub record: EntityId,
    /// Its kind.
    pub kind: RecordKind,
    /// Its content.
    pub content: Sealed<RecordContent>,
}

/// A clinician amended a record. The old content stays in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordAmended {
    /// The record's id.
    pub record: EntityId,
    /// Its kind from now on.
    pub kind: RecordKind,
    /// Its content from now on.
    pub content: Sealed<RecordContent>,
    /// The reason.
    pub reason: Sealed<Reason>,
}

/// A clinician retracted a record, for example because it was entered in error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordRetracted {
    /// The record's id.
    pub record: EntityId,
    /// The reason.
    pub reason: Sealed<Reason>,
}

/// The patient consented to reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsentGiven {
    /// The consent's id.
    pub consent: EntityId,
    /// The reader: the `sub` of a clinician, or a role.
    #[schemars(with = "String", length(min = 1, max = 255))]
    pub grantee: Subject,
    /// The kinds of records, or null for all.
    pub kinds: Option<BTreeSet<RecordKind>>,
    /// The purposes.
    pub purposes: BTreeSet<Purpose>,
    /// The time from which it no longer counts, or null.
    pub until: Option<Timestamp>,
}

/// A consent was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsentWithdrawn {
    /// The consent's id.
    pub consent: EntityId,
}

/// A clinician took access in an emergency, without a consent. Somebody must be told, and must review it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmergencyAccessStarted {
    /// The id of this access.
    pub access: EntityId,
    /// The clinician.
    #[schemars(with = "String", length(min = 1, max = 255))]
    pub clinician: Subject,
    /// The reason.
    pub reason: Sealed<Reason>,
    /// The time from which it no longer counts.
    pub until: Timestamp,
}

/// An emergency access ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmergencyAccessEnded {
    /// The id of the access.
    pub access: EntityId,
}

/// The patient's data was erased: nobody can open the sealed fields of this patient any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PatientErased {
    /// Keyed hashes of the identifiers, which other patients may use from now on.
    pub identifiers: Vec<KeyedHash>,
}
