//! `POST /patients/{id}/emergency-access`

use std::time::Duration;

use ledgerfold::{
    Access, Caller, DecideSealing, DecisionContext, EntityId, Timestamp,
    sealed::{Plain, SealingKeys},
};
use ledgerfold_lambda::http::HttpCommand;
use patients_events::{EmergencyAccessStarted, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, PatientState, Patients, access, registered};

/// How long an emergency access lasts.
pub const EMERGENCY_ACCESS: Duration = Duration::from_secs(60 * 60);

/// Take access in an emergency, without a consent. It counts for this clinician for one hour. Somebody will review it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartEmergencyAccess {
    /// The id, which the service chooses.
    pub access: EntityId,
    /// The reason.
    pub reason: Plain<Reason>,
}

impl HttpCommand for StartEmergencyAccess {
    const PATH: &'static str = "/patients/{id}/emergency-access";
    const REFUSALS: &'static [&'static str] = &[];
    const ADDS: Option<&'static str> = Some("access");

    fn example() -> Self {
        Self {
            access: EntityId::new("e-1").expect("e-1 is an id"),
            reason: Plain::new(Reason("Unconscious after an accident".to_owned())),
        }
    }
}

impl DecideSealing for StartEmergencyAccess {
    type Decider = Patients;

    fn may(&self, caller: &Caller, state: &PatientState) -> Access {
        access::by(caller, &access::CLINICIAN, state)
    }

    fn decide(
        &self,
        state: &PatientState,
        keys: &SealingKeys,
        context: &DecisionContext<'_>,
    ) -> Decision {
        registered(state)?;
        let started = EmergencyAccessStarted {
            access: self.access.clone(),
            clinician: context.caller.subject.clone(),
            reason: keys.seal(keys.subject()?, &self.reason)?,
            until: context.at.checked_add(EMERGENCY_ACCESS).unwrap_or(Timestamp::MAX),
        };
        Ok(vec![started.into()])
    }
}
