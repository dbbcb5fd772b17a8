use ledgerfold::{
    DecideSealing, DecisionContext, commands,
    sealed::{Opened, Plain, SealingKeys},
};
use serde::Serialize;

use super::{
    EMAIL, Patient, PatientEvent, PatientName, PatientRejection, Patients, Registered, Renamed,
};

commands! {
    /// A command to a patient.
    pub enum PatientCommand of Patients, sealing { Register, Rename }
}

/// Registers a patient.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Register {
    /// The name.
    pub name: Plain<PatientName>,
    /// The address, which no other patient may have in upper or lower case.
    pub email: Plain<String>,
}

impl DecideSealing for Register {
    type Decider = Patients;

    fn decide(
        &self,
        patient: &Option<Patient>,
        keys: &SealingKeys,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<PatientEvent>, PatientRejection> {
        if patient.is_some() {
            return Err(PatientRejection::Registered);
        }
        let name = keys.seal(keys.subject()?, &self.name)?;
        let email = keys.hash(&EMAIL, &self.email.expose().to_lowercase());
        Ok(vec![Registered { name, email }.into()])
    }
}

/// Changes the name of a patient.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rename {
    /// The new name.
    pub name: Plain<PatientName>,
}

impl DecideSealing for Rename {
    type Decider = Patients;

    fn decide(
        &self,
        patient: &Option<Patient>,
        keys: &SealingKeys,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<PatientEvent>, PatientRejection> {
        let known = patient.as_ref().ok_or(PatientRejection::Unknown)?;
        match keys.to_open().open(&known.name)? {
            Opened::Erased => Err(PatientRejection::Erased),
            Opened::Value(same) if same == self.name => Ok(Vec::new()),
            Opened::Value(_) => {
                Ok(vec![Renamed { name: keys.seal(keys.subject()?, &self.name)? }.into()])
            }
        }
    }
}
