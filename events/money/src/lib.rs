//! Amounts of money in the contracts of the services: integer minor units in a currency.

mod current;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use current::CurrentCurrency;

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// The amount in the currency's minor units, for example cents.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// The sum, or `None` for different currencies or beyond 64 bits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let amount = self.amount.checked_add(other.amount)?;
        (self.currency == other.currency).then_some(Self { amount, ..self })
    }

    /// A multiple of the amount, or `None` beyond 64 bits.
    pub fn checked_mul(self, times: u32) -> Option<Self> {
        Some(Self { amount: self.amount.checked_mul(i64::from(times))?, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in minor units", self.amount, self.currency)
    }
}

/// A currency, by its ISO 4217 code.
///
/// Any three capital letters are accepted, because stored events may contain withdrawn currencies. Only new commands
/// must have a current code; the service checks that.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[A-Z]{3}$"))]
pub struct Currency([u8; 3]);

/// A text that is not a currency code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency must be an ISO 4217 code, for example EUR")]
pub struct InvalidCurrency;

impl Currency {
    /// The currency with this code.
    ///
    /// # Errors
    /// [`InvalidCurrency`] if the code is not three capital letters.
    pub fn from_code(code: &str) -> Result<Self, InvalidCurrency> {
        let code: [u8; 3] = code.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if code.iter().all(u8::is_ascii_uppercase) { Ok(Self(code)) } else { Err(InvalidCurrency) }
    }

    /// Its code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;
    fn try_from(code: String) -> Result<Self, InvalidCurrency> {
        Self::from_code(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}
