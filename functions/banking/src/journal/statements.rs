//! The balances of one account at the end of each of its booking days.

use std::io::Write;

use banking_events::{
    AccountEvent, AccountOpened, Credited, Currency, Debited, Money, SettlementEvent,
};
use jiff::civil::Date;

use super::{Journal, JournalError, format::Balance};

/// The events of a customer's account, oldest first.
#[must_use = "without `end` the last day has no balance"]
pub struct Account<'j, W>(Days<'j, W>);

/// The events of a settlement account, oldest first.
#[must_use = "without `end` the last day has no balance"]
pub struct Settlement<'j, W>(Days<'j, W>);

/// An account's balance on the day of its newest entry. A day ends with the first entry of a later day.
struct Days<'j, W> {
    journal: &'j mut Journal<W>,
    account: String,
    currency: Option<Currency>,
    newest: Option<(Date, i64)>,
}

impl<'j, W: Write> Account<'j, W> {
    pub(super) fn new(journal: &'j mut Journal<W>, account: String) -> Self {
        Self(Days { journal, account, currency: None, newest: None })
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn event(&mut self, event: &AccountEvent) -> Result<(), JournalError> {
        match event {
            AccountEvent::AccountOpened(AccountOpened { currency, booked_on, .. }) => {
                self.0.open(*booked_on, *currency)
            }
            AccountEvent::Credited(Credited { balance_after, booked_on, .. })
            | AccountEvent::Debited(Debited { balance_after, booked_on, .. }) => {
                self.0.entry(*booked_on, *balance_after)
            }
            _ => Ok(()),
        }
    }

    /// Ends the last day.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn end(mut self) -> Result<(), JournalError> {
        self.0.end_day()
    }
}

impl<'j, W: Write> Settlement<'j, W> {
    pub(super) fn new(journal: &'j mut Journal<W>, account: String) -> Self {
        Self(Days { journal, account, currency: None, newest: None })
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn event(&mut self, event: &SettlementEvent) -> Result<(), JournalError> {
        let leg = event.leg();
        if self.0.currency.is_none() {
            self.0.open(leg.booked_on, leg.currency)?;
        }
        self.0.entry(leg.booked_on, leg.balance_after)
    }

    /// Ends the last day.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn end(mut self) -> Result<(), JournalError> {
        self.0.end_day()
    }
}

impl<W: Write> Days<'_, W> {
    fn open(&mut self, on: Date, currency: Currency) -> Result<(), JournalError> {
        self.currency = Some(currency);
        self.journal.open(&self.account, on, currency)
    }

    fn entry(&mut self, on: Date, balance_after: i64) -> Result<(), JournalError> {
        if self.newest.is_some_and(|(day, _)| day != on) {
            self.end_day()?;
        }
        self.newest = Some((on, balance_after));
        Ok(())
    }

    fn end_day(&mut self) -> Result<(), JournalError> {
        let Some((on, balance)) = self.newest else { return Ok(()) };
        let currency = self.currency.ok_or(JournalError::NotOpened)?;
        let amount = Money { amount: balance, currency };
        self.journal.balance(&Balance { account: &self.account, on, amount })
    }
}
