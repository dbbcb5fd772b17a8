//! The events of a transfer.

use std::{cmp::max, fmt, str::FromStr};

use jiff::civil::Date;
use ledgerfold::{EntityId, InvalidId, TenantId, events};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Money;

events! {
    /// The events of a transfer.
    pub enum TransferEvent {
        TransferMade: 1,
        TransferReversed: 1,
        TransferSent: 1,
        TransferReceived: 1,
        TransferDeclined: 1,
        TransferRefused: 1,
    }
}

/// Money moved from one account to another, in one transaction with both legs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferMade {
    /// The kind.
    pub kind: Kind,
    /// The account that was debited.
    pub from: LegAccount,
    /// The owner of that account; null for the bank.
    pub from_owner: Option<EntityId>,
    /// The account that was credited.
    pub to: LegAccount,
    /// The owner of that account; null for the bank.
    pub to_owner: Option<EntityId>,
    /// The amount.
    pub amount: Money,
    /// The purpose.
    pub reference: String,
    /// The booking date of the debit. The dates of the legs can differ, because each account has its own.
    pub from_booked_on: Date,
    /// The booking date of the credit.
    pub to_booked_on: Date,
    /// The hold that was captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<EntityId>,
    /// The transfer that this one reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<EntityId>,
    /// The later booking date of the legs of the reversed transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub originally_booked_on: Option<Date>,
}

impl TransferMade {
    /// The later of the booking dates of both legs.
    pub fn booked_on(&self) -> Date {
        max(self.from_booked_on, self.to_booked_on)
    }
}

/// Another transfer moved the money back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferReversed {
    /// The transfer that moved it back.
    pub by: EntityId,
    /// The reason.
    pub reason: String,
}

/// A transfer to another bank begins: its money is reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferSent {
    /// The kind: a transfer or a reversal.
    pub kind: Kind,
    /// The account whose money is reserved.
    pub from: EntityId,
    /// The owner of that account.
    pub from_owner: EntityId,
    /// The account to credit.
    pub to: RemoteAccount,
    /// The amount.
    pub amount: Money,
    /// The purpose.
    pub reference: String,
    /// The transfer from the other bank that this one reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<EntityId>,
}

/// An account of another bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemoteAccount {
    /// The bank, which is a tenant.
    pub bank: TenantId,
    /// The account.
    pub account: EntityId,
}

/// The account was credited with a transfer from another bank. `TransferMade` before it is the record of the legs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferReceived {
    /// The account whose money is reserved.
    pub from: RemoteAccount,
    /// The transfer in that bank.
    pub transfer: EntityId,
    /// The amount.
    pub amount: Money,
}

/// A transfer from another bank was declined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferDeclined {
    /// The account whose money is reserved.
    pub from: RemoteAccount,
    /// The transfer in that bank.
    pub transfer: EntityId,
    /// The amount.
    pub amount: Money,
    /// The rule, for example `account-closed`.
    pub rule: String,
}

/// The other bank declined the transfer. Its money is available again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferRefused {
    /// The rule of the other bank, for example `account-closed`.
    pub rule: String,
}

/// The kind of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// From one customer's account to another.
    Transfer,
    /// From outside of the bank.
    Deposit,
    /// To outside of the bank.
    Withdrawal,
    /// A hold or a part of it, to another account.
    Capture,
    /// An earlier transfer, the other way.
    Reversal,
}

/// The account of a leg: the id of a customer's account, or `settlement#<id>` for an account of the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("type" = "string", "pattern" = "^(settlement#)?[A-Za-z0-9._-]{1,64}$"), inline)]
pub enum LegAccount {
    /// An account of a customer.
    Customer(EntityId),
    /// An account of the bank.
    Settlement(EntityId),
}

const SETTLEMENT: &str = "settlement#";

impl fmt::Display for LegAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(id) => write!(f, "{id}"),
            Self::Settlement(id) => write!(f, "{SETTLEMENT}{id}"),
        }
    }
}

impl FromStr for LegAccount {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.strip_prefix(SETTLEMENT) {
            Some(id) => EntityId::new(id).map(Self::Settlement),
            None => EntityId::new(text).map(Self::Customer),
        }
    }
}

impl TryFrom<String> for LegAccount {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<LegAccount> for String {
    fn from(account: LegAccount) -> Self {
        account.to_string()
    }
}
