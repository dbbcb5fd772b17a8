//! `GET /patients/{id}`

use async_trait::async_trait;
use jiff::civil::Date;
use ledgerfold::{EntityId, Timestamp, Version};
use ledgerfold_lambda::http::{AtVersion, HttpQuery, Instant, Problem, QueryCall, RequiredHeader};
use patients_events::Identifier;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    chart::{Chart, PURPOSE, content},
    example_patient,
};
use crate::domain::Patients;

/// A patient, without its records.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetPatient {
    /// The patient.
    id: EntityId,
    /// Show the patient as it was recorded by this time.
    at: Option<Instant>,
}

/// The demographics of a patient.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Patient")]
pub struct PatientAnswer {
    /// The id.
    id: EntityId,
    /// The name.
    name: String,
    /// The date of birth.
    birth_date: Date,
    /// The identifiers.
    identifiers: Vec<Identifier>,
    /// How to reach the patient.
    contact: PatientContact,
    /// When the patient was registered.
    registered_at: Timestamp,
    /// The version that this answer shows.
    #[schemars(with = "u64", range(min = 1))]
    version: Version,
}

/// How to reach a patient.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PatientContact {
    /// An e-mail address.
    email: Option<String>,
    /// A telephone number.
    phone: Option<String>,
}

#[async_trait]
impl HttpQuery for GetPatient {
    type Decider = Patients;
    type Models = Chart;
    type Answer = AtVersion<PatientAnswer>;

    const PATH: &'static str = "/patients/{id}";
    const HEADERS: &'static [RequiredHeader] = &[PURPOSE];

    fn example() -> Self {
        Self { id: example_patient(), at: None }
    }

    async fn answer(
        self,
        chart: &Chart,
        call: QueryCall<'_>,
    ) -> Result<AtVersion<PatientAnswer>, Problem> {
        let read = chart.read(self.id.clone(), self.at, call).await?;
        let keys = read.keys().await?;
        let demographics = content(&keys, &read.shown.row.demographics)?;
        let version = read.shown.version;
        let body = PatientAnswer {
            id: self.id,
            name: demographics.name,
            birth_date: demographics.birth_date,
            identifiers: demographics.identifiers,
            contact: PatientContact {
                email: demographics.contact.email.map(|it| it.0),
                phone: demographics.contact.phone.map(|it| it.0),
            },
            registered_at: read.shown.row.registered_at,
            version,
        };
        read.recorded([], AtVersion { version, body }).await
    }
}
