//! Tests of old and new code, deliveries and retries that run at once on one stream.
//!
//! At every moment each acknowledged event is in the read model, or the stream's entry in the quarantine owes it. This
//! also holds if operators skip events instead of fixing the code.
//!
//! Guards: the-quarantine-owes-every-missing-version

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use futures::{FutureExt, future::join_all};
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{
        Listing, Page, Parked, Quarantine, QuarantineError, ReadStoreError, RowReader, RowStore,
        Skip, SkipError, SkipRegister, Skips, StoredRow, Written,
    },
    project::{Projection, Projector, RetryScope, RowModel},
    vocabulary::Delivery,
};
use ledgerfold_testkit::{MemoryQuarantine, SeededRandom};

use super::{FixedNotes, from, notes, skips::skip, world_with};
use crate::note_models::{Notes, UNPLACEABLE, World};

const NOTES: [&str; 8] = ["a", "b", UNPLACEABLE, "c", "d", UNPLACEABLE, "e", "f"];

/// Yields to other tasks before and after each call.
#[derive(Clone)]
struct Turns(Arc<SeededRandom>);

impl Turns {
    async fn wait(&self) {
        for _ in 0..self.0.next() % 4 {
            tokio::task::yield_now().await;
        }
    }
}

/// A port whose calls yield to other tasks.
struct Slow<P> {
    port: Arc<P>,
    turns: Turns,
}

#[async_trait]
impl<R: RowStore> RowReader for Slow<R> {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.turns.wait().await;
        let row = self.port.get(stream).await;
        self.turns.wait().await;
        row
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.port.list(listing).await
    }
}

#[async_trait]
impl<R: RowStore> RowStore for Slow<R> {
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.turns.wait().await;
        let written = self.port.put(row).await;
        self.turns.wait().await;
        written
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.port.replace(seen, row).await
    }
}

#[async_trait]
impl<Q: Quarantine> Quarantine for Slow<Q> {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        self.turns.wait().await;
        let parked = self.port.park(parked).await;
        self.turns.wait().await;
        parked
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        self.turns.wait().await;
        let released = self.port.release(stream, reached).await;
        self.turns.wait().await;
        released
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        self.turns.wait().await;
        let parked = self.port.get(stream).await;
        self.turns.wait().await;
        parked
    }

    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError> {
        self.turns.wait().await;
        let page = self.port.list(after).await;
        self.turns.wait().await;
        page
    }
}

#[async_trait]
impl Skips for Slow<Wrong> {
    async fn find(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<Skip>, QuarantineError> {
        self.turns.wait().await;
        let skip = self.port.good.find(stream, version).await;
        self.turns.wait().await;
        skip
    }
}

/// A quarantine with a defect.
struct Wrong {
    good: MemoryQuarantine,
    defect: Defect,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    None,
    /// Removes an entry at any version.
    ReleasesEverything,
    /// Replaces an entry by one with a lower owed version.
    ForgetsDebts,
    /// Reports success without storing the entry.
    ParksNothing,
}

#[async_trait]
impl Quarantine for Wrong {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        match self.defect {
            Defect::ParksNothing => Ok(()),
            Defect::ForgetsDebts => {
                self.good.release(&parked.stream, Version::new(u64::MAX)).await?;
                self.good.park(parked).await
            }
            _ => self.good.park(parked).await,
        }
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        let everything = self.defect == Defect::ReleasesEverything;
        let reached = if everything { Version::new(u64::MAX) } else { reached };
        self.good.release(stream, reached).await
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        self.good.get(stream).await
    }

    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError> {
        self.good.list(after).await
    }
}

/// One stream with all tasks that work on it.
struct Race {
    world: World,
    stream: StreamId,
    quarantine: Arc<Wrong>,
    turns: Turns,
    random: SeededRandom,
    ending: Ending,
    seen: Mutex<Observed>,
}

/// How the stream gets past the events that the old code cannot apply.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    /// New code is deployed, one projector after the other.
    Fixed,
    /// Operators skip the events.
    Skipped,
    /// Operators skip the events while new code is deployed.
    Both,
}

struct Observed {
    /// The newest version of an acknowledged event.
    taken: Version,
    /// The faults, in the order in which they were found.
    wrong: Vec<String>,
}

impl Race {
    async fn new(seed: u64, defect: Defect, ending: Ending) -> Self {
        let (world, stream) = world_with(&NOTES).await;
        let quarantine = Arc::new(Wrong { good: MemoryQuarantine::default(), defect });
        let turns = Turns(Arc::new(SeededRandom::new(seed)));
        let random = SeededRandom::new(seed.wrapping_add(1));
        let seen = Mutex::new(Observed { taken: Version::NONE, wrong: Vec::new() });
        Self { world, stream, quarantine, turns, random, ending, seen }
    }

    fn projector<P: Projection>(&self) -> Projector {
        let rows = Slow { port: self.world.rows.clone(), turns: self.turns.clone() };
        let parked = Arc::new(Slow { port: self.quarantine.clone(), turns: self.turns.clone() });
        let model = Arc::new(RowModel::<P>::new(Arc::new(rows)));
        self.world.projector(model, parked.clone()).with_quarantine(parked)
    }

    /// A projector with old or new code.
    fn some_projector(&self) -> Projector {
        if self.ending == Ending::Skipped || self.random.next().is_multiple_of(2) {
            self.projector::<Notes>()
        } else {
            self.projector::<FixedNotes>()
        }
    }

    fn seen(&self) -> MutexGuard<'_, Observed> {
        self.seen.lock().expect("nobody panics with the lock")
    }

    async fn deliver(&self, delivery: Delivery, owed_version: Version) {
        if self.some_projector().project(vec![delivery]).await.is_empty() {
            let mut seen = self.seen();
            seen.taken = seen.taken.max(owed_version);
        }
        self.check();
    }

    async fn retry_parked(&self) {
        let round = self.some_projector().retry_parked(RetryScope::All, Timestamp::MAX).await;
        round.expect("the quarantine can be read");
        self.check();
    }

    /// Skips the event that blocks the stream now, if there is one. Usually a retry follows at once, but sometimes the
    /// operator's program crashes first.
    async fn skip(&self) {
        let Some(parked) = self.quarantine.good.parked().pop() else { return };
        let version = parked.version.expect("a single event is at fault");
        self.turns.wait().await;
        match self.quarantine.good.record(&skip(&self.stream, version.get())).await {
            Ok(()) | Err(SkipError::AlreadySkipped(_)) => {}
            Err(SkipError::NotParked { .. } | SkipError::ParkedElsewhere { .. }) => {}
            Err(SkipError::Store(error)) => panic!("{error}"),
        }
        if self.random.next().is_multiple_of(2) {
            self.retry_parked().await;
        }
    }

    fn check(&self) {
        let reached = self.world.row(&self.stream).map_or(Version::NONE, |(version, _)| version);
        let parked = self.quarantine.good.parked();
        let owed = parked.first().map_or(Version::NONE, |parked| parked.owed_version);
        let mut seen = self.seen();
        if reached.max(owed) < seen.taken {
            let wrong = format!("taken {}, reached {reached}, owed {owed}", seen.taken);
            seen.wrong.push(wrong);
        }
    }

    /// Runs the schedule, and returns its faults.
    async fn run(&self) -> Vec<String> {
        let mut work = Vec::new();
        for (delivery, version) in from(&self.world, &self.stream, 1).into_iter().zip(1..) {
            let deliver = self.deliver(delivery, Version::new(version)).boxed_local();
            work.push((self.random.next(), deliver));
        }
        for _ in 0..4 {
            work.push((self.random.next(), self.retry_parked().boxed_local()));
            if self.ending != Ending::Fixed {
                work.push((self.random.next(), self.skip().boxed_local()));
            }
        }
        work.sort_by_key(|(turn, _)| *turn);
        join_all(work.into_iter().map(|(_, work)| work)).await;

        self.end().await;
        let (left, notes) = (self.quarantine.good.parked(), notes(&self.world, &self.stream));
        let mut wrong = std::mem::take(&mut self.seen().wrong);
        if !left.is_empty() || !self.is_right(&notes) {
            wrong.push(format!("in the end {notes:?}, and parked {left:?}"));
        }
        wrong
    }

    async fn end(&self) {
        if self.ending == Ending::Skipped {
            for _event_that_has_no_place in 0..2 {
                self.skip().await;
                self.retry_parked().await;
            }
        } else {
            // All projectors have the new code now.
            let fixed = self.projector::<FixedNotes>();
            fixed.retry_parked(RetryScope::All, Timestamp::MAX).await.expect("the read succeeds");
        }
    }

    /// Whether a row has all required notes in order. Skipped notes may be in it, if new code could apply them.
    fn is_right(&self, notes: &[String]) -> bool {
        let placed = |note: &&str| *note != UNPLACEABLE;
        let shown = notes.iter().map(String::as_str);
        match self.ending {
            Ending::Fixed => shown.eq(NOTES),
            Ending::Skipped => shown.eq(NOTES.into_iter().filter(placed)),
            Ending::Both => shown.filter(placed).eq(NOTES.into_iter().filter(placed)),
        }
    }
}

/// The first faulty one of this many schedules, with its faults.
async fn first_wrong(schedules: u64, defect: Defect, ending: Ending) -> Option<(u64, Vec<String>)> {
    for seed in 0..schedules {
        let wrong = Race::new(seed, defect, ending).await.run().await;
        if !wrong.is_empty() {
            return Some((seed, wrong));
        }
    }
    None
}

#[tokio::test]
async fn no_schedule_loses_an_acknowledged_event() {
    assert_eq!(first_wrong(500, Defect::None, Ending::Fixed).await, None);
}

#[tokio::test]
async fn no_schedule_with_skips_loses_an_acknowledged_event() {
    for ending in [Ending::Skipped, Ending::Both] {
        assert_eq!(first_wrong(500, Defect::None, ending).await, None, "{ending:?}");
    }
}

#[tokio::test]
async fn every_defect_of_a_quarantine_is_found() {
    for defect in [Defect::ReleasesEverything, Defect::ForgetsDebts, Defect::ParksNothing] {
        for ending in [Ending::Fixed, Ending::Skipped] {
            let wrong = first_wrong(100, defect, ending).await;
            assert!(wrong.is_some(), "no schedule shows {defect:?} with {ending:?}");
        }
    }
}
