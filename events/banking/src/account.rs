//! The events of a customer's account.

use jiff::civil::Date;
use ledgerfold::{EntityId, Timestamp, events};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, LegAccount};

events! {
    /// The events of an account.
    pub enum AccountEvent {
        AccountOpened: 1,
        Credited: 1,
        Debited: 1,
        FundsReserved: 1,
        ReservationReleased: 1,
        DailyLimitSet: 1,
        AccountFrozen: 1,
        AccountUnfrozen: 1,
        AccountClosed: 1,
    }
}

/// An account was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountOpened {
    /// The owner.
    pub owner_id: EntityId,
    /// The only currency of the account.
    pub currency: Currency,
    /// The amount below zero to which the account may be debited.
    pub overdraft_limit: i64,
    /// The booking date.
    pub booked_on: Date,
}

/// Money arrived: the second leg of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credited {
    /// The transfer.
    pub transaction: EntityId,
    /// The amount, above zero.
    pub amount: i64,
    /// The balance after it.
    pub balance_after: i64,
    /// The account of the other leg.
    pub counterparty: LegAccount,
    /// The purpose, in the words of the sender.
    pub reference: String,
    /// The booking date.
    pub booked_on: Date,
}

/// Money left: the first leg of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Debited {
    /// The transfer.
    pub transaction: EntityId,
    /// The amount, above zero.
    pub amount: i64,
    /// The balance after it.
    pub balance_after: i64,
    /// The account of the other leg.
    pub counterparty: LegAccount,
    /// The purpose, in the words of the sender.
    pub reference: String,
    /// The booking date.
    pub booked_on: Date,
    /// The hold whose money it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<EntityId>,
}

/// A hold reserved money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FundsReserved {
    /// The hold, or the transfer to another bank.
    pub hold: EntityId,
    /// The amount, above zero.
    pub amount: i64,
    /// From this time on it counts for nothing. The money of a transfer to another bank stays reserved until that bank
    /// has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The booking date. The amount counts towards the daily limit of this day.
    pub booked_on: Date,
}

/// The rest of a hold became available again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservationReleased {
    /// The hold.
    pub hold: EntityId,
    /// The amount that was still reserved.
    pub amount: i64,
    /// The reason.
    pub cause: ReleaseCause,
    /// The booking date.
    pub booked_on: Date,
}

/// The end of a reservation that was not captured in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseCause {
    /// Somebody released the hold.
    Released,
    /// The hold had expired.
    Expired,
}

/// The daily limit changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DailyLimitSet {
    /// The amount that may leave the account on a day, or null for no limit.
    pub daily_limit: Option<i64>,
    /// The booking date.
    pub booked_on: Date,
}

/// The account was frozen: no debit, and no hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountFrozen {
    /// The reason.
    pub reason: String,
    /// The booking date.
    pub booked_on: Date,
}

/// The account is open again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountUnfrozen {
    /// The reason.
    pub reason: String,
    /// The booking date.
    pub booked_on: Date,
}

/// The account was closed, with a balance of zero and without holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountClosed {
    /// The reason.
    pub reason: String,
    /// The booking date.
    pub booked_on: Date,
}

impl AccountEvent {
    /// The booking date. It never goes back within an account.
    pub const fn booked_on(&self) -> Date {
        match self {
            Self::AccountOpened(AccountOpened { booked_on, .. })
            | Self::Credited(Credited { booked_on, .. })
            | Self::Debited(Debited { booked_on, .. })
            | Self::FundsReserved(FundsReserved { booked_on, .. })
            | Self::ReservationReleased(ReservationReleased { booked_on, .. })
            | Self::DailyLimitSet(DailyLimitSet { booked_on, .. })
            | Self::AccountFrozen(AccountFrozen { booked_on, .. })
            | Self::AccountUnfrozen(AccountUnfrozen { booked_on, .. })
            | Self::AccountClosed(AccountClosed { booked_on, .. }) => *booked_on,
        }
    }
}
