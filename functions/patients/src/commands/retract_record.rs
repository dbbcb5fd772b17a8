//! `POST /patients/{id}/records/{record}/retract`

use ledgerfold::{
    Access, Caller, DecideSealing, DecisionContext, EntityId,
    sealed::{Plain, SealingKeys},
};
use ledgerfold_lambda::http::HttpCommand;
use patients_events::{Reason, RecordRetracted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, PatientState, Patients, access, registered};

/// Retract a record. It is shown as retracted, and stays in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetractRecord {
    /// The record.
    pub record: EntityId,
    /// The reason.
    pub reason: Plain<Reason>,
}

impl HttpCommand for RetractRecord {
    const PATH: &'static str = "/patients/{id}/records/{record}/retract";
    const REFUSALS: &'static [&'static str] = &["record-retracted"];

    fn example() -> Self {
        Self {
            record: EntityId::new("r-1").expect("r-1 is an id"),
            reason: Plain::new(Reason("entered in error".to_owned())),
        }
    }
}

impl DecideSealing for RetractRecord {
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
        let reason = keys.seal(keys.subject()?, &self.reason)?;
        Ok(vec![RecordRetracted { record: self.record.clone(), reason }.into()])
    }
}
