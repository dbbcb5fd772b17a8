//! Tests of spot checks and their samples.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    Category, Payload, StreamId, Timestamp, Version,
    ports::{
        Clock, CommitPage, EventStore, IndexKey, Page, Parked, Quarantine, Resume, Segment,
        StoreError, StoredRow, Streams, StreamsError,
    },
    project::Verdict,
    rebuild::Plan,
    reconcile::{Look, Sample, SpotCheck, SpotChecked, Summary},
    vocabulary::Generation,
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::{Amended, Amendment, ManualClock, MemoryQuarantine, SeededRandom};

use crate::{
    note_models::deliveries,
    reads::Counting,
    stage::{NOTES, Stage, WORDS},
};

const PATIENCE: Duration = Duration::from_secs(900);

fn sample(stage: &Stage) -> Sample {
    Sample::new(stage.log.clone(), Arc::new(SeededRandom::new(5)))
}

fn check_over(stage: &Stage, log: Arc<dyn EventStore>, clock: Arc<dyn Clock>) -> SpotCheck {
    check_with(stage, log, clock, &Arc::default())
}

fn check_with(
    stage: &Stage,
    log: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    quarantine: &Arc<MemoryQuarantine>,
) -> SpotCheck {
    let check = SpotCheck::new(sample(stage), stage.generations.clone(), log, clock);
    [NOTES, WORDS].into_iter().fold(check, |check, projection| {
        let table = stage.memory(projection).clone();
        let models = stage.catalog.models(projection, table).expect("it exists");
        check.of(models, stage.parked(projection), quarantine.clone())
    })
}

async fn run(stage: &Stage, look: Look) -> SpotChecked {
    let check = check_over(stage, stage.log.clone(), stage.clock.clone());
    check.run(look, PATIENCE, Timestamp::MAX).await.expect("the read succeeds")
}

/// Streams with one note each, which all read models have.
async fn streams(stage: &Stage, count: usize) -> Vec<StreamId> {
    let streams: Vec<_> = (0..count).map(|_| fresh()).collect();
    for stream in &streams {
        stage.write(stream, "one", &["a"]).await;
    }
    let commits = stage.log.commits();
    for projection in [NOTES, WORDS] {
        let events = commits.iter().flat_map(|commit| commit.envelopes().collect::<Vec<_>>());
        assert_eq!(stage.projector(projection).project(deliveries(events)).await, []);
    }
    streams
}

/// Moves the clock forward until no recorded event can be in transit any more.
fn later(stage: &Stage) {
    stage.clock.set(stage.clock.now() + PATIENCE);
}

// Guards: quiet-streams-are-checked
#[tokio::test]
async fn every_sample_is_another_part_of_the_requested_category() {
    let stage = Stage::new();
    let all = streams(&stage, 12).await;
    let mut drawn = BTreeSet::new();
    for _ in 0..100 {
        let streams = sample(&stage).draw(3).await.expect("the read succeeds");
        assert!((2..=3).contains(&streams.len()), "{streams:?}");
        drawn.extend(streams);
    }
    let same = sample(&stage);
    for _ in 0..100 {
        drawn.extend(same.draw(3).await.expect("the read succeeds"));
    }
    assert_eq!(drawn, all.into_iter().collect(), "every stream is drawn at some time");

    let other = sample(&stage).only([Category::from_static("other")]);
    assert_eq!(other.draw(3).await.expect("the read succeeds"), []);
}

/// The streams of a log with equal parts, like those of a table. Counts the listed streams.
struct Spread {
    streams: Vec<StreamId>,
    listed: AtomicUsize,
}

impl Spread {
    fn new(count: usize) -> Arc<Self> {
        let streams = (0..count).map(|_| fresh()).collect();
        Arc::new(Self { streams, listed: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Streams for Spread {
    async fn list(
        &self,
        segment: Segment,
        _: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        let is_here = |stream: &&StreamId| {
            let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(stream);
            hash % u64::from(segment.of()) == u64::from(segment.index())
        };
        let streams: Vec<_> = self.streams.iter().filter(is_here).cloned().collect();
        self.listed.fetch_add(streams.len(), Ordering::SeqCst);
        Ok(Page::last(streams))
    }
}

#[tokio::test]
async fn a_sample_costs_no_more_than_the_log_and_does_not_grow_with_it() {
    for (count, most_listed) in [(90, 95), (150, 158), (199, 209), (400, 320), (20_000, 3_000)] {
        for seed in 0..5 {
            let log = Spread::new(count);
            let sample = Sample::new(log.clone(), Arc::new(SeededRandom::new(seed)));
            let drawn = sample.draw(200).await.expect("the list can be read").len();
            let listed = log.listed.load(Ordering::SeqCst);
            assert!(listed <= most_listed, "{listed} of {count} were listed");
            assert!(drawn > 100 || drawn == count, "{drawn} of {count} were drawn");
        }
    }
}

#[tokio::test]
async fn a_sample_of_a_rare_category_costs_no_more_either() {
    let log = Spread::new(30_000);
    let sample = Sample::new(log.clone(), Arc::new(SeededRandom::new(1)));
    let rare = sample.only([Category::from_static("rare")]);
    assert_eq!(rare.draw(10).await.expect("the list can be read"), []);
    let listed = log.listed.load(Ordering::SeqCst);
    assert!(listed < 5_000, "{listed} were listed");
}

/// A log of streams that have this many pages each, and no other streams in their parts. Counts the pages.
struct Long {
    streams: Vec<StreamId>,
    pages: usize,
    listed: AtomicUsize,
}

#[async_trait]
impl Streams for Long {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        self.listed.fetch_add(1, Ordering::SeqCst);
        let place = from.map_or(0, |Resume(text)| text.parse().expect("a number"));
        let is_here = |(at, _): &(u32, &StreamId)| at * 31_321 % segment.of() == segment.index();
        let streams: Vec<_> = (0..).zip(&self.streams).filter(is_here).collect();
        // The first page of a stream shows it, and all others are empty.
        let items = streams.get(place / self.pages).filter(|_| place.is_multiple_of(self.pages));
        let next =
            (place + 1 < streams.len() * self.pages).then(|| Resume((place + 1).to_string()));
        Ok(Page { items: items.map(|(_, stream)| (*stream).clone()).into_iter().collect(), next })
    }
}

#[tokio::test]
async fn a_sample_of_few_long_streams_reads_a_bounded_number_of_pages() {
    for (streams, pages) in [(3, 10), (3, 100_000), (100, 1_000)] {
        let all: Vec<_> = (0..streams).map(|_| fresh()).collect();
        let log = Arc::new(Long { streams: all, pages, listed: AtomicUsize::new(0) });
        let sample = Sample::new(log.clone(), Arc::new(SeededRandom::new(2)));
        let drawn = sample.draw(200).await.expect("the list can be read");
        assert!(!drawn.is_empty(), "no stream was drawn");
        let listed = log.listed.load(Ordering::SeqCst);
        assert!(listed <= 112, "{listed} pages for {streams} streams of {pages} pages");
    }
}

/// A spot check of these streams, with the number of its reads.
async fn counted(stage: &Stage, streams: &[StreamId]) -> (SpotChecked, usize) {
    let log = Amended::of(stage.log.clone(), Counting::default());
    let check = check_over(stage, log.clone(), stage.clock.clone());
    let checked = check.run(Look::On(streams.to_vec()), PATIENCE, Timestamp::MAX).await;
    let (reads, _) = log.amendment().take();
    (checked.expect("the read succeeds"), reads)
}

/// Streams of this many commits, which all read models have. The log has pages of two commits.
async fn long_streams(stage: &Stage, count: usize, commits: usize) -> Vec<StreamId> {
    let streams: Vec<_> = (0..count).map(|_| fresh()).collect();
    for stream in &streams {
        for at in 0..commits {
            stage.write(stream, &format!("n{at}"), &["a"]).await;
        }
    }
    let commits = stage.log.commits();
    for projection in [NOTES, WORDS] {
        let events = commits.iter().flat_map(|commit| commit.envelopes().collect::<Vec<_>>());
        assert_eq!(stage.projector(projection).project(deliveries(events)).await, []);
    }
    later(stage);
    streams
}

// Guards: every-read-is-bounded
#[tokio::test]
async fn a_long_stream_costs_a_bounded_number_of_pages_and_the_result_says_so() {
    let mut costs = Vec::new();
    for commits in [8, 9, 20, 200] {
        let stage = Stage::new();
        let streams = long_streams(&stage, 1, commits).await;
        let (checked, reads) = counted(&stage, &streams).await;
        let is_partial = u64::from(commits > 8);
        let expected = Summary { streams: 1, partial: is_partial, ..Summary::default() };
        assert_eq!(checked.summaries[NOTES], expected, "{commits} commits");
        assert_eq!((checked.wrong(), checked.cut_short), (0, false));
        costs.push(reads);
    }
    // Four pages, and for each of the two models one page after its version and the head.
    assert_eq!(costs, [4, 8, 8, 8]);
}

// Guards: quiet-streams-are-checked
#[tokio::test]
async fn the_end_of_a_long_stream_shows_rows_that_are_lost_late_ahead_or_unreadable() {
    let stage = Stage::new();
    let streams = long_streams(&stage, 6, 20).await;
    let [lost, behind, ahead, unreadable, misplaced, unnoticed] = &streams[..] else {
        panic!("six streams")
    };
    let rows = stage.notes.rows_of(Generation::FIRST);
    let row = |stream: &StreamId, version, body: &str| StoredRow {
        stream: stream.clone(),
        version: Version::new(version),
        body: Some(Payload::from_text(body.to_owned()).expect("JSON")),
        index: Some(IndexKey::new("all", "a").expect("a short text")),
    };
    rows.lose(lost);
    rows.damage(row(behind, 19, r#"["a"]"#));
    rows.damage(row(ahead, 21, r#"["a"]"#));
    rows.damage(row(unreadable, 20, "7"));
    rows.damage(row(misplaced, 20, r#"["b"]"#));
    rows.damage(row(unnoticed, 20, r#"["a", "wrong"]"#));
    let (checked, _) = counted(&stage, &streams).await;
    let expected = Summary {
        streams: 6,
        lost: 1,
        diverged: 1,
        behind: 1,
        ahead: 1,
        unreadable: 1,
        partial: 6,
        ..Summary::default()
    };
    // Only a comparison of the whole stream can find wrong content.
    assert_eq!(checked.summaries[NOTES], expected);
    let late = checked.findings.iter().find(|it| it.stream == *behind).expect("it is reported");
    assert!(late.comparison.waiting_since.is_some(), "the age of the missing event is known");
}

#[tokio::test]
async fn the_pages_of_all_streams_together_are_bounded() {
    let stage = Stage::new();
    let streams = long_streams(&stage, 60, 8).await;
    let (checked, reads) = counted(&stage, &streams).await;
    let partial = checked.summaries[NOTES].partial;
    // A hundred further pages are enough for 33 streams of four pages.
    assert!((20..=27).contains(&partial), "{partial} streams were compared in part");
    assert!(reads <= 60 + 100 + 4 * 27, "{reads} reads");
}

#[tokio::test]
async fn a_missing_row_is_found_in_its_own_model_only() {
    let stage = Stage::new();
    let streams = streams(&stage, 30).await;
    stage.notes.rows_of(Generation::FIRST).lose(&streams[7]);
    later(&stage);
    let checked = run(&stage, Look::At(100)).await;
    assert_eq!((checked.streams, checked.wrong(), checked.cut_short), (30, 1, false));
    let clean = Summary { streams: 30, ..Summary::default() };
    assert_eq!(checked.summaries[NOTES], Summary { lost: 1, ..clean });
    assert_eq!(checked.summaries[WORDS], clean);
    let [finding] = checked.findings.as_slice() else { panic!("{:?}", checked.findings) };
    assert_eq!((finding.projection, &finding.stream), (NOTES, &streams[7]));

    let elsewhere = run(&stage, Look::On(streams[..7].to_vec())).await;
    assert_eq!((elsewhere.streams, elsewhere.wrong()), (7, 0));
}

// Guards: quiet-streams-are-checked
#[tokio::test]
async fn an_event_in_transit_is_reported_as_missing_only_after_the_patience() {
    let stage = Stage::new();
    let stream = streams(&stage, 1).await.swap_remove(0);
    stage.write(&stream, "two", &["b"]).await;
    later(&stage);
    stage.clock.set(stage.clock.now() - Duration::from_millis(1));
    assert_eq!(run(&stage, Look::At(1)).await.wrong(), 0);
    // After later events the first missing event has the same age as before.
    stage.write(&stream, "three", &["c"]).await;
    stage.clock.set(stage.clock.now() + Duration::from_millis(1));
    let late = run(&stage, Look::At(1)).await;
    assert_eq!((late.wrong(), late.summaries[NOTES].behind), (2, 1));

    let body = Some(Payload::encode(&["z".to_owned()]).expect("texts are JSON"));
    let wrong = StoredRow { stream: stream.clone(), version: Version::new(1), body, index: None };
    stage.notes.rows_of(Generation::FIRST).damage(wrong);
    stage.clock.set(stage.clock.now() - PATIENCE);
    let young = run(&stage, Look::At(1)).await;
    assert_eq!(young.summaries[NOTES].diverged, 1, "a diverged row is wrong at once");
}

#[tokio::test]
async fn a_parked_stream_is_counted_and_not_reported_as_wrong() {
    let stage = Stage::new();
    let stream = fresh();
    stage.write(&stream, "one", &["a"]).await;
    later(&stage);
    let quarantine = Arc::<MemoryQuarantine>::default();
    let (since, reason) = (stage.clock.now(), "it has no place".to_owned());
    let (position, version, owed_version) = (None, None, Version::new(1));
    let (attempts, tried) = (0, since);
    let parked = Parked { stream, position, version, owed_version, reason, since, attempts, tried };
    quarantine.park(&parked).await.expect("the entry is stored");
    let models = stage.catalog.models(NOTES, stage.notes.clone()).expect("it exists");
    let (log, clock) = (stage.log.clone(), stage.clock.clone());
    let check = SpotCheck::new(sample(&stage), stage.generations.clone(), log, clock);
    let check = check.of(models, quarantine.clone(), quarantine);
    let checked = check.run(Look::At(9), PATIENCE, Timestamp::MAX).await.expect("readable");
    assert_eq!((checked.wrong(), checked.summaries[NOTES].parked), (0, 1));
    assert!(matches!(checked.findings[0].comparison.verdict, Verdict::Parked(_)));
}

// Guards: every-backlog-has-an-alarm-on-its-age
#[tokio::test]
async fn the_backlog_is_reported_with_its_age() {
    let stage = Stage::new();
    let quarantine = Arc::<MemoryQuarantine>::default();
    let check = check_with(&stage, stage.log.clone(), stage.clock.clone(), &quarantine);
    let nothing = check.backlog().await.expect("the read succeeds");
    assert_eq!((nothing.parked_since[NOTES], nothing.building), (None, 0));

    for second in [30, 20, 40] {
        let since = Timestamp::from_second(second).expect("a second of our era");
        let parked = Parked {
            stream: fresh(),
            position: None,
            version: None,
            owed_version: Version::new(1),
            reason: "it does not fit".to_owned(),
            since,
            attempts: 0,
            tried: since,
        };
        quarantine.park(&parked).await.expect("the entry is stored");
    }
    stage.rebuilder(WORDS).begin().await.expect("the record can be written");
    let backlog = check.backlog().await.expect("the read succeeds");
    assert_eq!(backlog.parked_since[NOTES], Timestamp::from_second(20).ok());
    assert_eq!(backlog.building, 1);
}

#[tokio::test]
async fn a_check_that_runs_out_of_time_reports_its_findings_so_far() {
    let stage = Stage::new();
    let streams = streams(&stage, 60).await;
    let check = check_over(&stage, stage.log.clone(), Arc::new(Ticking(stage.clock.clone())));
    let until = stage.clock.now() + Duration::from_secs(2);
    let checked = check.run(Look::On(streams), Duration::ZERO, until).await.expect("readable");
    assert_eq!((checked.streams, checked.cut_short), (50, true));
}

/// A clock that moves forward whenever it is read.
struct Ticking(Arc<ManualClock>);

#[async_trait]
impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let now = self.0.now();
        self.0.set(now + Duration::from_secs(1));
        now
    }

    async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }
}

/// A log that runs a whole rebuild and removes the old rows at its first read.
struct Rebuilt(Mutex<Option<Stage>>);

#[async_trait]
impl Amendment for Rebuilt {
    async fn read(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        after: Version,
    ) -> Result<CommitPage, StoreError> {
        let first = self.0.lock().expect("nobody panics with the lock").take();
        if let Some(stage) = first {
            let (rebuilder, plan) = (stage.rebuilder(NOTES), Plan::default());
            let building = rebuilder.begin().await.expect("the record can be written");
            rebuilder.fill(&building, plan, &|_| ()).await.expect("the fill succeeds");
            let verified = rebuilder.verify(&building, plan, &|_| ()).await.expect("readable");
            rebuilder.switch(&verified).await.expect("the record can be written");
            rebuilder.retire().await.expect("the record can be written");
            rebuilder.remove(&|_| ()).await.expect("the removal succeeds");
        }
        log.read(stream, after).await
    }
}

// Guards: quiet-streams-are-checked
#[tokio::test]
async fn a_generation_that_is_removed_meanwhile_lacks_nothing() {
    let stage = Stage::new();
    let streams = streams(&stage, 3).await;
    later(&stage);
    let log = Amended::of(stage.log.clone(), Rebuilt(Mutex::new(Some(stage.clone()))));
    let check = check_over(&stage, log, stage.clock.clone());
    let checked = check.run(Look::On(streams), PATIENCE, Timestamp::MAX).await.expect("readable");
    assert_eq!((checked.streams, checked.wrong()), (3, 0), "{:?}", checked.findings);
    assert_eq!(stage.notes.generations(), [Generation::FIRST.next()], "the old rows are removed");
}
