//! The copies of the record of generations, under every order of calls.
//!
//! A test runs the product's code over a store whose calls wait for their turn, and tries every order of turns. A change
//! that dies is part of this: it is an order in which its later calls never get their turn before the check.
//!
//! Guards: no-reader-uses-an-old-layout

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use futures::{FutureExt, future::poll_fn};
use ledgerfold::{
    Timestamp,
    generations::{self, RecordReader},
    ports::{
        CopyIndex, GenerationReader, GenerationStore, Random, ReadStoreError, SegmentProgress,
        Written,
    },
    project::{Catalog, Projector, ProjectorPorts},
    vocabulary::{Generations, Mark, MissedEvent, RecordCopy},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryGenerationStore, MemoryQuarantine, MemoryReadTable,
};

use crate::{note_models::Notes, stage::NOTES};

/// Draws the first copy, the only one whose calls wait for their turn.
struct FirstCopy;

impl Random for FirstCopy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn first_copy() -> CopyIndex {
    CopyIndex::draw(&FirstCopy)
}

/// A defect of the store or of its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    /// Marks have no effect.
    MarksLost,
    /// Marks take effect after the record that they announce.
    MarkedAfterwards,
    /// A copy is replaced by any other.
    Unconditional,
    /// A copy may be replaced by a record that is older than its mark.
    MarksIgnored,
}

/// A store in memory whose calls wait for their turn.
struct Stepwise {
    memory: MemoryGenerationStore,
    defect: Defect,
    /// A mutex, because the test and all actors use it.
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    next: u64,
    /// The calls that wait, in the order in which they began.
    waiting: Vec<u64>,
    granted: Option<u64>,
    /// All copies that were ever sent, so that a request can arrive a second time.
    sent: Vec<RecordCopy>,
    /// The marks that `MarkedAfterwards` keeps.
    held: Vec<RecordCopy>,
    violation: Option<String>,
}

impl Stepwise {
    fn new(defect: Defect) -> Self {
        Self { memory: MemoryGenerationStore::default(), defect, turns: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn turn(&self) {
        let id = {
            let mut turns = self.lock();
            turns.next += 1;
            let id = turns.next;
            turns.waiting.push(id);
            id
        };
        poll_fn(|_| {
            let mut turns = self.lock();
            if turns.granted == Some(id) {
                turns.granted = None;
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }

    fn record(&self) -> Generations {
        self.memory.record(NOTES).expect("the first record is stored")
    }

    fn copy(&self) -> Option<RecordCopy> {
        self.memory.copy(NOTES, first_copy())
    }

    /// The rule behind everything else: a copy that shows a record has the layout of the stored record.
    fn check(&self) {
        if let Some(RecordCopy::Current(shown)) = self.copy()
            && shown.layout() != self.record().layout()
        {
            let violation = format!("{shown:?} is shown, and the record is {:?}", self.record());
            self.lock().violation.get_or_insert(violation);
        }
    }

    async fn put(&self, new: &RecordCopy) -> Result<Written, ReadStoreError> {
        let is_mark = matches!(new, RecordCopy::Marked(_));
        match self.defect {
            Defect::MarksLost if is_mark => return Ok(Written::Done),
            Defect::MarkedAfterwards if is_mark => {
                self.lock().held.push(new.clone());
                return Ok(Written::Done);
            }
            Defect::MarksIgnored
                if !is_mark && matches!(self.copy(), Some(RecordCopy::Marked(_))) =>
            {
                self.memory.overwrite_copy(NOTES, first_copy(), new.clone());
            }
            Defect::Unconditional => {
                self.memory.overwrite_copy(NOTES, first_copy(), new.clone());
            }
            _ => return self.memory.write_copy(NOTES, first_copy(), new).await,
        }
        Ok(Written::Done)
    }

    /// Lets a request arrive that was sent before, because a client repeats it or the network delays it.
    async fn repeat(&self, at: usize) {
        self.turn().await;
        let sent = self.lock().sent.get(at).cloned();
        if let Some(copy) = sent {
            self.put(&copy).await.expect("memory answers");
        }
    }
}

#[async_trait]
impl GenerationReader for Stepwise {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        self.turn().await;
        self.memory.read(projection).await
    }

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        self.turn().await;
        self.memory.read_copy(projection, copy).await
    }
}

#[async_trait]
impl GenerationStore for Stepwise {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        self.turn().await;
        let written = self.memory.write(projection, new).await?;
        if self.defect == Defect::MarkedAfterwards {
            self.turn().await;
            let held = std::mem::take(&mut self.lock().held);
            for mark in held {
                self.memory.write_copy(projection, first_copy(), &mark).await?;
            }
        }
        Ok(written)
    }

    async fn write_copy(
        &self,
        _: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        if copy != first_copy() {
            return Ok(Written::Done);
        }
        self.turn().await;
        self.lock().sent.push(new.clone());
        self.put(new).await
    }

    async fn progress(&self, of: &str, run: u64) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        self.memory.progress(of, run).await
    }

    async fn save(&self, of: &str, run: u64, at: &SegmentProgress) -> Result<(), ReadStoreError> {
        self.memory.save(of, run, at).await
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.memory.forget(projection, run).await
    }
}

type Actor = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The time of every change. Projectors live an hour later, so they take each mark for abandoned.
fn early() -> ManualClock {
    ManualClock::at(Timestamp::UNIX_EPOCH)
}

/// Begins a rebuild, or switches if one has begun.
fn operator(store: &Arc<Stepwise>) -> Actor {
    let store = store.clone();
    Box::pin(async move {
        let seen = store.read(NOTES).await.expect("memory answers").expect("it is stored");
        let new = seen.begun(1).or_else(|_| seen.switched(Timestamp::UNIX_EPOCH));
        let new = new.expect("one of them is allowed");
        generations::change(&*store, &early(), NOTES, &new).await.expect("memory answers");
    })
}

/// Reads the record as every batch does, and repairs its copy.
fn projector(store: &Arc<Stepwise>) -> Actor {
    let table = Arc::<MemoryReadTable>::default();
    let models = Catalog::new().rows::<Notes>(NOTES).models(NOTES, table).expect("it exists");
    let clock = early();
    clock.set(Timestamp::from_second(3_600).expect("a time"));
    let ports = ProjectorPorts {
        log: Arc::new(MemoryEventStore::default()),
        skips: Arc::<MemoryQuarantine>::default(),
        clock: Arc::new(clock),
        random: Arc::new(FirstCopy),
    };
    let projector = Projector::of_generations(models, store.clone(), ports);
    Box::pin(async move { projector.check().await.expect("it has the model") })
}

/// Records a missed event, based on a copy.
fn noting(store: &Arc<Stepwise>) -> Actor {
    let store = store.clone();
    Box::pin(async move {
        let reader = RecordReader::new(store.clone(), Arc::new(FirstCopy));
        let seen = reader.read(NOTES).await.expect("memory answers").expect("it is stored");
        let missed = MissedEvent { stream: fresh(), reason: "it has no place".to_owned() };
        if let Ok(new) = seen.with_missed_event(missed) {
            store.write(NOTES, &new).await.expect("memory answers");
        }
    })
}

/// Reads as a query does. The layout must be one that was stored during the read.
fn reader(store: &Arc<Stepwise>) -> Actor {
    let store = store.clone();
    Box::pin(async move {
        store.turn().await;
        let before = store.record().layout();
        let reader = RecordReader::new(store.clone(), Arc::new(FirstCopy));
        let read = reader.read(NOTES).await.expect("memory answers").expect("it is stored");
        let after = store.record().layout();
        if !(before..=after).contains(&read.layout()) {
            let violation = format!("{read:?} was read between {before} and {after}");
            store.lock().violation.get_or_insert(violation);
        }
    })
}

fn repeated(at: usize) -> impl Fn(&Arc<Stepwise>) -> Actor {
    move |store| {
        let store = store.clone();
        Box::pin(async move { store.repeat(at).await })
    }
}

/// Polls the actors until each of them waits for its turn or has ended.
fn settle(actors: &mut Vec<Actor>) {
    let mut context = Context::from_waker(Waker::noop());
    actors.retain_mut(|actor| actor.as_mut().poll(&mut context).is_pending());
}

/// The state before the actors: the first record without copies, or a rebuild that has begun.
#[derive(Clone, Copy, Debug)]
enum Before {
    FirstRecord,
    Begun,
}

fn prepared(defect: Defect, before: Before) -> Arc<Stepwise> {
    let store = Arc::new(Stepwise::new(defect));
    let first = Generations::first(1);
    let prepare = async {
        store.memory.write(NOTES, &first).await.expect("memory answers");
        if let Before::Begun = before {
            let begun = first.begun(1).expect("none is building");
            let clock = early();
            let change = generations::change(&store.memory, &clock, NOTES, &begun);
            change.await.expect("memory answers");
        }
    };
    prepare.now_or_never().expect("memory does not wait");
    store
}

/// Runs the actors in one order. `order` has the number of the waiting call for each turn; the run extends it with
/// zeros, and `widths` gets the number of calls that waited.
fn run(
    store: &Stepwise,
    mut actors: Vec<Actor>,
    order: &mut Vec<usize>,
) -> Result<Vec<usize>, String> {
    let mut widths = Vec::new();
    loop {
        settle(&mut actors);
        store.check();
        if let Some(violation) = store.lock().violation.take() {
            return Err(violation);
        }
        let mut turns = store.lock();
        if turns.waiting.is_empty() {
            assert!(actors.is_empty(), "every actor ends");
            return Ok(widths);
        }
        let turn = widths.len();
        if order.len() == turn {
            order.push(0);
        }
        widths.push(turns.waiting.len());
        turns.granted = Some(turns.waiting.remove(order[turn]));
    }
}

type Play<'a> = &'a [&'a dyn Fn(&Arc<Stepwise>) -> Actor];

/// Runs the actors in every order. Returns the number of orders, or the first violation.
fn explore(defect: Defect, before: Before, play: Play<'_>) -> Result<u64, String> {
    let mut order = Vec::new();
    let mut runs = 0;
    loop {
        let store = prepared(defect, before);
        let actors = play.iter().map(|actor| actor(&store)).collect();
        let widths = run(&store, actors, &mut order)?;
        runs += 1;
        // The next order: the last turn with another choice takes it.
        while order.last().is_some_and(|chosen| chosen + 1 == widths[order.len() - 1]) {
            order.pop();
        }
        match order.last_mut() {
            Some(chosen) => *chosen += 1,
            None => return Ok(runs),
        }
    }
}

/// Every group of actors, from both states.
fn explore_all(defect: Defect) -> Result<u64, String> {
    let repeated = [0, 1, 2, 3].map(repeated);
    let [first, second, third, fourth] = &repeated;
    let plays: &[Play<'_>] = &[
        &[&operator, &operator, &reader],
        &[&operator, &operator, &projector],
        &[&operator, &projector, &noting],
        &[&operator, &projector, &projector],
        &[&operator, &noting, &reader],
        &[&operator, &operator, first],
        &[&operator, &operator, second],
        &[&operator, &operator, third],
        &[&operator, &operator, fourth],
        &[&operator, &projector, first],
        &[&operator, &projector, second],
        &[&operator, &projector, third],
    ];
    let mut runs = 0;
    for before in [Before::FirstRecord, Before::Begun] {
        for (at, play) in plays.iter().enumerate() {
            let explored = explore(defect, before, play);
            runs += explored.map_err(|violation| format!("{before:?}, play {at}: {violation}"))?;
        }
    }
    Ok(runs)
}

#[test]
fn no_order_of_calls_lets_a_copy_show_an_old_layout() {
    let runs = explore_all(Defect::None).unwrap_or_else(|violation| panic!("{violation}"));
    assert!(runs > 30_000, "only {runs} orders");
}

#[test]
fn every_defect_shows_in_some_order_of_calls() {
    use Defect::{MarkedAfterwards, MarksIgnored, MarksLost, Unconditional};
    for defect in [MarksLost, MarkedAfterwards, Unconditional, MarksIgnored] {
        assert!(explore_all(defect).is_err(), "{defect:?} is not found");
    }
}

/// Whether the copy shows a record. Then it has the present layout.
fn is_shown(store: &Stepwise) -> bool {
    store.check();
    assert_eq!(store.lock().violation, None);
    matches!(store.copy(), Some(RecordCopy::Current(_)))
}

/// A change that dies after any of its calls leaves a copy that one projector repairs.
#[test]
fn a_projector_repairs_what_a_dead_change_leaves() {
    for calls in 0..=4 {
        let store = prepared(Defect::None, Before::Begun);
        let mut dying = vec![operator(&store)];
        for _ in 0..calls {
            settle(&mut dying);
            let mut turns = store.lock();
            turns.granted = Some(turns.waiting.remove(0));
        }
        settle(&mut dying);
        drop(dying);
        store.lock().waiting.clear();
        assert_eq!(is_shown(&store), matches!(calls, 0 | 1 | 4), "after {calls} calls");
        assert_eq!(store.record().building().is_some(), calls < 3, "after {calls} calls");

        let repairing = vec![projector(&store)];
        run(&store, repairing, &mut Vec::new()).unwrap_or_else(|violation| panic!("{violation}"));
        assert!(is_shown(&store), "after {calls} calls");
        let marked = |number| RecordCopy::Marked(Mark { number, at: Timestamp::UNIX_EPOCH });
        let next = store.record().number() + 1;
        assert!(marked(next).replaces(store.copy().as_ref()), "the next change can mark it");
    }
}

/// A change may take a while between its marks and its record. A projector must not supersede it at once.
#[test]
fn a_young_mark_is_left_alone() {
    let store = prepared(Defect::None, Before::Begun);
    let number = store.record().number();
    let at = Timestamp::from_second(3_600 - 59).expect("a time");
    let mark = RecordCopy::Marked(Mark { number: number + 1, at });
    store.memory.overwrite_copy(NOTES, first_copy(), mark.clone());
    let reading = vec![projector(&store)];
    run(&store, reading, &mut Vec::new()).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!((store.record().number(), store.copy()), (number, Some(mark)));
}
