//! Old code and new, deliveries and rounds of healing, all at once on one stream. At every moment, of
//! every message that was taken, the read model has what it told of, or an entry owes it. So it is as
//! well where operators skip what stands parked, and nobody mends the code.

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

use super::{MendedPages, from, notes, skips::skip, world_with};
use crate::shelf::{Pages, UNPLACEABLE, World};

const NOTES: [&str; 8] = ["a", "b", UNPLACEABLE, "c", "d", UNPLACEABLE, "e", "f"];

/// Where whoever calls may be overtaken, before and after each call.
#[derive(Clone)]
struct Turns(Arc<SeededRandom>);

impl Turns {
    async fn wait(&self) {
        for _ in 0..self.0.next() % 4 {
            tokio::task::yield_now().await;
        }
    }
}

/// A port whose calls take turns with others.
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

/// A quarantine that is wrong on purpose.
struct Wrong {
    good: MemoryQuarantine,
    defect: Defect,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    None,
    /// Removes an entry whatever it owes.
    ReleasesEverything,
    /// Puts an entry over one that owes more.
    ForgetsDebts,
    /// Says that an entry stands, and puts none.
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

/// One stream with everything that is at work on it.
struct Race {
    world: World,
    stream: StreamId,
    quarantine: Arc<Wrong>,
    turns: Turns,
    random: SeededRandom,
    ending: Ending,
    seen: Mutex<Observed>,
}

/// How the stream gets past what the old code cannot place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    /// New code comes, one projector after the other.
    Mended,
    /// Operators skip it.
    Skipped,
    /// Operators skip it while new code comes.
    Both,
}

struct Observed {
    /// The newest version that a message told of which was taken.
    taken: Version,
    /// What was wrong, in the order in which it was noticed.
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

    /// Old code or new.
    fn some_projector(&self) -> Projector {
        if self.ending == Ending::Skipped || self.random.next().is_multiple_of(2) {
            self.projector::<Pages>()
        } else {
            self.projector::<MendedPages>()
        }
    }

    fn seen(&self) -> MutexGuard<'_, Observed> {
        self.seen.lock().expect("nobody panics with it")
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

    /// Skips the event that parks the stream, if one does at this moment; the projector is told at once,
    /// or somebody dies in between.
    async fn skip(&self) {
        let Some(parked) = self.quarantine.good.parked().pop() else { return };
        let version = parked.version.expect("it is an event that does not fit");
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

    /// What was wrong in this schedule.
    async fn run(&self) -> Vec<String> {
        let mut work = Vec::new();
        for (delivery, version) in from(&self.world, &self.stream, 1).into_iter().zip(1..) {
            let deliver = self.deliver(delivery, Version::new(version)).boxed_local();
            work.push((self.random.next(), deliver));
        }
        for _ in 0..4 {
            work.push((self.random.next(), self.retry_parked().boxed_local()));
            if self.ending != Ending::Mended {
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
            // The last of the old code is gone.
            let mended = self.projector::<MendedPages>();
            mended.retry_parked(RetryScope::All, Timestamp::MAX).await.expect("it can be read");
        }
    }

    /// Whether a row shows all that it must, in its order; of what was skipped, what somebody could place.
    fn is_right(&self, notes: &[String]) -> bool {
        let placed = |note: &&str| *note != UNPLACEABLE;
        let shown = notes.iter().map(String::as_str);
        match self.ending {
            Ending::Mended => shown.eq(NOTES),
            Ending::Skipped => shown.eq(NOTES.into_iter().filter(placed)),
            Ending::Both => shown.filter(placed).eq(NOTES.into_iter().filter(placed)),
        }
    }
}

/// The first schedule of so many that goes wrong, with what does.
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
async fn no_schedule_loses_what_was_taken() {
    assert_eq!(first_wrong(500, Defect::None, Ending::Mended).await, None);
}

#[tokio::test]
async fn no_schedule_loses_what_was_taken_where_operators_skip() {
    for ending in [Ending::Skipped, Ending::Both] {
        assert_eq!(first_wrong(500, Defect::None, ending).await, None, "{ending:?}");
    }
}

#[tokio::test]
async fn what_a_quarantine_must_not_do_is_found() {
    for defect in [Defect::ReleasesEverything, Defect::ForgetsDebts, Defect::ParksNothing] {
        for ending in [Ending::Mended, Ending::Skipped] {
            let wrong = first_wrong(100, defect, ending).await;
            assert!(wrong.is_some(), "nothing is wrong with {defect:?} and {ending:?}");
        }
    }
}
