//! Tests of decisions over several streams, and over a stream and unique keys.
//!
//! Guards: events-of-one-decision-are-committed-together

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures::future::join_all;
use ledgerfold::{
    Caller, CommandId, ReservedKey, StreamId, TenantId, Version,
    command::{Answer, CommandError, CommandHandler, JointHandler, JointRequest, Loader},
    ports::{AppendError, EventStore, Transaction},
    vocabulary::NewCommit,
};
use ledgerfold_proofs::conformance::requests::{ask, fresh, fresh_address};
use ledgerfold_testkit::bank::{
    Account, AccountCommand, AccountRejection, Accounts, Transfer, Transfers, email,
};
use ledgerfold_testkit::{Amended, Amendment, ManualClock, MemoryEventStore, SeededRandom};

struct Bank {
    log: Arc<MemoryEventStore>,
}

type Outcome<T> = Result<T, CommandError<AccountRejection>>;

impl Bank {
    fn new() -> Self {
        Self { log: Arc::default() }
    }

    async fn ask(
        &self,
        stream: &StreamId,
        attempt: &str,
        command: AccountCommand,
    ) -> Outcome<Answer> {
        let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
        let handler = CommandHandler::<Accounts>::new(self.log.clone(), clock, random);
        handler.handle(&ask(stream, attempt, command)).await
    }

    async fn open(&self, address: &str, balance: u64) -> StreamId {
        let stream = fresh();
        let open = AccountCommand::Open(address.to_owned());
        self.ask(&stream, "open", open).await.expect("the address is free");
        self.ask(&stream, "first", AccountCommand::Deposit(balance))
            .await
            .expect("the account is open");
        stream
    }

    async fn transfer(
        &self,
        (from, to): (&StreamId, &StreamId),
        attempt: &str,
        amount: u64,
    ) -> Outcome<Vec<Answer>> {
        let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
        let handler = JointHandler::<Transfers>::new(self.log.clone(), clock, random);
        let id = CommandId::new(attempt).expect("visible ASCII");
        let streams = [from.clone(), to.clone()];
        handler.handle(&JointRequest::new(Caller::anonymous(), streams, Transfer(amount), id)).await
    }

    async fn account(&self, stream: &StreamId) -> Account {
        let loaded = Loader::<Accounts>::new().load(&*self.log, stream).await;
        loaded.expect("the read succeeds").state().clone()
    }
}

#[tokio::test]
async fn an_address_belongs_to_one_account_until_it_is_released() {
    let bank = Bank::new();
    let (ada, bob) = (fresh_address(), fresh_address());
    let first = bank.open(&ada, 1).await;
    let second = fresh();
    let open = |address: &str| AccountCommand::Open(address.to_owned());
    let refused = bank.ask(&second, "one", open(&ada)).await;
    let Err(CommandError::Reserved { key, holder }) = refused else {
        panic!("two accounts have the same address: {refused:?}");
    };
    assert_eq!((key, &holder), (reserved(&ada), &first));
    assert_eq!(bank.account(&second).await, Account::default(), "the refused account was opened");

    bank.ask(&first, "move", AccountCommand::Move(bob.clone())).await.expect("the address is free");
    bank.ask(&second, "two", open(&ada)).await.expect("the address was released");
    assert_eq!(bank.log.holder(&reserved(&ada)), Some(second.clone()));
    assert_eq!(bank.log.holder(&reserved(&bob)), Some(first.clone()));
    bank.ask(&first, "close", AccountCommand::Close).await.expect("the account is open");
    assert_eq!(bank.log.holder(&reserved(&bob)), None);
}

#[tokio::test]
async fn of_a_hundred_that_want_one_address_one_gets_it() {
    let (bank, address) = (Bank::new(), fresh_address());
    let streams: Vec<_> = (0..100).map(|_| fresh()).collect();
    let open = AccountCommand::Open(address.clone());
    let outcomes = join_all(streams.iter().map(|it| bank.ask(it, "open", open.clone()))).await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let lost = |outcome: &&Outcome<Answer>| matches!(outcome, Err(CommandError::Reserved { .. }));
    assert_eq!((won, outcomes.iter().filter(lost).count()), (1, 99));
    assert_eq!(bank.log.commits().len(), 1);
}

#[tokio::test]
async fn a_repeated_opening_gets_its_first_answer() {
    let (bank, stream, address) = (Bank::new(), fresh(), fresh_address());
    let open = AccountCommand::Open(address);
    let first = bank.ask(&stream, "open", open.clone()).await.expect("the address is free");
    let again = bank.ask(&stream, "open", open).await.expect("it was accepted before");
    assert_eq!(again, first);
}

#[tokio::test]
async fn a_transfer_happens_in_both_accounts_or_in_none_and_once() {
    let bank = Bank::new();
    let from = bank.open(&fresh_address(), 100).await;
    let to = bank.open(&fresh_address(), 0).await;
    let first = bank.transfer((&from, &to), "t1", 70).await.expect("the balance is high enough");
    let versions: Vec<_> = first.iter().map(|answer| answer.version).collect();
    assert_eq!(versions, [Version::new(3), Version::new(3)]);
    let again = bank.transfer((&from, &to), "t1", 70).await.expect("it was accepted before");
    assert_eq!(again, first);
    let reused = bank.transfer((&from, &to), "t1", 7).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    let elsewhere = bank.open(&fresh_address(), 0).await;
    let reused = bank.transfer((&from, &elsewhere), "t1", 70).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "another stream: {reused:?}");
    let refused = bank.transfer((&from, &to), "t2", 70).await;
    let too_little = matches!(refused, Err(CommandError::Rejected(AccountRejection::TooLittle)));
    assert!(too_little, "{refused:?}");
    assert_eq!((bank.account(&from).await.balance, bank.account(&to).await.balance), (30, 70));
}

#[tokio::test]
async fn a_transfer_whose_answer_was_lost_is_found() {
    let bank = Bank::new();
    let from = bank.open(&fresh_address(), 100).await;
    let to = bank.open(&fresh_address(), 0).await;
    bank.log.lose_answers(1);
    assert!(bank.transfer((&from, &to), "t1", 70).await.is_err(), "the answer was not lost");
    let found = bank.transfer((&from, &to), "t1", 70).await.expect("the command took effect");
    assert_eq!(found.len(), 2);
    assert_eq!((bank.account(&from).await.balance, bank.account(&to).await.balance), (30, 70));
}

#[tokio::test]
async fn transfers_that_cross_neither_lose_nor_make_money() {
    let bank = Bank::new();
    let one = bank.open(&fresh_address(), 500).await;
    let two = bank.open(&fresh_address(), 500).await;
    let transfers = (0..20).map(|turn| {
        let ends = if turn % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let (bank, attempt) = (&bank, format!("t{turn}"));
        async move { bank.transfer(ends, &attempt, 10 + turn).await }
    });
    let outcomes = join_all(transfers).await;
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(done > 0, "{outcomes:?}");
    let balances = (bank.account(&one).await.balance, bank.account(&two).await.balance);
    assert_eq!(balances.0 + balances.1, 1_000, "{balances:?} after {done} transfers");
}

/// A log that is busy with another transaction, for a number of writes.
struct Busy {
    writes: AtomicUsize,
}

impl Busy {
    fn is_busy(&self) -> bool {
        let next = |left: usize| left.checked_sub(1);
        self.writes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).is_ok()
    }
}

#[async_trait]
impl Amendment for Busy {
    async fn append(&self, log: &dyn EventStore, new: &NewCommit) -> Result<(), AppendError> {
        if self.is_busy() { Err(AppendError::Busy) } else { log.append(new).await }
    }

    async fn transact(
        &self,
        log: &dyn EventStore,
        transaction: &Transaction,
    ) -> Result<(), AppendError> {
        if self.is_busy() { Err(AppendError::Busy) } else { log.transact(transaction).await }
    }
}

#[tokio::test]
async fn a_write_that_meets_another_transaction_is_retried_a_limited_number_of_times() {
    for (command, needs) in [
        (AccountCommand::Open(fresh_address()), "a transaction"),
        (AccountCommand::Deposit(1), "a put"),
    ] {
        let bank = Bank::new();
        let stream = match command {
            AccountCommand::Open(_) => fresh(),
            _ => bank.open(&fresh_address(), 1).await,
        };
        let before = bank.log.commits().len();
        for (writes, done) in [(1_000, false), (3, true)] {
            let busy = Amended::of(bank.log.clone(), Busy { writes: writes.into() });
            let clock = Arc::new(ManualClock::default());
            let random = Arc::new(SeededRandom::new(1));
            let handler = CommandHandler::<Accounts>::new(busy.clone(), clock, random);
            let outcome = handler.handle(&ask(&stream, "busy", command.clone())).await;
            if done {
                outcome.expect("the fourth attempt succeeds");
            } else {
                let bounded = matches!(outcome, Err(CommandError::Contention { attempts: 10, .. }));
                assert!(bounded, "{needs}: {outcome:?}");
                assert_eq!(busy.amendment().writes.load(Ordering::SeqCst), 990, "{needs}");
            }
            let commits = bank.log.commits().len();
            assert_eq!(commits, before + usize::from(done), "{needs}");
        }
    }
}

/// The key of an address, as a store has it.
fn reserved(address: &str) -> ReservedKey {
    ReservedKey { tenant: TenantId::default_tenant(), key: email(address) }
}
