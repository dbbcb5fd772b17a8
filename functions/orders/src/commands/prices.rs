//! Amounts of money in the bodies of commands. Unlike those in events, they have bounds and a current currency.

use std::borrow::Cow;

use orders_events::{Currency, Money};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// A currency that is in use today, by its ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CurrentCurrency(iso_currency::Currency);

impl JsonSchema for CurrentCurrency {
    fn schema_name() -> Cow<'static, str> {
        "CurrentCurrency".into()
    }

    /// The codes without the names of the currencies, which would be a third of the document.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let named = iso_currency::Currency::json_schema(generator);
        let named = named.get("oneOf").and_then(Value::as_array);
        let codes: Vec<_> =
            named.into_iter().flatten().map(|currency| &currency["const"]).collect();
        json_schema!({
            "description": "A currency that is in use today, by its ISO 4217 code.",
            "type": "string",
            "enum": codes,
            "x-rule": "a current ISO 4217 code, for example EUR",
        })
    }
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
    CurrentCurrency(iso_currency::Currency::EUR)
}

impl From<CurrentCurrency> for Currency {
    fn from(CurrentCurrency(currency): CurrentCurrency) -> Self {
        Self::from_code(currency.code()).expect("an ISO 4217 code has three capital letters")
    }
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
