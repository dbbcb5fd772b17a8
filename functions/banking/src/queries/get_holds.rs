//! `GET /accounts/{id}/holds`

use async_trait::async_trait;
use banking_events::Money;
use ledgerfold::{EntityId, Timestamp};
use ledgerfold_lambda::http::{
    HttpQuery, Limit, List, PageCursor, Problem, QueryCall, Rows, Unversioned,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{account, example_account, no_such_account};
use crate::{
    domain::{Holds, hold::HoldStatus},
    read_models::{AccountViews, HoldRow, HoldViews},
};

/// The holds of an account, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetHolds {
    /// The account.
    id: EntityId,
    /// The most holds of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Hold")]
pub struct HoldAnswer {
    /// Its id.
    id: EntityId,
    /// The amount.
    amount: Money,
    /// The sum of its captures.
    captured: Money,
    /// Its status now.
    status: HoldStatus,
    /// From this time on it counts for nothing.
    expires_at: Timestamp,
}

impl HoldAnswer {
    pub(super) fn new(row: HoldRow, now: Timestamp) -> Self {
        let HoldRow { id, hold, .. } = row;
        let amount = hold.placed.amount;
        Self {
            id,
            amount,
            captured: Money { amount: hold.captured, ..amount },
            status: hold.status(now),
            expires_at: hold.placed.expires_at,
        }
    }
}

#[async_trait]
impl HttpQuery for GetHolds {
    type Decider = Holds;
    type Models = (Rows<AccountViews>, Rows<HoldViews>);
    type Answer = Unversioned<List<HoldAnswer>>;

    const PATH: &'static str = "/accounts/{id}/holds";

    fn example() -> Self {
        Self { id: example_account(), limit: Limit::default(), cursor: None }
    }

    async fn answer(
        self,
        (accounts, holds): &(Rows<AccountViews>, Rows<HoldViews>),
        call: QueryCall<'_>,
    ) -> Result<Unversioned<List<HoldAnswer>>, Problem> {
        // The account knows who may see its holds.
        let stream = account(call, self.id.clone());
        accounts.get(&stream, call).await?.ok_or_else(no_such_account)?;
        let list = format!("holds of {}", self.id);
        let page = holds.page(&list, &self.id, self.limit, self.cursor.as_ref(), call).await?;
        let now = call.now();
        Ok(Unversioned(page.map(|fresh| HoldAnswer::new(fresh.row, now))))
    }
}
