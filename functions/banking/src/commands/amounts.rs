//! Amounts of money in the bodies of commands. Unlike those in events, they have bounds and a current currency.

use money::{CurrentCurrency, Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest amount of a movement.
pub(super) const MAX_AMOUNT: i64 = 1_000_000_000_000_000;

/// An amount in the currency's minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// The amount in minor units.
    #[schemars(range(min = 1, max = MAX_AMOUNT))]
    pub amount: i64,
    /// The currency.
    pub currency: CurrentCurrency,
}

impl Amount {
    /// An amount in cents.
    pub fn euro(cents: i64) -> Self {
        Self { amount: cents, currency: CurrentCurrency::EURO }
    }
}

impl From<Amount> for Money {
    fn from(Amount { amount, currency }: Amount) -> Self {
        Self { amount, currency: currency.into() }
    }
}
