//! `POST /patients/{id}/consents/{consent}/withdraw`

use ledgerfold::{Access, Caller, DecideSealing, DecisionContext, EntityId, sealed::SealingKeys};
use ledgerfold_lambda::http::HttpCommand;
use patients_events::ConsentWithdrawn;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, PatientRejection, PatientState, Patients, access, registered};

/// Withdraw a consent. From this moment on it no longer counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WithdrawConsent {
    /// The consent.
    pub consent: EntityId,
}

impl HttpCommand for WithdrawConsent {
    const PATH: &'static str = "/patients/{id}/consents/{consent}/withdraw";
    const REFUSALS: &'static [&'static str] = &["consent-withdrawn"];

    fn example() -> Self {
        Self { consent: EntityId::new("c-1").expect("c-1 is an id") }
    }
}

impl DecideSealing for WithdrawConsent {
    type Decider = Patients;

    fn may(&self, caller: &Caller, state: &PatientState) -> Access {
        access::by_patient(caller, state)
    }

    fn decide(&self, state: &PatientState, _: &SealingKeys, _: &DecisionContext<'_>) -> Decision {
        let patient = registered(state)?;
        if patient.withdrawn.contains(&self.consent) {
            return Err(PatientRejection::ConsentWithdrawn);
        }
        if !patient.consents.contains_key(&self.consent) {
            return Err(PatientRejection::NoSuchConsent);
        }
        Ok(vec![ConsentWithdrawn { consent: self.consent.clone() }.into()])
    }
}
