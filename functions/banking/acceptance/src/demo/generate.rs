//! Random operations, with the replies that the book expects. The same seed gives the same plan on every machine.

use acceptance::dice::Dice;

use super::book::{Account, Book};
use super::operation::{AccountNo, Amount, Operation, Sends, Step};

const CURRENCIES: [&str; 3] = ["EUR", "USD", "JPY"];
/// Owners have four accounts on average.
const ACCOUNTS_PER_OWNER: usize = 4;
/// An account with more open holds gets no further ones.
const MOST_HOLDS: usize = 5;
/// One step in so many is sent again, long after its answer.
const AGAIN_ONE_IN: u64 = 40;
/// One operation in so many is sent several times at once.
const AT_ONCE_ONE_IN: u64 = 30;
/// After one operation in so many, another request uses its key.
const MISUSED_ONE_IN: u64 = 60;
/// A step is sent again only after so many others.
const LONG_AFTER: usize = 100;
/// One step in so many is a hold that expires, which takes a second.
const STEPS_PER_EXPIRY: usize = 250;

/// All steps of a run, and the book after them.
#[derive(Debug)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// The book after all steps.
    pub book: Book,
}

impl Plan {
    /// A plan of so many steps.
    #[must_use]
    pub fn new(accounts: usize, steps: usize, seed: u64) -> Self {
        let mut planner = Planner {
            dice: Dice::new(seed),
            book: Book { accounts: (0..accounts).map(account).collect(), ..Book::default() },
            steps: Vec::with_capacity(steps),
        };
        while planner.steps.len() < steps {
            planner.add_step();
        }
        Self { steps: planner.steps, book: planner.book }
    }
}

/// The name of an account's owner.
#[must_use]
pub fn owner_of(account: AccountNo) -> String {
    format!("owner-{}", account / ACCOUNTS_PER_OWNER)
}

fn account(number: AccountNo) -> Account {
    Account {
        currency: CURRENCIES[number % CURRENCIES.len()],
        overdraft: if number.is_multiple_of(10) { 5_000 } else { 0 },
        limit: None,
        spent: 0,
        frozen: false,
        posted: 0,
        entries: Vec::new(),
    }
}

struct Planner {
    dice: Dice,
    book: Book,
    steps: Vec<Step>,
}

impl Planner {
    fn add_step(&mut self) {
        if self.dice.one_in(AGAIN_ONE_IN)
            && let Some(step) = self.again()
        {
            self.steps.push(step);
            return;
        }
        let operation = self.operation();
        let sends = if self.dice.one_in(AT_ONCE_ONE_IN) {
            Sends::AtOnce(2 + self.dice.below(3))
        } else if self.dice.one_in(MISUSED_ONE_IN) && has_amount(&operation) {
            Sends::Misused
        } else {
            Sends::Once
        };
        let (expected, made) = self.book.apply(&operation);
        // The service remembers no refusal, so the key of a refused command is still free.
        let is_accepted = expected.iter().all(|reply| reply.status < 300);
        let sends =
            if is_accepted || matches!(sends, Sends::AtOnce(_)) { sends } else { Sends::Once };
        let sends = if matches!(operation, Operation::Expire { .. }) { Sends::Once } else { sends };
        let transfer = made.transfer;
        self.steps.push(Step::New { operation, sends, expected, transfer, hold: made.hold });
    }

    /// An accepted movement of long ago.
    fn again(&mut self) -> Option<Step> {
        let candidates = self.steps.len().checked_sub(LONG_AFTER).filter(|count| *count > 0)?;
        let step = self.dice.below(candidates);
        match &self.steps[step] {
            Step::New { operation, expected, .. }
                if operation.moves_money() && expected.iter().all(|reply| reply.status < 300) =>
            {
                Some(Step::Again { step, accounts: operation.accounts() })
            }
            _ => None,
        }
    }

    fn operation(&mut self) -> Operation {
        // Every account first gets some money.
        if self.steps.len() < self.book.accounts.len() {
            let to = self.steps.len();
            return Operation::Deposit { to, amount: self.amount(to, 20_000) };
        }
        if self.steps.len().is_multiple_of(STEPS_PER_EXPIRY)
            && let Some(expire) = self.expire()
        {
            return expire;
        }
        let from = self.account();
        match self.dice.below(100) {
            0..18 => Operation::Deposit { to: from, amount: self.amount(from, 10_000) },
            18..32 => Operation::Withdraw { from, amount: self.amount(from, 8_000) },
            32..70 => self.transfer(from),
            70..79 => self.hold(from),
            79..87 => self.capture().unwrap_or_else(|| self.hold(from)),
            87..91 => self.release().unwrap_or_else(|| self.hold(from)),
            91..95 => self.reverse().unwrap_or_else(|| self.hold(from)),
            95..97 => self.freeze(from),
            97 => Operation::Limit { on: from, daily: self.limit(from) },
            _ => self.currency_mismatch(from),
        }
    }

    fn account(&mut self) -> AccountNo {
        self.dice.below(self.book.accounts.len())
    }

    /// Another account of the same currency.
    fn other(&mut self, account: AccountNo) -> AccountNo {
        loop {
            let other = self.account();
            let is_alike =
                self.book.accounts[other].currency == self.book.accounts[account].currency;
            if other != account && is_alike {
                return other;
            }
        }
    }

    fn amount(&mut self, account: AccountNo, most: usize) -> Amount {
        let minor = i64::try_from(1 + self.dice.below(most)).expect("a small number");
        Amount { minor, currency: self.book.accounts[account].currency }
    }

    fn limit(&mut self, account: AccountNo) -> Amount {
        let rest = self.amount(account, 10_000);
        Amount { minor: self.book.accounts[account].spent.max(0) + rest.minor, ..rest }
    }

    fn transfer(&mut self, from: AccountNo) -> Operation {
        let amount = self.amount(from, 6_000);
        let to = if self.dice.one_in(40) { None } else { Some(self.other(from)) };
        Operation::Transfer { from, to, amount }
    }

    fn currency_mismatch(&mut self, from: AccountNo) -> Operation {
        let amount = self.amount(from, 100);
        let to = loop {
            let other = self.account();
            if self.book.accounts[other].currency != amount.currency {
                break other;
            }
        };
        Operation::Transfer { from, to: Some(to), amount }
    }

    fn hold(&mut self, on: AccountNo) -> Operation {
        let open = self.book.open_holds().filter(|(_, hold)| hold.on == on).count();
        if open >= MOST_HOLDS {
            return Operation::Deposit { to: on, amount: self.amount(on, 10_000) };
        }
        Operation::Hold { on, amount: self.amount(on, 4_000) }
    }

    fn capture(&mut self) -> Option<Operation> {
        let hold = self.any_hold()?;
        let from = self.book.holds[hold].on;
        let to = self.other(from);
        let amount = self.amount(from, 3_000);
        Some(Operation::Capture { hold, from, to, amount })
    }

    fn release(&mut self) -> Option<Operation> {
        let hold = self.any_hold()?;
        Some(Operation::Release { hold, on: self.book.holds[hold].on })
    }

    /// An open hold, and now and then one that is not.
    fn any_hold(&mut self) -> Option<usize> {
        if self.dice.one_in(8) && !self.book.holds.is_empty() {
            return Some(self.dice.below(self.book.holds.len()));
        }
        let open: Vec<usize> = self.book.open_holds().map(|(number, _)| number).collect();
        (!open.is_empty()).then(|| *self.dice.pick(&open))
    }

    fn reverse(&mut self) -> Option<Operation> {
        let count = self.book.transfers.len();
        let transfer = (count > 0).then(|| self.dice.below(count))?;
        let original = &self.book.transfers[transfer];
        Some(Operation::Reverse { transfer, payer: original.from, receiver: original.to })
    }

    fn freeze(&mut self, on: AccountNo) -> Operation {
        let frozen = self.book.accounts.iter().position(|account| account.frozen);
        match frozen {
            // No account stays frozen for long.
            Some(frozen) => Operation::Unfreeze { on: frozen },
            None => Operation::Freeze { on },
        }
    }

    /// A hold that expires, on an account that can spare the money.
    fn expire(&mut self) -> Option<Operation> {
        let start = self.account();
        let count = self.book.accounts.len();
        let on = (0..count).map(|offset| (start + offset) % count).find(|number| {
            let account = &self.book.accounts[*number];
            !account.frozen && account.limit.is_none() && self.book.available(*number) >= 100
        })?;
        let amount = Amount { minor: 100, currency: self.book.accounts[on].currency };
        let to = self.other(on);
        Some(Operation::Expire { on, to, amount, held: self.book.held(on) })
    }
}

/// Whether the operation has an amount, so that another one makes another request of it.
fn has_amount(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Deposit { .. } | Operation::Withdraw { .. } | Operation::Transfer { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Plan;
    use crate::demo::operation::{Sends, Step};

    #[test]
    fn the_same_seed_gives_the_same_plan_and_money_in_is_money_out() {
        let plan = Plan::new(200, 3_000, 7);
        assert_eq!(plan.steps, Plan::new(200, 3_000, 7).steps);
        assert_ne!(plan.steps, Plan::new(200, 3_000, 8).steps);
        let balances = plan.book.balances();
        for (currency, (paid_in, paid_out)) in plan.book.outside() {
            assert_eq!(balances[currency], paid_in - paid_out, "{currency}");
        }
    }

    #[test]
    fn a_plan_has_every_refusal_and_every_way_of_sending() {
        let plan = Plan::new(200, 5_000, 7);
        let mut reasons = BTreeSet::new();
        let mut again = 0;
        let mut at_once = 0;
        let mut misused = 0;
        for step in &plan.steps {
            match step {
                Step::Again { .. } => again += 1,
                Step::New { expected, sends, .. } => {
                    if expected.len() == 1 {
                        reasons.extend(expected.iter().map(|reply| reply.reason.clone()));
                    }
                    at_once += usize::from(matches!(sends, Sends::AtOnce(_)));
                    misused += usize::from(*sends == Sends::Misused);
                }
            }
        }
        let expected = [
            "accepted",
            "account-frozen",
            "already-reversed",
            "amount-exceeds-hold",
            "currency-mismatch",
            "daily-limit-exceeded",
            "hold-expired",
            "hold-not-open",
            "insufficient-funds",
            "not-found",
        ];
        assert_eq!(reasons.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        assert!(again > 30 && at_once > 50 && misused > 10, "{again} {at_once} {misused}");
    }
}
