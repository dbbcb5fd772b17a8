//! Random histories of a whole bank, compared with a plain book after every step.
//!
//! The operations run through the real handlers, over several accounts in three currencies, with holds that expire, a
//! clock that sometimes runs backwards, and repeated requests.

use std::collections::BTreeMap;

use banking::domain::{Account, AccountAt, Accounts, Holds, Settlements};
use ledgerfold::{
    Decider, Rejection, StreamId, Version, command::CommandError, ports::EventReader,
    vocabulary::Commit,
};
use ledgerfold_testkit::SeededRandom;

use crate::{
    bank::{Bank, Outcome, stream},
    book::{Book, Move, Page, Ruled},
    bookings::{check_chains, check_legs, check_sums},
    setup::{amount, currency, id},
};

/// The currencies, with 2, 0 and 3 decimals.
pub(crate) const CURRENCIES: [&str; 3] = ["EUR", "JPY", "KWD"];

/// The accounts of a history, by name. The first letter shows the currency.
const ACCOUNTS: [&str; 9] = ["e1", "e2", "e3", "j1", "j2", "j3", "k1", "k2", "k3"];

/// An operation. Repetitions run it again.
#[derive(Clone, Debug)]
enum Operation {
    Deposit { to: &'static str, sum: i64 },
    Withdraw { from: &'static str, sum: i64 },
    Transfer { legs: [&'static str; 2], sum: i64 },
    Reverse { original: String },
    Hold { account: &'static str, sum: i64, seconds: u64 },
    Capture { account: &'static str, hold: String, to: &'static str, sum: Option<i64> },
    Release { account: &'static str, hold: String },
    Limit { account: &'static str, daily: Option<i64> },
    Freeze { account: &'static str },
    Unfreeze { account: &'static str },
    Close { account: &'static str },
    Sweep { account: &'static str },
}

/// A bank, its book, and the choices of a seed.
pub(crate) struct History {
    pub(crate) bank: Bank,
    book: Book,
    random: SeededRandom,
    /// The successful operations on money, by key: a repetition chooses one of them.
    done: Vec<(String, Operation)>,
    holds: Vec<(&'static str, String)>,
    /// The states that were folded so far, so that a step reads its own events only.
    states: BTreeMap<&'static str, (Version, Option<Account>)>,
    /// The number of successful operations, by name.
    pub(crate) successes: BTreeMap<String, usize>,
    /// The number of refusals, by rule.
    pub(crate) refusals: BTreeMap<&'static str, usize>,
    pub(crate) repetitions: usize,
}

fn code(account: &str) -> &'static str {
    let first = account.as_bytes()[0];
    CURRENCIES[[b'e', b'j', b'k'].iter().position(|it| *it == first).expect("a currency")]
}

impl History {
    pub(crate) async fn new(seed: u64) -> Self {
        let bank = Bank::new();
        let mut book = Book::default();
        for account in ACCOUNTS {
            let overdraft = if account.ends_with('3') { 500 } else { 0 };
            bank.open(account, currency(code(account)), overdraft).await;
            let page = Page::new(code(account), overdraft, bank.now());
            book.pages.insert(account.to_owned(), page);
        }
        Self {
            bank,
            book,
            random: SeededRandom::new(seed),
            done: Vec::new(),
            holds: Vec::new(),
            states: BTreeMap::new(),
            successes: BTreeMap::new(),
            refusals: BTreeMap::new(),
            repetitions: 0,
        }
    }

    fn below(&self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a small number");
        usize::try_from(self.random.next() % end).expect("a small number")
    }

    fn sum(&self) -> i64 {
        i64::try_from(self.below(400)).expect("a small number") + 1
    }

    /// An amount to leave an account: sometimes all that is available, or one more.
    fn sum_from(&self, account: &str) -> i64 {
        let available = self.book.pages[account].available(self.bank.now());
        match self.below(8) {
            0 if available > 0 => available,
            1 if available >= 0 => available + 1,
            _ => self.sum(),
        }
    }

    fn account(&self) -> &'static str {
        ACCOUNTS[self.below(ACCOUNTS.len())]
    }

    /// Mostly another account of the same currency.
    fn receiver(&self, from: &str) -> &'static str {
        loop {
            let to = self.account();
            if to != from && (code(to) == code(from) || self.below(20) == 0) {
                return to;
            }
        }
    }

    /// Moves the clock: usually forward by seconds, sometimes by days, sometimes back, and sometimes to the time of a
    /// hold or to the nanosecond before it.
    fn tick(&self) {
        if let (1, Some((account, hold))) = (self.below(12), self.some_hold()) {
            let before = i64::from(self.below(2) == 0);
            let until = self.book.pages[account].holds[&hold].until;
            let before = jiff::SignedDuration::from_nanos(before);
            return self.bank.clock.set(until.checked_sub(before).expect("a time"));
        }
        let nanos = |most: usize| i64::try_from(self.below(most)).expect("a small number");
        let step = match self.below(20) {
            0 => 20_000_000_000_000 + nanos(86_400_000_000_000),
            1 | 2 => -nanos(7_200_000_000_000),
            3 | 4 => 0,
            _ => nanos(60_000_000_000),
        };
        let span = jiff::SignedDuration::from_nanos(step);
        self.bank.clock.set(self.bank.now().checked_add(span).expect("a time"));
    }

    fn operation(&self) -> Operation {
        let account = self.account();
        let sum = self.sum();
        match self.below(100) {
            0..15 => Operation::Deposit { to: account, sum },
            15..25 => Operation::Withdraw { from: account, sum: self.sum_from(account) },
            25..45 => {
                let legs = [account, self.receiver(account)];
                Operation::Transfer { legs, sum: self.sum_from(account) }
            }
            45..52 => self.reversal().unwrap_or(Operation::Deposit { to: account, sum }),
            52..67 => {
                let seconds = u64::try_from(self.below(7_200)).expect("a small number") + 1;
                Operation::Hold { account, sum: self.sum_from(account), seconds }
            }
            67..80 => self.capture().unwrap_or(Operation::Sweep { account }),
            80..86 => self.release().unwrap_or(Operation::Sweep { account }),
            86..89 => {
                let daily = (self.below(3) > 0).then(|| 4 * sum);
                Operation::Limit { account, daily }
            }
            89..91 => Operation::Freeze { account },
            91..95 => Operation::Unfreeze { account },
            // Only one account of each currency is ever closed.
            95 => Operation::Close { account: ["e2", "j2", "k2"][self.below(3)] },
            _ => Operation::Sweep { account },
        }
    }

    fn reversal(&self) -> Option<Operation> {
        let keys: Vec<_> = self.book.moves.keys().collect();
        let original = (!keys.is_empty()).then(|| keys[self.below(keys.len())].clone())?;
        Some(Operation::Reverse { original })
    }

    /// Mostly one of the newest holds, because the others have ended.
    fn some_hold(&self) -> Option<(&'static str, String)> {
        let window = self.holds.len().min(8);
        (window > 0).then(|| self.holds[self.holds.len() - 1 - self.below(window)].clone())
    }

    fn capture(&self) -> Option<Operation> {
        let (account, hold) = self.some_hold()?;
        let sum = (self.below(3) > 0).then(|| self.sum());
        Some(Operation::Capture { account, hold, to: self.receiver(account), sum })
    }

    fn release(&self) -> Option<Operation> {
        let (account, hold) = self.some_hold()?;
        Some(Operation::Release { account, hold })
    }

    /// Runs an operation in the bank.
    async fn run(&self, key: &str, operation: &Operation) -> Outcome {
        let bank = &self.bank;
        let of = |account: &str, sum: i64| amount(sum, code(account));
        match operation {
            Operation::Deposit { to, sum } => bank.deposit(key, to, of(to, *sum)).await,
            Operation::Withdraw { from, sum } => bank.withdraw(key, from, of(from, *sum)).await,
            Operation::Transfer { legs, sum } => bank.transfer(key, *legs, of(legs[0], *sum)).await,
            Operation::Reverse { original } => bank.reverse(key, original).await,
            Operation::Hold { account, sum, seconds } => {
                bank.hold(key, account, of(account, *sum), *seconds).await
            }
            Operation::Capture { account, hold, to, sum } => {
                let part = sum.map(|sum| of(account, sum));
                bank.capture(key, [*account, hold.as_str(), *to], part).await
            }
            Operation::Release { account, hold } => bank.release(key, account, hold).await,
            Operation::Limit { account, daily } => {
                bank.limit(key, account, daily.map(|sum| of(account, sum))).await
            }
            Operation::Freeze { account } => bank.freeze(key, account).await,
            Operation::Unfreeze { account } => bank.unfreeze(key, account).await,
            Operation::Close { account } => bank.close(key, account).await,
            Operation::Sweep { account } => bank.sweep(key, account).await,
        }
    }

    /// Runs an operation in the book.
    fn note(&mut self, key: &str, operation: &Operation) -> Ruled {
        let now = self.bank.now();
        let book = &mut self.book;
        let movement = |from: Option<&str>, to: Option<&str>, amount: i64| Move {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            amount,
            reversed: false,
        };
        match operation {
            Operation::Deposit { to, sum } => {
                book.movement(key, movement(None, Some(*to), *sum), now)
            }
            Operation::Withdraw { from, sum } => {
                book.movement(key, movement(Some(*from), None, *sum), now)
            }
            Operation::Transfer { legs: [from, to], sum } => {
                book.movement(key, movement(Some(*from), Some(*to), *sum), now)
            }
            Operation::Reverse { original } => book.reverse(key, original, now),
            Operation::Hold { account, sum, seconds } => {
                let lasting = std::time::Duration::from_secs(*seconds);
                let until = now.checked_add(lasting).expect("a time");
                book.hold(key, account, *sum, until, now)
            }
            Operation::Capture { account, hold, to, sum } => {
                book.capture(key, [*account, hold.as_str(), *to], *sum, now)
            }
            Operation::Release { account, hold } => book.release(account, hold, now),
            Operation::Limit { account, daily } => book.limit(account, *daily, now),
            Operation::Freeze { account } => book.freeze(account, now),
            Operation::Unfreeze { account } => book.unfreeze(account, now),
            Operation::Close { account } => book.close(account, now),
            Operation::Sweep { account } => {
                book.sweep(account, now);
                Ok(())
            }
        }
    }

    /// One step: the clock moves, and a new or a repeated operation runs in the bank and in the book.
    pub(crate) async fn step(&mut self, number: usize) {
        self.tick();
        if !self.done.is_empty() && self.below(8) == 0 {
            self.repeat().await;
        } else {
            self.begin(number).await;
        }
        self.compare(number).await;
    }

    async fn begin(&mut self, number: usize) {
        let operation = self.operation();
        let key = format!("k{number}");
        let outcome = self.run(&key, &operation).await;
        let expected = self.note(&key, &operation);
        let found = match &outcome {
            Ok(_) => Ok(()),
            Err(CommandError::Rejected(rejection)) => Err(rejection.rule()),
            Err(other) => unreachable!("{number}: {operation:?}: {other}"),
        };
        assert_eq!(found, expected, "{number}: {operation:?} at {}", self.bank.now());
        if let Err(rule) = found {
            *self.refusals.entry(rule).or_default() += 1;
            return;
        }
        let name = format!("{operation:?}");
        let name = name.split(' ').next().unwrap_or_default().to_owned();
        *self.successes.entry(name).or_default() += 1;
        match &operation {
            Operation::Hold { account, .. } => self.holds.push((*account, key.clone())),
            // The handler recognises these among the newest commands only, or they need no key.
            Operation::Limit { .. }
            | Operation::Freeze { .. }
            | Operation::Unfreeze { .. }
            | Operation::Close { .. }
            | Operation::Release { .. }
            | Operation::Sweep { .. } => return,
            _ => {}
        }
        self.done.push((key, operation));
    }

    /// Repeats a request, or uses its key for another amount. Neither has an effect.
    async fn repeat(&mut self) {
        let (key, operation) = self.done[self.below(self.done.len())].clone();
        let commits = self.bank.log.commits().len();
        self.run(&key, &operation).await.expect("the first answer");
        if let Operation::Transfer { legs, sum } = operation {
            let other = self.run(&key, &Operation::Transfer { legs, sum: sum + 1 }).await;
            assert!(matches!(other, Err(CommandError::Reused)), "{other:?}");
        }
        assert_eq!(self.bank.log.commits().len(), commits, "{key} had a second effect");
        self.repetitions += 1;
    }

    /// Folds the new events of an account.
    async fn folded(&mut self, account: &'static str) -> Account {
        let (mut version, mut state) = self.states.remove(account).unwrap_or((Version::NONE, None));
        let stream = stream::<Accounts>(&id(account));
        let page = self.bank.log.read(&stream, version).await.expect("memory can be read");
        for commit in page.commits {
            state = apply::<Accounts>(state, &commit);
            version = commit.to();
        }
        self.states.insert(account, (version, state.clone()));
        state.expect("the account is open")
    }

    /// Compares posted, held, available and the use of the limit of every account.
    async fn compare(&mut self, number: usize) {
        let now = self.bank.now();
        for account in ACCOUNTS {
            let state = self.folded(account).await;
            let page = &self.book.pages[account];
            let found = [state.posted, state.held(now), state.available(now)];
            let expected = [page.posted, page.held(now), page.available(now)];
            assert_eq!(found, expected, "step {number}: posted, held and available of {account}");
            assert_eq!(state.booked_on, page.day, "step {number}: {account}");
            assert_eq!(state.daily_limit, page.limit, "step {number}: {account}");
            // A decision begins with the release of expired holds.
            let decided = AccountAt::new(&Some(state), now).expect("the account is open");
            let day = decided.booked_on();
            let used = decided.account().spent_on(day);
            assert_eq!(used, page.used_on(day, now), "step {number}: limit of {account}");
        }
    }
}

/// The state after a commit.
fn apply<D: Decider>(state: D::State, commit: &Commit) -> D::State {
    commit.envelopes().fold(state, |state, envelope| {
        let events = envelope.open::<D::Event>().expect("a known event");
        events.into_iter().fold(state, |state, event| D::evolve(state, &event.event))
    })
}

// Guards: available-is-never-overdrawn, legs-sum-to-zero, the-books-sum-to-zero
// Guards: statements-follow-from-their-entries, a-key-has-one-effect, captures-never-exceed-the-hold
// Guards: a-hold-expires-exactly-at-its-time, a-daily-limit-is-used-once, booking-dates-never-go-back
// Guards: a-frozen-account-pays-nothing-and-a-closed-one-takes-nothing
#[tokio::test]
async fn a_random_history_agrees_with_a_plain_book() {
    for seed in [1, 2, 3] {
        let mut history = History::new(seed).await;
        for number in 0..1_500 {
            history.step(number).await;
        }
        check_legs(&history.bank);
        assert_eq!(check_sums(&history.bank).len(), CURRENCIES.len());
        check_chains(&history.bank);
        check_holds(&history.bank);
        history.check_coverage();
    }
}

/// Checks that all captures of a hold together are at most the hold.
fn check_holds(bank: &Bank) {
    let mut left: BTreeMap<StreamId, i64> = BTreeMap::new();
    for event in bank.events::<Holds>() {
        let rest = left.entry(event.stream).or_default();
        match event.event {
            banking_events::HoldEvent::HoldPlaced(placed) => *rest += placed.amount.amount,
            banking_events::HoldEvent::HoldCaptured(captured) => *rest -= captured.amount,
            banking_events::HoldEvent::HoldReleased(released) => *rest -= released.amount,
        }
        assert!(*rest >= 0, "{left:?}");
    }
}

impl History {
    /// A history that does nothing, or is always refused, proves nothing.
    fn check_coverage(&self) {
        let rules = [
            "insufficient-funds",
            "daily-limit-exceeded",
            "account-frozen",
            "currency-mismatch",
            "hold-not-open",
            "hold-expired",
            "amount-exceeds-hold",
            "already-reversed",
        ];
        for rule in rules {
            assert!(self.refusals.contains_key(rule), "never {rule}: {:?}", self.refusals);
        }
        for name in ["Deposit", "Withdraw", "Transfer", "Reverse", "Hold", "Capture", "Release"] {
            let times = self.successes.get(name).copied().unwrap_or_default();
            assert!(times >= 5, "{name} only {times} times: {:?}", self.successes);
        }
        assert!(self.repetitions > 50, "{} repetitions", self.repetitions);
    }
}

/// Compares every snapshot in the log with the fold of all events before it.
fn check_snapshots<D: Decider>(bank: &Bank) -> usize
where
    D::State: Clone + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let mut states: BTreeMap<StreamId, D::State> = BTreeMap::new();
    let mut found = 0;
    for commit in bank.commits::<D>() {
        let before = states.remove(commit.stream()).unwrap_or_else(D::initial);
        let after = apply::<D>(before, &commit);
        if let Some(snapshot) = commit.snapshot() {
            let stored: D::State = snapshot.state.decode().expect("a state");
            assert_eq!(stored, after, "{} at {}", commit.stream(), commit.to());
            found += 1;
        }
        states.insert(commit.stream().clone(), after);
    }
    found
}

// Guards: a-snapshot-changes-no-read
#[tokio::test]
async fn a_snapshot_is_the_fold_of_all_events_before_it() {
    let mut history = History::new(4).await;
    for number in 0..1_500 {
        history.step(number).await;
    }
    assert!(check_snapshots::<Accounts>(&history.bank) > 20);
    // A settlement account has few legs in a short history, because there are many of them.
    check_snapshots::<Settlements>(&history.bank);
}
