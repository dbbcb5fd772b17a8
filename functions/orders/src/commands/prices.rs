//! Amounts of money in the bodies of commands. Unlike those in events, they have bounds and a current currency.

use money::{CurrentCurrency, Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest amount: the largest integer that every JSON parser represents exactly (RFC 8259, section 6).
pub(super) const MAX_AMOUNT: i64 = (1 << 53) - 1;

/// An amount in the currency's minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// The amount in minor units.
    #[schemars(range(min = 0, max = MAX_AMOUNT))]
    pub amount: i64,
    /// The currency.
    pub currency: CurrentCurrency,
}

/// The price of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnitPrice {
    /// The price in minor units.
    #[schemars(range(min = 0, max = 100_000_000))]
    pub amount: i64,
    /// The currency.
    pub currency: CurrentCurrency,
}

impl Amount {
    /// An amount in cents.
    pub fn euro(cents: i64) -> Self {
        Self { amount: cents, currency: euro() }
    }
}

impl UnitPrice {
    /// A price in cents.
    pub fn euro(cents: i64) -> Self {
        Self { amount: cents, currency: euro() }
    }
}

fn euro() -> CurrentCurrency {
    CurrentCurrency::EURO
}

impl From<Amount> for Money {
    fn from(Amount { amount, currency }: Amount) -> Self {
        Self { amount, currency: currency.into() }
    }
}

impl From<UnitPrice> for Money {
    fn from(UnitPrice { amount, currency }: UnitPrice) -> Self {
        Self { amount, currency: currency.into() }
    }
}
