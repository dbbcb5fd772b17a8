//! `POST /patients/{id}/consents`

use std::collections::BTreeSet;

use ledgerfold::{
    Access, Caller, DecideSealing, DecisionContext, EntityId, Subject, sealed::SealingKeys,
};
use ledgerfold_lambda::http::HttpCommand;
use patients_events::{ConsentGiven, Purpose, RecordKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::At;
use crate::domain::{
    Decision, MAX_CONSENTS, PatientRejection, PatientState, Patients, access, registered,
};

/// Consent to reads of the patient's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GiveConsent {
    /// The id, which the service chooses.
    pub consent: EntityId,
    /// The reader: the subject of a clinician, or a role.
    #[schemars(
        with = "String",
        regex(pattern = "^[!-~]{1,255}$"),
        extend("x-rule" = "1 to 255 visible ASCII characters")
    )]
    pub grantee: Subject,
    /// The kinds of records, or null for all.
    #[serde(default)]
    pub kinds: Option<Kinds>,
    /// The purposes.
    #[schemars(length(min = 1, max = 6))]
    pub purposes: Vec<Purpose>,
    /// The time from which the consent no longer counts, or null.
    #[serde(default)]
    pub until: Option<At>,
}

/// Some kinds of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Kinds(#[schemars(length(min = 1, max = 5))] pub Vec<RecordKind>);

impl HttpCommand for GiveConsent {
    const PATH: &'static str = "/patients/{id}/consents";
    const REFUSALS: &'static [&'static str] = &["too-many-consents"];
    const ADDS: Option<&'static str> = Some("consent");

    fn example() -> Self {
        Self {
            consent: EntityId::new("c-1").expect("c-1 is an id"),
            grantee: Subject::new("dr-1").expect("dr-1 is a subject"),
            kinds: Some(Kinds(vec![RecordKind::Observation])),
            purposes: vec![Purpose::Treatment],
            until: None,
        }
    }
}

impl DecideSealing for GiveConsent {
    type Decider = Patients;

    fn may(&self, caller: &Caller, state: &PatientState) -> Access {
        access::by_patient(caller, state)
    }

    fn decide(&self, state: &PatientState, _: &SealingKeys, _: &DecisionContext<'_>) -> Decision {
        let patient = registered(state)?;
        if patient.consents.len() + patient.withdrawn.len() >= MAX_CONSENTS {
            return Err(PatientRejection::TooManyConsents);
        }
        let given = ConsentGiven {
            consent: self.consent.clone(),
            grantee: self.grantee.clone(),
            kinds: self.kinds.as_ref().map(|Kinds(kinds)| kinds.iter().copied().collect()),
            purposes: self.purposes.iter().copied().collect::<BTreeSet<_>>(),
            until: self.until.map(|At(until)| until),
        };
        Ok(vec![given.into()])
    }
}
