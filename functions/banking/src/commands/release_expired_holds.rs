//! The release of expired holds, when a deadline is due. No caller can send this command.

use banking_events::AccountEvent;
use ledgerfold::{Decide, DecisionContext};
use serde::{Deserialize, Serialize};

use crate::domain::{AccountAt, AccountState, Accounts, BankingRejection};

/// Record the release of expired holds of an account. An expired hold counts for nothing, with or without this command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseExpiredHolds {}

impl Decide for ReleaseExpiredHolds {
    type Decider = Accounts;

    fn decide(
        &self,
        state: &AccountState,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, BankingRejection> {
        Ok(AccountAt::new(state, context.at)?.into_events())
    }
}
