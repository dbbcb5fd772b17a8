//! The journal: its text, and its check by programs of others.

use std::io::Write;

use banking::{
    domain::{Accounts, Settlements, Transfers},
    journal::{Format, Journal, JournalError},
};
use banking_events::{AccountOpened, Currency, TransferEvent};
use ledgerfold::Recorded;

use crate::{
    bank::Bank,
    setup::{DAY, amount, currency, id, paid_in},
};

/// The journal of a whole bank. Each of its sources is read stream by stream, as an export of the log is.
fn export(bank: &Bank, format: Format) -> String {
    let mut text = Vec::new();
    write(bank, format, &mut text).expect("memory can be written");
    String::from_utf8(text).expect("a journal is text")
}

fn write(bank: &Bank, format: Format, out: impl Write) -> Result<(), JournalError> {
    let mut journal = Journal::begin(format, out)?;
    for event in bank.events::<Transfers>() {
        if let TransferEvent::TransferMade(made) = &event.event {
            journal.transfer(event.stream.id(), made)?;
        }
    }
    for events in by_stream(&bank.events::<Accounts>()) {
        let mut account = journal.account(events[0].stream.id());
        events.iter().try_for_each(|event| account.event(&event.event))?;
        account.end()?;
    }
    for events in by_stream(&bank.events::<Settlements>()) {
        let mut settlement = journal.settlement(events[0].stream.id());
        events.iter().try_for_each(|event| settlement.event(&event.event))?;
        settlement.end()?;
    }
    journal.end()
}

fn by_stream<E>(events: &[Recorded<E>]) -> impl Iterator<Item = &[Recorded<E>]> {
    events.chunk_by(|one, next| one.stream == next.stream)
}

/// A bank with a transfer whose legs are booked on two days.
async fn bank() -> Bank {
    let bank = Bank::new();
    bank.open("a", currency("KWD"), 0).await;
    bank.open("b", currency("KWD"), 0).await;
    bank.at("2026-12-02T00:00:00Z");
    bank.deposit("d1", "a", amount(1_500, "KWD")).await.expect("a deposit");
    bank.at("2026-11-30T12:00:00Z");
    bank.transfer("t1", ["a", "b"], amount(250, "KWD")).await.expect("a transfer");
    bank
}

#[tokio::test]
async fn a_journal_in_the_format_of_hledger() {
    assert_eq!(
        export(&bank().await, Format::Hledger),
        "decimal-mark .
account Transit:Days
commodity 1000.000 KWD

2026-12-02 * (d1) Salary
  Settlement:cash:KWD:230  -1.500 KWD
  Customers:a  1.500 KWD

2026-12-02 * (t1) Rent
  Customers:a  -0.250 KWD
  Transit:Days  0.250 KWD

2026-11-30 * (t1) Rent
  Transit:Days  -0.250 KWD
  Customers:b  0.250 KWD
account Customers:a

2026-12-02 * balance
  Customers:a  0 KWD = 1.250 KWD
account Customers:b

2026-11-30 * balance
  Customers:b  0 KWD = 0.250 KWD
account Settlement:cash:KWD:230

2026-12-02 * balance
  Settlement:cash:KWD:230  0 KWD = -1.500 KWD

2026-12-02 * balance
  Transit:Days  0 KWD = 0.000 KWD
"
    );
}

#[tokio::test]
async fn a_journal_in_the_format_of_beancount() {
    assert_eq!(
        export(&bank().await, Format::Beancount),
        "option \"name_liabilities\" \"Customers\"
option \"name_assets\" \"Settlement\"
option \"name_equity\" \"Transit\"
1970-01-01 open Transit:Days
1970-01-01 commodity KWD

2026-12-02 * \"Salary\" ^d1
  Settlement:X-cash:KWD:230  -1.500 KWD
  Customers:X-a  1.500 KWD

2026-12-02 * \"Rent\" ^t1
  Customers:X-a  -0.250 KWD
  Transit:Days  0.250 KWD

2026-11-30 * \"Rent\" ^t1
  Transit:Days  -0.250 KWD
  Customers:X-b  0.250 KWD
2026-11-28 open Customers:X-a KWD
2026-12-03 balance Customers:X-a  1.250 ~ 0 KWD
2026-11-28 open Customers:X-b KWD
2026-12-01 balance Customers:X-b  0.250 ~ 0 KWD
2026-12-02 open Settlement:X-cash:KWD:230 KWD
2026-12-03 balance Settlement:X-cash:KWD:230  -1.500 ~ 0 KWD
2026-12-03 balance Transit:Days  0.000 ~ 0 KWD
"
    );
}

#[test]
fn an_account_that_does_not_begin_with_its_opening_is_an_error() {
    let mut journal = Journal::begin(Format::Hledger, Vec::new()).expect("memory");
    let mut account = journal.account(&id("a"));
    account.event(&paid_in(1)).expect("the day has not ended");
    assert!(matches!(account.end(), Err(JournalError::NotOpened)));
}

#[test]
fn a_withdrawn_currency_has_no_known_decimals() {
    let mark = Currency::from_code("DEM").expect("three capital letters");
    let opened =
        AccountOpened { owner_id: id("o-1"), currency: mark, overdraft_limit: 0, booked_on: DAY };
    let mut journal = Journal::begin(Format::Hledger, Vec::new()).expect("memory");
    let mut account = journal.account(&id("a"));
    let refused = account.event(&opened.into());
    assert!(matches!(refused, Err(JournalError::UnknownCurrency(it)) if it == mark), "{refused:?}");
}

#[cfg(any(feature = "beancount", feature = "hledger"))]
mod outside {
    //! Guards: an-outside-program-agrees-with-the-books

    use std::{fs::write, path::Path, process::Command};

    use tempfile::tempdir;

    use super::{Format, export};
    use crate::histories::History;

    /// The complaint of the program, if there is one.
    fn complaint(format: Format, journal: &str) -> Option<String> {
        let program = match format {
            Format::Hledger => "hledger",
            Format::Beancount => "beancount",
        };
        let folder = tempdir().expect("a folder");
        let file = folder.path().join("books.journal");
        write(&file, journal).expect("a file");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/journal.sh");
        let run = Command::new(script).arg(program).arg(&file).output().expect("bash runs");
        let text = [run.stdout, run.stderr].concat();
        (!run.status.success()).then(|| String::from_utf8_lossy(&text).into_owned())
    }

    /// The journal with one minor unit more in its first transaction, for both legs or for one.
    fn with_another_amount(journal: &str, legs: usize) -> String {
        let lines: Vec<_> = journal.lines().collect();
        let first = lines.iter().position(|line| line.starts_with("  Settlement:"));
        let first = first.expect("the first deposit");
        let mut changed: Vec<String> = lines.iter().map(ToString::to_string).collect();
        for line in &mut changed[first..first + legs] {
            let mut digits: Vec<_> = line.chars().collect();
            let last = digits.iter().rposition(char::is_ascii_digit).expect("an amount");
            digits[last] = if digits[last] == '9' { '8' } else { '9' };
            *line = digits.into_iter().collect();
        }
        changed.join("\n")
    }

    async fn agrees(format: Format) {
        let mut history = History::new(5).await;
        for number in 0..1_500 {
            history.step(number).await;
        }
        let journal = export(&history.bank, format);
        for currency in crate::histories::CURRENCIES {
            assert!(journal.contains(&format!(" {currency}\n")), "no {currency}");
        }
        assert!(journal.contains("Transit:Days  0."), "no transfer on two days");
        assert_eq!(complaint(format, &journal), None);
        let unbalanced = complaint(format, &with_another_amount(&journal, 1));
        assert!(unbalanced.is_some_and(|text| text.contains("balance")), "one leg differs");
        // The transaction is balanced, but the balances of both accounts do not follow.
        let wrong = complaint(format, &with_another_amount(&journal, 2));
        assert!(wrong.is_some_and(|text| text.contains("alance")), "both legs differ");
    }

    #[cfg(feature = "beancount")]
    #[tokio::test]
    async fn beancount_agrees_with_the_books_and_finds_a_wrong_amount() {
        agrees(Format::Beancount).await;
    }

    #[cfg(feature = "hledger")]
    #[tokio::test]
    async fn hledger_agrees_with_the_books_and_finds_a_wrong_amount() {
        agrees(Format::Hledger).await;
    }
}
