//! `POST /accounts`

use banking_events::AccountOpened;
use ledgerfold::{Access, Caller, Decide, DecisionContext, EntityId};
use ledgerfold_lambda::http::HttpCommand;
use money::CurrentCurrency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amounts::MAX_AMOUNT;
use crate::domain::{AccountState, Accounts, BankingRejection, access, at::date_of};

/// Open an account. The service chooses the id. It is the same for the same caller and Idempotency-Key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenAccount {
    /// The owner.
    pub owner_id: EntityId,
    /// The only currency of the account.
    pub currency: CurrentCurrency,
    /// The amount in minor units below zero to which the account may be debited. Only staff may grant more than 0.
    #[serde(default)]
    #[schemars(range(min = 0, max = MAX_AMOUNT))]
    pub overdraft_limit: i64,
}

impl HttpCommand for OpenAccount {
    const PATH: &'static str = "/accounts";
    const REFUSALS: &'static [&'static str] = &["account-exists"];

    fn example() -> Self {
        let owner_id = EntityId::new("o-1").expect("o-1 is an id");
        Self { owner_id, currency: CurrentCurrency::EURO, overdraft_limit: 0 }
    }
}

impl Decide for OpenAccount {
    type Decider = Accounts;

    /// An owner with a choice of overdrafts would lend money to itself.
    fn may(&self, caller: &Caller, _: &AccountState) -> Access {
        let for_itself = access::is_owner(caller, &self.owner_id) && self.overdraft_limit == 0;
        Access::allowed_if(access::is_staff(caller) || for_itself)
    }

    fn decide(
        &self,
        state: &AccountState,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<banking_events::AccountEvent>, BankingRejection> {
        if state.is_some() {
            return Err(BankingRejection::AccountExists);
        }
        let opened = AccountOpened {
            owner_id: self.owner_id.clone(),
            currency: self.currency.into(),
            overdraft_limit: self.overdraft_limit,
            booked_on: date_of(context.at),
        };
        Ok(vec![opened.into()])
    }
}
