//! The cost of each operation of banking: an application of the library with joint commands, from the HTTP request on.

mod bank;
mod commands;
mod queries;

use futures::future::FutureExt;

use super::{Operation, check, meter::Cost};

/// By default a function has just started, so it has cached nothing, and an account has an opening and a deposit. A commit
/// of a transaction takes less than 1 KB, and its write units count twice.
const OPERATIONS: &[Operation] = operations! {
    "open an account": 1, 1.0, 0.0 => commands::open;
    "open an account, repeated": 1, 1.0, 0.0 inferred => commands::open_again;
    "deposit": 3, 6.0, 2.0 inferred => commands::deposit;
    "deposit, 10 events after a snapshot": 3, 6.0, 5.0 inferred => commands::deposit_to_a_long_account;
    "deposit, 20 events after one, includes a snapshot": 3, 8.0, 5.0 inferred => commands::deposit_with_a_snapshot;
    "deposit, repeated": 4, 0.0, 4.0 => commands::deposit_again;
    "withdrawal": 3, 6.0, 2.0 inferred => commands::withdraw;
    "withdrawal refused: insufficient funds": 5, 0.0, 5.0 inferred => commands::withdraw_too_much;
    "transfer": 3, 6.0, 2.0 inferred => commands::transfer;
    "transfer, with a reference of 200 characters": 3, 6.0, 2.0 inferred => commands::transfer_with_many_words;
    "transfer, repeated": 4, 0.0, 4.0 => commands::transfer_again;
    "transfer refused: insufficient funds": 5, 0.0, 5.0 inferred => commands::transfer_too_much;
    "reversal of a transfer": 5, 8.0, 4.0 inferred => commands::reverse;
    "reversal of a deposit": 5, 8.0, 4.0 inferred => commands::reverse_a_deposit;
    "hold": 2, 4.0, 1.0 inferred => commands::hold;
    "capture of a hold": 4, 8.0, 3.0 inferred => commands::capture;
    "release of a hold": 3, 4.0, 2.0 inferred => commands::release;
    "expiry of a hold": 2, 1.0, 1.0 => commands::expire;
    "daily limit": 2, 1.0, 1.0 => commands::limit;
    "freeze, unfreeze, close": 2, 1.0, 1.0 => commands::freeze;
    "freeze, repeated": 1, 0.0, 1.0 => commands::freeze_again;
    "freeze refused: account frozen": 1, 0.0, 1.0 => commands::freeze_refused;
    "query: account": 3, 0.0, 3.0 inferred => queries::account;
    "query: account at a version": 1, 0.0, 3.0 => queries::account_as_of;
    "query: accounts of an owner": 2, 0.0, 1.5 => queries::accounts_of_owner;
    "query: 20 entries": 5, 0.0, 7.0 inferred => queries::entries;
    "query: statement of this month, 20 entries": 5, 0.0, 7.0 inferred => queries::this_month;
    "query: statement of last month, 20 entries": 12, 0.0, 16.0 inferred => queries::last_month;
    "query: hold": 3, 0.0, 3.0 inferred => queries::hold;
    "query: holds of an account": 4, 0.0, 3.5 => queries::holds;
    "query: transfer": 3, 0.0, 3.0 inferred => queries::transfer;
    "query: trial balance": 18, 0.0, 18.0 inferred => queries::trial_balance;
    "read models: a transfer": 15, 13.0, 10.0 inferred => queries::projected;
};

// Guards: a-transfer-costs-its-commits
#[tokio::test]
async fn every_operation_costs_in_banking_what_the_contract_says() {
    check("Banking", OPERATIONS).await;
}
