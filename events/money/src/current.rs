//! Currencies that are in use today.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Currency, InvalidCurrency};

/// A currency that is in use today, by its ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CurrentCurrency(iso_currency::Currency);

impl CurrentCurrency {
    /// The euro.
    pub const EURO: Self = Self(iso_currency::Currency::EUR);

    /// The number of decimals of its minor unit, for example 2. `None` for a currency without one, such as gold.
    pub fn decimals(self) -> Option<u16> {
        self.0.exponent()
    }
}

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

impl TryFrom<Currency> for CurrentCurrency {
    type Error = InvalidCurrency;

    /// # Errors
    /// [`InvalidCurrency`] if the currency is not in use any more.
    fn try_from(currency: Currency) -> Result<Self, InvalidCurrency> {
        iso_currency::Currency::from_code(currency.code()).map(Self).ok_or(InvalidCurrency)
    }
}

impl From<CurrentCurrency> for Currency {
    fn from(CurrentCurrency(currency): CurrentCurrency) -> Self {
        Self::from_code(currency.code()).expect("an ISO 4217 code has three capital letters")
    }
}
