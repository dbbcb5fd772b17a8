//! Personal data and its classification.

use jiff::civil::Date;
use ledgerfold::{
    Timestamp,
    sealed::{Label, Personal},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The demographics of a patient. They have no `Debug`, so no message can contain it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demographics {
    /// The name.
    pub name: String,
    /// The date of birth.
    pub birth_date: Date,
    /// The identifiers, for example of an insurance.
    pub identifiers: Vec<Identifier>,
    /// How to reach the patient.
    #[serde(default)]
    pub contact: Contact,
}

impl Personal for Demographics {
    const LABEL: Label = Label::from_static("patient-demographics");
}

/// An identifier of a person in a system. It belongs to one patient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identifier {
    /// The system, for example `urn:oid:2.16.840.1.113883.4.1`.
    #[schemars(length(min = 1, max = 200))]
    pub system: String,
    /// The value within the system.
    #[schemars(length(min = 1, max = 100))]
    pub value: String,
}

/// How to reach a patient.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// An e-mail address.
    #[serde(default)]
    pub email: Option<Email>,
    /// A telephone number.
    #[serde(default)]
    pub phone: Option<Phone>,
}

/// An e-mail address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Email(#[schemars(length(min = 3, max = 254))] pub String);

/// A telephone number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Phone(#[schemars(length(min = 1, max = 50))] pub String);

/// The content of a record. It has no `Debug`, so no message can contain it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordContent {
    /// The code.
    pub code: Code,
    /// The text.
    pub text: String,
    /// When it was true of the patient.
    pub effective_at: Timestamp,
}

impl Personal for RecordContent {
    const LABEL: Label = Label::from_static("patient-record");
}

/// A concept of a code system, for example of LOINC.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// The code system, for example `http://loinc.org`.
    #[schemars(length(min = 1, max = 200))]
    pub system: String,
    /// The code.
    #[schemars(length(min = 1, max = 100))]
    pub code: String,
    /// The name of the concept.
    #[schemars(length(min = 1, max = 200))]
    pub display: String,
}

/// The reason for a change or for an emergency access, in free text. It has no `Debug`, so no message can contain it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Reason(#[schemars(length(min = 1, max = 500))] pub String);

impl Personal for Reason {
    const LABEL: Label = Label::from_static("patient-reason");
}

/// The kind of a record.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// A measurement or a finding.
    Observation,
    /// A diagnosis.
    Condition,
    /// A medicine that the patient takes.
    Medication,
    /// An operation or another treatment.
    Procedure,
    /// A note.
    Note,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Observation, Self::Condition, Self::Medication, Self::Procedure, Self::Note];
}

/// Why somebody reads data.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To treat the patient.
    Treatment,
    /// To be paid for a treatment.
    Payment,
    /// To run the institution.
    Operations,
    /// To do research.
    Research,
    /// Because the patient asked for it.
    PatientRequest,
    /// To treat the patient in an emergency.
    Emergency,
}

impl Purpose {
    /// All purposes, as they are written.
    pub const NAMES: [&'static str; 6] =
        ["treatment", "payment", "operations", "research", "patient-request", "emergency"];
}
