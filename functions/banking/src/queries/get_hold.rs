//! `GET /accounts/{id}/holds/{hold}`

use async_trait::async_trait;
use ledgerfold::{Decider, EntityId};
use ledgerfold_lambda::http::{HttpQuery, Problem, QueryCall, Rows, Unversioned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HoldAnswer, example_account};
use crate::{domain::Holds, read_models::HoldViews};

/// A hold of an account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetHold {
    /// The account.
    id: EntityId,
    /// The hold.
    hold: EntityId,
}

#[async_trait]
impl HttpQuery for GetHold {
    type Decider = Holds;
    type Models = Rows<HoldViews>;
    // The status changes with time, without a new version.
    type Answer = Unversioned<HoldAnswer>;

    const PATH: &'static str = "/accounts/{id}/holds/{hold}";

    fn example() -> Self {
        let hold = EntityId::new("h-1").expect("h-1 is an id");
        Self { id: example_account(), hold }
    }

    async fn answer(
        self,
        holds: &Rows<HoldViews>,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<HoldAnswer>, Problem> {
        let stream = call.stream(Holds::CATEGORY, self.hold);
        let found = holds.current(&stream, call).await?;
        let found = found.filter(|found| found.row.hold.placed.account == self.id);
        let found = found.ok_or_else(|| Problem::not_found("The account has no such hold."))?;
        Ok(Unversioned(HoldAnswer::new(found.row, call.now())))
    }
}
