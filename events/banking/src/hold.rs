//! The events of a hold.

use ledgerfold::{EntityId, Timestamp, events};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Money;

events! {
    /// The events of a hold. Its expiry needs none: it follows from the time in `HoldPlaced`.
    pub enum HoldEvent {
        HoldPlaced: 1,
        HoldCaptured: 1,
        HoldReleased: 1,
    }
}

/// A hold was placed on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldPlaced {
    /// The account.
    pub account: EntityId,
    /// The owner of the account.
    pub owner_id: EntityId,
    /// The amount.
    pub amount: Money,
    /// The purpose.
    pub reference: String,
    /// From this time on it can neither be captured nor released.
    pub expires_at: Timestamp,
}

/// A part of the hold, or all of it, was moved to another account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldCaptured {
    /// The transfer.
    pub transaction: EntityId,
    /// The amount of this part, in minor units.
    pub amount: i64,
}

/// The rest of the hold was released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldReleased {
    /// The amount that was left, in minor units.
    pub amount: i64,
}
