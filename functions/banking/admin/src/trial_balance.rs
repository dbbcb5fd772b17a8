//! `banking-admin trial-balance`: the sums of all accounts, from the log itself.

use std::{collections::BTreeMap, io::Write};

use async_trait::async_trait;
use banking::domain::{Accounts, Settlements};
use banking_events::{AccountEvent, Currency, SettlementEvent};
use clap::Args;
use ledgerfold::{Decider, StreamId, TenantId};
use ledgerfold_cli::{LogReport, Outcome, ReportError, ReportLog};

/// Options of the trial balance: none of its own.
#[derive(Debug, Args)]
pub(crate) struct ShowTrialBalance {}

/// The sums of one currency of a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    customers: i128,
    settlement: i128,
}

impl Sums {
    const fn difference(self) -> i128 {
        self.customers + self.settlement
    }
}

/// The sums of each tenant and currency, and the streams whose balances do not follow from their entries.
#[derive(Debug, Default)]
struct Books {
    sums: BTreeMap<(TenantId, Currency), Sums>,
    broken: Vec<StreamId>,
}

/// The balance of one stream, computed from the amounts of its entries and compared with the balances in them.
#[derive(Clone, Copy, Debug, Default)]
struct Balance {
    sum: i128,
    differs: bool,
}

impl Balance {
    fn add(&mut self, change: i128, balance_after: i64) {
        self.sum += change;
        self.differs |= self.sum != i128::from(balance_after);
    }
}

impl Books {
    async fn account(&mut self, log: &ReportLog, stream: StreamId) -> Result<(), ReportError> {
        let mut events = log.events_of::<AccountEvent>(&stream);
        let mut balance = Balance::default();
        let mut currency = None;
        while let Some(event) = events.next().await? {
            match event.event {
                AccountEvent::AccountOpened(opened) => currency = Some(opened.currency),
                AccountEvent::Credited(it) => balance.add(it.amount.into(), it.balance_after),
                AccountEvent::Debited(it) => balance.add(-i128::from(it.amount), it.balance_after),
                _ => {}
            }
        }
        let currency =
            currency.ok_or_else(|| format!("{stream} does not begin with an opening"))?;
        self.sums.entry((stream.tenant().clone(), currency)).or_default().customers += balance.sum;
        self.note(balance, stream);
        Ok(())
    }

    async fn settlement(&mut self, log: &ReportLog, stream: StreamId) -> Result<(), ReportError> {
        let mut events = log.events_of::<SettlementEvent>(&stream);
        let mut balance = Balance::default();
        let mut currency = None;
        while let Some(event) = events.next().await? {
            let leg = event.event.leg();
            currency = Some(leg.currency);
            let amount = i128::from(leg.amount);
            let is_credit = matches!(event.event, SettlementEvent::SettlementCredited(_));
            balance.add(if is_credit { amount } else { -amount }, leg.balance_after);
        }
        let currency = currency.ok_or_else(|| format!("{stream} has no legs"))?;
        self.sums.entry((stream.tenant().clone(), currency)).or_default().settlement += balance.sum;
        self.note(balance, stream);
        Ok(())
    }

    fn note(&mut self, balance: Balance, stream: StreamId) {
        self.broken.extend(balance.differs.then_some(stream));
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<Outcome> {
        writeln!(
            out,
            "{:<16} {:<8} {:>20} {:>20} {:>12}",
            "tenant", "currency", "customers", "settlement", "difference"
        )?;
        for ((tenant, currency), sums) in &self.sums {
            let Sums { customers, settlement } = sums;
            let difference = sums.difference();
            writeln!(
                out,
                "{tenant:<16} {currency:<8} {customers:>20} {settlement:>20} {difference:>12}"
            )?;
        }
        for stream in &self.broken {
            writeln!(out, "The balances of {stream} do not follow from its entries.")?;
        }
        let adds_up = self.sums.values().all(|sums| sums.difference() == 0);
        Ok(if adds_up && self.broken.is_empty() { Outcome::Fine } else { Outcome::Faults })
    }
}

#[async_trait]
impl LogReport for ShowTrialBalance {
    const NAME: &'static str = "trial-balance";
    const ABOUT: &'static str =
        "Add up all accounts from the log, in minor units, and check every balance";

    async fn write(
        self,
        log: &ReportLog,
        out: &mut (dyn Write + Send),
    ) -> Result<Outcome, ReportError> {
        let mut books = Books::default();
        let mut accounts = log.streams_of(Accounts::CATEGORY);
        while let Some(stream) = accounts.next().await? {
            books.account(log, stream).await?;
        }
        let mut settlements = log.streams_of(Settlements::CATEGORY);
        while let Some(stream) = settlements.next().await? {
            books.settlement(log, stream).await?;
        }
        Ok(books.write(out)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(customers: i128, settlement: i128) -> Books {
        let currency = Currency::from_code("EUR").expect("three capital letters");
        let key = (TenantId::default_tenant(), currency);
        Books { sums: BTreeMap::from([(key, Sums { customers, settlement })]), broken: Vec::new() }
    }

    #[test]
    fn a_difference_and_a_broken_balance_are_faults() {
        let write = |books: &Books| books.write(&mut Vec::new()).expect("memory takes it");
        assert_eq!(write(&books(900, -900)), Outcome::Fine);
        assert_eq!(write(&books(900, -899)), Outcome::Faults);
        let stream = "default/account#a-1".parse().expect("a stream");
        let broken = Books { broken: vec![stream], ..books(900, -900) };
        assert_eq!(write(&broken), Outcome::Faults);
    }

    #[test]
    fn a_balance_follows_from_the_entries() {
        let mut balance = Balance::default();
        balance.add(900, 900);
        balance.add(-100, 800);
        assert!(!balance.differs);
        balance.add(-100, 800);
        assert!(balance.differs);
    }
}
