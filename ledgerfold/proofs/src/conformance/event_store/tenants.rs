//! Rules about two tenants whose streams, keys and command ids are equal.
//!
//! Guards: tenants-never-meet

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use ledgerfold::{
    Claim, ReservedKey, StreamId, UniqueKey,
    command::{JointHandler, JointRequest, Loader},
    ports::{AppendError, Newest, Span},
};
use ledgerfold_testkit::bank::{AccountCommand, Accounts, Transfer, Transfers, email};

use super::{
    Store,
    tools::{
        append, assert_are, assert_holds, fresh_command, handler, next, read_all_back, snapshotted,
        transact, transaction, world,
    },
};
use crate::conformance::requests::{ask, fresh, fresh_address, tester, twin};

/// The tenant is part of a stream's name, so streams with equal categories and ids are separate, and each of them has
/// its own versions.
pub async fn streams_of_tenants_do_not_mix(store: &Store) {
    let here = fresh();
    let there = twin(&here);
    let one = append(store, &here, "one", &["a", "b"]).await;
    let two = append(store, &there, "one", &["c"]).await;
    for (stream, expected) in [(&here, &one), (&there, &two)] {
        assert_holds(store, stream, [expected]).await;
        assert_are(&read_all_back(store, stream, 10).await, [expected]);
        let head = store.head(stream).await.expect("the stream can be read");
        assert_eq!(head, expected.to());
    }
}

/// A load gets the snapshot of its own tenant's stream.
pub async fn snapshots_of_tenants_do_not_mix(store: &Store) {
    let here = fresh();
    let there = twin(&here);
    let one = snapshotted(store, &here, "one", &["a"]).await;
    let two = snapshotted(store, &there, "one", &["b", "c"]).await;
    for (stream, expected) in [(&here, one), (&there, two)] {
        let snapshot = expected.snapshot().expect("a snapshot was due");
        let newest = store.read_back_to(&snapshot.schema, stream, Span::ALL, 10).await;
        let Newest::Snapshot { base, following } = newest.expect("the stream can be read") else {
            panic!("{stream} has a snapshot")
        };
        assert_eq!((&base.snapshot, base.version), (snapshot, expected.to()));
        assert_are(&following.commits, []);
    }
}

async fn claim(store: &Store, stream: &StreamId, claim: Claim) -> Result<(), AppendError> {
    let new = next(store, stream, fresh_command().as_str(), &["note"]).await;
    transact(store, &transaction([new], [], [(stream.clone(), claim)], None)).await
}

async fn reserve(store: &Store, stream: &StreamId, key: &UniqueKey) -> Result<(), AppendError> {
    claim(store, stream, Claim::Reserve(key.clone())).await
}

/// Equal unique keys of two tenants are two keys with an owner each. If one is released, the other stays reserved.
// Guards: a-unique-key-has-one-owner
pub async fn keys_of_tenants_do_not_meet(store: &Store) {
    let here = fresh();
    let key = email(&fresh_address());
    let there = twin(&here);
    reserve(store, &here, &key).await.expect("the key is free in this tenant");
    reserve(store, &there, &key).await.expect("the key is free in that tenant");
    claim(store, &here, Claim::Release(key.clone())).await.expect("the stream holds the key");
    match reserve(store, &twin(&fresh()), &key).await {
        Err(AppendError::Reserved { key: refused, holder }) => {
            assert_eq!((refused, holder), (ReservedKey::of(&there, key.clone()), there));
        }
        outcome => panic!("{key} should be reserved for {there}: {outcome:?}"),
    }
    reserve(store, &fresh(), &key).await.expect("the key is free again in this tenant");
}

/// Opens an account with this balance in each of two tenants. Their ids, addresses and command ids are equal.
async fn open(store: &Store, balance: u64) -> [StreamId; 2] {
    let here = fresh();
    let address = fresh_address();
    let streams = [here.clone(), twin(&here)];
    for stream in &streams {
        let handler = handler::<Accounts>(store, 0);
        let open = ask(stream, "open", AccountCommand::Open(address.clone()));
        handler.handle(&open).await.expect("the account is new");
        let deposit = ask(stream, "first", AccountCommand::Deposit(balance));
        handler.handle(&deposit).await.expect("the account is open");
    }
    streams
}

async fn balance(store: &Store, stream: &StreamId) -> u64 {
    let loaded = Loader::<Accounts>::new().load(&**store, stream).await;
    loaded.expect("the stream can be read").state().balance
}

/// A strict command with an equal id takes effect once in each tenant, and each tenant gets its own answer again.
// Guards: the-same-request-has-the-same-identity
pub async fn a_strict_command_takes_effect_in_each_tenant(store: &Store) {
    let accounts = open(store, 1).await;
    let id = fresh_command();
    for _ in 0..2 {
        for account in &accounts {
            let deposit = ask(account, id.as_str(), AccountCommand::DepositOnce(1_000));
            let answer = handler::<Accounts>(store, 0).handle(&deposit).await;
            assert_eq!(answer.expect("the account is open").stream, *account);
        }
    }
    for account in &accounts {
        assert_eq!(balance(store, account).await, 1_001);
    }
}

/// The same for a joint command, which is recognised in its tenant.
// Guards: the-same-request-has-the-same-identity
pub async fn a_transfer_takes_effect_in_each_tenant(store: &Store) {
    let from = open(store, 100).await;
    let to = open(store, 1).await;
    let id = fresh_command();
    for _ in 0..2 {
        for ends in from.iter().zip(&to) {
            let ends = [ends.0, ends.1].map(Clone::clone);
            let request =
                JointRequest::new(tester(&ends[0]), ends.clone(), Transfer(70), id.clone());
            let (clock, random) = world();
            let handler = JointHandler::<Transfers>::new(store.clone(), clock, random);
            let answers = handler.handle(&request).await.expect("the balance is high enough");
            let answered = answers.iter().map(|answer| answer.stream.clone());
            assert_eq!(answered.collect::<Vec<_>>(), ends);
        }
    }
    for account in &from {
        assert_eq!(balance(store, account).await, 30);
    }
    for account in &to {
        assert_eq!(balance(store, account).await, 71);
    }
}
