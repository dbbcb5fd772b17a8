//! Tests of rebuilds and roll-backs under random schedules, with concurrent writers, readers and projectors that
//! crash.
//!
//! Guards: a-rebuild-misses-nothing

use std::{collections::BTreeMap, sync::atomic::Ordering};

use futures::future::{Either, join, join3, join5, select};
use ledgerfold::{
    StreamId, TenantId, Version,
    ports::{CounterKey, RowReader, TallyReader, Written},
    rebuild::{Plan, RebuildError, Rebuilder, Verified},
    vocabulary::{Content, Delivery, Generation, Receipt},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::bank::NoteWritten;

use crate::stage::{NOTES, Shared, Stage, WORDS};

const STREAMS: usize = 5;
const WRITES: usize = 12;
const VOCABULARY: [&str; 3] = ["a", "b", "c"];

/// A stage with the state of all actors.
struct Play {
    stage: Stage,
    projection: &'static str,
    streams: Vec<StreamId>,
    queue: Shared<Queue>,
    /// The newest versions and counts that readers have seen. All readers check against them.
    shown: Shared<BTreeMap<StreamId, Version>>,
    shown_total: Shared<i128>,
}

#[derive(Default)]
struct Queue {
    messages: Vec<Delivery>,
    /// The number of messages that projectors process now.
    taken: usize,
    receipts: usize,
    /// The number of writers and rebuilders that are not done.
    at_work: usize,
}

impl Play {
    fn new(projection: &'static str, seed: u64, failing: u64) -> Self {
        let stage = Stage::slow(seed);
        stage.disturbances.failing.store(failing, Ordering::SeqCst);
        Self {
            stage,
            projection,
            streams: (0..STREAMS).map(|_| fresh()).collect(),
            queue: Shared::default(),
            shown: Shared::default(),
            shown_total: Shared::default(),
        }
    }

    fn draw<'a, T>(&self, from: &'a [T]) -> &'a T {
        let at = self.stage.disturbances.draw(u64::try_from(from.len()).expect("it is short"));
        &from[usize::try_from(at).expect("it is short")]
    }

    async fn idle(&self, most: u64) {
        for _ in 0..self.stage.disturbances.draw(most) {
            self.stage.disturbances.pass().await;
        }
    }

    async fn write(&self, writer: usize) {
        for at in 0..WRITES {
            self.idle(8).await;
            let (stream, first) = (self.draw(&self.streams), *self.draw(&VOCABULARY));
            let notes = if at % 3 == 0 { vec![first, "and"] } else { vec![first] };
            let answer = self.stage.write(stream, &format!("{writer}.{at}"), &notes).await;
            self.idle(4).await;
            self.announce(stream, answer.version);
        }
        self.leave();
    }

    /// Puts the events of a commit on the queue, some of them twice and some as pointers.
    fn announce(&self, stream: &StreamId, committed: Version) {
        let commits = self.stage.log.commits();
        let commit = commits.iter().find(|it| it.stream() == stream && it.to() == committed);
        for envelope in commit.expect("the commit was appended").envelopes() {
            let pointer = Content::Pointer { stream: stream.clone(), committed };
            let content = match self.stage.disturbances.draw(6) {
                0 => vec![pointer],
                1 => vec![pointer, envelope.into()],
                _ => vec![envelope.into()],
            };
            self.queue.with(|queue| {
                for content in content {
                    queue.receipts += 1;
                    let receipt = Receipt(queue.receipts.to_string());
                    queue.messages.push(Delivery { receipt, content: Ok(content), replay: None });
                }
            });
        }
    }

    fn join(&self) {
        self.queue.with(|queue| queue.at_work += 1);
    }

    fn leave(&self) {
        self.queue.with(|queue| queue.at_work -= 1);
    }

    fn is_over(&self) -> bool {
        self.queue.with(|queue| queue.at_work == 0 && queue.taken == 0 && queue.messages.is_empty())
    }

    fn receive(&self) -> Vec<Delivery> {
        let most = self.stage.disturbances.draw(4) + 1;
        self.queue.with(|queue| {
            let mut batch = Vec::new();
            for _ in 0..most.min(u64::try_from(queue.messages.len()).expect("it is short")) {
                let at = self
                    .stage
                    .disturbances
                    .draw(u64::try_from(queue.messages.len()).expect("short"));
                batch.push(queue.messages.swap_remove(usize::try_from(at).expect("it is short")));
            }
            queue.taken += batch.len();
            batch
        })
    }

    /// Handles batches. Sometimes the projector crashes, and the whole batch is delivered again.
    async fn project(&self) {
        let projector = self.stage.projector(self.projection);
        while !self.is_over() {
            let batch = self.receive();
            if batch.is_empty() {
                tokio::task::yield_now().await;
                continue;
            }
            let life = async {
                let mortal = self.stage.disturbances.draw(5) == 0;
                for _ in 0..if mortal { self.stage.disturbances.draw(30) } else { 100_000 } {
                    tokio::task::yield_now().await;
                }
            };
            let again =
                match select(Box::pin(projector.project(batch.clone())), Box::pin(life)).await {
                    Either::Left((failed, _)) => {
                        let failed: Vec<_> = failed.into_iter().map(|it| it.receipt).collect();
                        batch.iter().filter(|it| failed.contains(&it.receipt)).cloned().collect()
                    }
                    Either::Right(_) => batch.clone(),
                };
            self.queue.with(|queue| {
                queue.taken -= batch.len();
                queue.messages.extend(again);
            });
        }
    }

    /// Checks that a read never returns an older state than any read that ended before it began.
    async fn read(&self) {
        let (rows, counters) = (self.stage.live_notes(), self.stage.live_words());
        let (first, last) = (CounterKey::least(), CounterKey::new("z").expect("a key"));
        while !self.is_over() {
            let stream = self.draw(&self.streams);
            let floor = self.shown.with(|shown| shown.get(stream).copied());
            let version = if self.projection == NOTES {
                let row = rows.get(stream).await.expect("reads never fail");
                row.map(|row| row.version)
            } else {
                let memo = counters.memo(stream).await.expect("reads never fail");
                memo.map(|memo| memo.version)
            };
            assert!(version >= floor, "{stream} was read at {floor:?}, and then at {version:?}");
            self.shown.with(|shown| {
                let most = shown.get(stream).copied().max(version);
                most.map(|most| shown.insert(stream.clone(), most));
            });
            if self.projection == WORDS {
                let floor = self.shown_total.with(|total| *total);
                let groups = counters
                    .range(&TenantId::default_tenant(), &first, &last)
                    .await
                    .expect("reads never fail");
                let total: i128 = groups.iter().flat_map(|group| group.amounts.values()).sum();
                assert!(total >= floor, "the count was {floor}, and then {total}");
                self.shown_total.with(|most| *most = (*most).max(total));
            }
            tokio::task::yield_now().await;
        }
    }

    /// Rebuilds, rolls back, rebuilds again and removes retired generations.
    async fn rebuild(&self) {
        let rebuilder = self.stage.rebuilder(self.projection);
        self.idle(60).await;
        self.switch(&rebuilder, async || rebuilder.begin().await).await;
        self.idle(40).await;
        self.switch(&rebuilder, async || rebuilder.begin_roll_back().await).await;
        self.idle(40).await;
        self.switch(&rebuilder, async || rebuilder.begin().await).await;
        insist(async || rebuilder.retire().await).await;
        insist(async || rebuilder.remove(&|_| ()).await).await;
        self.leave();
    }

    async fn switch<B>(&self, rebuilder: &Rebuilder, begin: B)
    where
        B: AsyncFn() -> Result<ledgerfold::vocabulary::Building, RebuildError>,
    {
        let plan = Plan { segments: 2, ..Plan::default() };
        let building = insist(begin).await;
        insist(async || rebuilder.fill(&building, plan, &|_| ()).await).await;
        loop {
            let verified: Verified =
                insist(async || rebuilder.verify(&building, plan, &|_| ()).await).await;
            assert_eq!(verified.wrong(), 0, "{verified:?}");
            if rebuilder.switch(&verified).await.expect("the record can be written")
                == Written::Done
            {
                return;
            }
        }
    }

    async fn run(&self) {
        for _ in 0..3 {
            self.join();
        }
        let readers = join(self.read(), self.read());
        let writers = join(self.write(0), self.write(1));
        let projectors = join3(self.project(), self.project(), self.project());
        join5(readers, writers, projectors, self.rebuild(), async {}).await;
    }

    /// Checks that the live generation is the fold of the log, with each event counted once.
    async fn check(&self) {
        let record = self.stage.record(self.projection).await;
        let live = record.live().number;
        assert_eq!((live.get(), record.building(), record.previous()), (3, None, None));
        let memory = self.stage.memory(self.projection);
        if self.projection == NOTES {
            self.check_rows(live);
        } else {
            self.check_counters(live);
        }
        // A delayed projector may have written to a removed generation. The next removal deletes that.
        let rebuilder = self.stage.rebuilder(self.projection);
        rebuilder.remove(&|_| ()).await.expect("the removal succeeds");
        assert_eq!(memory.generations(), [live]);
    }

    fn check_rows(&self, live: Generation) {
        let mut accounts: BTreeMap<StreamId, Vec<String>> = BTreeMap::new();
        for (stream, note) in self.notes() {
            accounts.entry(stream).or_default().push(note);
        }
        let rows = self.stage.notes.rows_of(live).rows();
        let rows = rows.into_iter().map(|row| (row.stream, row.body.map(|body| body.decode())));
        let rows: BTreeMap<_, _> =
            rows.map(|(stream, notes)| (stream, notes.expect("one").expect("texts"))).collect();
        assert_eq!(rows, accounts);
    }

    fn check_counters(&self, live: Generation) {
        let tallies = self.stage.words.tallies_of(live);
        for word in VOCABULARY.iter().chain(&["and"]) {
            let written = self.notes().filter(|(_, note)| note == word).count();
            let counted = tallies.counter(&CounterKey::new((*word).to_owned()).expect("a key"));
            let counted = counted.get("notes").copied().unwrap_or_default();
            assert_eq!(counted, i128::try_from(written).expect("few"), "{word}");
        }
    }

    fn notes(&self) -> impl Iterator<Item = (StreamId, String)> {
        let commits = self.stage.log.commits();
        let envelopes = commits.into_iter().flat_map(|it| it.envelopes().collect::<Vec<_>>());
        envelopes.map(|envelope| {
            let note: NoteWritten = envelope.event.data.decode().expect("a note");
            (envelope.stream, note.text)
        })
    }
}

/// Repeats a step while a throttling store refuses it.
async fn insist<T>(step: impl AsyncFn() -> Result<T, RebuildError>) -> T {
    loop {
        match step().await {
            Ok(done) => return done,
            Err(RebuildError::Project(_) | RebuildError::Store(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn play(projection: &'static str, failing: u64) {
    const SEEDS: u64 = 100;
    for seed in 0..SEEDS {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let played = std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async {
                let play = Play::new(projection, seed, failing);
                play.run().await;
                play.check().await;
            });
        });
        if let Err(why) = std::panic::catch_unwind(played) {
            eprintln!("the schedule of seed {seed} went wrong");
            std::panic::resume_unwind(why);
        }
    }
}

// Guards: reads-survive-a-switch
#[test]
fn rows_are_rebuilt_under_live_writes_and_reads_never_go_backwards() {
    play(NOTES, 0);
}

#[test]
fn counters_are_rebuilt_under_live_writes_and_each_event_counts_once() {
    play(WORDS, 0);
}

#[test]
fn a_throttling_read_table_is_rebuilt() {
    play(NOTES, 12);
    play(WORDS, 12);
}
