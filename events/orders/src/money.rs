use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// In the currency's minor units, as cents.
    pub amount: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl Money {
    /// The sum, within one currency and 64 bits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let amount = self.amount.checked_add(other.amount)?;
        (self.currency == other.currency).then_some(Self { amount, ..self })
    }

    /// So many times the amount, within 64 bits.
    pub fn checked_mul(self, times: u32) -> Option<Self> {
        Some(Self { amount: self.amount.checked_mul(i64::from(times))?, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in minor units", self.amount, self.currency)
    }
}

/// A currency, by its code of ISO 4217.
///
/// Three capital letters are all that is asked of a code that was stored: currencies are withdrawn,
/// and what was once paid in them stays true. Whether a code is current is asked where orders are
/// taken.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[A-Z]{3}$"))]
pub struct Currency([u8; 3]);

/// A text that is no code of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency must be a code of ISO 4217, as EUR")]
pub struct InvalidCurrency;

impl Currency {
    /// The currency with this code.
    ///
    /// # Errors
    /// [`InvalidCurrency`] if it is not of three capital letters.
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
