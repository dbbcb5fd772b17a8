//! The callers of the demo: owners for their own money, tellers for cash and freezes, a manager for limits.

use std::collections::BTreeMap;

use ledgerfold_testkit::http::{Stack, StackError};

use super::generate::owner_of;
use super::operation::{AccountNo, Operation};
use crate::{Caller, Client, Patience};

/// A client for each caller. All share their connections.
#[derive(Debug)]
pub struct Callers {
    /// The manager, with all permissions.
    pub manager: Client,
    teller: Client,
    owners: BTreeMap<String, Client>,
}

impl Callers {
    /// The callers of a tenant with so many accounts. They repeat requests that a killed function did not answer.
    ///
    /// # Errors
    /// If the stack has no such service, or no token can be made.
    pub fn new(stack: &Stack, tenant: &str, accounts: usize) -> Result<Self, StackError> {
        let manager = Client::new(stack, &Caller::manager().in_tenant(tenant))?;
        let manager = manager.with_patience(Patience::ThroughCrashes);
        let teller = manager.for_caller(stack, &Caller::teller().in_tenant(tenant))?;
        let mut owners = BTreeMap::new();
        for name in (0..accounts).map(owner_of) {
            let caller = Caller::owner(&name).in_tenant(tenant);
            owners.insert(name, manager.for_caller(stack, &caller)?);
        }
        Ok(Self { manager, teller, owners })
    }

    /// The client of an account's owner.
    #[must_use]
    pub fn owner_of(&self, account: AccountNo) -> &Client {
        &self.owners[&owner_of(account)]
    }

    /// The client that may send an operation.
    #[must_use]
    pub fn of(&self, operation: &Operation) -> &Client {
        match *operation {
            Operation::Withdraw { from: on, .. }
            | Operation::Transfer { from: on, .. }
            | Operation::Hold { on, .. }
            | Operation::Capture { from: on, .. }
            | Operation::Release { on, .. }
            | Operation::Expire { on, .. }
            | Operation::Reverse { receiver: Some(on), .. } => self.owner_of(on),
            Operation::Deposit { .. }
            | Operation::Reverse { receiver: None, .. }
            | Operation::Freeze { .. }
            | Operation::Unfreeze { .. } => &self.teller,
            Operation::Limit { .. } => &self.manager,
        }
    }
}
