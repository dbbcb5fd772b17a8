//! Transfers between two accounts, in one transaction.

use ledgerfold::{Command, CommandName, DecisionContext, command::JointDecider};
use serde::Serialize;

use super::{Account, AccountEvent, AccountRejection, Accounts, Deposited, Withdrawn};

/// Transfers from one account to another.
#[derive(Clone, Copy, Debug)]
pub struct Transfers;

/// Transfers this amount from the first account to the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transfer(pub u64);

impl Command for Transfer {
    fn name(&self) -> CommandName {
        CommandName::from_static("Transfer")
    }
}

impl JointDecider for Transfers {
    type Command = Transfer;
    type Parts = (Accounts, Accounts);
    type Rejection = AccountRejection;

    fn decide(
        (from, to): (&Account, &Account),
        Transfer(amount): &Transfer,
        _: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<AccountEvent>), AccountRejection> {
        match (&from.email, &to.email) {
            (Some(_), Some(_)) if from.balance < *amount => Err(AccountRejection::TooLittle),
            (Some(_), Some(_)) => Ok((
                vec![Withdrawn { amount: *amount }.into()],
                vec![Deposited { amount: *amount }.into()],
            )),
            _ => Err(AccountRejection::NotOpen),
        }
    }
}
