//! The two formats. All differences between them are here and in the names of accounts.

use banking_events::{Currency, Money};
use jiff::civil::Date;

use super::{
    JournalError,
    amounts::{decimal, decimals_of},
    names::{CUSTOMERS, IN_TRANSIT, SETTLEMENT},
};

/// The text format of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// <https://hledger.org/hledger.html>, from version 1.25 on.
    Hledger,
    /// <https://beancount.github.io/docs/>, from version 3 on.
    Beancount,
}

/// A transaction of two postings, whose sum is zero.
pub(super) struct Transaction<'a> {
    pub(super) id: &'a str,
    pub(super) on: Date,
    pub(super) description: &'a str,
    pub(super) postings: [(&'a str, Money); 2],
}

/// The balance of an account at the end of a day.
pub(super) struct Balance<'a> {
    pub(super) account: &'a str,
    pub(super) on: Date,
    pub(super) amount: Money,
}

impl Format {
    /// The beginning of every journal.
    pub(super) fn header(self) -> String {
        match self {
            // A number with three decimals looks like one with a separator of thousands.
            Self::Hledger => format!("decimal-mark .\naccount {IN_TRANSIT}\n"),
            // These roots replace those of a private household. Beancount treats none of them in a special way.
            Self::Beancount => format!(
                "option \"name_liabilities\" \"{CUSTOMERS}\"\noption \"name_assets\" \"{SETTLEMENT}\"\noption \"name_equity\" \"Transit\"\n1970-01-01 open {IN_TRANSIT}\n"
            ),
        }
    }

    /// The declaration of a currency, before its first amount.
    pub(super) fn currency(self, currency: Currency) -> Result<String, JournalError> {
        Ok(match self {
            Self::Hledger => {
                let fraction = "0".repeat(decimals_of(currency)?);
                format!("commodity 1000.{fraction} {currency}\n")
            }
            Self::Beancount => format!("1970-01-01 commodity {currency}\n"),
        })
    }

    /// The declaration of an account.
    pub(super) fn open(self, account: &str, on: Date, currency: Currency) -> String {
        match self {
            Self::Hledger => format!("account {account}\n"),
            Self::Beancount => format!("{on} open {account} {currency}\n"),
        }
    }

    pub(super) fn transaction(self, it: &Transaction<'_>) -> Result<String, JournalError> {
        let Transaction { id, on, .. } = it;
        let description = self.safe(it.description);
        let head = match self {
            Self::Hledger => format!("{on} * ({id}) {description}\n"),
            Self::Beancount => format!("{on} * \"{description}\" ^{id}\n"),
        };
        let [first, second] = &it.postings;
        let posting = |(account, money): &(&str, Money)| -> Result<String, JournalError> {
            Ok(format!("  {account}  {}\n", decimal(*money)?))
        };
        Ok(format!("\n{head}{}{}", posting(first)?, posting(second)?))
    }

    pub(super) fn balance(self, it: &Balance<'_>) -> Result<String, JournalError> {
        let Balance { account, on, amount } = it;
        let balance = decimal(*amount)?;
        let currency = amount.currency;
        Ok(match self {
            // A posting of nothing asserts the balance after all postings of the same day before it.
            Self::Hledger => {
                format!("\n{on} * balance\n  {account}  0 {currency} = {balance}\n")
            }
            // Beancount compares balances at the beginning of a day, by default with a tolerance of one minor unit.
            Self::Beancount => {
                let number = balance.trim_end_matches(currency.code()).trim_end();
                let next = on.tomorrow().unwrap_or(*on);
                format!("{next} balance {account}  {number} ~ 0 {currency}\n")
            }
        })
    }

    /// A description on one line. A reference is text of a customer, so it must not become a directive.
    fn safe(self, description: &str) -> String {
        let special = match self {
            Self::Hledger => [';', '|'],
            Self::Beancount => ['"', '\\'],
        };
        let is_unsafe = |it: char| {
            it.is_control() || it == '\u{2028}' || it == '\u{2029}' || special.contains(&it)
        };
        description.replace(is_unsafe, " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_stays_on_its_line() {
        let reference = "Rent\n2026-01-01 open; \"Customers:x\" \\";
        assert_eq!(Format::Hledger.safe(reference), "Rent 2026-01-01 open  \"Customers:x\" \\");
        assert_eq!(Format::Beancount.safe(reference), "Rent 2026-01-01 open;  Customers:x   ");
    }
}
