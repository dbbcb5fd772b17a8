//! The clinic over HTTP, as a team writes it: two commands that seal, and a query that opens.

use async_trait::async_trait;
use ledgerfold::{
    DecideSealing, Decider, DecisionContext, EntityId,
    sealed::{Opened, Plain, SealingKeys},
};
use ledgerfold_lambda::{
    Service,
    http::{Api, AtVersion, HttpCommand, HttpQuery, Opener, Problem, QueryCall, Rows},
};
use ledgerfold_testkit::clinic::{
    self, Directory, Patient, PatientCommand, PatientEvent, PatientName, PatientRejection,
    Patients, Register, Rename,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Register a patient.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RegisterPatient {
    /// The name.
    name: Plain<PatientName>,
    /// The address.
    #[schemars(length(min = 3, max = 100))]
    email: Plain<String>,
}

impl HttpCommand for RegisterPatient {
    const PATH: &'static str = "/patients";
    const REFUSALS: &'static [&'static str] = &["patient-registered", "email-taken"];

    fn example() -> Self {
        let name = Plain::new(PatientName::new("Ada Lovelace"));
        Self { name, email: Plain::new("ada@example.org".to_owned()) }
    }
}

impl From<RegisterPatient> for Register {
    fn from(RegisterPatient { name, email }: RegisterPatient) -> Self {
        Self { name, email }
    }
}

impl From<RegisterPatient> for PatientCommand {
    fn from(register: RegisterPatient) -> Self {
        Register::from(register).into()
    }
}

impl DecideSealing for RegisterPatient {
    type Decider = Patients;

    fn decide(
        &self,
        patient: &Option<Patient>,
        keys: &SealingKeys,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<PatientEvent>, PatientRejection> {
        Register::from(self.clone()).decide(patient, keys, context)
    }
}

/// Change the name of a patient.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RenamePatient {
    /// The new name.
    name: Plain<PatientName>,
}

impl HttpCommand for RenamePatient {
    const PATH: &'static str = "/patients/{id}/rename";
    const REFUSALS: &'static [&'static str] = &[];

    fn example() -> Self {
        Self { name: Plain::new(PatientName::new("Ada King")) }
    }
}

impl From<RenamePatient> for PatientCommand {
    fn from(RenamePatient { name }: RenamePatient) -> Self {
        Rename { name }.into()
    }
}

impl DecideSealing for RenamePatient {
    type Decider = Patients;

    fn decide(
        &self,
        patient: &Option<Patient>,
        keys: &SealingKeys,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<PatientEvent>, PatientRejection> {
        Rename { name: self.name.clone() }.decide(patient, keys, context)
    }
}

/// A patient.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct GetPatient {
    /// The patient.
    id: EntityId,
}

/// A patient, as the callers of this query may see it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PatientView {
    /// The name.
    name: String,
    /// How often it was changed.
    changes: u32,
}

#[async_trait]
impl HttpQuery for GetPatient {
    type Decider = Patients;
    type Models = (Rows<Directory>, Opener);
    type Answer = AtVersion<PatientView>;

    const PATH: &'static str = "/patients/{id}";

    fn example() -> Self {
        Self { id: EntityId::new("p-1").expect("an id") }
    }

    async fn answer(
        self,
        (patients, opener): &Self::Models,
        call: QueryCall<'_>,
    ) -> Result<AtVersion<PatientView>, Problem> {
        let found = patients.get(&call.stream(Patients::CATEGORY, self.id), call).await?;
        let found = found.ok_or_else(|| Problem::not_found("There is no such patient."))?;
        let keys = opener.keys(&found.row, call).await?;
        match keys.open(&found.row.name)? {
            Opened::Value(name) => {
                let name = name.expose().as_str().to_owned();
                let body = PatientView { name, changes: found.row.changes };
                Ok(AtVersion { version: found.version, body })
            }
            Opened::Erased => Err(Problem::erased("The patient's data was erased.")),
        }
    }
}

pub(crate) fn service() -> Service {
    let api = Api::new("Clinic", "1.0.0")
        .sealing_command::<RegisterPatient>()
        .sealing_command::<RenamePatient>()
        .query::<GetPatient>();
    Service::new(clinic::context(), api)
}
