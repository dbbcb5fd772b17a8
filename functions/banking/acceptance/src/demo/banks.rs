//! Transfers between two banks, while functions are killed. Money is neither made nor lost, and no transfer stays pending.

use std::time::Duration;

use acceptance::dice::Dice;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ledgerfold_testkit::http::{Stack, StackError};

use super::{DemoError, compare};
use crate::client::{Caller, Client, ClientError, Patience};
use crate::model::{
    Account, Money, Moved, Movement, OpenAccount, ShownTransfer, Transfer, TransferState,
};
use crate::wait::eventually;

/// The accounts of each bank.
const ACCOUNTS: usize = 3;
/// More than an account can lose in a run.
const OPENING: i64 = 1_000_000;
/// The largest amount of a transfer.
const MOST: usize = 1_000;
/// One transfer in so many goes to an account that does not exist.
const UNKNOWN_ONE_IN: u64 = 8;
/// The number of transfers that are on their way at once.
const WORKERS: usize = 4;

/// Two banks of a run.
#[derive(Debug)]
pub struct Banks {
    banks: Vec<Bank>,
    seed: u64,
}

#[derive(Debug)]
struct Bank {
    client: Client,
    tenant: String,
}

/// A transfer between the banks.
#[derive(Debug, Clone, Copy)]
struct Crossing {
    number: usize,
    /// The sender's bank. The receiver's is the other one.
    from_bank: usize,
    from: usize,
    /// `None` for an account that does not exist.
    to: Option<usize>,
    amount: i64,
}

/// The outcome of the transfers.
#[derive(Debug, Default)]
pub struct Crossed {
    /// How many were settled.
    pub settled: usize,
    /// How many were refused, because the account does not exist.
    pub refused: usize,
    /// Everything that differs from the book.
    pub differences: Vec<String>,
}

impl Banks {
    /// Two banks with tenants of their own. `None` if the stack tells no tenants apart.
    ///
    /// # Errors
    /// If no token can be made.
    pub fn new(stack: &Stack, run: &str, seed: u64) -> Result<Option<Self>, StackError> {
        if stack.auth.is_none() {
            return Ok(None);
        }
        let bank = |name: &str| {
            let tenant = format!("{run}-{name}");
            let client = Client::new(stack, &Caller::manager().in_tenant(&tenant))?;
            let client = client.with_patience(Patience::ThroughCrashes);
            Ok::<_, StackError>(Bank { client, tenant })
        };
        Ok(Some(Self { banks: vec![bank("north")?, bank("south")?], seed }))
    }

    /// Sends so many transfers, waits until each has an outcome, and compares all balances with a book.
    ///
    /// # Errors
    /// If the service does not answer, or violates the contract.
    pub async fn run(&self, transfers: usize, within: Duration) -> Result<Crossed, DemoError> {
        let ids = self.open().await?;
        let crossings = self.plan(transfers);
        let sending = crossings.iter().map(|crossing| self.send(&ids, crossing));
        let sent: Vec<String> = stream::iter(sending).buffered(WORKERS).try_collect().await?;
        let mut crossed = Crossed::default();
        let mut book = [[OPENING; ACCOUNTS]; 2];
        for (crossing, transfer) in crossings.iter().zip(sent) {
            let shown = self.concluded(crossing.from_bank, &transfer, within).await?;
            let expected = match crossing.to {
                Some(to) => {
                    book[crossing.from_bank][crossing.from] -= crossing.amount;
                    book[1 - crossing.from_bank][to] += crossing.amount;
                    crossed.settled += 1;
                    TransferState::Settled
                }
                None => {
                    crossed.refused += 1;
                    TransferState::Refused
                }
            };
            if shown.state != expected {
                crossed.differences.push(format!("{crossing:?} is {:?}", shown.state));
            }
        }
        for (bank, balances) in book.iter().enumerate() {
            let differences = self.compare(bank, &ids[bank], balances, within).await?;
            crossed.differences.extend(differences);
        }
        Ok(crossed)
    }

    fn plan(&self, transfers: usize) -> Vec<Crossing> {
        let mut dice = Dice::new(self.seed);
        let crossing = |number| Crossing {
            number,
            from_bank: dice.below(2),
            from: dice.below(ACCOUNTS),
            to: (!dice.one_in(UNKNOWN_ONE_IN)).then(|| dice.below(ACCOUNTS)),
            amount: i64::try_from(1 + dice.below(MOST)).unwrap_or(1),
        };
        (0..transfers).map(crossing).collect()
    }

    /// The accounts of both banks, each with the opening amount.
    async fn open(&self) -> Result<Vec<Vec<String>>, ClientError> {
        let mut all = Vec::new();
        for Bank { client, .. } in &self.banks {
            let mut ids = Vec::new();
            for number in 0..ACCOUNTS {
                let owner_id = format!("owner-{number}");
                let currency = "EUR".to_owned();
                let body = OpenAccount { owner_id, currency, overdraft_limit: None };
                let opened = client.open(&format!("open-{number}"), &body).send().await?;
                let id = opened.expect_status(201)?.accepted()?.id;
                let paid = Movement::of(Money::euro(OPENING));
                client.deposit("opening", &id, &paid).send().await?.expect_status(200)?;
                ids.push(id);
            }
            all.push(ids);
        }
        Ok(all)
    }

    /// Sends a transfer twice with one key. Returns its id.
    async fn send(&self, ids: &[Vec<String>], crossing: &Crossing) -> Result<String, ClientError> {
        let Crossing { number, from_bank, from, to, amount } = *crossing;
        let (here, there) = (&self.banks[from_bank], &self.banks[1 - from_bank]);
        let to = to.map_or("unknown", |to| &ids[1 - from_bank][to]);
        let body = Transfer::of(Money::euro(amount), &ids[from_bank][from], to);
        let body = body.to_bank(&there.tenant);
        let key = format!("crossing-{number}");
        let mut id = String::new();
        for _ in 0..2 {
            let answer = here.client.transfer(&key, &body).send().await?.expect_status(201)?;
            id = answer.json::<Moved>()?.id;
        }
        Ok(id)
    }

    /// The transfer, when the other bank has answered.
    async fn concluded(
        &self,
        bank: usize,
        transfer: &str,
        within: Duration,
    ) -> Result<ShownTransfer, DemoError> {
        let client = &self.banks[bank].client;
        let concluded = eventually("the other bank answers", within, async || {
            let answer = client.shown_transfer(transfer).send().await;
            let shown = answer.and_then(|it| it.expect_status(200)?.json::<ShownTransfer>());
            let shown = shown.map_err(|error| error.to_string())?;
            match shown.state {
                TransferState::Pending => Err(format!("{shown:?}")),
                TransferState::Settled | TransferState::Refused => Ok(shown),
            }
        });
        Ok(concluded.await?)
    }

    /// The differences of a bank from its book.
    async fn compare(
        &self,
        bank: usize,
        ids: &[String],
        balances: &[i64],
        within: Duration,
    ) -> Result<Vec<String>, DemoError> {
        let Bank { client, tenant } = &self.banks[bank];
        let mut differences = Vec::new();
        for (id, balance) in ids.iter().zip(balances) {
            let shown: Account = client.account(id).send().await?.expect_status(200)?.json()?;
            if (shown.posted, shown.held) != (*balance, 0) {
                differences.push(format!("{tenant}: {shown:?} instead of {balance}"));
            }
        }
        let expected = [("EUR", balances.iter().sum())].into();
        let (_, late) = compare::trial_balance(client, &expected, within).await?;
        differences.extend(late);
        Ok(differences)
    }
}
