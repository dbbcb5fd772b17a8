//! An account at the time of a decision. All rules of money are here.

use std::cmp::max;

use banking_events::{
    AccountEvent, Credited, Debited, FundsReserved, LegAccount, Money, ReleaseCause,
    ReservationReleased,
};
use jiff::{civil::Date, tz::TimeZone};
use ledgerfold::{Decider, EntityId, Timestamp};

use super::{Account, AccountState, Accounts, BankingRejection, Status};

/// The most holds of an account that are open at once. Its state stays small, and one commit can release all of them.
pub const MAX_HOLDS: usize = 50;

/// The largest balance in minor units: below 2^53, so that every JSON parser represents it exactly (RFC 8259, section 6).
pub const MAX_BALANCE: i64 = 9_000_000_000_000_000;

/// An account at the time of a decision, with the events that the decision has made so far.
///
/// A hold that has expired counts for nothing, whether or not a deadline has noticed. So every decision begins with the
/// release of expired holds.
#[derive(Clone, Debug)]
pub struct AccountAt {
    account: Account,
    at: Timestamp,
    events: Vec<AccountEvent>,
}

/// A leg of a transfer on an account.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The transfer.
    pub transaction: EntityId,
    /// The amount, above zero.
    pub amount: Money,
    /// The account of the other leg.
    pub counterparty: LegAccount,
    /// The purpose.
    pub reference: String,
}

impl AccountAt {
    /// The account at this time.
    ///
    /// # Errors
    /// [`BankingRejection::NoAccount`] if it has not been opened.
    pub fn new(state: &AccountState, at: Timestamp) -> Result<Self, BankingRejection> {
        let account = state.clone().ok_or(BankingRejection::NoAccount)?;
        let mut this = Self { account, at, events: Vec::new() };
        this.release_expired();
        Ok(this)
    }

    fn release_expired(&mut self) {
        let expired = self.account.reserved.iter().filter(|(_, it)| it.has_expired(self.at));
        let expired: Vec<_> = expired.map(|(hold, it)| (hold.clone(), it.amount)).collect();
        for (hold, amount) in expired {
            self.release_reserved(hold, amount, ReleaseCause::Expired);
        }
    }

    /// The time of the decision.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The account.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// The events of the decision.
    pub fn into_events(self) -> Vec<AccountEvent> {
        self.events
    }

    /// The later of the account's last booking date and today's date in UTC. Booking dates never go back, although
    /// clocks do, so the entries of a month are a range of versions.
    pub fn booked_on(&self) -> Date {
        max(self.account.booked_on, date_of(self.at))
    }

    /// Adds an event without a rule of its own.
    pub fn record(&mut self, event: impl Into<AccountEvent>) {
        let event = event.into();
        // An account that exists stays: no event removes it.
        if let Some(account) = Accounts::evolve(Some(self.account.clone()), &event) {
            self.account = account;
        }
        self.events.push(event);
    }

    /// Takes money from the account.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub fn debit(&mut self, leg: &Leg) -> Result<(), BankingRejection> {
        self.check_takes_debits(leg.amount)?;
        self.check_available(leg.amount.amount)?;
        self.record_debit(leg, None);
        Ok(())
    }

    /// Takes money that a hold has reserved.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub fn capture(&mut self, hold: &EntityId, leg: &Leg) -> Result<(), BankingRejection> {
        self.check_takes_debits(leg.amount)?;
        self.take(hold, leg)
    }

    /// Takes the money of a transfer to another bank, which has credited it. So a freeze does not stop it.
    ///
    /// # Errors
    /// [`BankingRejection::HoldNotOpen`] if the money is not reserved.
    pub fn settle(&mut self, leg: &Leg) -> Result<(), BankingRejection> {
        self.take(&leg.transaction, leg)
    }

    fn take(&mut self, hold: &EntityId, leg: &Leg) -> Result<(), BankingRejection> {
        let reservation = self.account.reserved.get(hold).ok_or(BankingRejection::HoldNotOpen)?;
        if reservation.amount < leg.amount.amount {
            return Err(BankingRejection::AmountExceedsHold { left: reservation.amount });
        }
        self.record_debit(leg, Some(hold));
        Ok(())
    }

    fn record_debit(&mut self, leg: &Leg, hold: Option<&EntityId>) {
        let Leg { transaction, amount, counterparty, reference } = leg.clone();
        self.record(Debited {
            transaction,
            amount: amount.amount,
            balance_after: self.account.posted - amount.amount,
            counterparty,
            reference,
            booked_on: self.booked_on(),
            hold: hold.cloned(),
        });
    }

    /// Adds money to the account.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub fn credit(&mut self, leg: &Leg) -> Result<(), BankingRejection> {
        self.check_not_closed()?;
        self.check_currency(leg.amount)?;
        let Leg { transaction, amount, counterparty, reference } = leg.clone();
        let balance_after = self.account.posted.checked_add(amount.amount);
        let balance_after = balance_after.filter(|balance| *balance <= MAX_BALANCE);
        let balance_after = balance_after.ok_or(BankingRejection::BalanceTooLarge)?;
        self.record(Credited {
            transaction,
            amount: amount.amount,
            balance_after,
            counterparty,
            reference,
            booked_on: self.booked_on(),
        });
        Ok(())
    }

    /// Reserves money until a time, or until it is released.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub fn reserve(
        &mut self,
        hold: EntityId,
        amount: Money,
        expires_at: Option<Timestamp>,
    ) -> Result<(), BankingRejection> {
        self.check_takes_debits(amount)?;
        self.check_available(amount.amount)?;
        if self.account.reserved.len() >= MAX_HOLDS {
            return Err(BankingRejection::TooManyHolds);
        }
        let booked_on = self.booked_on();
        self.record(FundsReserved { hold, amount: amount.amount, expires_at, booked_on });
        Ok(())
    }

    /// Makes the rest of a hold available again.
    ///
    /// # Errors
    /// [`BankingRejection::HoldNotOpen`].
    pub fn release(&mut self, hold: &EntityId) -> Result<(), BankingRejection> {
        let reservation = self.account.reserved.get(hold).ok_or(BankingRejection::HoldNotOpen)?;
        self.release_reserved(hold.clone(), reservation.amount, ReleaseCause::Released);
        Ok(())
    }

    fn release_reserved(&mut self, hold: EntityId, amount: i64, cause: ReleaseCause) {
        let booked_on = self.booked_on();
        self.record(ReservationReleased { hold, amount, cause, booked_on });
    }

    /// # Errors
    /// [`BankingRejection::AccountClosed`].
    pub fn check_not_closed(&self) -> Result<(), BankingRejection> {
        match self.account.status {
            Status::Open | Status::Frozen => Ok(()),
            Status::Closed => Err(BankingRejection::AccountClosed),
        }
    }

    fn check_takes_debits(&self, amount: Money) -> Result<(), BankingRejection> {
        match self.account.status {
            Status::Open => self.check_currency(amount),
            Status::Frozen => Err(BankingRejection::AccountFrozen),
            Status::Closed => Err(BankingRejection::AccountClosed),
        }
    }

    /// # Errors
    /// [`BankingRejection::CurrencyMismatch`].
    pub fn check_currency(&self, amount: Money) -> Result<(), BankingRejection> {
        let account = self.account.currency;
        if amount.currency == account {
            return Ok(());
        }
        Err(BankingRejection::CurrencyMismatch { account, offered: amount.currency })
    }

    /// Checks that the amount may leave the account: that it is available, and within the daily limit.
    fn check_available(&self, amount: i64) -> Result<(), BankingRejection> {
        let available = self.account.available(self.at);
        if amount > available {
            return Err(BankingRejection::InsufficientFunds { available });
        }
        let Some(limit) = self.account.daily_limit else { return Ok(()) };
        let left = limit - self.account.spent_on(self.booked_on());
        if amount > left {
            return Err(BankingRejection::DailyLimitExceeded { left: max(left, 0) });
        }
        Ok(())
    }
}

/// The day in UTC.
pub fn date_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
