//! Compares everything that the service shows with the book.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use acceptance::progress::Progress;
use futures::{StreamExt as _, stream};
use jiff::civil::Date;

use super::book::Book;
use super::callers::Callers;
use super::ids::Ids;
use super::operation::AccountNo;
use crate::model::{Account, Entry, ShownTransfer, Statement, TrialBalance};
use crate::wait::eventually;
use crate::{Client, ClientError, Request};

const READERS: usize = 8;
/// One transfer in so many is read by its id.
const TRANSFERS_PER_READING: usize = 20;

/// Everything that was compared.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The accounts with the balance, the held and the available amount of the book.
    pub accounts: usize,
    /// The statements that lead from their opening to their closing.
    pub statements: usize,
    /// The entries of all accounts.
    pub entries: usize,
    /// The transfers that are in the entries of their accounts exactly once.
    pub transfers: usize,
    /// The transfers that were read by their id.
    pub read_transfers: usize,
    /// The balances of the service, by currency.
    pub balances: BTreeMap<String, i64>,
    /// How long each query took.
    pub took: Vec<Duration>,
    /// Everything that differs.
    pub differences: Vec<String>,
}

/// Compares the service with the book.
pub struct Comparer<'a> {
    /// The callers.
    pub callers: &'a Callers,
    /// The book.
    pub book: &'a Book,
    /// The days on which the run began and ended.
    pub days: (Date, Date),
    /// When everything must be equal.
    pub until: Instant,
}

/// The answers to all queries of one account.
struct Reading {
    account: Account,
    entries: Vec<Entry>,
    statements: usize,
    took: Vec<Duration>,
    wrong: Vec<String>,
}

impl Comparer<'_> {
    /// Reads all accounts with their entries and statements, and a sample of transfers. `ids` lacks those of cash, which
    /// the entries name.
    ///
    /// # Errors
    /// If a query cannot be answered.
    pub async fn compare(&self, ids: &mut Ids) -> Result<Comparison, ClientError> {
        let numbers = 0..self.book.accounts.len();
        let progress = Progress::new("comparing", numbers.len().try_into().unwrap_or_default());
        let accounts = numbers.map(|number| self.read(number, ids.account(number)));
        let mut reading = stream::iter(accounts).buffered(READERS);
        let mut readings = Vec::new();
        while let Some(account) = reading.next().await {
            readings.push(account?);
            progress.step();
        }
        drop(reading);
        progress.finish();
        for (number, reading) in readings.iter().enumerate() {
            ids.resolve(number, &reading.entries);
        }

        let mut comparison = Comparison::default();
        let mut legs: HashMap<String, Vec<(String, i64)>> = HashMap::new();
        for (number, reading) in readings.into_iter().enumerate() {
            let Reading { account, entries, statements, took, mut wrong } = reading;
            wrong.extend(self.compare_entries(ids, number, &entries));
            comparison.accounts += usize::from(wrong.is_empty());
            comparison.statements += statements;
            comparison.entries += entries.len();
            *comparison.balances.entry(account.currency.clone()).or_default() += account.posted;
            comparison.took.extend(took);
            comparison.differences.extend(wrong);
            for entry in entries {
                legs.entry(entry.transaction).or_default().push((account.id.clone(), entry.amount));
            }
        }
        self.compare_legs(ids, &legs, &mut comparison);
        self.compare_transfers(ids, &mut comparison).await?;
        Ok(comparison)
    }

    /// Compares an account with the book, until it is equal or the time is over.
    async fn read(&self, number: AccountNo, id: String) -> Result<Reading, ClientError> {
        let client = self.callers.owner_of(number);
        let mut took = Vec::new();
        let mut account: Account = ask(client.account(&id), &mut took).await?;
        let mut wrong = Vec::new();
        let left = self.until.saturating_duration_since(Instant::now());
        let outcome = eventually(&format!("account {id}"), left, async || {
            account =
                ask(client.account(&id), &mut took).await.map_err(|error| error.to_string())?;
            self.compare_account(number, &account)
        })
        .await;
        wrong.extend(outcome.err().map(|error| error.to_string()));

        let entries: Vec<Entry> = client.entries(&id).query("limit", 100).all_pages().await?;
        let statements = self.statements(client, &id, &entries, &mut wrong).await?;
        Ok(Reading { account, entries, statements, took, wrong })
    }

    fn compare_account(&self, number: AccountNo, shown: &Account) -> Result<(), String> {
        let expected = &self.book.accounts[number];
        let held = self.book.held(number);
        let available = self.book.available(number);
        let shown_sums = (shown.posted, shown.held, shown.available);
        let sums = (expected.posted, held, available);
        let is_frozen = shown.status == crate::model::AccountStatus::Frozen;
        if shown_sums == sums && is_frozen == expected.frozen && shown.daily_limit == expected.limit
        {
            return Ok(());
        }
        let frozen = expected.frozen;
        let limit = expected.limit;
        Err(format!("shown {shown:?}, expected {sums:?}, frozen {frozen}, limit {limit:?}"))
    }

    /// The entries must be those of the book, in its order, and each must lead to its balance.
    fn compare_entries(&self, ids: &Ids, number: AccountNo, entries: &[Entry]) -> Vec<String> {
        let expected = &self.book.accounts[number].entries;
        let expected: Vec<_> =
            expected.iter().map(|(transfer, it)| (ids.transfer(*transfer), *it)).collect();
        let found: Vec<_> = entries.iter().map(|it| (it.transaction.clone(), it.amount)).collect();
        let mut wrong = Vec::new();
        if found != expected {
            let place = found.iter().zip(&expected).take_while(|(one, other)| one == other).count();
            wrong.push(format!(
                "entries of account {number}: {} instead of {}, different from number {place} on: {:?} instead of {:?}",
                found.len(), expected.len(), found.get(place), expected.get(place),
            ));
        }
        let mut sum = 0;
        for entry in entries {
            sum += entry.amount;
            if entry.balance_after != sum {
                wrong.push(format!("account {number}: {entry:?} does not lead to {sum}"));
            }
        }
        wrong
    }

    /// Reads the statements of all months of the run, which must chain. Returns their number.
    async fn statements(
        &self,
        client: &Client,
        id: &str,
        entries: &[Entry],
        wrong: &mut Vec<String>,
    ) -> Result<usize, ClientError> {
        let mut opening = 0;
        let mut count = 0;
        let mut listed = Vec::new();
        let mut month = self.days.0.first_of_month();
        while month <= self.days.1 {
            let statement = whole_statement(client, id, month).await?;
            let sum: i64 = statement.entries.iter().map(|entry| entry.amount).sum();
            if statement.opening != opening || statement.opening + sum != statement.closing {
                wrong.push(format!("the statement of {month} does not add up: {statement:?}"));
            }
            opening = statement.closing;
            listed.extend(statement.entries);
            count += 1;
            month = month.last_of_month().tomorrow().unwrap_or(Date::MAX);
        }
        if listed != entries {
            wrong.push(format!("the statements of {id} have other entries than the account"));
        }
        Ok(count)
    }

    /// Each transfer must have its legs exactly once, and the accounts no other ones.
    fn compare_legs(
        &self,
        ids: &Ids,
        legs: &HashMap<String, Vec<(String, i64)>>,
        found: &mut Comparison,
    ) {
        for (number, transfer) in self.book.transfers.iter().enumerate() {
            let minor = transfer.amount.minor;
            let mut expected: Vec<(String, i64)> = Vec::new();
            expected.extend(transfer.from.map(|from| (ids.account(from), -minor)));
            expected.extend(transfer.to.map(|to| (ids.account(to), minor)));
            expected.sort();
            let mut shown = legs.get(&ids.transfer(number)).cloned().unwrap_or_default();
            shown.sort();
            if shown == expected {
                found.transfers += 1;
            } else {
                found.differences.push(format!(
                    "transfer {number} has the legs {shown:?} instead of {expected:?}"
                ));
            }
        }
        if legs.len() != self.book.transfers.len() {
            let expected = self.book.transfers.len();
            let difference = format!("{} transfers are shown, {expected} were made", legs.len());
            found.differences.push(difference);
        }
    }

    async fn compare_transfers(
        &self,
        ids: &Ids,
        found: &mut Comparison,
    ) -> Result<(), ClientError> {
        let manager = &self.callers.manager;
        for (number, id) in ids.transfers().iter().step_by(TRANSFERS_PER_READING) {
            let shown: ShownTransfer = ask(manager.shown_transfer(id), &mut found.took).await?;
            let transfer = &self.book.transfers[*number];
            let kind = format!("{:?}", shown.kind).to_lowercase();
            let amount = (shown.amount.amount, shown.amount.currency.as_str());
            let is_alike = kind == transfer.kind
                && amount == (transfer.amount.minor, transfer.amount.currency)
                && shown.reversed_by.is_some() == transfer.reversed
                && transfer.from.is_none_or(|from| ids.account(from) == shown.from)
                && transfer.to.is_none_or(|to| ids.account(to) == shown.to);
            if is_alike {
                found.read_transfers += 1;
            } else {
                found.differences.push(format!("{shown:?} is not {transfer:?}"));
            }
        }
        Ok(())
    }
}

/// The trial balance, when its difference is 0 and it has these balances of customers, or the last one before the time is
/// over.
///
/// # Errors
/// If it cannot be read.
pub async fn trial_balance(
    client: &Client,
    expected: &BTreeMap<&'static str, i64>,
    within: Duration,
) -> Result<(TrialBalance, Option<String>), ClientError> {
    let mut took = Vec::new();
    let mut latest: TrialBalance = ask(client.trial_balance(), &mut took).await?;
    let outcome = eventually("the trial balance is that of the book", within, async || {
        latest = ask(client.trial_balance(), &mut took).await.map_err(|error| error.to_string())?;
        for (currency, customers) in expected {
            let totals = latest.of(currency);
            if (totals.customers, totals.difference) != (*customers, 0) {
                return Err(format!("{totals:?} instead of {customers} of customers"));
            }
        }
        Ok(())
    })
    .await;
    Ok((latest, outcome.err().map(|error| error.to_string())))
}

/// A statement with the entries of all its pages.
async fn whole_statement(client: &Client, id: &str, month: Date) -> Result<Statement, ClientError> {
    let request = client.statement(id, month.strftime("%Y-%m")).query("limit", 100);
    let mut whole: Statement = ask(request.clone(), &mut Vec::new()).await?;
    while let Some(cursor) = whole.next_cursor.take() {
        let next: Statement = ask(request.clone().query("cursor", cursor), &mut Vec::new()).await?;
        whole.entries.extend(next.entries);
        whole.next_cursor = next.next_cursor;
    }
    Ok(whole)
}

async fn ask<T: serde::de::DeserializeOwned>(
    request: Request<'_>,
    took: &mut Vec<Duration>,
) -> Result<T, ClientError> {
    let answer = request.send().await?.expect_status(200)?;
    took.push(answer.took());
    answer.json()
}
