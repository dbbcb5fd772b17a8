//! Rules about unique keys.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use futures::future::join_all;
use ledgerfold::{
    Category, Claim, StreamId, UniqueKey, Version,
    command::Loaded,
    ports::{AppendError, Transaction},
};
use ledgerfold_testkit::bank::email;

use super::{
    Store,
    tools::{assert_holds, fresh_command, next, read_all, transact, transaction},
};
use crate::conformance::requests::{commit, fresh, fresh_address, reserved};

/// Appends a commit of one note with these claims.
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

/// Asserts that a stream holds a key, by trying to reserve the key for another stream.
async fn assert_holder(store: &Store, key: &UniqueKey, expected: &StreamId) {
    let other = fresh();
    match reserve(store, &other, key).await {
        Err(AppendError::Reserved { key: refused, holder }) => {
            assert_eq!((&refused, &holder), (&reserved(key), expected));
        }
        outcome => panic!("{key} should be reserved for {expected}: {outcome:?}"),
    }
    assert_holds(store, &other, []).await;
}

/// A reserved key cannot be reserved again, and the error has its holder. This includes the holder itself, because a
/// second reservation is a defect of the claims.
pub async fn a_key_that_is_taken_is_refused_and_shows_its_holder(store: &Store) {
    let (holder, key) = (fresh(), email(&fresh_address()));
    reserve(store, &holder, &key).await.expect("the key is free");
    assert_holder(store, &key, &holder).await;
    let again = reserve(store, &holder, &key).await;
    assert!(matches!(again, Err(AppendError::Reserved { .. })), "{again:?}");
}

/// A released key can be reserved by another stream.
pub async fn a_key_that_is_given_back_is_free(store: &Store) {
    let (one, two, key) = (fresh(), fresh(), email(&fresh_address()));
    reserve(store, &one, &key).await.expect("the key is free");
    release(store, &one, &key).await.expect("the stream holds the key");
    reserve(store, &two, &key).await.expect("the key is free again");
    assert_holder(store, &key, &two).await;
}

/// One stream releases a key and another reserves it in one transaction, so the key is never free in between.
pub async fn a_key_can_pass_from_one_stream_to_another(store: &Store) {
    let (one, two, key) = (fresh(), fresh(), email(&fresh_address()));
    reserve(store, &one, &key).await.expect("the key is free");
    let commits =
        [next(store, &one, "pass", &["a"]).await, next(store, &two, "pass", &["b"]).await];
    let claims =
        [(one.clone(), Claim::Release(key.clone())), (two.clone(), Claim::Reserve(key.clone()))];
    let pass = transaction(commits, [], claims, None);
    transact(store, &pass).await.expect("the first stream holds the key");
    assert_holder(store, &key, &two).await;
    assert_eq!(read_all(store, &two).await.len(), 1);
}

/// A stream cannot release a free key or the key of another stream, and the holder stays the same.
// Guards: a-unique-key-has-one-owner
pub async fn a_key_of_another_stream_cannot_be_given_back(store: &Store) {
    let (holder, other, key) = (fresh(), fresh(), email(&fresh_address()));
    let free = release(store, &other, &key).await;
    assert!(matches!(free, Err(AppendError::NotReserved { .. })), "{free:?}");
    reserve(store, &holder, &key).await.expect("the key is free");
    match release(store, &other, &key).await {
        Err(AppendError::NotReserved { key: refused, stream, .. }) => {
            assert_eq!((&refused, &stream), (&reserved(&key), &other));
        }
        outcome => panic!("a stream released the key of another: {outcome:?}"),
    }
    assert_holder(store, &key, &holder).await;
    assert_holds(store, &other, []).await;
}

/// A stream cannot pass on a free key or the key of another stream.
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
            outcome => panic!("a stream passed on the key of another: {outcome:?}"),
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
    transact(store, &releases.forgoing(&reserved(key)).expect("the transaction releases the key"))
        .await
}

/// A stream can forgo a key that it does not hold. The holder, if any, stays the same.
pub async fn a_key_that_is_not_its_own_is_forgone(store: &Store) {
    let (holder, old, key) = (fresh(), fresh(), email(&fresh_address()));
    forgo(store, &old, &key).await.expect("the key is free");
    assert_eq!(read_all(store, &old).await.len(), 1);
    reserve(store, &holder, &key).await.expect("the key is still free");
    forgo(store, &old, &key).await.expect("another stream holds the key");
    assert_eq!(read_all(store, &old).await.len(), 2);
    assert_holder(store, &key, &holder).await;
}

/// A stream cannot forgo its own key. Otherwise the key would stay reserved for ever.
pub async fn a_key_of_its_own_is_not_forgone(store: &Store) {
    let (holder, key) = (fresh(), email(&fresh_address()));
    reserve(store, &holder, &key).await.expect("the key is free");
    match forgo(store, &holder, &key).await {
        Err(AppendError::Reserved { key: refused, holder: has }) => {
            assert_eq!((&refused, &has), (&reserved(&key), &holder));
        }
        outcome => panic!("a stream left its own key reserved: {outcome:?}"),
    }
    assert_eq!(read_all(store, &holder).await.len(), 1);
    assert_holder(store, &key, &holder).await;
}

/// Keys of different kinds and command ids are independent, even if they have the same text.
pub async fn keys_of_different_kinds_do_not_meet(store: &Store) {
    let text = fresh_command();
    for kind in ["email", "phone", "command", "key"] {
        let key = UniqueKey::new(Category::from_static(kind), text.as_str()).expect("a short text");
        reserve(store, &fresh(), &key).await.expect("the key is free");
    }
    let new = next(store, &fresh(), text.as_str(), &["note"]).await;
    let strict = transaction([new], [], [], Some(&text));
    transact(store, &strict).await.expect("the command id is new");
}

/// A transaction reserves all of its keys or none.
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

/// Of twenty streams that reserve one key at once, one gets it, and only its commit is stored.
// Guards: a-unique-key-has-one-owner
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
