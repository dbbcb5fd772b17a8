//! `POST /patients/{id}/records`

use ledgerfold::{
    Access, Caller, DecideSealing, DecisionContext, EntityId,
    sealed::{Plain, SealingKeys},
};
use ledgerfold_lambda::http::HttpCommand;
use patients_events::{Code, RecordAdded, RecordContent, RecordKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::At;
use crate::domain::{
    Decision, MAX_RECORDS, PatientRejection, PatientState, Patients, access, registered,
};

/// Add a record to a patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddRecord {
    /// The id, which the service chooses.
    pub record: EntityId,
    /// The kind.
    pub kind: RecordKind,
    /// The code.
    pub code: Plain<Code>,
    /// The text.
    pub text: Plain<RecordText>,
    /// When it was true of the patient.
    pub effective_at: Plain<At>,
}

/// The text of a record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct RecordText(#[schemars(length(min = 1, max = 10_000))] pub String);

/// The content of a record, from its fields.
pub(super) fn content(
    code: &Plain<Code>,
    text: &Plain<RecordText>,
    effective_at: &Plain<At>,
) -> Plain<RecordContent> {
    Plain::new(RecordContent {
        code: code.expose().clone(),
        text: text.expose().0.clone(),
        effective_at: effective_at.expose().0,
    })
}

/// A code for examples.
pub(super) fn example_code() -> Plain<Code> {
    Plain::new(Code {
        system: "http://loinc.org".to_owned(),
        code: "8310-5".to_owned(),
        display: "Body temperature".to_owned(),
    })
}

impl HttpCommand for AddRecord {
    const PATH: &'static str = "/patients/{id}/records";
    const REFUSALS: &'static [&'static str] = &["too-many-records"];
    const ADDS: Option<&'static str> = Some("record");

    fn example() -> Self {
        Self {
            record: EntityId::new("r-1").expect("r-1 is an id"),
            kind: RecordKind::Observation,
            code: example_code(),
            text: Plain::new(RecordText("38.2 °C".to_owned())),
            effective_at: Plain::new(At("2026-11-23T09:00:00Z".parse().expect("an instant"))),
        }
    }
}

impl DecideSealing for AddRecord {
    type Decider = Patients;

    fn may(&self, caller: &Caller, state: &PatientState) -> Access {
        access::by(caller, &access::CLINICIAN, state)
    }

    fn decide(
        &self,
        state: &PatientState,
        keys: &SealingKeys,
        _: &DecisionContext<'_>,
    ) -> Decision {
        let patient = registered(state)?;
        if patient.records.len() >= MAX_RECORDS {
            return Err(PatientRejection::TooManyRecords);
        }
        let content = content(&self.code, &self.text, &self.effective_at);
        let added = RecordAdded {
            record: self.record.clone(),
            kind: self.kind,
            content: keys.seal(keys.subject()?, &content)?,
        };
        Ok(vec![added.into()])
    }
}
