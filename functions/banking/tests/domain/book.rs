//! A plain book of the bank, written without its code: the expected result of every operation.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// An account of the book.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) currency: &'static str,
    pub(crate) overdraft: i64,
    pub(crate) limit: Option<i64>,
    pub(crate) frozen: bool,
    pub(crate) closed: bool,
    pub(crate) posted: i64,
    pub(crate) holds: BTreeMap<String, Reserved>,
    /// The amount that left on each day.
    pub(crate) used: BTreeMap<Date, i64>,
    pub(crate) day: Date,
}

#[derive(Debug)]
pub(crate) struct Reserved {
    left: i64,
    pub(crate) until: Timestamp,
    day: Date,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    /// Its expiry was noticed.
    Swept,
    Captured,
    Released,
}

/// The movement of a transfer, for its reversal.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) amount: i64,
    pub(crate) reversed: bool,
}

/// The whole book.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) pages: BTreeMap<String, Page>,
    pub(crate) moves: BTreeMap<String, Move>,
}

/// The rule that refuses an operation.
pub(crate) type Ruled = Result<(), &'static str>;

pub(crate) fn day_of(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

impl Page {
    pub(crate) fn new(currency: &'static str, overdraft: i64, now: Timestamp) -> Self {
        Self {
            currency,
            overdraft,
            limit: None,
            frozen: false,
            closed: false,
            posted: 0,
            holds: BTreeMap::new(),
            used: BTreeMap::new(),
            day: day_of(now),
        }
    }

    pub(crate) fn held(&self, now: Timestamp) -> i64 {
        let open = self.holds.values().filter(|it| it.state == State::Open && now < it.until);
        open.map(|it| it.left).sum()
    }

    pub(crate) fn available(&self, now: Timestamp) -> i64 {
        self.posted - self.held(now) + self.overdraft
    }

    /// The use of the limit on a day, if everything that has expired is given back.
    pub(crate) fn used_on(&self, day: Date, now: Timestamp) -> i64 {
        let stale = self
            .holds
            .values()
            .filter(|it| it.state == State::Open && it.until <= now && it.day == day);
        self.used.get(&day).copied().unwrap_or_default() - stale.map(|it| it.left).sum::<i64>()
    }

    pub(crate) fn booking_day(&self, now: Timestamp) -> Date {
        self.day.max(day_of(now))
    }

    fn pays(&self) -> Ruled {
        match (self.closed, self.frozen) {
            (true, _) => Err("account-closed"),
            (_, true) => Err("account-frozen"),
            _ => Ok(()),
        }
    }

    fn has(&self, amount: i64, now: Timestamp) -> Ruled {
        let used = self.used_on(self.booking_day(now), now);
        if amount > self.available(now) {
            Err("insufficient-funds")
        } else if self.limit.is_some_and(|limit| used + amount > limit) {
            Err("daily-limit-exceeded")
        } else {
            Ok(())
        }
    }

    /// The page changes: the day moves on, and expired holds are noticed.
    fn touch(&mut self, now: Timestamp) {
        self.day = self.booking_day(now);
        let expired = |it: &&mut Reserved| it.state == State::Open && it.until <= now;
        for hold in self.holds.values_mut().filter(expired) {
            hold.state = State::Swept;
            *self.used.entry(hold.day).or_default() -= hold.left;
        }
    }

    fn use_up(&mut self, amount: i64) {
        *self.used.entry(self.day).or_default() += amount;
    }

    /// The hold, if a decision can use it.
    fn open_hold(&self, hold: &str, now: Timestamp) -> Result<&Reserved, &'static str> {
        let hold = self.holds.get(hold).ok_or("not-found")?;
        match hold.state {
            State::Captured | State::Released => Err("hold-not-open"),
            State::Open | State::Swept if hold.until <= now => Err("hold-expired"),
            State::Open | State::Swept => Ok(hold),
        }
    }
}

impl Book {
    fn page(&mut self, account: &str) -> &mut Page {
        self.pages.get_mut(account).expect("the test opens all accounts")
    }

    fn may_pay(&self, from: &str, amount: i64, now: Timestamp) -> Ruled {
        self.pages[from].pays()?;
        self.pages[from].has(amount, now)
    }

    fn may_receive(&self, to: &str) -> Ruled {
        if self.pages[to].closed { Err("account-closed") } else { Ok(()) }
    }

    fn same_currency(&self, from: &str, to: &str) -> Ruled {
        if self.pages[from].currency == self.pages[to].currency {
            Ok(())
        } else {
            Err("currency-mismatch")
        }
    }

    /// Moves money. `None` is the bank.
    pub(crate) fn movement(&mut self, key: &str, it: Move, now: Timestamp) -> Ruled {
        if let Some(from) = &it.from {
            self.may_pay(from, it.amount, now)?;
        }
        if let Some(to) = &it.to {
            self.may_receive(to)?;
            it.from.as_ref().map_or(Ok(()), |from| self.same_currency(from, to))?;
        }
        if let Some(from) = &it.from {
            let page = self.page(from);
            page.touch(now);
            page.posted -= it.amount;
            page.use_up(it.amount);
        }
        self.receive(&it, now);
        self.moves.insert(key.to_owned(), it);
        Ok(())
    }

    fn receive(&mut self, it: &Move, now: Timestamp) {
        if let Some(to) = &it.to {
            let page = self.page(to);
            page.touch(now);
            page.posted += it.amount;
        }
    }

    pub(crate) fn reverse(&mut self, key: &str, original: &str, now: Timestamp) -> Ruled {
        let it = self.moves[original].clone();
        if it.reversed {
            return Err("already-reversed");
        }
        let back = Move { from: it.to, to: it.from, amount: it.amount, reversed: false };
        self.movement(key, back, now)?;
        self.moves.entry(original.to_owned()).and_modify(|it| it.reversed = true);
        Ok(())
    }

    pub(crate) fn hold(
        &mut self,
        key: &str,
        account: &str,
        amount: i64,
        until: Timestamp,
        now: Timestamp,
    ) -> Ruled {
        self.may_pay(account, amount, now)?;
        let open = |it: &&Reserved| it.state == State::Open && now < it.until;
        if self.pages[account].holds.values().filter(open).count() >= 50 {
            return Err("too-many-holds");
        }
        let page = self.page(account);
        page.touch(now);
        page.use_up(amount);
        let hold = Reserved { left: amount, until, day: page.day, state: State::Open };
        page.holds.insert(key.to_owned(), hold);
        Ok(())
    }

    pub(crate) fn capture(
        &mut self,
        key: &str,
        [account, hold, to]: [&str; 3],
        amount: Option<i64>,
        now: Timestamp,
    ) -> Ruled {
        let reserved = self.pages[account].open_hold(hold, now)?;
        let amount = amount.unwrap_or(reserved.left);
        self.pages[account].pays()?;
        if reserved.state == State::Swept {
            return Err("hold-not-open");
        }
        if amount > reserved.left {
            return Err("amount-exceeds-hold");
        }
        self.may_receive(to)?;
        self.same_currency(account, to)?;
        let page = self.page(account);
        page.touch(now);
        page.posted -= amount;
        let reserved = page.holds.get_mut(hold).expect("checked above");
        reserved.left -= amount;
        if reserved.left == 0 {
            reserved.state = State::Captured;
        }
        let it = Move {
            from: Some(account.to_owned()),
            to: Some(to.to_owned()),
            amount,
            reversed: false,
        };
        self.receive(&it, now);
        self.moves.insert(key.to_owned(), it);
        Ok(())
    }

    pub(crate) fn release(&mut self, account: &str, hold: &str, now: Timestamp) -> Ruled {
        if self.pages[account].open_hold(hold, now)?.state == State::Swept {
            return Err("hold-not-open");
        }
        let page = self.page(account);
        page.touch(now);
        let reserved = page.holds.get_mut(hold).expect("checked above");
        reserved.state = State::Released;
        let used = page.used.entry(reserved.day).or_default();
        *used -= reserved.left;
        Ok(())
    }

    pub(crate) fn limit(&mut self, account: &str, daily: Option<i64>, now: Timestamp) -> Ruled {
        self.may_receive(account)?;
        let page = self.page(account);
        if page.limit != daily {
            page.touch(now);
            page.limit = daily;
        }
        Ok(())
    }

    pub(crate) fn freeze(&mut self, account: &str, now: Timestamp) -> Ruled {
        self.pages[account].pays()?;
        let page = self.page(account);
        page.touch(now);
        page.frozen = true;
        Ok(())
    }

    pub(crate) fn unfreeze(&mut self, account: &str, now: Timestamp) -> Ruled {
        match self.pages[account].pays() {
            Err("account-frozen") => {}
            Ok(()) => return Err("account-not-frozen"),
            closed => return closed,
        }
        let page = self.page(account);
        page.touch(now);
        page.frozen = false;
        Ok(())
    }

    pub(crate) fn close(&mut self, account: &str, now: Timestamp) -> Ruled {
        self.may_receive(account)?;
        let page = self.page(account);
        if page.posted != 0 || page.held(now) != 0 {
            return Err("account-not-empty");
        }
        page.touch(now);
        page.closed = true;
        Ok(())
    }

    /// A deadline is due. A page without expired holds does not change.
    pub(crate) fn sweep(&mut self, account: &str, now: Timestamp) {
        let page = self.page(account);
        if page.holds.values().any(|it| it.state == State::Open && it.until <= now) {
            page.touch(now);
        }
    }
}
