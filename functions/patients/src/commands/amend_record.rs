//! `POST /patients/{id}/records/{record}/amend`

use ledgerfold::{
    Access, Caller, DecideSealing, DecisionContext, EntityId,
    sealed::{Plain, SealingKeys},
};
use ledgerfold_lambda::http::HttpCommand;
use patients_events::{Code, Reason, RecordAmended, RecordKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    At, RecordText,
    add_record::{content, example_code},
};
use crate::domain::{Decision, PatientState, Patients, access, registered};

/// Amend a record. The old content stays in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AmendRecord {
    /// The record.
    pub record: EntityId,
    /// The kind.
    pub kind: RecordKind,
    /// The code.
    pub code: Plain<Code>,
    /// The text.
    pub text: Plain<RecordText>,
    /// When it was true of the patient.
    pub effective_at: Plain<At>,
    /// The reason of the change.
    pub reason: Plain<Reason>,
}

impl HttpCommand for AmendRecord {
    const PATH: &'static str = "/patients/{id}/records/{record}/amend";
    const REFUSALS: &'static [&'static str] = &["record-retracted"];

    fn example() -> Self {
        Self {
            record: EntityId::new("r-1").expect("r-1 is an id"),
            kind: RecordKind::Observation,
            code: example_code(),
            text: Plain::new(RecordText("38.7 °C".to_owned())),
            effective_at: Plain::new(At("2026-11-23T09:00:00Z".parse().expect("an instant"))),
            reason: Plain::new(Reason("Read again".to_owned())),
        }
    }
}

impl DecideSealing for AmendRecord {
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
        registered(state)?.record(&self.record)?;
        let subject = keys.subject()?;
        let content = content(&self.code, &self.text, &self.effective_at);
        let amended = RecordAmended {
            record: self.record.clone(),
            kind: self.kind,
            content: keys.seal(subject, &content)?,
            reason: keys.seal(subject, &self.reason)?,
        };
        Ok(vec![amended.into()])
    }
}
