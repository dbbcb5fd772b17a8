//! The bodies of the contract, as a client would define them. All amounts are in minor units.
//!
//! Answers are parsed leniently, because a new field must not break an old client. The tests check the exact set of
//! fields on the JSON itself.

use jiff::{Timestamp, civil::Date};
pub use ledgerfold_testkit::http::{Accepted, Page, Problem};
use serde::{Deserialize, Serialize};

/// An amount of an ISO 4217 currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Money {
    /// The amount in minor units.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl Money {
    /// An amount of minor units.
    #[must_use]
    pub fn new(amount: i64, currency: &str) -> Self {
        Self { amount, currency: currency.to_owned() }
    }

    /// An amount in cents.
    #[must_use]
    pub fn euro(cents: i64) -> Self {
        Self::new(cents, "EUR")
    }
}

/// Body of `POST /accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenAccount {
    /// The owner.
    pub owner_id: String,
    /// The only currency of the account.
    pub currency: String,
    /// The amount below zero to which it may be debited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdraft_limit: Option<i64>,
}

/// Body of a deposit or withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Movement {
    /// The amount.
    pub amount: Money,
    /// The purpose.
    pub reference: String,
}

impl Movement {
    /// A movement of this amount.
    #[must_use]
    pub fn of(amount: Money) -> Self {
        Self { amount, reference: "cash".to_owned() }
    }
}

/// Body of `POST /transfers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// The account to debit.
    pub from: String,
    /// The account to credit.
    pub to: String,
    /// The amount.
    pub amount: Money,
    /// The purpose.
    pub reference: String,
    /// The bank of the account to credit, if it is another one.
    #[serde(rename = "toBank", skip_serializing_if = "Option::is_none")]
    pub to_bank: Option<String>,
}

impl Transfer {
    /// A transfer of this amount.
    #[must_use]
    pub fn of(amount: Money, from: &str, to: &str) -> Self {
        let [from, to, reference] = [from, to, "rent"].map(str::to_owned);
        Self { from, to, amount, reference, to_bank: None }
    }

    /// The same transfer to an account of another bank.
    #[must_use]
    pub fn to_bank(self, bank: &str) -> Self {
        Self { to_bank: Some(bank.to_owned()), ..self }
    }
}

/// Body of `POST /accounts/{id}/holds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceHold {
    /// The amount.
    pub amount: Money,
    /// The purpose.
    pub reference: String,
    /// The seconds until it expires.
    pub expires_in: u64,
}

impl PlaceHold {
    /// A hold of this amount, for so many seconds.
    #[must_use]
    pub fn of(amount: Money, seconds: u64) -> Self {
        Self { amount, reference: "hotel".to_owned(), expires_in: seconds }
    }
}

/// Body of a capture. Without an amount, it takes all that is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capture {
    /// The account to credit.
    pub to: String,
    /// The amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// Body of the answer to a movement of money.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Moved {
    /// The transfer.
    pub id: String,
    /// The accounts of customers that it touched.
    pub legs: Vec<Leg>,
}

/// An account that a transfer touched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Leg {
    /// The account.
    pub account: String,
    /// Its version with the transfer.
    pub version: u64,
}

/// The status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// It takes everything.
    Open,
    /// It takes no debit and no hold.
    Frozen,
    /// It takes nothing.
    Closed,
}

/// Body of `GET /accounts/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The account.
    pub id: String,
    /// The owner.
    pub owner_id: String,
    /// Its only currency.
    pub currency: String,
    /// The status.
    pub status: AccountStatus,
    /// The balance.
    pub posted: i64,
    /// The sum of the open holds.
    pub held: i64,
    /// The amount that can be debited.
    pub available: i64,
    /// The amount below zero to which it may be debited.
    pub overdraft_limit: i64,
    /// The amount that may leave it on a day.
    pub daily_limit: Option<i64>,
    /// The version.
    pub version: u64,
}

/// One entry of `GET /accounts/{id}/entries` and of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The transfer.
    pub transaction: String,
    /// The amount, below zero for a debit.
    pub amount: i64,
    /// The balance with this entry.
    pub balance_after: i64,
    /// The account of the other leg.
    pub counterparty: String,
    /// The purpose.
    pub reference: String,
    /// The day of the entry.
    pub booked_on: Date,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The version of the account.
    pub version: u64,
}

/// The status of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldStatus {
    /// A part of it is left.
    Open,
    /// Nothing is left.
    Captured,
    /// The rest is available again.
    Released,
    /// It has reached its time.
    Expired,
}

/// One entry of `GET /accounts/{id}/holds`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The hold.
    pub id: String,
    /// The amount.
    pub amount: Money,
    /// The sum of its captures.
    pub captured: Money,
    /// The status.
    pub status: HoldStatus,
    /// From this time on it counts for nothing.
    pub expires_at: Timestamp,
}

/// Body of `GET /accounts/{id}/statements/{yyyy-mm}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The balance before the first entry.
    pub opening: i64,
    /// The balance after the last entry.
    pub closing: i64,
    /// The entries of the month.
    pub entries: Vec<Entry>,
    /// Whether it is final.
    pub closed: bool,
    /// The cursor of the next entries, if there are more.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// The kind of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Between two accounts.
    Transfer,
    /// From outside.
    Deposit,
    /// To the outside.
    Withdrawal,
    /// Of reserved money.
    Capture,
    /// Of an earlier transfer.
    Reversal,
}

/// Whether the money of a transfer has moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransferState {
    /// It is reserved for another bank.
    Pending,
    /// It has moved.
    #[default]
    Settled,
    /// It has not moved, and never will.
    Refused,
}

/// Body of `GET /transfers/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownTransfer {
    /// The transfer.
    pub id: String,
    /// The debited account.
    pub from: String,
    /// The credited account.
    pub to: String,
    /// The amount.
    pub amount: Money,
    /// The purpose.
    pub reference: String,
    /// The kind.
    pub kind: Kind,
    /// Whether the money has moved. Answers leave it out within one bank, where money moves at once.
    #[serde(default)]
    pub state: TransferState,
    /// The rule with which another bank refused it.
    pub refused_by: Option<String>,
    /// The bank of the debited account, if it is another one.
    pub from_bank: Option<String>,
    /// The bank of the credited account, if it is another one.
    pub to_bank: Option<String>,
    /// The transfer that moved the money back.
    pub reversed_by: Option<String>,
    /// The transfer that this one moved back.
    pub reverses: Option<String>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// Body of `GET /trial-balance`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TrialBalance {
    /// The sums of each currency.
    pub currencies: Vec<Totals>,
}

/// The sums of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Totals {
    /// ISO 4217 code.
    pub currency: String,
    /// The balances of all customers.
    pub customers: i64,
    /// The balances of the bank's own accounts.
    pub settlement: i64,
    /// The sum of both.
    pub difference: i64,
}

impl TrialBalance {
    /// The sums of a currency, or zeros.
    #[must_use]
    pub fn of(&self, currency: &str) -> Totals {
        let found = self.currencies.iter().find(|totals| totals.currency == currency);
        found.cloned().unwrap_or_else(|| Totals {
            currency: currency.to_owned(),
            customers: 0,
            settlement: 0,
            difference: 0,
        })
    }
}
