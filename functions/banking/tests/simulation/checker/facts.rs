//! The checker's own books: amounts by account, hold and day, from events alone. They share no sum with the product.

use std::collections::BTreeMap;

use banking::domain::{Account, Accounts, Progress};
use banking_events::{AccountEvent, Currency, SettlementEvent};
use jiff::civil::Date;
use ledgerfold::{Decider, EntityId, Recorded, StreamId, TenantId, Timestamp, vocabulary::Commit};

use super::{Finding, Rule};
use crate::books::{Books, events};

/// All amounts.
#[derive(Default)]
pub(super) struct Facts {
    accounts: BTreeMap<StreamId, AccountFacts>,
    settlements: BTreeMap<StreamId, SettlementFacts>,
    /// The sum of all accounts of a tenant and a currency.
    sums: BTreeMap<(TenantId, Currency), i64>,
}

struct AccountFacts {
    currency: Currency,
    overdraft_limit: i64,
    daily_limit: Option<i64>,
    balance: i64,
    holds: BTreeMap<EntityId, HoldFacts>,
    /// The use of the limit, by day.
    spent: BTreeMap<Date, i64>,
    booked_on: Date,
}

struct SettlementFacts {
    balance: i64,
    booked_on: Date,
}

struct HoldFacts {
    amount: i64,
    captured: i64,
    released: i64,
    /// `None` for a transfer to another bank.
    expires_at: Option<Timestamp>,
    day: Date,
}

impl HoldFacts {
    const fn left(&self) -> i64 {
        self.amount - self.captured - self.released
    }

    fn has_expired(&self, at: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }
}

/// The broken rules of one event.
struct Findings<'a> {
    stream: &'a StreamId,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn expect(&mut self, rule: Rule, holds: bool, detail: impl FnOnce() -> String) {
        if !holds {
            let detail = format!("{}: {}", self.stream, detail());
            self.found.push(Finding { rule, detail });
        }
    }
}

impl Facts {
    /// Adds a commit. Returns the broken rules.
    pub(super) fn apply(&mut self, commit: &Commit) -> Vec<Finding> {
        let stream = commit.stream();
        let mut findings = Findings { stream, found: Vec::new() };
        let applied = match stream.category().as_str() {
            "account" => self.apply_account(commit, &mut findings),
            "settlement" => self.apply_settlement(commit, &mut findings),
            _ => Ok(()),
        };
        findings.expect(Rule::NothingIsLost, applied.is_ok(), || format!("{applied:?}"));
        findings.found
    }

    fn apply_account(&mut self, commit: &Commit, f: &mut Findings<'_>) -> Result<(), String> {
        let stream = commit.stream();
        for recorded in events::<AccountEvent>(commit)? {
            if let AccountEvent::AccountOpened(opened) = &recorded.event {
                let facts = AccountFacts {
                    currency: opened.currency,
                    overdraft_limit: opened.overdraft_limit,
                    daily_limit: None,
                    balance: 0,
                    holds: BTreeMap::new(),
                    spent: BTreeMap::new(),
                    booked_on: opened.booked_on,
                };
                self.accounts.insert(stream.clone(), facts);
                continue;
            }
            let account = self.accounts.get_mut(stream).ok_or("an account was never opened")?;
            let before = account.balance;
            account.apply(&recorded, f);
            let key = (stream.tenant().clone(), account.currency);
            *self.sums.entry(key).or_default() += account.balance - before;
        }
        Ok(())
    }

    fn apply_settlement(&mut self, commit: &Commit, f: &mut Findings<'_>) -> Result<(), String> {
        let stream = commit.stream();
        for recorded in events::<SettlementEvent>(commit)? {
            let leg = recorded.event.leg();
            let is_debit = matches!(recorded.event, SettlementEvent::SettlementDebited(_));
            let change = if is_debit { -leg.amount } else { leg.amount };
            let fresh = SettlementFacts { balance: 0, booked_on: leg.booked_on };
            let facts = self.settlements.entry(stream.clone()).or_insert(fresh);
            facts.balance += change;
            let is_chained = facts.balance == leg.balance_after;
            f.expect(Rule::BalancesChain, is_chained, || format!("{leg:?}"));
            let is_later = facts.booked_on <= leg.booked_on;
            f.expect(Rule::BookingDatesNeverGoBack, is_later, || format!("{leg:?}"));
            facts.booked_on = leg.booked_on;
            *self.sums.entry((stream.tenant().clone(), leg.currency)).or_default() += change;
        }
        Ok(())
    }

    /// The sum over all streams, which is zero.
    pub(super) fn check_sum(&self) -> Vec<Finding> {
        let wrong = self.sums.iter().filter(|(_, sum)| **sum != 0);
        let finding = |((tenant, currency), sum): (&(TenantId, Currency), &i64)| {
            let detail = format!("the sum of {tenant} in {currency} is {sum}");
            Finding { rule: Rule::MoneyStaysTheSame, detail }
        };
        wrong.map(finding).collect()
    }

    /// No transfer between banks is pending, and their settlement accounts are zero together.
    pub(super) fn check_banks(&self, books: &Books) -> Vec<Finding> {
        let mut found = Vec::new();
        let transfers = books.transfers.iter();
        let pending = transfers
            .filter(|(_, it)| it.as_ref().is_some_and(|it| it.progress() == Progress::Pending));
        for (stream, _) in pending {
            let detail = format!("{stream} is pending in the end");
            found.push(Finding { rule: Rule::BanksAgree, detail });
        }
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for (stream, facts) in &self.settlements {
            if let Some(rest) = stream.id().as_str().strip_prefix("interbank.") {
                let currency = rest.split('.').next().unwrap_or_default();
                *sums.entry(currency).or_default() += facts.balance;
            }
        }
        for (currency, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
            let detail = format!("the banks disagree by {sum} in {currency}");
            found.push(Finding { rule: Rule::BanksAgree, detail });
        }
        found
    }

    /// The state of the product has the same amounts.
    pub(super) fn check_account(&self, stream: &StreamId, account: &Account) -> Vec<Finding> {
        let mut f = Findings { stream, found: Vec::new() };
        let Some(facts) = self.accounts.get(stream) else { return f.found };
        let posted = account.posted;
        f.expect(Rule::BalancesChain, posted == facts.balance, || {
            format!("its balance is {posted}, and should be {}", facts.balance)
        });
        let spent = account.spent;
        let expected = facts.spent_on(spent.on);
        f.expect(Rule::LimitsAreExact, spent.amount == expected, || {
            format!("{spent:?} should be {expected}")
        });
        f.found
    }

    /// The streams of holds have the captures and releases of their accounts.
    pub(super) fn check_holds(&self, books: &Books) -> Vec<Finding> {
        let mut found = Vec::new();
        for (stream, hold) in &books.holds {
            let Some(hold) = hold else { continue };
            let mut f = Findings { stream, found: Vec::new() };
            let account = stream.beside(Accounts::CATEGORY, hold.placed.account.clone());
            let facts = self.accounts.get(&account).and_then(|it| it.holds.get(stream.id()));
            let is_same = facts.is_some_and(|it| {
                it.amount == hold.placed.amount.amount
                    && it.captured == hold.captured
                    && it.expires_at == Some(hold.placed.expires_at)
                    && !(hold.released && it.left() > 0)
            });
            f.expect(Rule::HoldsAreNotExceeded, is_same, || {
                format!("{hold:?} is not what its account has")
            });
            found.extend(f.found);
        }
        found
    }
}

impl AccountFacts {
    fn spent_on(&self, day: Date) -> i64 {
        self.spent.get(&day).copied().unwrap_or_default()
    }

    /// What can be debited at this time.
    fn available(&self, at: Timestamp) -> i64 {
        let open = self.holds.values().filter(|hold| !hold.has_expired(at));
        self.balance - open.map(HoldFacts::left).sum::<i64>() + self.overdraft_limit
    }

    fn apply(&mut self, recorded: &Recorded<AccountEvent>, f: &mut Findings<'_>) {
        let at = recorded.recorded_at;
        let event = &recorded.event;
        let day = event.booked_on();
        f.expect(Rule::BookingDatesNeverGoBack, self.booked_on <= day, || format!("{event:?}"));
        self.booked_on = day;
        match event {
            AccountEvent::Credited(credited) => {
                self.balance += credited.amount;
                self.check_balance(credited.balance_after, f);
            }
            AccountEvent::Debited(debited) => {
                self.balance -= debited.amount;
                self.check_balance(debited.balance_after, f);
                match &debited.hold {
                    Some(hold) => self.capture(hold, debited.amount, at, f),
                    None => self.spend(day, debited.amount, f),
                }
                self.check_available(at, f);
            }
            AccountEvent::FundsReserved(reserved) => {
                let hold = HoldFacts {
                    amount: reserved.amount,
                    captured: 0,
                    released: 0,
                    expires_at: reserved.expires_at,
                    day,
                };
                let is_new = self.holds.insert(reserved.hold.clone(), hold).is_none();
                f.expect(Rule::EffectsAreSingle, is_new, || format!("{event:?} was placed twice"));
                self.spend(day, reserved.amount, f);
                self.check_available(at, f);
            }
            AccountEvent::ReservationReleased(released) => {
                self.release(&released.hold, released.amount, f);
            }
            AccountEvent::DailyLimitSet(set) => self.daily_limit = set.daily_limit,
            AccountEvent::AccountOpened(_)
            | AccountEvent::AccountFrozen(_)
            | AccountEvent::AccountUnfrozen(_)
            | AccountEvent::AccountClosed(_) => {}
        }
    }

    fn check_balance(&self, after: i64, f: &mut Findings<'_>) {
        let balance = self.balance;
        f.expect(Rule::BalancesChain, after == balance, || format!("{after} is not {balance}"));
    }

    fn check_available(&self, at: Timestamp, f: &mut Findings<'_>) {
        let available = self.available(at);
        f.expect(Rule::NothingIsOverdrawn, available >= 0, || {
            format!("{available} is available at {at}")
        });
    }

    fn spend(&mut self, day: Date, amount: i64, f: &mut Findings<'_>) {
        let spent = self.spent.entry(day).or_default();
        *spent += amount;
        let is_within = self.daily_limit.is_none_or(|limit| *spent <= limit);
        f.expect(Rule::LimitsAreExact, is_within, || {
            format!("{spent} was spent on {day}, of {:?}", self.daily_limit)
        });
    }

    fn capture(&mut self, hold: &EntityId, amount: i64, at: Timestamp, f: &mut Findings<'_>) {
        let Some(facts) = self.holds.get_mut(hold) else {
            return f.expect(Rule::HoldsAreNotExceeded, false, || format!("there is no {hold}"));
        };
        facts.captured += amount;
        let has_expired = facts.has_expired(at);
        f.expect(Rule::HoldsAreNotExceeded, facts.left() >= 0, || format!("{hold} is exceeded"));
        f.expect(Rule::ExpiredHoldsAreNotCaptured, !has_expired, || {
            format!("{hold} was captured at {at}, after its expiry")
        });
    }

    fn release(&mut self, hold: &EntityId, amount: i64, f: &mut Findings<'_>) {
        let Some(facts) = self.holds.get_mut(hold) else {
            return f.expect(Rule::HoldsAreNotExceeded, false, || format!("there is no {hold}"));
        };
        facts.released += amount;
        f.expect(Rule::HoldsAreNotExceeded, facts.left() >= 0, || {
            format!("{hold} gave back more than it had")
        });
        let spent = self.spent.entry(facts.day).or_default();
        *spent -= amount;
        f.expect(Rule::LimitsAreExact, *spent >= 0, || format!("{spent} was spent"));
    }
}
