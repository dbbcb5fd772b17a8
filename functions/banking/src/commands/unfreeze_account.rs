//! `POST /accounts/{id}/unfreeze`

use banking_events::{AccountEvent, AccountUnfrozen};
use ledgerfold::{Access, Caller, Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{AccountAt, AccountState, Accounts, BankingRejection, Status, access};

/// Open a frozen account again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnfreezeAccount {
    /// The reason.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

impl HttpCommand for UnfreezeAccount {
    const PATH: &'static str = "/accounts/{id}/unfreeze";
    const REFUSALS: &'static [&'static str] = &["account-not-frozen", "account-closed"];

    fn example() -> Self {
        Self { reason: "The card was replaced.".to_owned() }
    }
}

impl Decide for UnfreezeAccount {
    type Decider = Accounts;

    fn may(&self, caller: &Caller, account: &AccountState) -> Access {
        access::by_staff(caller, account)
    }

    fn decide(
        &self,
        state: &AccountState,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, BankingRejection> {
        let mut account = AccountAt::new(state, context.at)?;
        match account.account().status {
            Status::Frozen => {}
            Status::Open => return Err(BankingRejection::AccountNotFrozen),
            Status::Closed => return Err(BankingRejection::AccountClosed),
        }
        account.record(AccountUnfrozen {
            reason: self.reason.clone(),
            booked_on: account.booked_on(),
        });
        Ok(account.into_events())
    }
}
