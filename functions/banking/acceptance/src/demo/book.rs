//! An independent book of the bank: plain maps, and no code of the service.
//!
//! It decides by the rules of the contract alone, and never sees an answer.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{AccountNo, Amount, HoldNo, NOT_FOUND, Operation, Reply, TransferNo};

/// The book.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// The accounts, by number.
    pub accounts: Vec<Account>,
    /// The transfers, by number.
    pub transfers: Vec<Transfer>,
    /// The holds, by number.
    pub holds: Vec<Hold>,
}

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The only currency.
    pub currency: &'static str,
    /// The amount below zero to which it may be debited.
    pub overdraft: i64,
    /// The amount that may leave it on a day.
    pub limit: Option<i64>,
    /// The part of the limit that is used.
    pub spent: i64,
    /// Whether it takes no debit.
    pub frozen: bool,
    /// The balance.
    pub posted: i64,
    /// The entries, oldest first.
    pub entries: Vec<(TransferNo, i64)>,
}

/// A transfer.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// The debited account, unless it is one of the bank.
    pub from: Option<AccountNo>,
    /// The credited account, unless it is one of the bank.
    pub to: Option<AccountNo>,
    /// The amount.
    pub amount: Amount,
    /// Whether it was reversed.
    pub reversed: bool,
    /// The kind in the contract.
    pub kind: &'static str,
}

/// A hold.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// The account.
    pub on: AccountNo,
    /// The amount that is left.
    pub left: i64,
    /// Whether its time has come.
    pub expired: bool,
}

/// The transfer and the hold that an operation made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// The new transfer.
    pub transfer: Option<TransferNo>,
    /// The new hold.
    pub hold: Option<HoldNo>,
}

type Rules = BTreeSet<&'static str>;

impl Book {
    /// The sum of the open holds of an account.
    #[must_use]
    pub fn held(&self, account: AccountNo) -> i64 {
        self.holds.iter().filter(|hold| hold.on == account && !hold.expired).map(|it| it.left).sum()
    }

    /// The amount that can be debited.
    #[must_use]
    pub fn available(&self, number: AccountNo) -> i64 {
        let account = &self.accounts[number];
        account.posted - self.held(number) + account.overdraft
    }

    /// The open holds.
    pub fn open_holds(&self) -> impl Iterator<Item = (HoldNo, &Hold)> {
        self.holds.iter().enumerate().filter(|(_, hold)| hold.left > 0 && !hold.expired)
    }

    /// Money paid in and paid out, by currency. A reversal of a deposit pays out.
    #[must_use]
    pub fn outside(&self) -> BTreeMap<&'static str, (i64, i64)> {
        let mut sums: BTreeMap<&'static str, (i64, i64)> = BTreeMap::new();
        for Transfer { from, to, amount, .. } in &self.transfers {
            let sum = sums.entry(amount.currency).or_default();
            sum.0 += if from.is_none() { amount.minor } else { 0 };
            sum.1 += if to.is_none() { amount.minor } else { 0 };
        }
        sums
    }

    /// The balances of all accounts, by currency.
    #[must_use]
    pub fn balances(&self) -> BTreeMap<&'static str, i64> {
        let mut sums = BTreeMap::new();
        for account in &self.accounts {
            *sums.entry(account.currency).or_default() += account.posted;
        }
        sums
    }

    /// Carries an operation out, or does nothing. Returns all possible replies.
    pub fn apply(&mut self, operation: &Operation) -> (BTreeSet<Reply>, Made) {
        let broken = self.broken_rules(operation);
        if !broken.is_empty() {
            return (broken.into_iter().map(Reply::refused).collect(), Made::default());
        }
        let made = self.carry_out(operation);
        (BTreeSet::from([Reply::accepted(operation.success())]), made)
    }

    fn broken_rules(&self, operation: &Operation) -> Rules {
        match *operation {
            Operation::Deposit { to, amount } => self.credit_rules(to, amount),
            Operation::Withdraw { from: on, amount } | Operation::Hold { on, amount } => {
                self.debit_rules(on, amount)
            }
            Operation::Transfer { from, to, amount } => {
                let mut rules = self.debit_rules(from, amount);
                match to {
                    Some(to) => rules.extend(self.credit_rules(to, amount)),
                    None => _ = rules.insert(NOT_FOUND),
                }
                rules
            }
            Operation::Reverse { transfer, receiver, .. } => {
                let original = &self.transfers[transfer];
                let mut rules = receiver
                    .map(|receiver| self.debit_rules(receiver, original.amount))
                    .unwrap_or_default();
                rules.extend(original.reversed.then_some("already-reversed"));
                rules
            }
            Operation::Capture { hold, from, to, amount } => {
                let mut rules = self.credit_rules(to, amount);
                let account = &self.accounts[from];
                let left = self.holds[hold].left;
                rules.extend(account.frozen.then_some("account-frozen"));
                rules.extend((left == 0).then_some("hold-not-open"));
                rules.extend((left > 0 && amount.minor > left).then_some("amount-exceeds-hold"));
                rules
            }
            Operation::Release { hold, .. } => {
                Rules::from_iter((self.holds[hold].left == 0).then_some("hold-not-open"))
            }
            Operation::Expire { .. } => Rules::from(["hold-expired"]),
            Operation::Freeze { .. } | Operation::Unfreeze { .. } | Operation::Limit { .. } => {
                Rules::new()
            }
        }
    }

    fn debit_rules(&self, number: AccountNo, amount: Amount) -> Rules {
        let account = &self.accounts[number];
        let mut rules = self.credit_rules(number, amount);
        rules.extend(account.frozen.then_some("account-frozen"));
        rules.extend((amount.minor > self.available(number)).then_some("insufficient-funds"));
        let is_over = account.limit.is_some_and(|limit| account.spent + amount.minor > limit);
        rules.extend(is_over.then_some("daily-limit-exceeded"));
        rules
    }

    fn credit_rules(&self, number: AccountNo, amount: Amount) -> Rules {
        let differs = self.accounts[number].currency != amount.currency;
        Rules::from_iter(differs.then_some("currency-mismatch"))
    }

    fn carry_out(&mut self, operation: &Operation) -> Made {
        match *operation {
            Operation::Deposit { to, amount } => self.book(None, Some(to), amount, "deposit"),
            Operation::Withdraw { from, amount } => {
                self.accounts[from].spent += amount.minor;
                self.book(Some(from), None, amount, "withdrawal")
            }
            Operation::Transfer { from, to, amount } => {
                self.accounts[from].spent += amount.minor;
                self.book(Some(from), to, amount, "transfer")
            }
            Operation::Reverse { transfer, payer, receiver } => {
                self.transfers[transfer].reversed = true;
                let amount = self.transfers[transfer].amount;
                if let Some(receiver) = receiver {
                    self.accounts[receiver].spent += amount.minor;
                }
                self.book(receiver, payer, amount, "reversal")
            }
            Operation::Hold { on, amount } => {
                self.accounts[on].spent += amount.minor;
                self.holds.push(Hold { on, left: amount.minor, expired: false });
                Made { transfer: None, hold: Some(self.holds.len() - 1) }
            }
            Operation::Capture { hold, from, to, amount } => {
                self.holds[hold].left -= amount.minor;
                self.book(Some(from), Some(to), amount, "capture")
            }
            Operation::Release { hold, on } => {
                self.accounts[on].spent -= self.holds[hold].left;
                self.holds[hold].left = 0;
                Made::default()
            }
            Operation::Freeze { on } => self.set_frozen(on, true),
            Operation::Unfreeze { on } => self.set_frozen(on, false),
            Operation::Limit { on, daily } => {
                self.accounts[on].limit = Some(daily.minor);
                Made::default()
            }
            Operation::Expire { .. } => Made::default(),
        }
    }

    fn set_frozen(&mut self, account: AccountNo, frozen: bool) -> Made {
        self.accounts[account].frozen = frozen;
        Made::default()
    }

    fn book(
        &mut self,
        from: Option<AccountNo>,
        to: Option<AccountNo>,
        amount: Amount,
        kind: &'static str,
    ) -> Made {
        let number = self.transfers.len();
        for (account, change) in [(from, -amount.minor), (to, amount.minor)] {
            let Some(account) = account else { continue };
            self.accounts[account].posted += change;
            self.accounts[account].entries.push((number, change));
        }
        self.transfers.push(Transfer { from, to, amount, reversed: false, kind });
        Made { transfer: Some(number), hold: None }
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Book};
    use crate::demo::operation::{Amount, Operation, Reply};

    const EURO: &str = "EUR";

    fn euro(minor: i64) -> Amount {
        Amount { minor, currency: EURO }
    }

    fn book(balances: &[i64]) -> Book {
        let account = |posted: &i64| Account {
            currency: EURO,
            overdraft: 0,
            limit: None,
            spent: 0,
            frozen: false,
            posted: *posted,
            entries: Vec::new(),
        };
        Book { accounts: balances.iter().map(account).collect(), ..Book::default() }
    }

    fn rules(replies: impl IntoIterator<Item = Reply>) -> Vec<String> {
        replies.into_iter().map(|reply| reply.reason).collect()
    }

    #[test]
    fn a_transfer_moves_money_and_a_refused_one_none() {
        let mut book = book(&[100, 0]);
        let transfer = |minor| Operation::Transfer { from: 0, to: Some(1), amount: euro(minor) };
        let (replies, _) = book.apply(&transfer(101));
        assert_eq!(rules(replies), ["insufficient-funds"]);
        let (replies, made) = book.apply(&transfer(60));
        assert_eq!((rules(replies), made.transfer), (vec!["accepted".to_owned()], Some(0)));
        let reverse = Operation::Reverse { transfer: 0, payer: Some(0), receiver: Some(1) };
        assert_eq!(rules(book.apply(&reverse).0), ["accepted"]);
        assert_eq!(rules(book.apply(&reverse).0), ["already-reversed", "insufficient-funds"]);
        assert_eq!(book.balances()[EURO], 100);
        assert_eq!(book.accounts[1].entries, [(0, 60), (1, -60)]);
    }

    #[test]
    fn a_hold_reserves_until_it_is_captured_or_released() {
        let mut book = book(&[100, 0]);
        book.apply(&Operation::Hold { on: 0, amount: euro(70) });
        assert_eq!((book.held(0), book.available(0)), (70, 30));
        let capture = |minor| Operation::Capture { hold: 0, from: 0, to: 1, amount: euro(minor) };
        assert_eq!(rules(book.apply(&capture(71)).0), ["amount-exceeds-hold"]);
        book.apply(&capture(20));
        assert_eq!((book.held(0), book.available(0)), (50, 30));
        book.apply(&Operation::Release { hold: 0, on: 0 });
        assert_eq!((book.held(0), book.available(0)), (0, 80));
        assert_eq!(rules(book.apply(&capture(1)).0), ["hold-not-open"]);
    }

    #[test]
    fn every_broken_rule_is_a_possible_reply() {
        let mut book = book(&[100]);
        book.apply(&Operation::Freeze { on: 0 });
        book.apply(&Operation::Limit { on: 0, daily: euro(10) });
        let yen = Amount { minor: 101, currency: "JPY" };
        let (replies, _) = book.apply(&Operation::Withdraw { from: 0, amount: yen });
        let expected =
            ["account-frozen", "currency-mismatch", "daily-limit-exceeded", "insufficient-funds"];
        assert_eq!(rules(replies), expected);
        assert!(book.outside().is_empty());
    }
}
