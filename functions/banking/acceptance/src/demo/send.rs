//! Sends the steps. Steps with an account in common go one after the other, all others concurrently. So the book knows
//! every answer, and the load is still that of many clients.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;

use super::callers::Callers;
use super::operation::{ACCEPTED, Amount, HoldNo, Operation, Reply, Sends, Step, TransferNo};
use super::{DemoError, ids::Ids};
use crate::model::{Account, Capture, Hold, Money, Moved, Movement, PlaceHold, Transfer};
use crate::wait::eventually;
use crate::{Answer, Client, ClientError, Essence, Request};

/// How far the sender looks ahead for a step whose accounts are free.
const WINDOW: usize = 200;
const HOLD_SECONDS: u64 = 3_600;
const SHORTEST_HOLD_SECONDS: u64 = 1;
const EXPIRED: Duration = Duration::from_secs(60);

/// The result of a step.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The reply.
    pub reply: Reply,
    /// The first answer, for comparison with later ones.
    pub answer: Essence,
    /// How long each request took.
    pub took: Vec<Duration>,
    /// The number of further sends of the same request.
    pub repeats: usize,
    /// Answers that differ from the first or from the rules of the contract.
    pub wrong: Vec<String>,
}

/// Sends the steps of a plan for all callers.
pub struct Sender<'a> {
    callers: &'a Callers,
    run: &'a str,
    ids: RefCell<Ids>,
    outcomes: RefCell<BTreeMap<usize, Outcome>>,
}

impl<'a> Sender<'a> {
    /// A sender of a run of this name, which becomes part of every key.
    #[must_use]
    pub fn new(callers: &'a Callers, run: &'a str, ids: Ids) -> Self {
        Self { callers, run, ids: RefCell::new(ids), outcomes: RefCell::default() }
    }

    /// Sends all steps, so many at the same time, and calls `answered` after each. Returns the ids that the service chose,
    /// and the outcome of each step.
    ///
    /// # Errors
    /// If a request gets no answer, or a success has another form than in the contract.
    pub async fn send(
        self,
        steps: &[Step],
        workers: usize,
        answered: impl Fn(),
    ) -> Result<(Ids, Vec<Outcome>), DemoError> {
        let mut waiting: VecDeque<usize> = (0..steps.len()).collect();
        let mut busy: HashSet<usize> = HashSet::new();
        let mut running = FuturesUnordered::new();
        loop {
            for index in startable(steps, &mut waiting, &mut busy, workers - running.len()) {
                let run = self.run_step(index, &steps[index]);
                running.push(async move { (index, run.await) });
            }
            let Some((index, outcome)) = running.next().await else { break };
            self.outcomes.borrow_mut().insert(index, outcome?);
            for account in steps[index].accounts() {
                busy.remove(&account);
            }
            answered();
        }
        drop(running);
        Ok((self.ids.into_inner(), self.outcomes.into_inner().into_values().collect()))
    }

    async fn run_step(&self, index: usize, step: &Step) -> Result<Outcome, DemoError> {
        match step {
            // Its accounts were busy until the first answer, so the first answer is there.
            Step::Again { step, .. } => self.again(*step).await,
            Step::New { operation: Operation::Expire { on, to, amount, held }, .. } => {
                self.expire(index, *on, *to, *amount, *held).await
            }
            Step::New { operation, sends, transfer, hold, .. } => {
                self.operation(index, operation, *sends, *transfer, *hold).await
            }
        }
    }

    fn key(&self, index: usize) -> String {
        format!("{}-{index}", self.run)
    }

    async fn operation(
        &self,
        index: usize,
        operation: &Operation,
        sends: Sends,
        transfer: Option<TransferNo>,
        hold: Option<HoldNo>,
    ) -> Result<Outcome, DemoError> {
        let key = self.key(index);
        let client = self.callers.of(operation);
        self.resolve(operation).await?;
        let request = self.request(client, operation, &key, 0);
        let copies = if let Sends::AtOnce(copies) = sends { copies } else { 1 };
        let answers = join_all((0..copies).map(|_| request.clone().send())).await;
        let answers: Vec<Answer> = answers.into_iter().collect::<Result<_, _>>()?;
        let mut outcome = outcome_of(&answers);
        if outcome.reply.reason == ACCEPTED {
            self.ids.borrow_mut().add(&answers[0], operation, transfer, hold)?;
        }
        if sends == Sends::Misused {
            let answer = self.request(client, operation, &key, 1).send().await?;
            if answer.status() != 422 {
                let other = reply_of(&answer);
                outcome.wrong.push(format!("{key} with another body: expected 422, got {other}"));
            }
            outcome.took.push(answer.took());
        }
        self.ids.borrow_mut().remember(index, operation);
        Ok(outcome)
    }

    /// Finds the id of a transfer of cash in the entries of its account, before it is reversed.
    async fn resolve(&self, operation: &Operation) -> Result<(), ClientError> {
        let Operation::Reverse { transfer, .. } = *operation else { return Ok(()) };
        let account = self.ids.borrow().cash_account(transfer);
        let Some(account) = account else { return Ok(()) };
        let id = self.ids.borrow().account(account);
        let entries = self.callers.manager.entries(&id).query("limit", 100).all_pages().await?;
        self.ids.borrow_mut().resolve(account, &entries);
        Ok(())
    }

    /// Sends an earlier request again, whose answer must be the same.
    async fn again(&self, step: usize) -> Result<Outcome, DemoError> {
        let operation = self.ids.borrow().remembered(step);
        let key = self.key(step);
        let request = self.request(self.callers.of(&operation), &operation, &key, 0);
        let answer = request.send().await?;
        let mut outcome = outcome_of(&[answer]);
        outcome.repeats = 1;
        let first = self.outcomes.borrow().get(&step).map(|first| first.answer.clone());
        if first.as_ref() != Some(&outcome.answer) {
            let again = &outcome.answer;
            outcome.wrong.push(format!("{key} again\n  first: {first:?}\n  again: {again:?}"));
        }
        Ok(outcome)
    }

    /// Places a hold of a second, waits for its end, and tries to capture it.
    async fn expire(
        &self,
        index: usize,
        on: usize,
        to: usize,
        amount: Amount,
        held: i64,
    ) -> Result<Outcome, DemoError> {
        let client = self.callers.owner_of(on);
        let account = self.ids.borrow().account(on);
        let hold = PlaceHold::of(money(amount), SHORTEST_HOLD_SECONDS);
        let placed = client.hold(&format!("{}-hold", self.key(index)), &account, &hold);
        let placed = placed.send().await?.expect_status(201)?;
        let hold = super::ids::hold_of(&placed)?;
        let mut took = vec![placed.took()];
        eventually("the hold expires", EXPIRED, async || {
            let shown = client.account(&account).send().await.map_err(|error| error.to_string())?;
            let shown: Account = shown.json().map_err(|error| error.to_string())?;
            if shown.held == held { Ok(()) } else { Err(format!("{} is held", shown.held)) }
        })
        .await?;
        let body = Capture { to: self.ids.borrow().account(to), amount: None };
        let answer = client.capture(&self.key(index), &account, &hold, &body).send().await?;
        took.push(answer.took());
        let mut outcome = outcome_of(&[answer]);
        let early = self.expired_early(client, &account, &hold).await?;
        outcome.wrong.extend(early);
        outcome.took = took;
        Ok(outcome)
    }

    /// A description of a hold that has expired before its time.
    async fn expired_early(
        &self,
        client: &Client,
        account: &str,
        hold: &str,
    ) -> Result<Option<String>, ClientError> {
        let holds: Vec<Hold> = client.holds(account).query("limit", 100).all_pages().await?;
        let found = holds.iter().find(|it| it.id == hold);
        // The list may not have it yet.
        let early = found.filter(|it| it.expires_at > Timestamp::now());
        Ok(early.map(|it| format!("hold {hold} of {account} expired before {}", it.expires_at)))
    }

    /// The request of an operation. `more` is added to its amount, to make another request of it.
    fn request<'c>(
        &self,
        client: &'c Client,
        operation: &Operation,
        key: &str,
        more: i64,
    ) -> Request<'c> {
        let ids = self.ids.borrow();
        let money = |amount: Amount| Money::new(amount.minor + more, amount.currency);
        match *operation {
            Operation::Deposit { to, amount } => {
                client.deposit(key, &ids.account(to), &Movement::of(money(amount)))
            }
            Operation::Withdraw { from, amount } => {
                client.withdraw(key, &ids.account(from), &Movement::of(money(amount)))
            }
            Operation::Transfer { from, to, amount } => {
                let to = to.map_or_else(|| "unknown".to_owned(), |to| ids.account(to));
                let body = Transfer::of(money(amount), &ids.account(from), &to);
                client.transfer(key, &body)
            }
            Operation::Reverse { transfer, .. } => client.reverse(key, &ids.transfer(transfer)),
            Operation::Hold { on, amount } => {
                client.hold(key, &ids.account(on), &PlaceHold::of(money(amount), HOLD_SECONDS))
            }
            Operation::Capture { hold, from, to, amount } => {
                let body = Capture { to: ids.account(to), amount: Some(money(amount)) };
                client.capture(key, &ids.account(from), &ids.hold(hold), &body)
            }
            Operation::Release { hold, on } => {
                client.release(key, &ids.account(on), &ids.hold(hold))
            }
            Operation::Freeze { on } => client.freeze(key, &ids.account(on)),
            Operation::Unfreeze { on } => client.unfreeze(key, &ids.account(on)),
            Operation::Limit { on, daily } => {
                client.limit(key, &ids.account(on), Some(&money(daily)))
            }
            Operation::Expire { .. } => unreachable!("it is several requests"),
        }
    }
}

/// Takes the steps out of the queue that can start now: those without an account of a running or earlier step.
fn startable(
    steps: &[Step],
    waiting: &mut VecDeque<usize>,
    busy: &mut HashSet<usize>,
    most: usize,
) -> Vec<usize> {
    let mut starting = Vec::new();
    let mut blocked = busy.clone();
    let mut place = 0;
    while starting.len() < most && place < waiting.len().min(WINDOW) {
        let accounts = steps[waiting[place]].accounts();
        let is_free = accounts.iter().all(|account| !blocked.contains(account));
        blocked.extend(accounts.iter().copied());
        if is_free {
            busy.extend(accounts);
            starting.extend(waiting.remove(place));
        } else {
            place += 1;
        }
    }
    starting
}

fn money(amount: Amount) -> Money {
    Money::new(amount.minor, amount.currency)
}

/// The outcome of the first of several answers to the same request, which must all be alike.
fn outcome_of(answers: &[Answer]) -> Outcome {
    let answer = answers[0].essence();
    let reply = reply_of(&answers[0]);
    let is_alike = |other: &&Answer| {
        // Each problem has the id of its own request.
        if reply.reason == ACCEPTED { other.essence() == answer } else { reply_of(other) == reply }
    };
    let different = answers.iter().filter(|other| !is_alike(other));
    let wrong = different
        .map(|other| format!("at once\n  first: {answer:?}\n  again: {:?}", other.essence()));
    Outcome {
        wrong: wrong.collect(),
        took: answers.iter().map(Answer::took).collect(),
        repeats: answers.len() - 1,
        reply,
        answer,
    }
}

fn reply_of(answer: &Answer) -> Reply {
    let reason = match answer.problem() {
        Ok(problem) => problem.name().to_owned(),
        Err(_) => ACCEPTED.to_owned(),
    };
    Reply { status: answer.status(), reason }
}

/// The transfer in the answer to a movement.
pub(super) fn moved(answer: &Answer) -> Result<Moved, ClientError> {
    answer.json()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet, VecDeque};

    use super::startable;
    use crate::demo::operation::{Amount, Operation, Sends, Step};

    fn transfer(from: usize, to: usize) -> Step {
        let amount = Amount { minor: 1, currency: "EUR" };
        Step::New {
            operation: Operation::Transfer { from, to: Some(to), amount },
            sends: Sends::Once,
            expected: BTreeSet::new(),
            transfer: None,
            hold: None,
        }
    }

    #[test]
    fn steps_with_a_common_account_keep_their_order() {
        let steps = [transfer(0, 1), transfer(1, 2), transfer(2, 3), transfer(4, 5)];
        let mut waiting: VecDeque<usize> = (0..4).collect();
        let mut busy = HashSet::new();
        assert_eq!(startable(&steps, &mut waiting, &mut busy, 4), [0, 3], "2 waits for 1");
        assert_eq!(startable(&steps, &mut waiting, &mut busy, 2), [0_usize; 0]);
        busy.clear();
        assert_eq!(startable(&steps, &mut waiting, &mut busy, 4), [1]);
        assert_eq!(waiting, [2]);
    }
}
