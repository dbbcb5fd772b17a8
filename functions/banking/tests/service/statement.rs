//! Statements as a client sees them, and as they follow from the log.

use jiff::civil::Date;
use serde::Deserialize;

use crate::world::{World, events};

/// A statement, with the entries of all its pages or of one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Statement {
    pub(crate) from: Date,
    pub(crate) to: Date,
    pub(crate) opening: i64,
    pub(crate) closing: i64,
    pub(crate) entries: Vec<Entry>,
    pub(crate) next_cursor: Option<String>,
    pub(crate) closed: bool,
    pub(crate) hash: Option<String>,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) transaction: String,
    pub(crate) amount: i64,
    pub(crate) balance_after: i64,
    pub(crate) booked_on: Date,
    pub(crate) version: u64,
}

/// A page of entries.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entries {
    items: Vec<Entry>,
    next_cursor: Option<String>,
}

impl World {
    /// A page of a statement.
    pub(crate) async fn page(
        &self,
        account: &str,
        month: &str,
        (limit, cursor): (usize, Option<&str>),
    ) -> Statement {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("/accounts/{account}/statements/{month}?limit={limit}{cursor}");
        serde_json::from_value(self.shown(&path).await).expect("a statement")
    }

    /// All pages of a statement as one. Each page must have the same totals, and no entry may be missing or false.
    pub(crate) async fn statement(&self, account: &str, month: &str, limit: usize) -> Statement {
        let mut whole = self.page(account, month, (limit, None)).await;
        while let Some(cursor) = whole.next_cursor.take() {
            let page = self.page(account, month, (limit, Some(&cursor))).await;
            assert!(page.entries.len() <= limit);
            assert_eq!(Statement { entries: Vec::new(), next_cursor: None, ..page.clone() }, {
                Statement { entries: Vec::new(), ..whole.clone() }
            });
            whole.entries.extend(page.entries);
            whole.next_cursor = page.next_cursor;
        }
        let mut balance = whole.opening;
        for entry in &whole.entries {
            balance += entry.amount;
            assert_eq!(entry.balance_after, balance, "{month}: {entry:?}");
        }
        assert_eq!(balance, whole.closing, "{month}");
        whole
    }

    /// All entries of an account.
    pub(crate) async fn entries(&self, account: &str, limit: usize) -> Vec<Entry> {
        let path = format!("/accounts/{account}/entries?limit={limit}");
        let mut entries = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.shown(&format!("{path}{cursor}")).await;
            let page: Entries = serde_json::from_value(page).expect("a page of entries");
            entries.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return entries,
            }
        }
    }

    /// The hash of the last commit of an account that was booked before this day, from the log.
    pub(crate) fn hash_before(&self, account: &str, day: Date) -> Option<String> {
        let commits = self.commits(account);
        let booked_before = |commit: &&ledgerfold::vocabulary::Commit| {
            events(commit).iter().all(|event| event.event.booked_on() < day)
        };
        let last = commits.iter().rfind(booked_before);
        last.map(|commit| commit.hash().to_string())
    }

    /// Compares the statements of all these months with the entries and with the log, and with each other.
    pub(crate) async fn check_months(&self, account: &str, months: &[&str]) -> Vec<Statement> {
        let all = self.entries(account, 100).await;
        let mut statements: Vec<Statement> = Vec::new();
        for month in months {
            let statement = self.statement(account, month, 7).await;
            let first: Date = format!("{month}-01").parse().expect("a day");
            assert_eq!((statement.from, statement.to), (first, first.last_of_month()));
            let before = all.iter().rfind(|entry| entry.booked_on < first);
            assert_eq!(statement.opening, before.map_or(0, |entry| entry.balance_after));
            let of_month = all.iter().filter(|it| it.booked_on.first_of_month() == first);
            assert_eq!(statement.entries, of_month.cloned().collect::<Vec<_>>(), "{month}");
            if let Some(before) = statements.last() {
                assert_eq!(before.closing, statement.opening, "{month}");
            }
            let hash = self.hash_before(account, statement.to.tomorrow().unwrap_or(Date::MAX));
            assert_eq!(statement.hash, hash.filter(|_| statement.closed), "{month}");
            statements.push(statement);
        }
        statements
    }
}
