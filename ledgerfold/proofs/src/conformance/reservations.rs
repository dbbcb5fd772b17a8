//! The rules of reservations for commands, builds and checks.
//!
//! Guards: claims-cover-older-streams

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use std::{collections::BTreeMap, sync::Arc};

use futures::{
    future::{BoxFuture, join, join_all},
    stream::{self, StreamExt},
};
use ledgerfold::{
    Category, Claim, ReservedKey, StreamId, UniqueKey, Version,
    ports::{
        AppendError, ClaimsRecord, Correction, PageWalk, Reservation, Reservations, Resume,
        Segment, SegmentPlace, SegmentProgress, Walk, Written,
    },
    vocabulary::StreamVersion,
};
use ledgerfold_testkit::bank::email;
use uuid::Uuid;

use super::{
    event_store::{
        Store,
        tools::{fresh_command, load, next, read_all, transact, transaction},
    },
    requests::{fresh, fresh_address, reserved, twin},
};

/// A log with its reservations.
#[derive(Clone)]
pub struct Reserving {
    /// The log.
    pub log: Store,
    /// Its reservations.
    pub reservations: Arc<dyn Reservations>,
}

impl Reserving {
    /// A store that implements both ports.
    pub fn of<S: ledgerfold::ports::EventStore + Reservations + 'static>(store: S) -> Self {
        let store = Arc::new(store);
        Self { log: store.clone(), reservations: store }
    }

    async fn holder(&self, key: &UniqueKey) -> Option<StreamId> {
        self.reservations.holder(&reserved(key)).await.expect("the holder can be read")
    }

    async fn correct(&self, key: &UniqueKey, correction: Correction) -> Written {
        self.reservations
            .correct(&reserved(key), &correction)
            .await
            .expect("the correction can be written")
    }

    /// A new stream with one commit.
    async fn begun(&self) -> StreamId {
        let stream = fresh();
        self.change(&stream, []).await.expect("nobody else writes to it");
        stream
    }

    /// Appends a commit with these claims.
    async fn change(
        &self,
        stream: &StreamId,
        claims: impl IntoIterator<Item = Claim>,
    ) -> Result<(), AppendError> {
        let new = next(&self.log, stream, fresh_command().as_str(), &["note"]).await;
        let claims = claims.into_iter().map(|claim| (stream.clone(), claim));
        transact(&self.log, &transaction([new], [], claims, None)).await
    }

    /// A new stream that holds this key.
    async fn reserved(&self, key: &UniqueKey) -> StreamId {
        let stream = fresh();
        self.change(&stream, [Claim::Reserve(key.clone())]).await.expect("the key is free");
        stream
    }

    async fn seen(&self, stream: &StreamId) -> StreamVersion {
        load(&self.log, stream).await.stream_version()
    }

    async fn record(&self, category: &Category) -> ClaimsRecord {
        self.reservations.read_record(category).await.expect("the record can be read")
    }

    async fn write(&self, category: &Category, new: &ClaimsRecord) -> Written {
        self.reservations.write_record(category, new).await.expect("the record can be written")
    }
}

/// A rule as a value.
pub type Rule = fn(Reserving) -> BoxFuture<'static, ()>;

/// A list of rules from the list of their names.
macro_rules! reservations_list {
    (_, $($rule:ident),+ $(,)?) => {{
        let rules: Vec<(&'static str, Rule)> = vec![$(
            (stringify!($rule), |store| Box::pin(async move { $rule(&store).await })),
        )+];
        rules
    }};
}

/// All rules with their names. [`reservations_conformance!`](crate::reservations_conformance) uses the same list.
pub fn rules() -> Vec<(&'static str, Rule)> {
    crate::reservations_rules!([reservations_list] _)
}

fn fresh_key() -> UniqueKey {
    email(&fresh_address())
}

/// A new category.
fn fresh_category() -> Category {
    Uuid::new_v4().simple().to_string().parse().expect("32 letters and digits")
}

/// The holder follows the claims of transactions.
pub async fn the_holder_of_a_key_is_shown(store: &Reserving) {
    let key = fresh_key();
    assert_eq!(store.holder(&key).await, None);
    let stream = store.reserved(&key).await;
    assert_eq!(store.holder(&key).await, Some(stream.clone()));
    store.change(&stream, [Claim::Release(key.clone())]).await.expect("the stream holds the key");
    assert_eq!(store.holder(&key).await, None);
}

/// All reservations are listed once, for any page size. Strict commands and records are not listed.
pub async fn every_reservation_is_listed_once_and_nothing_else(store: &Reserving) {
    let mut expected = BTreeMap::new();
    for _ in 0..7 {
        let key = fresh_key();
        expected.insert(key.clone(), store.reserved(&key).await);
    }
    let new = next(&store.log, &fresh(), "strict", &["note"]).await;
    let strict = transaction([new], [], [], Some(&fresh_command()));
    transact(&store.log, &strict).await.expect("the command id is new");
    store.write(&fresh_category(), &ClaimsRecord::default().begun(1, 1)).await;

    for parts in [1, 3] {
        let listed = stream::iter(Segment::split(parts)).then(|segment| list(store, segment));
        let listed: Vec<_> = listed.flat_map(stream::iter).collect().await;
        // Others may use the same store.
        let ours = listed.into_iter().filter(|(key, _)| expected.contains_key(key));
        let ours: Vec<_> = ours.collect();
        assert_eq!(ours.len(), expected.len(), "in {parts} segments");
        assert_eq!(BTreeMap::from_iter(ours), expected);
    }
}

async fn list(store: &Reserving, segment: Segment) -> Vec<(UniqueKey, StreamId)> {
    let listed = list_all(store, segment).await;
    listed.into_iter().map(|it| (it.key.key, it.holder)).collect()
}

async fn list_all(store: &Reserving, segment: Segment) -> Vec<Reservation> {
    let mut listed = Vec::new();
    let mut walk = PageWalk::start();
    while let Some(from) = walk.next_place() {
        let page = store.reservations.list_reservations(segment, from.as_ref()).await;
        listed.extend(walk.turn(page.expect("reservations can be listed")));
    }
    listed
}

/// Equal keys of two tenants are two reservations: each has its own holder, and a correction of one leaves the other.
// Guards: tenants-never-meet
pub async fn reservations_of_tenants_do_not_mix(store: &Reserving) {
    let key = fresh_key();
    let here = store.reserved(&key).await;
    let there = twin(&here);
    store.change(&there, [Claim::Reserve(key.clone())]).await.expect("the key is free there");
    let ours = async || {
        let listed = list_all(store, Segment::WHOLE).await.into_iter();
        let mut ours: Vec<_> = listed.filter(|it| it.key.key == key).collect();
        ours.sort();
        ours
    };
    let reservation = |stream: &StreamId| Reservation {
        key: ReservedKey::of(stream, key.clone()),
        holder: stream.clone(),
    };
    let mut both = [&here, &there].map(reservation);
    both.sort();
    assert_eq!(ours().await, both);
    let from = store.seen(&here).await;
    assert_eq!(store.correct(&key, Correction::Release { from }).await, Written::Done);
    let holder = async |stream: &StreamId| {
        let key = ReservedKey::of(stream, key.clone());
        store.reservations.holder(&key).await.expect("the holder can be read")
    };
    assert_eq!(holder(&here).await, None);
    assert_eq!(holder(&there).await, Some(there.clone()));
    assert_eq!(ours().await, [reservation(&there)]);
}

/// A correction can add a missing reservation.
pub async fn a_missing_reservation_is_made(store: &Reserving) {
    let (key, owner) = (fresh_key(), store.begun().await);
    let to = store.seen(&owner).await;
    assert_eq!(store.correct(&key, Correction::Reserve { to }).await, Written::Done);
    assert_eq!(store.holder(&key).await, Some(owner.clone()));
    let other = store.change(&fresh(), [Claim::Reserve(key.clone())]).await;
    assert!(matches!(other, Err(AppendError::Reserved { .. })), "{other:?}");
    store.change(&owner, [Claim::Release(key)]).await.expect("the stream holds the key");
}

/// A correction can remove a superfluous reservation, and the key is free then.
pub async fn a_superfluous_reservation_is_removed(store: &Reserving) {
    let key = fresh_key();
    let from = store.seen(&store.reserved(&key).await).await;
    assert_eq!(store.correct(&key, Correction::Release { from }).await, Written::Done);
    assert_eq!(store.holder(&key).await, None);
    store.reserved(&key).await;
}

/// A correction can pass a misplaced reservation to its owner in one step.
pub async fn a_misplaced_reservation_passes_to_its_owner(store: &Reserving) {
    let (key, owner) = (fresh_key(), store.begun().await);
    let from = store.seen(&store.reserved(&key).await).await;
    let to = store.seen(&owner).await;
    assert_eq!(store.correct(&key, Correction::Pass { from, to }).await, Written::Done);
    assert_eq!(store.holder(&key).await, Some(owner));
}

/// A correction has no effect if the reservation has changed since it was read.
pub async fn a_reservation_is_corrected_only_from_what_it_was_seen_to_be(store: &Reserving) {
    let (taken, free) = (fresh_key(), fresh_key());
    let holder = store.reserved(&taken).await;
    let [one, other] = [store.begun().await, store.begun().await];
    let (one, other) = (store.seen(&one).await, store.seen(&other).await);
    for (key, correction) in [
        (&taken, Correction::Reserve { to: one.clone() }),
        (&taken, Correction::Release { from: one.clone() }),
        (&taken, Correction::Pass { from: one.clone(), to: other.clone() }),
        (&free, Correction::Release { from: one.clone() }),
        (&free, Correction::Pass { from: one, to: other }),
    ] {
        let outcome = store.correct(key, correction.clone()).await;
        assert_eq!(outcome, Written::Superseded, "{key} by {correction:?}");
    }
    assert_eq!((store.holder(&taken).await, store.holder(&free).await), (Some(holder), None));
}

/// A correction has no effect if one of its streams has a newer version than the one that was read. For a new stream
/// this means that it still must not exist.
pub async fn a_reservation_is_corrected_only_while_its_streams_are_as_they_were_seen(
    store: &Reserving,
) {
    let (taken, free, unborn) = (fresh_key(), fresh_key(), fresh());
    let holder = store.reserved(&taken).await;
    let owner = store.begun().await;
    let (from, to) = (store.seen(&holder).await, store.seen(&owner).await);
    let absent = store.seen(&unborn).await;
    store.change(&owner, []).await.expect("nobody else writes to it");
    let moved = Correction::Pass { from: from.clone(), to: to.clone() };
    assert_eq!(store.correct(&taken, moved).await, Written::Superseded, "the owner has moved");
    store.change(&holder, []).await.expect("nobody else writes to it");
    store.change(&unborn, []).await.expect("nobody else writes to it");
    let now = store.seen(&owner).await;
    for (key, correction) in [
        (&taken, Correction::Release { from: from.clone() }),
        (&taken, Correction::Pass { from, to: now }),
        (&free, Correction::Reserve { to }),
        (&free, Correction::Reserve { to: absent }),
    ] {
        let outcome = store.correct(key, correction.clone()).await;
        assert_eq!(outcome, Written::Superseded, "{key} by {correction:?}");
    }
    assert_eq!((store.holder(&taken).await, store.holder(&free).await), (Some(holder), None));
}

/// A correction does not write to the streams that it has as a condition.
pub async fn a_correction_leaves_the_log_as_it_was(store: &Reserving) {
    let (key, owner) = (fresh_key(), store.begun().await);
    let holder = store.reserved(&key).await;
    let (from, to) = (store.seen(&holder).await, store.seen(&owner).await);
    assert_eq!(store.correct(&key, Correction::Pass { from, to }).await, Written::Done);
    for stream in [&holder, &owner] {
        assert_eq!(read_all(&store.log, stream).await.len(), 1);
        store.change(stream, []).await.expect("the version is free");
        assert_eq!(store.seen(stream).await.version(), Version::new(2));
    }
}

/// Of a concurrent correction and command one is refused. Otherwise a key could be reserved for a stream that has just
/// released it.
pub async fn of_a_correction_and_a_command_at_once_one_is_refused(store: &Reserving) {
    for _ in 0..5 {
        let (key, owner) = (fresh_key(), store.begun().await);
        let new = next(&store.log, &owner, "close", &["note"]).await;
        let claims = [(owner.clone(), Claim::Release(key.clone()))];
        let closing = transaction([new], [], claims, None);
        let closing = closing.forgoing(&reserved(&key)).expect("the transaction releases the key");
        let reserving = Correction::Reserve { to: store.seen(&owner).await };
        let (corrected, closed) =
            join(store.correct(&key, reserving), store.log.transact(&closing)).await;
        let both = corrected == Written::Done && closed.is_ok();
        assert!(!both, "{key} is reserved for a stream that has released it");
        let holder = store.holder(&key).await;
        assert_eq!(holder.is_some(), corrected == Written::Done, "{closed:?}");
    }
}

/// All fields of a record are returned unchanged, and each category has its own record.
pub async fn a_record_comes_back_as_it_was_written(store: &Reserving) {
    let (category, other) = (fresh_category(), fresh_category());
    assert_eq!(store.record(&category).await, ClaimsRecord::default());
    let begun = ClaimsRecord::default().begun(3, 2);
    let page = SegmentPlace::Page(Resume("a place".to_owned()));
    let place = |index, at| SegmentProgress { index, of: 2, streams: 7, failed: 0, at };
    let mut records = vec![begun.clone()];
    let advance = |records: &mut Vec<ClaimsRecord>, next: Option<ClaimsRecord>| {
        records.push(next.expect("the progress is valid"));
    };
    let last = |records: &[ClaimsRecord]| records.last().cloned().expect("there is a record");
    let begun_page = last(&records).progressed(1, Walk::Streams, &place(1, page));
    advance(&mut records, begun_page);
    for walk in [Walk::Streams, Walk::Reservations] {
        for index in [0, 1] {
            let done = last(&records).progressed(1, walk, &place(index, SegmentPlace::End));
            advance(&mut records, done);
        }
        let walked = last(&records).walked(1, walk);
        advance(&mut records, walked);
    }
    for record in &records {
        assert_eq!(store.write(&category, record).await, Written::Done);
        assert_eq!(store.record(&category).await, *record);
    }
    assert_eq!(last(&records).complete(), Some(3));
    assert_eq!(store.record(&other).await, ClaimsRecord::default());
}

/// A record is accepted only after the record that it was made from. A function with an older one must read again.
pub async fn a_record_is_written_only_in_the_place_of_the_one_it_was_made_from(store: &Reserving) {
    let category = fresh_category();
    let first = ClaimsRecord::default().begun(1, 1);
    let second = first.begun(2, 1);
    assert_eq!(store.write(&category, &second).await, Written::Superseded, "it skips a record");
    assert_eq!(store.write(&category, &first).await, Written::Done);
    assert_eq!(store.write(&category, &first).await, Written::Superseded, "it is stored already");
    assert_eq!(store.write(&category, &second).await, Written::Done);
    assert_eq!(store.write(&category, &first.begun(3, 1)).await, Written::Superseded);
    assert_eq!(store.record(&category).await, second);
}

/// Of concurrent changes of a record one succeeds, also for the first record.
pub async fn of_racing_records_one_takes_effect(store: &Reserving) {
    let category = fresh_category();
    for _ in 0..3 {
        let seen = store.record(&category).await;
        let new: Vec<_> = (1..=5).map(|revision| seen.begun(revision, 1)).collect();
        let outcomes = join_all(new.iter().map(|new| store.write(&category, new))).await;
        assert_eq!(outcomes.iter().filter(|it| **it == Written::Done).count(), 1);
        let won = outcomes.iter().position(|it| *it == Written::Done).expect("one has won");
        assert_eq!(store.record(&category).await, new[won]);
    }
}

/// The refusal of a release has the revision for which reservations are complete. A handler needs it to know whether
/// the stream may be older than its claims.
pub async fn a_refusal_tells_for_which_claims_reservations_are_complete(store: &Reserving) {
    let key = fresh_key();
    let stream = fresh().beside(fresh_category(), fresh().id().clone());
    let reported = async || match store.change(&stream, [Claim::Release(key.clone())]).await {
        Err(AppendError::NotReserved { complete, .. }) => complete,
        outcome => panic!("the key is not reserved: {outcome:?}"),
    };
    assert_eq!(reported().await, None);
    let mut record = ClaimsRecord::default().begun(7, 1);
    store.write(stream.category(), &record).await;
    assert_eq!(reported().await, None, "the build is not complete");
    let end = SegmentProgress { index: 0, of: 1, streams: 1, failed: 0, at: SegmentPlace::End };
    for walk in [Walk::Streams, Walk::Reservations] {
        record = record.progressed(1, walk, &end).expect("the build is in this walk");
        store.write(stream.category(), &record).await;
        record = record.walked(1, walk).expect("the segment is done");
        store.write(stream.category(), &record).await;
    }
    assert_eq!(reported().await, Some(7));
}
