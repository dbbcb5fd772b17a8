//! `GET /owners/{ownerId}/accounts`

use async_trait::async_trait;
use ledgerfold::{Access, Caller, EntityId};
use ledgerfold_lambda::http::{
    HttpQuery, Limit, List, PageCursor, Problem, QueryCall, Rows, Unversioned,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AccountAnswer;
use crate::{
    domain::{Accounts, access},
    read_models::AccountViews,
};

/// An owner's accounts, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetOwnerAccounts {
    /// The owner.
    owner_id: EntityId,
    /// The most accounts of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

#[async_trait]
impl HttpQuery for GetOwnerAccounts {
    type Decider = Accounts;
    type Models = Rows<AccountViews>;
    type Answer = Unversioned<List<AccountAnswer>>;

    const PATH: &'static str = "/owners/{ownerId}/accounts";

    fn example() -> Self {
        let owner_id = EntityId::new("o-1").expect("o-1 is an id");
        Self { owner_id, limit: Limit::default(), cursor: None }
    }

    fn may(&self, caller: &Caller) -> Access {
        access::of_owner(caller, &self.owner_id)
    }

    async fn answer(
        self,
        accounts: &Rows<AccountViews>,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<List<AccountAnswer>>, Problem> {
        let list = format!("accounts of {}", self.owner_id);
        let cursor = self.cursor.as_ref();
        let page = accounts.page(&list, &self.owner_id, self.limit, cursor, call).await?;
        let now = call.now();
        Ok(Unversioned(page.map(|fresh| AccountAnswer::new(fresh, now))))
    }
}
