//! Old code and new, deliveries and rounds of healing, all at once on one stream. At every moment, of
//! every message that was taken, the read model has what it told of, or an entry owes it.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use futures::{FutureExt, future::join_all};
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{
        Listing, Parked, ParkedPage, Quarantine, QuarantineError, ReadStoreError, RowStore,
        StoredRow, Written,
    },
    project::{Delivery, Projection, Projector, RowModel, Which},
};
use ledgerfold_testkit::{MemoryQuarantine, SeededRandom};

use super::{MendedPages, from, notes, world_with};
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
impl<R: RowStore> RowStore for Slow<R> {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.turns.wait().await;
        let row = self.port.get(stream).await;
        self.turns.wait().await;
        row
    }

    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.turns.wait().await;
        let written = self.port.put(row).await;
        self.turns.wait().await;
        written
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.port.replace(seen, row).await
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.port.list(listing).await
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

    async fn list(&self, after: Option<&StreamId>) -> Result<ParkedPage, QuarantineError> {
        self.turns.wait().await;
        let page = self.port.list(after).await;
        self.turns.wait().await;
        page
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

    async fn list(&self, after: Option<&StreamId>) -> Result<ParkedPage, QuarantineError> {
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
    seen: Mutex<Seen>,
}

struct Seen {
    /// The newest version that a message told of which was taken.
    taken: Version,
    /// What was wrong, in the order in which it was noticed.
    wrong: Vec<String>,
}

impl Race {
    async fn new(seed: u64, defect: Defect) -> Self {
        let (world, stream) = world_with(&NOTES).await;
        let quarantine = Arc::new(Wrong { good: MemoryQuarantine::default(), defect });
        let turns = Turns(Arc::new(SeededRandom::new(seed)));
        let random = SeededRandom::new(seed.wrapping_add(1));
        let seen = Mutex::new(Seen { taken: Version::NONE, wrong: Vec::new() });
        Self { world, stream, quarantine, turns, random, seen }
    }

    fn projector<P: Projection>(&self) -> Projector {
        let rows = Slow { port: self.world.rows.clone(), turns: self.turns.clone() };
        let parked = Slow { port: self.quarantine.clone(), turns: self.turns.clone() };
        let model = Arc::new(RowModel::<P>::new(Arc::new(rows)));
        self.world.projector(model).with_quarantine(Arc::new(parked))
    }

    /// Old code or new.
    fn some_projector(&self) -> Projector {
        if self.random.next().is_multiple_of(2) {
            self.projector::<Pages>()
        } else {
            self.projector::<MendedPages>()
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panics with it")
    }

    async fn deliver(&self, delivery: Delivery, told: Version) {
        if self.some_projector().project(vec![delivery]).await.is_empty() {
            let mut seen = self.seen();
            seen.taken = seen.taken.max(told);
        }
        self.check();
    }

    async fn heal(&self) {
        let round = self.some_projector().heal(Which::All, Timestamp::MAX).await;
        round.expect("the quarantine can be read");
        self.check();
    }

    fn check(&self) {
        let reached = self.world.row(&self.stream).map_or(Version::NONE, |(version, _)| version);
        let parked = self.quarantine.good.parked();
        let owed = parked.first().map_or(Version::NONE, |parked| parked.told);
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
            work.push((self.random.next(), self.heal().boxed_local()));
        }
        work.sort_by_key(|(turn, _)| *turn);
        join_all(work.into_iter().map(|(_, work)| work)).await;

        // The last of the old code is gone.
        let mended = self.projector::<MendedPages>();
        mended.heal(Which::All, Timestamp::MAX).await.expect("the quarantine can be read");
        let (left, notes) = (self.quarantine.good.parked(), notes(&self.world, &self.stream));
        let mut wrong = std::mem::take(&mut self.seen().wrong);
        if !left.is_empty() || notes != NOTES {
            wrong.push(format!("in the end {notes:?}, and parked {left:?}"));
        }
        wrong
    }
}

/// The first schedule of so many that goes wrong, with what does.
async fn first_wrong(schedules: u64, defect: Defect) -> Option<(u64, Vec<String>)> {
    for seed in 0..schedules {
        let wrong = Race::new(seed, defect).await.run().await;
        if !wrong.is_empty() {
            return Some((seed, wrong));
        }
    }
    None
}

#[tokio::test]
async fn no_schedule_loses_what_was_taken() {
    assert_eq!(first_wrong(500, Defect::None).await, None);
}

#[tokio::test]
async fn what_a_quarantine_must_not_do_is_found() {
    for defect in [Defect::ReleasesEverything, Defect::ForgetsDebts, Defect::ParksNothing] {
        assert!(first_wrong(100, defect).await.is_some(), "nothing is wrong with {defect:?}");
    }
}
