//! The events of an account that other contexts see.

use ledgerfold::{Category, PublicEvents, events};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountEvent, Deposited, Withdrawn};

/// An account was opened. Its owner's address is not public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountOpened {}

/// An amount came into the account, or went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MoneyMoved {
    /// The amount in cents. It is negative if it went out.
    pub amount: i64,
}

/// An account was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountClosed {}

events! {
    /// The public events of an account.
    pub enum PublicAccountEvent {
        AccountOpened: 1,
        MoneyMoved: 1,
        AccountClosed: 1,
    }
}

/// The public form of [`AccountEvent`]s. Addresses, notes and loans stay inside the bank.
#[derive(Clone, Copy, Debug)]
pub struct PublicAccounts;

impl PublicEvents for PublicAccounts {
    const CONTEXT: &'static str = "bank";
    const CATEGORY: Category = Category::from_static("account");

    type Private = AccountEvent;
    type Public = PublicAccountEvent;

    fn public(event: &AccountEvent) -> Option<PublicAccountEvent> {
        match event {
            AccountEvent::Opened(_) => Some(AccountOpened {}.into()),
            AccountEvent::Deposited(Deposited { amount }) => Some(moved(amount, 1)),
            AccountEvent::Withdrawn(Withdrawn { amount }) => Some(moved(amount, -1)),
            AccountEvent::Closed(_) => Some(AccountClosed {}.into()),
            AccountEvent::Moved(_)
            | AccountEvent::NoteWritten(_)
            | AccountEvent::LoanGranted(_)
            | AccountEvent::LoanRepaid(_)
            | AccountEvent::LoanCalled(_) => None,
        }
    }
}

fn moved(amount: &u64, sign: i64) -> PublicAccountEvent {
    let amount = sign * i64::try_from(*amount).unwrap_or(i64::MAX);
    MoneyMoved { amount }.into()
}
