//! `POST /accounts/{id}/limits`

use banking_events::{AccountEvent, DailyLimitSet};
use ledgerfold::{Access, Caller, Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use money::Money;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::Amount;
use crate::domain::{AccountAt, AccountState, Accounts, BankingRejection, access};

/// Limit the amount that may leave an account on a day in UTC, holds included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetLimits {
    /// The limit, or null for none.
    #[schemars(schema_with = "amount_or_null")]
    pub daily: Option<Amount>,
}

/// Null is a value here, so the field is required. The attribute `required` would forbid null.
fn amount_or_null(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Option<Amount>>()
}

impl HttpCommand for SetLimits {
    const PATH: &'static str = "/accounts/{id}/limits";
    const REFUSALS: &'static [&'static str] = &["account-closed", "currency-mismatch"];

    fn example() -> Self {
        Self { daily: Some(Amount::euro(100_000)) }
    }
}

impl Decide for SetLimits {
    type Decider = Accounts;

    fn may(&self, caller: &Caller, account: &AccountState) -> Access {
        access::by_manager(caller, account)
    }

    fn decide(
        &self,
        state: &AccountState,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, BankingRejection> {
        let mut account = AccountAt::new(state, context.at)?;
        account.check_not_closed()?;
        let daily = self.daily.map(Money::from);
        daily.map_or(Ok(()), |limit| account.check_currency(limit))?;
        let daily_limit = daily.map(|limit| limit.amount);
        if daily_limit == account.account().daily_limit {
            return Ok(Vec::new());
        }
        account.record(DailyLimitSet { daily_limit, booked_on: account.booked_on() });
        Ok(account.into_events())
    }
}
