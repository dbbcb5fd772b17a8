//! Unique keys: reserved, released, passed on.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use futures::future::join_all;
use ledgerfold::{
    Category, Claim, StreamId, UniqueKey, Version,
    command::Loaded,
    ports::{AppendError, Transaction},
};

use super::{
    Store,
    tools::{assert_holds, fresh_command, next, read_all, transact, transaction},
};
use crate::conformance::{
    account::{email, fresh_address},
    notebook::{commit, fresh},
};

/// A commit of one note that does this to keys.
async fn claiming(
    store: &Store,
    stream: &StreamId,
    claims: impl IntoIterator<Item = Claim>,
) -> Result<(), AppendError> {
    let new = next(store, stream, "claim", &["note"]).await;
    let claims: Vec<_> = claims.into_iter().map(|claim| (stream.clone(), claim)).collect();
    transact(store, &transaction([new], [], claims, None)).await
}

async fn reserve(store: &Store, stream: &StreamId, key: &UniqueKey) -> Result<(), AppendError> {
    claiming(store, stream, [Claim::Reserve(key.clone())]).await
}

async fn release(store: &Store, stream: &StreamId, key: &UniqueKey) -> Result<(), AppendError> {
    claiming(store, stream, [Claim::Release(key.clone())]).await
}

/// That a key is this stream's, seen by trying to take it.
async fn assert_holder(store: &Store, key: &UniqueKey, expected: &StreamId) {
    let other = fresh();
    match reserve(store, &other, key).await {
        Err(AppendError::Reserved { key: refused, holder }) => {
            assert_eq!((&refused, &holder), (key, expected));
        }
        outcome => panic!("{key} belongs to {expected}: {outcome:?}"),
    }
    assert_holds(store, &other, []).await;
}

/// Also by the stream that has it: taking it twice is a defect that must show.
pub async fn a_key_that_is_taken_is_refused_and_shows_its_holder(store: &Store) {
    let (holder, key) = (fresh(), email(&fresh_address()));
    reserve(store, &holder, &key).await.expect("the key is free");
    assert_holder(store, &key, &holder).await;
    let again = reserve(store, &holder, &key).await;
    assert!(matches!(again, Err(AppendError::Reserved { .. })), "{again:?}");
}

/// To the next stream that asks.
pub async fn a_key_that_is_given_back_is_free(store: &Store) {
    let (one, two, key) = (fresh(), fresh(), email(&fresh_address()));
    reserve(store, &one, &key).await.expect("the key is free");
    release(store, &one, &key).await.expect("it is its own");
    reserve(store, &two, &key).await.expect("the key is free again");
    assert_holder(store, &key, &two).await;
}

/// Given back by one stream and taken by another in one step, it is never free in between.
pub async fn a_key_can_pass_from_one_stream_to_another(store: &Store) {
    let (one, two, key) = (fresh(), fresh(), email(&fresh_address()));
    reserve(store, &one, &key).await.expect("the key is free");
    let commits =
        [next(store, &one, "pass", &["a"]).await, next(store, &two, "pass", &["b"]).await];
    let claims =
        [(one.clone(), Claim::Release(key.clone())), (two.clone(), Claim::Reserve(key.clone()))];
    let pass = transaction(commits, [], claims, None);
    transact(store, &pass).await.expect("it is the first one's");
    assert_holder(store, &key, &two).await;
    assert_eq!(read_all(store, &two).await.len(), 1);
}

/// Neither a free one nor another's; and it stays whose it is.
pub async fn a_key_of_another_stream_cannot_be_given_back(store: &Store) {
    let (holder, other, key) = (fresh(), fresh(), email(&fresh_address()));
    let free = release(store, &other, &key).await;
    assert!(matches!(free, Err(AppendError::NotReserved { .. })), "{free:?}");
    reserve(store, &holder, &key).await.expect("the key is free");
    match release(store, &other, &key).await {
        Err(AppendError::NotReserved { key: refused, stream, .. }) => {
            assert_eq!((&refused, &stream), (&key, &other));
        }
        outcome => panic!("another's key was given back: {outcome:?}"),
    }
    assert_holder(store, &key, &holder).await;
    assert_holds(store, &other, []).await;
}

/// Nor passed on.
pub async fn a_key_of_another_stream_cannot_be_passed_on(store: &Store) {
    let (holder, from, to) = (fresh(), fresh(), fresh());
    let key = email(&fresh_address());
    let pass = async || {
        let commits =
            [next(store, &from, "pass", &["a"]).await, next(store, &to, "pass", &["b"]).await];
        let claims = [
            (from.clone(), Claim::Release(key.clone())),
            (to.clone(), Claim::Reserve(key.clone())),
        ];
        match transact(store, &transaction(commits, [], claims, None)).await {
            Err(AppendError::NotReserved { stream, .. }) => assert_eq!(stream, from),
            outcome => panic!("another's key was passed on: {outcome:?}"),
        }
    };
    pass().await;
    reserve(store, &holder, &key).await.expect("the key is free");
    pass().await;
    assert_holder(store, &key, &holder).await;
}

async fn forgo(store: &Store, stream: &StreamId, key: &UniqueKey) -> Result<(), AppendError> {
    let new = next(store, stream, "forgo", &["note"]).await;
    let releases = transaction([new], [], [(stream.clone(), Claim::Release(key.clone()))], None);
    transact(store, &releases.forgoing(key).expect("it gives the key back")).await
}

/// Whether nobody has it or another stream, it stays as it is.
pub async fn a_key_that_is_not_its_own_is_forgone(store: &Store) {
    let (holder, old, key) = (fresh(), fresh(), email(&fresh_address()));
    forgo(store, &old, &key).await.expect("the key is free");
    assert_eq!(read_all(store, &old).await.len(), 1);
    reserve(store, &holder, &key).await.expect("the key is still free");
    forgo(store, &old, &key).await.expect("the key is another's");
    assert_eq!(read_all(store, &old).await.len(), 2);
    assert_holder(store, &key, &holder).await;
}

/// It would be reserved for ever for a stream that has given it up.
pub async fn a_key_of_its_own_is_not_forgone(store: &Store) {
    let (holder, key) = (fresh(), email(&fresh_address()));
    reserve(store, &holder, &key).await.expect("the key is free");
    match forgo(store, &holder, &key).await {
        Err(AppendError::Reserved { key: refused, holder: has }) => {
            assert_eq!((&refused, &has), (&key, &holder));
        }
        outcome => panic!("it is its own: {outcome:?}"),
    }
    assert_eq!(read_all(store, &holder).await.len(), 1);
    assert_holder(store, &key, &holder).await;
}

/// An e-mail address, a phone number and a command id of the same text are three things.
pub async fn keys_of_different_kinds_do_not_meet(store: &Store) {
    let text = fresh_command();
    for kind in ["email", "phone", "command", "key"] {
        let key = UniqueKey::new(Category::from_static(kind), text.as_str()).expect("it is short");
        reserve(store, &fresh(), &key).await.expect("the key is free");
    }
    let new = next(store, &fresh(), text.as_str(), &["note"]).await;
    let strict = transaction([new], [], [], Some(&text));
    transact(store, &strict).await.expect("no command has had this id");
}

/// Several at once, all or none.
pub async fn keys_are_taken_together_or_not_at_all(store: &Store) {
    let (holder, other) = (fresh(), fresh());
    let keys = [(); 3].map(|()| email(&fresh_address()));
    reserve(store, &holder, &keys[1]).await.expect("the key is free");
    let refused = claiming(store, &other, keys.clone().map(Claim::Reserve)).await;
    assert!(matches!(refused, Err(AppendError::Reserved { .. })), "{refused:?}");
    let rest = [keys[0].clone(), keys[2].clone()];
    claiming(store, &other, rest.map(Claim::Reserve)).await.expect("both are free");
    for (key, stream) in keys.iter().zip([&other, &holder, &other]) {
        assert_holder(store, key, stream).await;
    }
}

/// Of twenty streams that want one key one gets it, and only its commit is stored.
pub async fn of_racing_reservations_one_wins(store: &Store) {
    let key = email(&fresh_address());
    let racers: Vec<Transaction> = (0..20)
        .map(|_| {
            let stream = fresh();
            let new = commit(&Loaded::unread(stream.clone()), "open", &["mine"], 60);
            transaction([new], [], [(stream, Claim::Reserve(key.clone()))], None)
        })
        .collect();
    let outcomes = join_all(racers.iter().map(|racer| transact(store, racer))).await;
    let winners: Vec<StreamId> = (racers.iter().zip(&outcomes))
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(racer, _)| racer.commits()[0].as_commit().stream().clone())
        .collect();
    let [winner] = &winners[..] else {
        panic!("{} streams got the key", winners.len());
    };
    for (racer, outcome) in racers.iter().zip(&outcomes) {
        let stream = racer.commits()[0].as_commit().stream();
        let version = read_all(store, stream).await.last().map_or(Version::NONE, |it| it.to());
        match outcome {
            Ok(()) => assert_eq!(version, Version::new(1)),
            Err(AppendError::Reserved { holder, .. }) => {
                assert_eq!((holder, version), (winner, Version::NONE));
            }
            Err(other) => panic!("a race ended in {other}"),
        }
    }
}
