//! Banking: accounts, transfers, holds and statements on Ledgerfold. Money always adds up.
//!
//! | module | content |
//! | --- | --- |
//! | [`domain`] | the states of accounts, holds and transfers, the rules of money, and the reasons to refuse a command; pure |
//! | [`commands`] | one file for each command: its body, its path and its decision |
//! | [`queries`] | one file for each query: its parameters, its path and its answer |
//! | [`read_models`] | folds of events for queries; pure |
//! | [`process`] | reactions to events and deadlines; pure |
//! | [`journal`] | the books as a text that accounting programs check; pure |
//!
//! [`context`] and [`api`] declare all of them. The program of the functions, `banking-admin` and the OpenAPI document
//! derive their parts from these declarations.

pub mod commands;
pub mod domain;
pub mod journal;
pub mod process;
pub mod queries;
pub mod read_models;

use ledgerfold::{Role, context::Context};
use ledgerfold_lambda::{http::Api, service::Service};

use domain::{Accounts, Holds, Settlements, Transfers};
use process::{HoldExpiry, InterbankTransfers};
use read_models::{AccountViews, CustomerTotals, HoldViews, SettlementTotals, TransferViews};

/// The declaration of banking.
pub fn context() -> Context {
    Context::new("banking")
        .decider::<Accounts>()
        .decider::<Settlements>()
        .decider::<Transfers>()
        .decider::<Holds>()
        .rows::<AccountViews>("account-view")
        .listed_by("by-owner")
        .of_decider::<Accounts>()
        .rows::<HoldViews>("hold-view")
        .listed_by("by-account")
        .of_decider::<Holds>()
        .rows::<TransferViews>("transfer-view")
        .of_decider::<Transfers>()
        .tally::<CustomerTotals>("customer-totals")
        .of_decider::<Accounts>()
        .tally::<SettlementTotals>("settlement-totals")
        .of_decider::<Settlements>()
        .process_with::<HoldExpiry>(())
        .process_with::<InterbankTransfers>(())
        .exports::<Accounts>()
        .exports::<Settlements>()
        .exports::<Transfers>()
        .exports::<Holds>()
}

/// The HTTP operations of banking. `openapi.json` in this package describes them for other programs.
pub fn api() -> Api {
    let api = Api::new("Banking", "1.0.0")
        .described("Money is in integer minor units.")
        .licensed("Apache-2.0 OR MIT")
        .tried_as([Role::from_static("manager")]);
    queries::add_to(commands::add_to(api))
}

/// The declaration with the HTTP operations.
pub fn service() -> Service {
    Service::new(context(), api())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_declaration_does_not_contradict_itself() {
        assert_eq!(super::context().check(), Ok(()));
    }
}
