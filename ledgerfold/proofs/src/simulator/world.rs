//! Everything there is in a schedule, and its beginning and end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ledgerfold::{
    ports::Clock,
    project::RetryScope,
    vocabulary::{Delivery, FailedReceipt, Receipt},
};

use super::{
    Clockwork, Plant, Report,
    bus::{Bus, PROCESS, QUEUES},
    change_stream::ChangeStream,
    clients,
    deadlines::SimulatedDeadlines,
    functions::{self, Containers, Processes},
    generations::SimulatedGenerations,
    log::{LogLimits, SimulatedLog},
    mapping::Mapping,
    old_code::Deployment,
    operators,
    quarantine::SimulatedQuarantine,
    queue::Queue,
    reactions::{self, Reactor},
    read_table::SimulatedTable,
    readers::Readers,
    rebuilds,
    schedule::{Outage, Schedule},
    subject::{Desk, PROJECTIONS, Subject},
    weather::{Way, Weather},
    witness::Witness,
};

/// How late the index of the rows may be.
const LAG: Duration = Duration::from_secs(2);
/// How long a projector's poll takes.
const POLL: Duration = Duration::from_secs(2);

/// A schedule.
#[derive(Clone)]
pub(super) struct World {
    pub(super) schedule: Schedule,
    pub(super) plant: Plant,
    pub(super) clockwork: Clockwork,
    pub(super) weather: Weather,
    pub(super) witness: Arc<Witness>,
    pub(super) processes: Processes,
    pub(super) containers: Arc<Containers>,
    pub(super) log: Arc<SimulatedLog>,
    pub(super) changes: Arc<ChangeStream>,
    pub(super) bus: Arc<Bus>,
    pub(super) queues: [Arc<Queue>; QUEUES],
    /// The projections.
    pub(super) subjects: [Subject; 2],
    pub(super) readers: Arc<Readers>,
    pub(super) deadlines: Arc<SimulatedDeadlines>,
    /// Clients and others at work that come to an end by themselves.
    busy: Arc<AtomicUsize>,
    /// Those who rebuild read models, and may go on when clients have ended.
    rebuilding: Arc<AtomicUsize>,
    pub(super) over: Arc<AtomicBool>,
    /// How far the projections are mended.
    pub(super) deployment: Deployment,
}

impl World {
    pub(super) fn new(seed: u64, plant: Plant) -> Self {
        let schedule = Schedule::of(seed);
        let clockwork = Clockwork::new(seed, schedule.storm.deaths);
        let weather = Weather::new(&clockwork, schedule.storm.strikes);
        let witness = Arc::<Witness>::default();
        let all = || (clockwork.clone(), weather.clone(), witness.clone());
        let way = || Way { clockwork: clockwork.clone(), weather: weather.clone() };
        let changes = Arc::new(ChangeStream::new(&clockwork, schedule.stream, witness.clone()));
        let limits = LogLimits { page: schedule.page, commit_bytes: schedule.commit_bytes };
        let log = Arc::new(SimulatedLog::new(all(), plant, limits, changes.clone()));
        let queue = |_| Queue::new(&clockwork, witness.clone(), plant, schedule.queue);
        let queues = [0, 1, PROCESS].map(queue).map(Arc::new);
        let bus = Bus::new(all(), plant, queues.clone(), &schedule);
        let subjects = PROJECTIONS.map(|projection| Subject {
            projection,
            table: Arc::new(SimulatedTable::new((way(), witness.clone(), plant), LAG)),
            generations: Arc::new(SimulatedGenerations::new(way())),
            quarantine: Arc::new(SimulatedQuarantine::new(way(), witness.clone(), plant)),
            desk: Desk::default(),
        });
        let readers = Readers::new(&clockwork, witness.clone(), schedule, &subjects);
        Self {
            containers: Arc::new(Containers::new(clockwork.clone(), log.clone())),
            readers: Arc::new(readers),
            subjects,
            deadlines: Arc::new(SimulatedDeadlines::new(way(), witness.clone(), plant)),
            processes: Processes::new(clockwork.clone()),
            bus: Arc::new(bus),
            busy: Arc::default(),
            rebuilding: Arc::default(),
            over: Arc::default(),
            deployment: Deployment::new(!schedule.old_code),
            schedule,
            plant,
            clockwork,
            weather,
            witness,
            log,
            changes,
            queues,
        }
    }

    /// The clock and the randomness that functions are given.
    pub(super) fn time_and_chance(&self) -> (Arc<Clockwork>, Arc<Clockwork>) {
        (Arc::new(self.clockwork.clone()), Arc::new(self.clockwork.clone()))
    }

    pub(super) fn start(&self) {
        clients::start(self);
        operators::start(self);
        rebuilds::start(self);
        for lane in self.changes.lanes() {
            self.clockwork.spawn(Mapping::new(self.clone(), lane.clone()).run());
        }
        // Two functions at a queue: batches of one stream meet.
        for queue in [0, 0, 1, 1] {
            let world = self.clone();
            self.clockwork.spawn(async move { world.project(queue).await });
        }
        for queue in [0, 1] {
            let world = self.clone();
            self.clockwork.spawn(async move { world.retry_parked(queue).await });
        }
        for _ in 0..2 {
            let (world, reactor) = (self.clone(), Reactor::new(self));
            self.clockwork.spawn(async move { world.react(reactor).await });
            self.clockwork.spawn(reactions::sweep(self.clone()));
        }
        let world = self.clone();
        self.clockwork.spawn(async move { world.conclude().await });
    }

    /// Does something that the end waits for.
    pub(super) fn work(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.count_in(&self.busy, work);
    }

    /// Rebuilds a read model, which may go on when clients have ended.
    pub(super) fn rebuild(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.count_in(&self.rebuilding, work);
    }

    fn count_in(&self, among: &Arc<AtomicUsize>, work: impl Future<Output = ()> + Send + 'static) {
        let among = among.clone();
        among.fetch_add(1, Ordering::SeqCst);
        self.clockwork.spawn(async move {
            work.await;
            among.fetch_sub(1, Ordering::SeqCst);
        });
    }

    async fn project(&self, number: usize) {
        loop {
            let batch = self.next_batch(number).await;
            let receipts = receipts(&batch);
            let failed = functions::project(self, number, batch).await;
            self.settle(number, &receipts, failed);
        }
    }

    /// Has what stands parked tried again, round by round.
    async fn retry_parked(&self, number: usize) {
        loop {
            self.subjects[number].quarantine.occupied().await;
            self.clockwork.sleep(self.clockwork.within(self.schedule.pace())).await;
            let which = if self.clockwork.chance(50) { RetryScope::All } else { RetryScope::Due };
            functions::retry_parked(self, number, which).await;
        }
    }

    async fn react(&self, mut reactor: Reactor) {
        loop {
            let batch = self.next_batch(PROCESS).await;
            let receipts = receipts(&batch);
            if self.plant == Plant::ProcessAcknowledgesFirst {
                self.settle(PROCESS, &receipts, Some(Vec::new()));
            }
            let failed = reactor.react(self, batch).await;
            if failed.is_none() {
                reactor = Reactor::new(self);
            }
            self.settle(PROCESS, &receipts, failed);
        }
    }

    async fn next_batch(&self, queue: usize) -> Vec<Delivery> {
        let queue = &self.queues[queue];
        loop {
            queue.arrived().await;
            self.clockwork.sleep(self.clockwork.within(POLL)).await;
            let batch = queue.receive();
            if !batch.is_empty() {
                return batch;
            }
        }
    }

    /// Deletes what is done of a batch. A function that died has done nothing that is known of.
    fn settle(&self, queue: usize, batch: &[Receipt], failed: Option<Vec<FailedReceipt>>) {
        let Some(failed) = failed else { return };
        // A process's command may lose its races against clients, and then its message comes again.
        let is_smooth = self.schedule.is_smooth() && queue != PROCESS;
        if let Some(FailedReceipt { reason, .. }) = failed.first().filter(|_| is_smooth) {
            self.witness.violated(format!("a message was not applied at once: {reason}"));
        }
        let failed: Vec<_> = failed.into_iter().map(|failed| failed.receipt).collect();
        self.queues[queue].settle(batch, &failed);
    }

    /// Whether clients are at work, or others whom the end waits for.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst) > 0
    }

    /// Whether somebody is not done with the generations.
    pub(super) fn is_rebuilding(&self) -> bool {
        self.rebuilding.load(Ordering::SeqCst) > 0
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Lets an outage come and go.
    pub(super) async fn suffer(&self, outage: Outage) {
        let (begin, length) = Schedule::OUTAGE;
        self.clockwork.sleep(begin).await;
        self.weather.set_outage(outage);
        self.clockwork.sleep(length).await;
        self.weather.set_outage(Outage::None);
    }

    pub(super) fn report(&self) -> Report {
        Report { deaths: self.clockwork.deaths(), ..self.witness.report() }
    }
}

fn receipts(batch: &[Delivery]) -> Vec<Receipt> {
    batch.iter().map(|delivery| delivery.receipt.clone()).collect()
}
