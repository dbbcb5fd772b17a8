//! The ids that the service has chosen, by the numbers of the demo.

use std::collections::BTreeMap;

use super::operation::{AccountNo, HoldNo, Operation, TransferNo};
use super::send::moved;
use crate::model::Entry;
use crate::{Answer, ClientError};

/// The ids of accounts, transfers and holds, and the operations that were sent.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    accounts: Vec<String>,
    transfers: BTreeMap<TransferNo, String>,
    holds: BTreeMap<HoldNo, String>,
    /// Transfers of cash whose ids are not known yet, with their accounts and the versions of their entries.
    cash: BTreeMap<TransferNo, (AccountNo, u64)>,
    sent: BTreeMap<usize, Operation>,
}

impl Ids {
    /// The ids of these accounts, in the order of their numbers.
    #[must_use]
    pub fn of_accounts(accounts: Vec<String>) -> Self {
        Self { accounts, ..Self::default() }
    }

    /// The id of an account.
    #[must_use]
    pub fn account(&self, number: AccountNo) -> String {
        self.accounts[number].clone()
    }

    /// The id of a transfer. The service has none if it has refused it unexpectedly.
    #[must_use]
    pub fn transfer(&self, number: TransferNo) -> String {
        self.transfers.get(&number).cloned().unwrap_or_else(|| "none".to_owned())
    }

    /// The account of a transfer of cash, if the id of the transfer is not known yet.
    #[must_use]
    pub fn cash_account(&self, number: TransferNo) -> Option<AccountNo> {
        self.cash.get(&number).map(|(account, _)| *account)
    }

    /// Takes the ids of transfers of cash out of the entries of their account.
    pub fn resolve(&mut self, account: AccountNo, entries: &[Entry]) {
        let ids: BTreeMap<u64, &str> =
            entries.iter().map(|entry| (entry.version, entry.transaction.as_str())).collect();
        let transfers = &mut self.transfers;
        self.cash.retain(|number, (of, version)| match ids.get(version) {
            Some(id) if *of == account => {
                transfers.insert(*number, (*id).to_owned());
                false
            }
            _ => true,
        });
    }

    /// The id of a hold. The service has none if it has refused it unexpectedly.
    #[must_use]
    pub fn hold(&self, number: HoldNo) -> String {
        self.holds.get(&number).cloned().unwrap_or_else(|| "none".to_owned())
    }

    /// The transfers, by number.
    #[must_use]
    pub const fn transfers(&self) -> &BTreeMap<TransferNo, String> {
        &self.transfers
    }

    /// Adds the id in the answer to an operation that made something.
    pub(super) fn add(
        &mut self,
        answer: &Answer,
        operation: &Operation,
        transfer: Option<TransferNo>,
        hold: Option<HoldNo>,
    ) -> Result<(), ClientError> {
        if let Some(number) = transfer {
            match operation.of_cash() {
                Some(account) => {
                    self.cash.insert(number, (account, answer.accepted()?.version));
                }
                None => {
                    self.transfers.insert(number, moved(answer)?.id);
                }
            }
        }
        if let Some(number) = hold {
            self.holds.insert(number, hold_of(answer)?);
        }
        Ok(())
    }

    /// Keeps an operation that was sent in a step.
    pub(super) fn remember(&mut self, step: usize, operation: &Operation) {
        self.sent.insert(step, *operation);
    }

    /// The operation of an earlier step.
    pub(super) fn remembered(&self, step: usize) -> Operation {
        *self.sent.get(&step).expect("a step is sent again only after its first answer")
    }
}

/// The id of the hold in the `Location` of its placement.
pub(super) fn hold_of(answer: &Answer) -> Result<String, ClientError> {
    let location = answer.header("location").unwrap_or_default();
    match location.rsplit_once("/holds/") {
        Some((_, id)) => Ok(id.to_owned()),
        None => Err(ClientError::Status {
            expected: 201,
            actual: answer.status(),
            body: format!("Location: {location:?}, {}", answer.text()),
        }),
    }
}
