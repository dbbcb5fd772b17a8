//! `POST /accounts/{id}/freeze`

use banking_events::{AccountEvent, AccountFrozen};
use ledgerfold::{Access, Caller, Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{AccountAt, AccountState, Accounts, BankingRejection, Status, access};

/// Freeze an account: it takes no debit and no hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FreezeAccount {
    /// The reason.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

impl HttpCommand for FreezeAccount {
    const PATH: &'static str = "/accounts/{id}/freeze";
    const REFUSALS: &'static [&'static str] = &["account-frozen", "account-closed"];

    fn example() -> Self {
        Self { reason: "A card was stolen.".to_owned() }
    }
}

impl Decide for FreezeAccount {
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
            Status::Open => {}
            Status::Frozen => return Err(BankingRejection::AccountFrozen),
            Status::Closed => return Err(BankingRejection::AccountClosed),
        }
        account
            .record(AccountFrozen { reason: self.reason.clone(), booked_on: account.booked_on() });
        Ok(account.into_events())
    }
}
