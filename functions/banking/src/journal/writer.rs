//! The journal itself, and its transactions.

use std::{cmp::max, collections::BTreeSet, io::Write};

use banking_events::{Currency, LegAccount, Money, TransferMade};
use jiff::civil::Date;
use ledgerfold::EntityId;

use super::{
    Account, Format, JournalError, Settlement,
    format::{Balance, Transaction},
    names::{IN_TRANSIT, name_of},
};

/// A journal that is being written.
#[must_use = "a journal without `end` lacks its last check"]
pub struct Journal<W> {
    out: W,
    format: Format,
    /// A set, because each currency is declared once.
    currencies: BTreeSet<Currency>,
    newest: Date,
}

impl<W: Write> Journal<W> {
    /// A journal with its header.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn begin(format: Format, mut out: W) -> Result<Self, JournalError> {
        out.write_all(format.header().as_bytes())?;
        Ok(Self { out, format, currencies: BTreeSet::new(), newest: Date::MIN })
    }

    /// Writes the transaction of a transfer. Each leg is a posting.
    ///
    /// The accounts may book their legs on different days. Then there are two transactions, and the money is in transit
    /// between them.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn transfer(&mut self, id: &EntityId, made: &TransferMade) -> Result<(), JournalError> {
        let credit = made.amount;
        let debit = Money { amount: -credit.amount, ..credit };
        self.declare(credit.currency)?;
        self.newest = max(self.newest, made.booked_on());
        let from = name_of(&made.from, self.format);
        let to = name_of(&made.to, self.format);
        let mut write = |on, postings| {
            let description = made.reference.as_str();
            let transaction = Transaction { id: id.as_str(), on, description, postings };
            self.out.write_all(self.format.transaction(&transaction)?.as_bytes())?;
            Ok(())
        };
        if made.from_booked_on == made.to_booked_on {
            return write(made.from_booked_on, [(&from, debit), (&to, credit)]);
        }
        write(made.from_booked_on, [(&from, debit), (IN_TRANSIT, credit)])?;
        write(made.to_booked_on, [(IN_TRANSIT, debit), (&to, credit)])
    }

    /// Begins the balances of a customer's account.
    pub fn account(&mut self, id: &EntityId) -> Account<'_, W> {
        let name = self.name(&LegAccount::Customer(id.clone()));
        Account::new(self, name)
    }

    /// Begins the balances of a settlement account.
    pub fn settlement(&mut self, id: &EntityId) -> Settlement<'_, W> {
        let name = self.name(&LegAccount::Settlement(id.clone()));
        Settlement::new(self, name)
    }

    fn name(&self, account: &LegAccount) -> String {
        name_of(account, self.format)
    }

    /// Declares that no money is in transit any more, and ends the journal.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn end(mut self) -> Result<(), JournalError> {
        for currency in self.currencies.clone() {
            let amount = Money { amount: 0, currency };
            self.balance(&Balance { account: IN_TRANSIT, on: self.newest, amount })?;
        }
        Ok(self.out.flush()?)
    }

    fn declare(&mut self, currency: Currency) -> Result<(), JournalError> {
        if self.currencies.insert(currency) {
            self.out.write_all(self.format.currency(currency)?.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn open(
        &mut self,
        account: &str,
        on: Date,
        currency: Currency,
    ) -> Result<(), JournalError> {
        self.declare(currency)?;
        Ok(self.out.write_all(self.format.open(account, on, currency).as_bytes())?)
    }

    pub(super) fn balance(&mut self, balance: &Balance<'_>) -> Result<(), JournalError> {
        Ok(self.out.write_all(self.format.balance(balance)?.as_bytes())?)
    }
}
