//! Amounts as decimal numbers.

use banking_events::{Currency, Money};
use money::CurrentCurrency;

use super::JournalError;

/// The decimals of a currency. A currency without minor units, such as gold, has none.
pub(super) fn decimals_of(currency: Currency) -> Result<usize, JournalError> {
    let current = CurrentCurrency::try_from(currency);
    let current = current.map_err(|_| JournalError::UnknownCurrency(currency))?;
    Ok(current.decimals().map_or(0, usize::from))
}

/// An amount with the decimals of its currency, for example `-12.50 EUR`.
pub(super) fn decimal(money: Money) -> Result<String, JournalError> {
    Ok(format!("{} {}", number(money.amount, decimals_of(money.currency)?), money.currency))
}

fn number(minor_units: i64, decimals: usize) -> String {
    let sign = if minor_units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor_units.unsigned_abs(), width = decimals + 1);
    match digits.split_at(digits.len() - decimals) {
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_become_decimals() {
        assert_eq!(number(-1, 3), "-0.001");
        assert_eq!(number(1_250, 2), "12.50");
        assert_eq!(number(1_250, 0), "1250");
        assert_eq!(number(i64::MIN, 2), "-92233720368547758.08");
    }
}
