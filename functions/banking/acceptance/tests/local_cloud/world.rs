//! The stack under test, and accounts for tests.

use std::time::Duration;

use acceptance::turn::Turn;
pub(crate) use acceptance::{checks::answered, unique};
use banking_acceptance::model::{
    Accepted, Account, Entry, Hold, Money, Moved, Movement, OpenAccount, PlaceHold, ShownTransfer,
    Transfer,
};
use banking_acceptance::{Answer, Caller, Client, Patience, Request, Stack};
use futures::{StreamExt as _, stream};
use jiff::{Timestamp, tz::TimeZone};

/// The longest time until an event reaches the read models.
pub(crate) const PROJECTED: Duration = Duration::from_secs(120);

/// How many requests of a crowd are on their way at once. The emulator answers one at a time, so more of them would only
/// wait there, and make the conflicts of a hot account rarer but longer.
const CONNECTIONS: usize = 16;

/// The running stack, with a tenant for one test.
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) tenant: String,
    /// A client of the manager.
    pub(crate) bank: Client,
    // Tests that disturb others wait until the world is dropped.
    _turn: Turn,
}

/// An account of a test.
#[derive(Debug, Clone)]
pub(crate) struct TestAccount {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) currency: String,
}

impl World {
    pub(crate) fn shared() -> Self {
        Self::of(Turn::shared())
    }

    /// The stack without any other test.
    pub(crate) fn alone() -> Self {
        Self::of(Turn::alone())
    }

    fn of(turn: Turn) -> Self {
        let tenant = unique("t");
        let stack = turn.stack.clone();
        let bank = client(&stack, Caller::manager(), &tenant);
        Self { stack, tenant, bank, _turn: turn }
    }

    /// The stack, if it has an issuer, so that it tells callers apart.
    pub(crate) fn with_callers() -> Option<Self> {
        let world = Self::shared();
        world.stack.auth.is_some().then_some(world)
    }

    /// A client of a caller in the test's tenant.
    pub(crate) fn client(&self, caller: Caller) -> Client {
        client(&self.stack, caller, &self.tenant)
    }

    /// A client of an account's owner.
    pub(crate) fn owner_of(&self, account: &TestAccount) -> Client {
        self.client(Caller::owner(&account.owner))
    }

    /// A client of the manager that returns the first answer.
    pub(crate) fn impatient(&self) -> Client {
        self.bank.with_patience(Patience::Once)
    }

    /// A new account of a new owner, with an amount in it.
    pub(crate) async fn account(&self, amount: i64, currency: &str) -> TestAccount {
        self.account_of(&unique("owner"), amount, currency).await
    }

    /// A new account of this owner, with an amount in it.
    pub(crate) async fn account_of(&self, owner: &str, amount: i64, currency: &str) -> TestAccount {
        let body = opening(owner, currency);
        let opened = answered(self.bank.open(&unique("open"), &body), 201).await;
        let id = opened.accepted().expect("the body of a success").id;
        let account = TestAccount { id, owner: owner.to_owned(), currency: currency.to_owned() };
        if amount > 0 {
            self.deposit(&account, amount).await;
        }
        account
    }

    /// A new account in euro, with an amount in it.
    pub(crate) async fn euros(&self, cents: i64) -> TestAccount {
        self.account(cents, "EUR").await
    }

    pub(crate) async fn deposit(&self, account: &TestAccount, amount: i64) -> Accepted {
        let movement = account.movement(amount);
        let deposit = self.bank.deposit(&unique("deposit"), &account.id, &movement);
        answered(deposit, 200).await.accepted().expect("the body of a success")
    }

    pub(crate) async fn withdraw(&self, account: &TestAccount, amount: i64) -> Accepted {
        let movement = account.movement(amount);
        let withdraw = self.bank.withdraw(&unique("withdraw"), &account.id, &movement);
        answered(withdraw, 200).await.accepted().expect("the body of a success")
    }

    /// The transfer of a deposit or withdrawal, which only the entry at its version names.
    pub(crate) async fn transfer_at(&self, account: &TestAccount, version: u64) -> String {
        let entries = self.entries(account).await;
        let entry = entries.into_iter().find(|entry| entry.version == version);
        entry.expect("an entry at this version").transaction
    }

    pub(crate) async fn transfer(
        &self,
        from: &TestAccount,
        to: &TestAccount,
        amount: i64,
    ) -> Moved {
        let body = from.transfer(to, amount);
        moved(&answered(self.bank.transfer(&unique("transfer"), &body), 201).await)
    }

    /// A hold of an hour. Returns its id.
    pub(crate) async fn hold(&self, account: &TestAccount, amount: i64) -> String {
        let body = PlaceHold::of(account.money(amount), 3600);
        hold_of(&answered(self.bank.hold(&unique("hold"), &account.id, &body), 201).await)
    }

    /// The account as it is now.
    pub(crate) async fn shown(&self, account: &TestAccount) -> Account {
        answered(self.bank.account(&account.id), 200).await.json().expect("an account")
    }

    /// The balance of an account.
    pub(crate) async fn balance(&self, account: &TestAccount) -> i64 {
        self.shown(account).await.posted
    }

    pub(crate) async fn entries(&self, account: &TestAccount) -> Vec<Entry> {
        let entries = self.bank.entries(&account.id).query("limit", 100);
        entries.all_pages().await.expect("the entries can be read")
    }

    /// The holds of an account, at this command or newer.
    pub(crate) async fn holds(&self, account: &TestAccount, token: &str) -> Vec<Hold> {
        let holds = self.bank.holds(&account.id).consistency_token(token);
        holds.all_pages().await.expect("the holds can be read")
    }

    pub(crate) async fn shown_transfer(&self, id: &str) -> ShownTransfer {
        answered(self.bank.shown_transfer(id), 200).await.json().expect("a transfer")
    }
}

impl TestAccount {
    pub(crate) fn money(&self, amount: i64) -> Money {
        Money::new(amount, &self.currency)
    }

    pub(crate) fn movement(&self, amount: i64) -> Movement {
        Movement::of(self.money(amount))
    }

    pub(crate) fn transfer(&self, to: &Self, amount: i64) -> Transfer {
        Transfer::of(self.money(amount), &self.id, &to.id)
    }
}

fn client(stack: &Stack, caller: Caller, tenant: &str) -> Client {
    Client::new(stack, &caller.in_tenant(tenant)).expect("the stack file names the service")
}

/// An account without an overdraft.
pub(crate) fn opening(owner: &str, currency: &str) -> OpenAccount {
    OpenAccount { owner_id: owner.to_owned(), currency: currency.to_owned(), overdraft_limit: None }
}

/// The transfer of a movement's answer, whose `Location` must name it.
pub(crate) fn moved(answer: &Answer) -> Moved {
    let moved: Moved = answer.json().expect("the body of a movement");
    let location = answer.header("location").expect("the location of the transfer");
    assert!(location.ends_with(&format!("/transfers/{}", moved.id)), "{location}");
    moved
}

/// The id of the hold in the answer to its placement.
pub(crate) fn hold_of(answer: &Answer) -> String {
    let location = answer.header("location").expect("the location of the hold");
    let (_, id) = location.rsplit_once("/holds/").expect("it ends with /holds/{hold}");
    id.to_owned()
}

pub(crate) fn token_of(answer: &Answer) -> String {
    answer.consistency_token().expect("a success carries a token").to_owned()
}

/// The answers to a crowd of requests, in their order.
pub(crate) async fn crowd<'a>(requests: impl IntoIterator<Item = Request<'a>>) -> Vec<Answer> {
    let answers = stream::iter(requests).map(Request::send).buffered(CONNECTIONS);
    answers.map(|answer| answer.expect("the service answers")).collect().await
}

/// The number of answers with this status and problem, such as `insufficient-funds`, or `accepted`.
pub(crate) fn count(answers: &[Answer], status: u16, problem: &str) -> usize {
    let name = |answer: &Answer| match answer.problem() {
        Ok(problem) => problem.name().to_owned(),
        Err(_) => "accepted".to_owned(),
    };
    answers.iter().filter(|it| it.status() == status && name(it) == problem).count()
}

/// The month of now in UTC, as `yyyy-mm`.
pub(crate) fn this_month() -> String {
    Timestamp::now().to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}
