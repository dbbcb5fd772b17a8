//! The names of accounts, valid in both formats. Two accounts never get the same name.

use std::fmt::Write;

use banking_events::LegAccount;

use super::Format;

/// The root of the customers' accounts.
pub(super) const CUSTOMERS: &str = "Customers";
/// The root of the bank's own accounts.
pub(super) const SETTLEMENT: &str = "Settlement";
/// The account of money between the booking dates of its two legs.
pub(super) const IN_TRANSIT: &str = "Transit:Days";

/// The name of an account, for example `Customers:a-1` or `Settlement:cash:EUR:7`.
pub(super) fn name_of(account: &LegAccount, format: Format) -> String {
    match account {
        LegAccount::Customer(id) => format!("{CUSTOMERS}:{}", component(id.as_str(), format)),
        LegAccount::Settlement(id) => {
            let mut from_the_end = id.as_str().rsplitn(3, '.');
            let number = from_the_end.next();
            let currency = from_the_end.next();
            match (from_the_end.next(), currency, number) {
                (Some(rail), Some(currency), Some(number)) => format!(
                    "{SETTLEMENT}:{}:{}:{}",
                    component(rail, format),
                    component(currency, format),
                    component(number, format),
                ),
                _ => format!("{SETTLEMENT}:{}", component(id.as_str(), format)),
            }
        }
    }
}

fn component(text: &str, format: Format) -> String {
    match format {
        // All characters of an id are valid in a name.
        Format::Hledger => text.to_owned(),
        Format::Beancount => capitalised(text),
    }
}

/// A component for beancount: a capital letter or a digit, and then letters, digits and hyphens. Every other character
/// becomes a hyphen and its code. A component that does not begin with a capital letter or a digit begins with `X-`.
fn capitalised(text: &str) -> String {
    let begins_well =
        text.starts_with(|first: char| first.is_ascii_uppercase() || first.is_ascii_digit());
    // A text that begins with an `X` gets the prefix too. Otherwise it could be equal to a text with the prefix.
    let mut name = String::new();
    if !begins_well || text.starts_with('X') {
        name.push_str("X-");
    }
    for character in text.chars() {
        match character {
            '-' => name.push_str("--"),
            letter if letter.is_ascii_alphanumeric() => name.push(letter),
            other => {
                // Writing to a string cannot fail. A full stop is `-2e-`, and an underscore is `-5f-`.
                let _ = write!(name, "-{:x}-", u32::from(other));
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_valid_and_differ() {
        let ids = [
            "a", "A", "X-a", "X--a", "x-a", "-a", ".a", "_a", "a.b", "a-b", "a_b", "a-2e-b", "0",
            "X", "--", "...",
        ];
        let names: BTreeSet<_> = ids.iter().map(|id| capitalised(id)).collect();
        assert_eq!(names.len(), ids.len(), "{names:?}");
        for name in names {
            assert!(name.starts_with(|first: char| first.is_ascii_uppercase() || first.is_ascii_digit()), "{name}");
            assert!(name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-'), "{name}");
        }
    }

    #[test]
    fn a_settlement_account_is_below_its_rail_and_its_currency() {
        let bank: LegAccount = "settlement#cash.EUR.7".parse().expect("an account");
        assert_eq!(name_of(&bank, Format::Hledger), "Settlement:cash:EUR:7");
        assert_eq!(name_of(&bank, Format::Beancount), "Settlement:X-cash:EUR:7");
    }
}
