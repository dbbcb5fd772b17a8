//! A whole bank in memory. It runs commands through the real handlers, as the HTTP layer does.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use banking::{
    commands::{
        AccountCommand, Amount, CaptureHold, CloseAccount, Deposit, FreezeAccount, MakeTransfer,
        Making, OpenAccount, PlaceHold, ReleaseExpiredHolds, ReleaseHold, Releasing,
        ReverseBetweenAccounts, ReverseBetweenBanks, ReverseWithTheBank, Reversing, SendTransfer,
        SetLimits, UnfreezeAccount, Withdraw,
    },
    domain::{
        Account, Accounts, BankingRejection, Holds, Settlements, Transfer, Transfers,
        settlement::stream_of,
    },
    process::InterbankTransfers,
};
use banking_events::LegAccount;
use ledgerfold::{
    Caller, CommandId, Decider, EntityId, Event, Recorded, StreamId, TenantId, Timestamp,
    command::{
        Answer, CommandError, CommandHandler, CommandRequest, JointDecider, JointHandler,
        JointRequest, Parts,
    },
    ports::Clock,
    process::ProcessHandler,
    vocabulary::Commit,
};
use ledgerfold_testkit::{MemoryDeadlineStore, MemoryEventStore, SeededRandom};
use money::CurrentCurrency;

use crate::setup::{MORNING, at, id};

/// The outcome of a command: the streams that changed.
pub(crate) type Outcome = Result<Vec<Answer>, CommandError<BankingRejection>>;

/// A clock that tests set, to the nanosecond. Handlers share it, hence the mutex.
#[derive(Debug)]
pub(crate) struct TestClock(Mutex<Timestamp>);

impl TestClock {
    pub(crate) fn set(&self, time: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time does not pass in a test.
    async fn sleep(&self, _: Duration) {}
}

/// A bank in memory. Each joint decider has its handler, all over one log.
pub(crate) struct Bank {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) caller: Caller,
    random: Arc<SeededRandom>,
    accounts: CommandHandler<Accounts>,
}

/// A command to several streams, with the key of its request.
struct Joint<'a, J: JointDecider> {
    streams: <J::Parts as Parts>::Streams,
    command: J::Command,
    key: &'a str,
}

impl Bank {
    pub(crate) fn new() -> Self {
        let log = Arc::<MemoryEventStore>::default();
        let clock = Arc::new(TestClock(Mutex::new(at(MORNING))));
        let random = Arc::new(SeededRandom::new(3));
        let accounts = CommandHandler::new(log.clone(), clock.clone(), random.clone());
        Self { log, clock, caller: Caller::anonymous(), random, accounts }
    }

    /// Another bank over the same log and clock.
    pub(crate) fn other(&self, bank: &str) -> Self {
        let Self { log, clock, random, .. } = self;
        let (log, clock, random) = (log.clone(), clock.clone(), random.clone());
        let accounts = CommandHandler::new(log.clone(), clock.clone(), random.clone());
        let tenant = TenantId::new(bank).expect("a tenant");
        let caller = Caller { tenant, ..Caller::anonymous() };
        Self { log, clock, caller, random, accounts }
    }

    /// The process of transfers between all banks, in a new container.
    pub(crate) fn interbank(&self) -> ProcessHandler<InterbankTransfers> {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let steps = JointHandler::new(self.log.clone(), clock, random);
        let deadlines = Arc::<MemoryDeadlineStore>::default();
        ProcessHandler::new((), steps, deadlines, self.log.clone())
    }

    fn stream<D: Decider>(&self, entity: &EntityId) -> StreamId {
        StreamId::new(self.caller.tenant.clone(), D::CATEGORY, entity.clone())
    }

    fn with_the_bank(&self, account: &str, transfer: &str, amount: Amount) -> [StreamId; 3] {
        let tenant = self.caller.tenant.clone();
        let bank = stream_of(tenant, &id(transfer), amount.currency.into());
        [self.stream::<Accounts>(&id(account)), bank, self.stream::<Transfers>(&id(transfer))]
    }

    /// The time of the next commands.
    pub(crate) fn at(&self, time: &str) -> &Self {
        self.clock.set(at(time));
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn alone(&self, account: &str, key: &str, command: AccountCommand) -> Outcome {
        let stream = self.stream::<Accounts>(&id(account));
        let request =
            CommandRequest::new(self.caller.clone(), stream, command, command_id(account, key));
        let answer = self.accounts.handle(&request).await?;
        Ok(if answer.events.is_empty() { Vec::new() } else { vec![answer] })
    }

    async fn together<J: JointDecider<Rejection = BankingRejection>>(
        &self,
        joint: Joint<'_, J>,
    ) -> Outcome {
        let Joint { streams, command, key } = joint;
        let handler =
            JointHandler::<J>::new(self.log.clone(), self.clock.clone(), self.random.clone());
        let request =
            JointRequest::new(self.caller.clone(), streams, command, command_id("joint", key));
        handler.handle(&request).await
    }

    pub(crate) async fn open(&self, account: &str, currency: CurrentCurrency, overdraft: i64) {
        let command = OpenAccount { owner_id: id("o-1"), currency, overdraft_limit: overdraft };
        self.alone(account, "open", command.into()).await.expect("a new account");
    }

    pub(crate) async fn deposit(&self, key: &str, to: &str, amount: Amount) -> Outcome {
        let command = Deposit { amount, reference: "Salary".to_owned() };
        let streams = self.with_the_bank(to, key, amount);
        self.together::<Deposit>(Joint { streams, command: making(to, key, command), key }).await
    }

    pub(crate) async fn withdraw(&self, key: &str, from: &str, amount: Amount) -> Outcome {
        let command = Withdraw { amount, reference: "Cash".to_owned() };
        let streams = self.with_the_bank(from, key, amount);
        self.together::<Withdraw>(Joint { streams, command: making(from, key, command), key }).await
    }

    pub(crate) async fn transfer(&self, key: &str, legs: [&str; 2], amount: Amount) -> Outcome {
        let [from, to] = legs;
        let reference = "Rent".to_owned();
        let command = MakeTransfer { from: id(from), to: id(to), amount, reference, to_bank: None };
        let streams = [
            self.stream::<Accounts>(&id(from)),
            self.stream::<Accounts>(&id(to)),
            self.stream::<Transfers>(&id(key)),
        ];
        let command = making(from, key, command);
        self.together::<MakeTransfer>(Joint { streams, command, key }).await
    }

    /// Sends money to an account of another bank.
    pub(crate) async fn send(
        &self,
        key: &str,
        from: &str,
        to: (&str, &str),
        amount: Amount,
    ) -> Outcome {
        let (bank, to) = (TenantId::new(to.0).expect("a tenant"), id(to.1));
        let reference = "Rent".to_owned();
        let transfer = MakeTransfer { from: id(from), to, amount, reference, to_bank: None };
        let streams = [self.stream::<Accounts>(&id(from)), self.stream::<Transfers>(&id(key))];
        let command = making(from, key, SendTransfer { to_bank: bank, transfer });
        self.together::<SendTransfer>(Joint { streams, command, key }).await
    }

    /// Reverses a transfer, which must exist.
    pub(crate) async fn reverse(&self, key: &str, original: &str) -> Outcome {
        let transfer = self.transfer_record(original).expect("the transfer exists");
        let command =
            Reversing { original: id(original), id: id(key), reason: "Sent twice".to_owned() };
        let records = [self.stream::<Transfers>(&id(original)), self.stream::<Transfers>(&id(key))];
        let [first, second] = records;
        let customer = |leg: &EntityId| self.stream::<Accounts>(leg);
        if transfer.is_between_banks() {
            let sent = transfer.sent.map(|sent| sent.from);
            let received = transfer.made.and_then(|made| match made.to {
                LegAccount::Customer(id) => Some(id),
                LegAccount::Settlement(_) => None,
            });
            let account = sent.or(received).expect("a transfer has an account of its bank");
            let joint = Joint { streams: [customer(&account), first, second], command, key };
            return self.together::<ReverseBetweenBanks>(joint).await;
        }
        let made = transfer.made.expect("a transfer within the bank has moved");
        match (&made.from, &made.to) {
            (LegAccount::Customer(from), LegAccount::Customer(to)) => {
                let streams = [customer(to), customer(from), first, second];
                let joint = Joint { streams, command, key };
                self.together::<ReverseBetweenAccounts>(joint).await
            }
            (LegAccount::Settlement(bank), LegAccount::Customer(account))
            | (LegAccount::Customer(account), LegAccount::Settlement(bank)) => {
                let streams = [customer(account), self.stream::<Settlements>(bank), first, second];
                self.together::<ReverseWithTheBank>(Joint { streams, command, key }).await
            }
            legs => unreachable!("no command makes a transfer between {legs:?}"),
        }
    }

    pub(crate) async fn hold(
        &self,
        key: &str,
        account: &str,
        amount: Amount,
        expires_in: u64,
    ) -> Outcome {
        let command = PlaceHold { amount, reference: "Hotel".to_owned(), expires_in };
        let streams = [self.stream::<Accounts>(&id(account)), self.stream::<Holds>(&id(key))];
        let command = making(account, key, command);
        self.together::<PlaceHold>(Joint { streams, command, key }).await
    }

    /// Captures a part of a hold, or without an amount all of its rest.
    pub(crate) async fn capture(
        &self,
        key: &str,
        [account, hold, to]: [&str; 3],
        amount: Option<Amount>,
    ) -> Outcome {
        let streams = [
            self.stream::<Accounts>(&id(account)),
            self.stream::<Accounts>(&id(to)),
            self.stream::<Holds>(&id(hold)),
            self.stream::<Transfers>(&id(key)),
        ];
        let command = making(account, key, CaptureHold { hold: id(hold), to: id(to), amount });
        self.together::<CaptureHold>(Joint { streams, command, key }).await
    }

    pub(crate) async fn release(&self, key: &str, account: &str, hold: &str) -> Outcome {
        let command = Releasing { account: id(account), hold: id(hold) };
        let streams = [self.stream::<Accounts>(&id(account)), self.stream::<Holds>(&id(hold))];
        self.together::<ReleaseHold>(Joint { streams, command, key }).await
    }

    pub(crate) async fn limit(&self, key: &str, account: &str, daily: Option<Amount>) -> Outcome {
        self.alone(account, key, SetLimits { daily }.into()).await
    }

    pub(crate) async fn freeze(&self, key: &str, account: &str) -> Outcome {
        let reason = "A card was stolen".to_owned();
        self.alone(account, key, FreezeAccount { reason }.into()).await
    }

    pub(crate) async fn unfreeze(&self, key: &str, account: &str) -> Outcome {
        let reason = "The card was replaced".to_owned();
        self.alone(account, key, UnfreezeAccount { reason }.into()).await
    }

    pub(crate) async fn close(&self, key: &str, account: &str) -> Outcome {
        let reason = "Moved away".to_owned();
        self.alone(account, key, CloseAccount { reason }.into()).await
    }

    /// The command of a deadline.
    pub(crate) async fn sweep(&self, key: &str, account: &str) -> Outcome {
        self.alone(account, key, ReleaseExpiredHolds {}.into()).await
    }

    /// All commits of a category, by stream and version.
    pub(crate) fn commits<D: Decider>(&self) -> Vec<Commit> {
        let commits = self.log.commits().into_iter();
        let ours = commits.filter(|commit| *commit.stream().tenant() == self.caller.tenant);
        ours.filter(|commit| *commit.stream().category() == D::CATEGORY).collect()
    }

    /// All events of a category, by stream and version.
    pub(crate) fn events<D: Decider>(&self) -> Vec<Recorded<D::Event>> {
        let commits = self.commits::<D>();
        let envelopes = commits.iter().flat_map(Commit::envelopes);
        envelopes.flat_map(|it| recorded::<D::Event>(&it)).collect()
    }

    fn state_of<D: Decider>(&self, entity: &str) -> D::State {
        let events = self.events::<D>().into_iter();
        let own = events.filter(|event| event.stream.id().as_str() == entity);
        own.fold(D::initial(), |state, event| D::evolve(state, &event.event))
    }

    pub(crate) fn account(&self, account: &str) -> Account {
        self.state_of::<Accounts>(account).expect("the account exists")
    }

    pub(crate) fn transfer_record(&self, transfer: &str) -> Option<Transfer> {
        self.state_of::<Transfers>(transfer)
    }

    /// Posted, held and available now.
    pub(crate) fn balances(&self, account: &str) -> [i64; 3] {
        let account = self.account(account);
        [account.posted, account.held(self.now()), account.available(self.now())]
    }
}

fn recorded<E: Event>(envelope: &ledgerfold::Envelope) -> Vec<Recorded<E>> {
    envelope.open::<E>().expect("a known event").into_iter().collect()
}

pub(crate) fn stream<D: Decider>(entity: &EntityId) -> StreamId {
    StreamId::of_default_tenant(D::CATEGORY, entity.clone())
}

/// A transfer or hold has the key of its request as its id.
fn making<C>(account: &str, key: &str, command: C) -> Making<C> {
    Making { account: id(account), id: id(key), command }
}

fn command_id(scope: &str, key: &str) -> CommandId {
    CommandId::new(format!("{scope}/{key}")).expect("visible ASCII")
}

/// The rule that refused a command.
pub(crate) fn refusal(outcome: Outcome) -> BankingRejection {
    match outcome {
        Err(CommandError::Rejected(rejection)) => rejection,
        other => unreachable!("expected a refusal, found {other:?}"),
    }
}
