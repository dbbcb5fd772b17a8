//! `GET /patients/{id}/erasure`

use async_trait::async_trait;
use ledgerfold::EntityId;
use ledgerfold_lambda::http::{
    ErasureAnswer, Erasures, HttpQuery, Problem, QueryCall, RequiredHeader, Unversioned,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    chart::{Chart, PURPOSE},
    example_patient,
};
use crate::domain::Patients;

/// The erasure of a patient, with its certificate as soon as no function has the key. The patient itself and privacy
/// officers may see it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetErasure {
    /// The patient.
    id: EntityId,
}

#[async_trait]
impl HttpQuery for GetErasure {
    type Decider = Patients;
    type Models = (Chart, Erasures);
    type Answer = Unversioned<ErasureAnswer>;

    const PATH: &'static str = "/patients/{id}/erasure";
    const HEADERS: &'static [RequiredHeader] = &[PURPOSE];

    fn example() -> Self {
        Self { id: example_patient() }
    }

    async fn answer(
        self,
        (chart, erasures): &(Chart, Erasures),
        call: QueryCall<'_>,
    ) -> Result<Unversioned<ErasureAnswer>, Problem> {
        let (stream, _) = chart.oversee(self.id, call).await?;
        let erasure = erasures.of::<Patients>(&stream, call).await?;
        let missing = || Problem::not_found("The patient was not erased.");
        Ok(Unversioned(erasure.ok_or_else(missing)?))
    }
}
