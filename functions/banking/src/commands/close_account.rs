//! `POST /accounts/{id}/close`

use banking_events::{AccountClosed, AccountEvent};
use ledgerfold::{Access, Caller, Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{AccountAt, AccountState, Accounts, BankingRejection, access};

/// Close an account. Its balance and its holds must be zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseAccount {
    /// The reason.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

impl HttpCommand for CloseAccount {
    const PATH: &'static str = "/accounts/{id}/close";
    const REFUSALS: &'static [&'static str] = &["account-not-empty", "account-closed"];

    fn example() -> Self {
        Self { reason: "The customer moved away.".to_owned() }
    }
}

impl Decide for CloseAccount {
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
        account.check_not_closed()?;
        let posted = account.account().posted;
        let held = account.account().held(context.at);
        if posted != 0 || held != 0 {
            return Err(BankingRejection::AccountNotEmpty { posted, held });
        }
        account
            .record(AccountClosed { reason: self.reason.clone(), booked_on: account.booked_on() });
        Ok(account.into_events())
    }
}
