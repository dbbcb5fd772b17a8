//! The queries of the service, one file each: the path, the parameters, the answer, and how it is found. Routes, checks
//! and the OpenAPI document follow from these files.
//!
//! A balance is always current: queries of one account, hold or transfer add the events that its row lacks from the log.

mod get_account;
mod get_entries;
mod get_hold;
mod get_holds;
mod get_owner_accounts;
mod get_statement;
mod get_transfer;
mod get_trial_balance;

use ledgerfold::{Decider, EntityId, StreamId};
use ledgerfold_lambda::http::{Api, Problem, QueryCall};

use crate::domain::Accounts;

pub use get_account::{AccountAnswer, GetAccount};
pub use get_entries::{Entry, GetEntries};
pub use get_hold::GetHold;
pub use get_holds::{GetHolds, HoldAnswer};
pub use get_owner_accounts::GetOwnerAccounts;
pub use get_statement::{GetStatement, StatementAnswer, YearMonth};
pub use get_transfer::{GetTransfer, TransferAnswer};
pub use get_trial_balance::{GetTrialBalance, Totals, TrialBalance};

/// Adds all queries.
pub(crate) fn add_to(api: Api) -> Api {
    api.query::<GetAccount>()
        .query::<GetEntries>()
        .query::<GetStatement>()
        .query::<GetHolds>()
        .query::<GetHold>()
        .query::<GetOwnerAccounts>()
        .query::<GetTransfer>()
        .query::<GetTrialBalance>()
}

/// The stream of an account of the caller's tenant.
fn account(call: QueryCall<'_>, id: EntityId) -> StreamId {
    call.stream(Accounts::CATEGORY, id)
}

fn no_such_account() -> Problem {
    Problem::not_found("The account does not exist, or it did not exist at that time.")
}

/// The account in the examples.
fn example_account() -> EntityId {
    EntityId::new("a-1").expect("a-1 is an id")
}
