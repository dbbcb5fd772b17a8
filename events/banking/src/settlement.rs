//! The events of the bank's own accounts.

use jiff::civil::Date;
use ledgerfold::{EntityId, events};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Currency;

events! {
    /// The events of a settlement account.
    pub enum SettlementEvent { SettlementCredited: 1, SettlementDebited: 1 }
}

/// A leg of a transfer on a settlement account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettlementLeg {
    /// The transfer.
    pub transaction: EntityId,
    /// The amount, above zero, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// The balance after it. It is below zero where more money came into the bank than left it.
    pub balance_after: i64,
    /// The account of the customer.
    pub account: EntityId,
    /// The booking date.
    pub booked_on: Date,
}

/// Money left the bank: the customer's account was debited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SettlementCredited(pub SettlementLeg);

/// Money came into the bank: the customer's account was credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SettlementDebited(pub SettlementLeg);

impl SettlementEvent {
    /// The leg.
    pub const fn leg(&self) -> &SettlementLeg {
        match self {
            Self::SettlementCredited(SettlementCredited(leg))
            | Self::SettlementDebited(SettlementDebited(leg)) => leg,
        }
    }
}
