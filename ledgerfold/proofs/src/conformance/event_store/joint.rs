//! Rules about joint commands. They run the library's joint handler over the store.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use futures::future::join_all;
use ledgerfold::{
    CommandId, StreamId, Version,
    command::{Answer, CommandError, JointHandler, JointRequest, Loader},
    ports::{PortError, StoreError},
    vocabulary::IDEMPOTENCY_WINDOW,
};
use ledgerfold_testkit::bank::{AccountCommand, AccountRejection, Accounts, Transfer, Transfers};

use super::{
    LosesAnswers, Store,
    tools::{handler, read_all, world},
};
use crate::conformance::requests::{ask, fresh, fresh_address, tester};

type Outcome = Result<Vec<Answer>, CommandError<AccountRejection>>;

async fn transfer(store: &Store, ends: [&StreamId; 2], attempt: &str, amount: u64) -> Outcome {
    let (clock, random) = world();
    let id = CommandId::new(attempt).expect("visible ASCII");
    let request = JointRequest::new(tester(ends[0]), ends.map(Clone::clone), Transfer(amount), id);
    JointHandler::<Transfers>::new(store.clone(), clock, random).handle(&request).await
}

async fn open(store: &Store, balance: u64) -> StreamId {
    let (stream, handler) = (fresh(), handler::<Accounts>(store, 0));
    for (attempt, command) in [
        ("open", AccountCommand::Open(fresh_address())),
        ("first", AccountCommand::Deposit(balance)),
    ] {
        handler.handle(&ask(&stream, attempt, command)).await.expect("the account is new");
    }
    stream
}

async fn balances(store: &Store, streams: [&StreamId; 2]) -> [u64; 2] {
    let loader = Loader::<Accounts>::new();
    let mut balances = [0; 2];
    for (stream, balance) in streams.into_iter().zip(&mut balances) {
        let loaded = loader.load(&**store, stream).await.expect("the stream can be read");
        *balance = loaded.state().balance;
    }
    balances
}

/// A transfer changes both accounts, and a repetition gets the first answer.
pub async fn a_transfer_happens_in_both_accounts_and_once(store: &Store) {
    let (from, to) = (open(store, 100).await, open(store, 0).await);
    let first = transfer(store, [&from, &to], "t1", 70).await.expect("the balance is high enough");
    let versions: Vec<_> = first.iter().map(|answer| answer.version).collect();
    assert_eq!(versions, [Version::new(3), Version::new(3)]);
    let again = transfer(store, [&from, &to], "t1", 70).await.expect("it was accepted before");
    assert_eq!(again, first);
    let reused = transfer(store, [&from, &to], "t1", 7).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    let refused = transfer(store, [&from, &to], "t2", 70).await;
    assert!(matches!(refused, Err(CommandError::Rejected(_))), "{refused:?}");
    assert_eq!(balances(store, [&from, &to]).await, [30, 70]);
}

/// A repeated transfer gets the answers of both accounts, even if one account has had many commands since: the commit
/// to the other account names its sibling.
// Guards: the-same-request-has-the-same-identity
pub async fn a_repeated_transfer_is_answered_whole_behind_the_window(store: &Store) {
    let (from, to) = (open(store, 100).await, open(store, 0).await);
    let first = transfer(store, [&from, &to], "t1", 70).await.expect("the balance is high enough");
    let busy = handler::<Accounts>(store, 1_000_000);
    for attempt in 0..IDEMPOTENCY_WINDOW + 5 {
        let deposit = ask(&to, &format!("d{attempt}"), AccountCommand::Deposit(1));
        busy.handle(&deposit).await.expect("the account is open");
    }
    let again = transfer(store, [&from, &to], "t1", 70).await.expect("it was accepted before");
    assert_eq!(again, first);
    assert_eq!(balances(store, [&from, &to]).await[0], 30);
}

/// A transfer from an account to itself is refused.
pub async fn a_transfer_within_one_account_is_refused(store: &Store) {
    let account = open(store, 100).await;
    match transfer(store, [&account, &account], "t1", 70).await {
        Err(CommandError::SameStream { stream }) => assert_eq!(stream, account),
        other => panic!("a transfer within one account was accepted: {other:?}"),
    }
    assert_eq!(balances(store, [&account, &account]).await, [100, 100]);
}

/// After a lost answer a repeated transfer is recognised.
pub async fn a_transfer_whose_answer_was_lost_has_taken_effect_once(store: &Store) {
    let (from, to) = (open(store, 100).await, open(store, 0).await);
    let lossy = LosesAnswers::of(store, 1);
    let lost = transfer(&lossy, [&from, &to], "t1", 70).await;
    let unavailable =
        matches!(lost, Err(CommandError::Store(StoreError::Port(PortError::Unavailable(_)))));
    assert!(unavailable, "the answer was not lost: {lost:?}");
    let found = transfer(&lossy, [&from, &to], "t1", 70).await.expect("the transfer took effect");
    assert_eq!(found.len(), 2);
    assert_eq!(balances(store, [&from, &to]).await, [30, 70]);
}

/// Of concurrent transfers in both directions the slower one decides again or reports contention.
// Guards: a-transaction-is-whole
pub async fn transfers_that_cross_neither_lose_nor_make_money(store: &Store) {
    let (one, two) = (open(store, 50).await, open(store, 50).await);
    let names: Vec<_> = (0..8).map(|turn| format!("t{turn}")).collect();
    let transfers = names.iter().enumerate().map(|(turn, name)| {
        let ends = if turn % 2 == 0 { [&one, &two] } else { [&two, &one] };
        transfer(store, ends, name, 30)
    });
    let mut done = 0;
    for outcome in join_all(transfers).await {
        match outcome {
            Ok(answers) => {
                assert_eq!(answers.len(), 2);
                done += 1;
            }
            Err(CommandError::Contention { .. } | CommandError::Rejected(_)) => {}
            Err(other) => panic!("a transfer ended in {other}"),
        }
    }
    let [first, second] = balances(store, [&one, &two]).await;
    assert_eq!(first + second, 100, "{first} and {second} after {done} transfers");
    for stream in [&one, &two] {
        assert_eq!(read_all(store, stream).await.len(), 2 + done);
    }
}
