//! A customer's account: its state, and how events change it.

use std::collections::BTreeMap;

use banking_events::{
    AccountEvent, AccountOpened, Credited, Currency, Debited, FundsReserved, ReservationReleased,
};
use jiff::civil::Date;
use ledgerfold::{
    Access, Caller, Category, Decider, DecisionContext, EntityId, Snapshots, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BankingRejection;
use crate::commands::AccountCommand;

/// The domain of customers' accounts.
#[derive(Clone, Copy, Debug)]
pub struct Accounts;

/// The state that decisions depend on. `None` means that the account has not been opened.
pub type AccountState = Option<Account>;

/// An account. Its size does not depend on the number of its entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The owner.
    pub owner_id: EntityId,
    /// The only currency of the account. All amounts are in its minor units.
    pub currency: Currency,
    /// The amount below zero to which the account may be debited.
    pub overdraft_limit: i64,
    /// The amount that may leave the account on a day.
    pub daily_limit: Option<i64>,
    /// Whether the account takes debits and credits.
    pub status: Status,
    /// The balance: the sum of all entries.
    pub posted: i64,
    /// The money that holds and transfers to other banks reserve, by their ids. A hold that has expired stays here until the next decision.
    pub reserved: BTreeMap<EntityId, Reservation>,
    /// The use of the daily limit on the newest day with a debit or a hold.
    pub spent: Spent,
    /// The booking date of the newest event.
    pub booked_on: Date,
}

/// Whether an account takes debits and credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It takes both.
    Open,
    /// It takes credits.
    Frozen,
    /// It takes neither.
    Closed,
}

/// The money that a hold or a transfer to another bank reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The amount that is left.
    pub amount: i64,
    /// From this time on it counts for nothing. The money of a transfer to another bank stays reserved.
    pub expires_at: Option<Timestamp>,
    /// The day whose limit it uses.
    pub day: Date,
}

/// The use of the daily limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    /// The day.
    pub on: Date,
    /// The amount that left the account or was reserved, less the released reservations.
    pub amount: i64,
}

impl Account {
    fn opened(event: &AccountOpened) -> Self {
        Self {
            owner_id: event.owner_id.clone(),
            currency: event.currency,
            overdraft_limit: event.overdraft_limit,
            daily_limit: None,
            status: Status::Open,
            posted: 0,
            reserved: BTreeMap::new(),
            spent: Spent { on: event.booked_on, amount: 0 },
            booked_on: event.booked_on,
        }
    }

    /// The sum of the holds that have not expired at this time.
    pub fn held(&self, at: Timestamp) -> i64 {
        let open = self.reserved.values().filter(|it| !it.has_expired(at));
        open.map(|reservation| reservation.amount).sum()
    }

    /// The amount that can be debited at this time.
    pub fn available(&self, at: Timestamp) -> i64 {
        self.posted - self.held(at) + self.overdraft_limit
    }

    /// The use of the daily limit on this day.
    pub fn spent_on(&self, day: Date) -> i64 {
        if self.spent.on == day { self.spent.amount } else { 0 }
    }

    fn spend(&mut self, on: Date, amount: i64) {
        // Money can come back and leave again, so the sum of a day has no bound of its own. A sum that is too large stays
        // the largest number, which no limit allows.
        self.spent = Spent { on, amount: self.spent_on(on).saturating_add(amount) };
    }

    /// Takes an amount out of a reservation, which ends with its last part. Returns the day whose limit it used.
    fn take_reserved(&mut self, hold: &EntityId, amount: i64) -> Option<Date> {
        let reservation = self.reserved.get_mut(hold)?;
        reservation.amount -= amount;
        let Reservation { amount: left, day, .. } = *reservation;
        if left <= 0 {
            self.reserved.remove(hold);
        }
        Some(day)
    }

    fn debited(&mut self, event: &Debited) {
        self.posted = event.balance_after;
        match &event.hold {
            // The hold has used the limit of its day already.
            Some(hold) => {
                self.take_reserved(hold, event.amount);
            }
            None => self.spend(event.booked_on, event.amount),
        }
    }

    fn reserve(&mut self, event: &FundsReserved) {
        let FundsReserved { amount, expires_at, booked_on: day, .. } = *event;
        self.reserved.insert(event.hold.clone(), Reservation { amount, expires_at, day });
        self.spend(day, amount);
    }

    fn release(&mut self, event: &ReservationReleased) {
        let day = self.take_reserved(&event.hold, event.amount);
        if day == Some(self.spent.on) {
            self.spent.amount -= event.amount;
        }
    }
}

impl Reservation {
    /// Whether it counts for nothing any more.
    pub fn has_expired(&self, at: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }
}

impl Decider for Accounts {
    type Command = AccountCommand;
    type Event = AccountEvent;
    type State = AccountState;
    type Rejection = BankingRejection;

    const CATEGORY: Category = Category::from_static("account");

    fn initial() -> AccountState {
        None
    }

    fn evolve(state: AccountState, event: &AccountEvent) -> AccountState {
        if let AccountEvent::AccountOpened(opened) = event {
            return Some(Account::opened(opened));
        }
        let mut account = state?;
        account.booked_on = event.booked_on();
        match event {
            AccountEvent::AccountOpened(_) => {}
            AccountEvent::Credited(Credited { balance_after, .. }) => {
                account.posted = *balance_after;
            }
            AccountEvent::Debited(debited) => account.debited(debited),
            AccountEvent::FundsReserved(reserved) => account.reserve(reserved),
            AccountEvent::ReservationReleased(released) => account.release(released),
            AccountEvent::DailyLimitSet(set) => account.daily_limit = set.daily_limit,
            AccountEvent::AccountFrozen(_) => account.status = Status::Frozen,
            AccountEvent::AccountUnfrozen(_) => account.status = Status::Open,
            AccountEvent::AccountClosed(_) => account.status = Status::Closed,
        }
        Some(account)
    }

    fn may(caller: &Caller, command: &AccountCommand, state: &AccountState) -> Access {
        command.may(caller, state)
    }

    fn decide(
        state: &AccountState,
        command: &AccountCommand,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, BankingRejection> {
        command.decide(state, context)
    }

    fn snapshots() -> Option<Snapshots<AccountState>> {
        Some(Snapshots::of::<Self>(1))
    }
}
