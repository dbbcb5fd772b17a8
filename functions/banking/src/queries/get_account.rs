//! `GET /accounts/{id}`

use async_trait::async_trait;
use banking_events::Currency;
use ledgerfold::{
    EntityId, Timestamp, Version,
    query::{Fresh, Until},
};
use ledgerfold_lambda::http::{AtVersion, HttpQuery, Instant, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{account, example_account, no_such_account};
use crate::{
    domain::{Accounts, Status},
    read_models::{AccountRow, AccountViews},
};

/// An account in its current state, or in the past by version or time. Amounts are in minor units.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetAccount {
    /// The account.
    id: EntityId,
    /// Show the account at this version, as it was when that version was recorded. Cannot be combined with `at`.
    #[schemars(range(min = 1, max = 999_999_999_999_999_u64))]
    version: Option<u64>,
    /// Show the account as it was recorded by this time. Cannot be combined with `version`.
    at: Option<Instant>,
}

/// An account at a time. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Account")]
pub struct AccountAnswer {
    /// Its id.
    id: EntityId,
    /// The owner.
    owner_id: EntityId,
    /// Its only currency.
    currency: Currency,
    /// Whether it takes debits and credits.
    status: Status,
    /// The balance: the sum of all entries.
    posted: i64,
    /// The sum of the open holds.
    held: i64,
    /// The amount that can be debited: the balance without the holds, with the overdraft limit.
    available: i64,
    /// The amount below zero to which it may be debited.
    overdraft_limit: i64,
    /// The amount that may leave the account on a day, or null for no limit.
    daily_limit: Option<i64>,
    /// The version that this answer shows.
    #[schemars(with = "u64", range(min = 1))]
    version: Version,
}

impl AccountAnswer {
    /// The account at this time, by which holds have expired or not.
    pub(super) fn new(Fresh { row, version }: Fresh<AccountRow>, at: Timestamp) -> Self {
        let AccountRow { id, account, .. } = row;
        Self {
            id,
            status: account.status,
            currency: account.currency,
            posted: account.posted,
            held: account.held(at),
            available: account.available(at),
            overdraft_limit: account.overdraft_limit,
            daily_limit: account.daily_limit,
            owner_id: account.owner_id,
            version,
        }
    }
}

#[async_trait]
impl HttpQuery for GetAccount {
    type Decider = Accounts;
    type Models = Rows<AccountViews>;
    type Answer = AtVersion<AccountAnswer>;

    const PATH: &'static str = "/accounts/{id}";

    fn example() -> Self {
        Self { id: example_account(), version: None, at: None }
    }

    async fn answer(
        self,
        accounts: &Rows<AccountViews>,
        call: QueryCall<'_>,
    ) -> Result<AtVersion<AccountAnswer>, Problem> {
        let stream = account(call, self.id);
        let found = match (self.version, self.at) {
            (None, None) => accounts.current(&stream, call).await?,
            (Some(version), None) => {
                accounts.as_of(&stream, Until::Version(Version::new(version)), call).await?
            }
            (None, Some(Instant(at))) => accounts.as_of(&stream, Until::Instant(at), call).await?,
            (Some(_), Some(_)) => {
                return Err(Problem::bad_request("Use either version or at, not both."));
            }
        };
        let found = found.ok_or_else(no_such_account)?;
        let at = match (self.version, self.at) {
            (_, Some(Instant(at))) => at,
            (Some(_), _) => found.row.recorded_at,
            (None, None) => call.now(),
        };
        Ok(AtVersion { version: found.version, body: AccountAnswer::new(found, at) })
    }
}
