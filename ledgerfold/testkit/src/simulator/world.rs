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
    project::{Delivery, Projector},
};

use super::{
    Clockwork, Plant, Report,
    bus::Bus,
    change_stream::ChangeStream,
    clients,
    functions::{self, Containers, Processes},
    log::{LogLimits, SimulatedLog},
    mapping::Mapping,
    operators,
    queue::Queue,
    rows::SimulatedRows,
    schedule::{Ending, Outage, Schedule},
    tallies::SimulatedTallies,
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
    pub(super) queues: [Arc<Queue>; 2],
    pub(super) rows: Arc<SimulatedRows>,
    pub(super) tallies: Arc<SimulatedTallies>,
    /// Clients and others at work that come to an end by themselves.
    busy: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
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
        let queues = [0, 1].map(queue).map(Arc::new);
        let bus = Bus::new(all(), plant, queues.clone(), &schedule);
        Self {
            containers: Arc::new(Containers::new(clockwork.clone(), log.clone())),
            rows: Arc::new(SimulatedRows::new(way(), witness.clone(), plant, LAG)),
            tallies: Arc::new(SimulatedTallies::new(way(), witness.clone(), plant)),
            processes: Processes::new(clockwork.clone()),
            bus: Arc::new(bus),
            busy: Arc::default(),
            over: Arc::default(),
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
        for lane in self.changes.lanes() {
            self.clockwork.spawn(Mapping::new(self.clone(), lane.clone()).run());
        }
        // Two functions at a queue: batches of one stream meet.
        for queue in [0, 0, 1, 1] {
            let (world, projector) = (self.clone(), functions::projector(self, queue));
            self.clockwork.spawn(async move { world.project(queue, projector).await });
        }
        let world = self.clone();
        self.clockwork.spawn(async move { world.conclude().await });
    }

    /// Does something that the end waits for.
    pub(super) fn work(&self, work: impl Future<Output = ()> + Send + 'static) {
        let busy = self.busy.clone();
        busy.fetch_add(1, Ordering::SeqCst);
        self.clockwork.spawn(async move {
            work.await;
            busy.fetch_sub(1, Ordering::SeqCst);
        });
    }

    async fn project(&self, number: usize, projector: Projector) {
        let queue = &self.queues[number];
        loop {
            queue.arrived().await;
            self.clockwork.sleep(self.clockwork.within(POLL)).await;
            let batch = queue.receive();
            if batch.is_empty() {
                continue;
            }
            let receipts: Vec<_> = batch.iter().map(|it: &Delivery| it.receipt.clone()).collect();
            let Some(failed) = functions::project(self, &projector, batch).await else {
                // A function that died has done nothing that is known of.
                queue.settle(&receipts, &receipts);
                continue;
            };
            if let Some((_, reason)) = failed.first().filter(|_| self.schedule.is_fair()) {
                self.witness.violated(format!("a message was not applied at once: {reason}"));
            }
            let failed: Vec<_> = failed.into_iter().map(|(receipt, _)| receipt).collect();
            queue.settle(&receipts, &failed);
        }
    }

    /// Waits for the clients, lets the weather clear, brings home what stands aside, and waits until
    /// nothing is under way.
    async fn conclude(&self) {
        while self.busy.load(Ordering::SeqCst) > 0 {
            self.clockwork.sleep(self.schedule.pace()).await;
        }
        self.weather.clear();
        self.clockwork.make_immortal();
        self.come_to_rest().await;
        if self.schedule.ending == Ending::Redrive {
            for _ in 0..2 {
                self.changes.redrive();
                self.queues.iter().for_each(|queue| queue.redrive());
                self.come_to_rest().await;
            }
        }
        let lost = !self.changes.missed().is_empty();
        if self.schedule.ending == Ending::Repair || lost {
            self.queues.iter().for_each(|queue| queue.purge());
            operators::repair_all(self).await;
        }
        operators::audit(self).await;
        self.over.store(true, Ordering::SeqCst);
    }

    async fn come_to_rest(&self) {
        while !self.rests() {
            self.clockwork.sleep(Duration::from_secs(1)).await;
        }
    }

    fn rests(&self) -> bool {
        self.processes.rest()
            && self.changes.rests()
            && self.bus.rests()
            && self.queues.iter().all(|queue| queue.rests())
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
