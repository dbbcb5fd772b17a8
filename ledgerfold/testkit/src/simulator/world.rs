//! Everything there is in a schedule, and its beginning and end.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ledgerfold::{CommandId, StreamId, command::Answer, ports::Clock};

use super::{
    Clockwork, Plant, Report,
    clients::{self, Containers},
    log::SimulatedLog,
    pipeline::{Bus, Pipeline, Queue},
    reads::{SimulatedRows, SimulatedTallies},
};
use crate::conformance::account::AccountCommand;

/// A schedule that has not come to rest by then never will.
pub(super) const MOST_STEPS: usize = 200_000;

/// Of a hundred calls, how many fail while the weather is bad; of a hundred turns of a function, at
/// how many it dies.
const STORMS: [(usize, usize); 4] = [(0, 0), (3, 1), (10, 2), (5, 6)];

/// As long as anything can be under way unseen: a message that was received, and nobody deleted.
const LONGEST: Duration = Duration::from_secs(21);

/// Whether things fail.
pub(super) struct Weather {
    clockwork: Clockwork,
    of_hundred: usize,
    calm: AtomicBool,
}

impl Weather {
    /// Whether nothing fails in this schedule but what is slow, disordered or repeated.
    pub(super) const fn is_fair(&self) -> bool {
        self.of_hundred == 0
    }

    /// Whether something fails now.
    pub(super) fn strikes(&self) -> bool {
        !self.calm.load(Ordering::SeqCst) && self.clockwork.chance(self.of_hundred)
    }
}

/// A schedule.
#[derive(Clone)]
pub(super) struct World {
    pub(super) clockwork: Clockwork,
    pub(super) weather: Arc<Weather>,
    pub(super) plant: Plant,
    pub(super) log: Arc<SimulatedLog>,
    pub(super) rows: Arc<SimulatedRows>,
    pub(super) tallies: Arc<SimulatedTallies>,
    pub(super) bus: Arc<Bus>,
    pub(super) queues: [Arc<Queue>; 2],
    pub(super) containers: Arc<Containers>,
    pub(super) witness: Arc<Witness>,
}

/// What was seen, for the checker.
#[derive(Default)]
pub(super) struct Witness {
    asked: Mutex<BTreeMap<CommandId, (StreamId, AccountCommand)>>,
    answers: Mutex<BTreeMap<CommandId, Answer>>,
    violations: Mutex<Vec<String>>,
    pub(super) answered: AtomicUsize,
    pub(super) delivered: AtomicUsize,
    pub(super) clients: AtomicUsize,
    pub(super) over: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Witness {
    pub(super) fn ask(&self, id: &CommandId, stream: &StreamId, command: &AccountCommand) {
        lock(&self.asked).insert(id.clone(), (stream.clone(), command.clone()));
    }

    pub(super) fn asked(&self) -> BTreeMap<CommandId, (StreamId, AccountCommand)> {
        lock(&self.asked).clone()
    }

    /// An answer that a client got; each later one must be the same.
    pub(super) fn answer(&self, id: &CommandId, answer: Answer) {
        self.answered.fetch_add(1, Ordering::SeqCst);
        let mut answers = lock(&self.answers);
        match answers.get(id) {
            Some(first) if *first != answer => {
                let rule = format!("{id} was answered {first:?}, and then {answer:?}");
                drop(answers);
                self.violated(rule);
            }
            Some(_) => {}
            None => {
                answers.insert(id.clone(), answer);
            }
        }
    }

    pub(super) fn answers(&self) -> BTreeMap<CommandId, Answer> {
        lock(&self.answers).clone()
    }

    pub(super) fn violated(&self, rule: String) {
        lock(&self.violations).push(rule);
    }
}

impl World {
    pub(super) fn new(seed: u64, plant: Plant) -> Self {
        let (of_hundred, mortality) = STORMS[usize::try_from(seed % 4).unwrap_or(0)];
        let clockwork = Clockwork::new(seed, mortality);
        let calm = AtomicBool::new(false);
        let weather = Arc::new(Weather { clockwork: clockwork.clone(), of_hundred, calm });
        let parts = || (clockwork.clone(), weather.clone(), plant);
        let (one, two, three) = (parts(), parts(), parts());
        let log = Arc::new(SimulatedLog::new(one.0, one.1, one.2));
        let queues = [Queue::new(clockwork.clone()), Queue::new(clockwork.clone())].map(Arc::new);
        let bus = Bus::new(clockwork.clone(), weather.clone(), plant, queues.clone());
        Self {
            containers: Arc::new(Containers::new(clockwork.clone(), log.clone())),
            rows: Arc::new(SimulatedRows::new(two.0, two.1, two.2)),
            tallies: Arc::new(SimulatedTallies::new(three.0, three.1, three.2)),
            bus: Arc::new(bus),
            witness: Arc::default(),
            clockwork,
            weather,
            plant,
            log,
            queues,
        }
    }

    pub(super) fn start(&self) {
        clients::start(self);
        let pipeline = Arc::new(Pipeline::new(self.clone()));
        pipeline.start();
        let world = self.clone();
        self.clockwork.spawn(async move { world.conclude(&pipeline).await });
    }

    /// Waits for the clients, lets the weather clear, brings home what stands aside, and waits until
    /// nothing is under way.
    async fn conclude(&self, pipeline: &Pipeline) {
        while self.witness.clients.load(Ordering::SeqCst) > 0 {
            self.clockwork.sleep(Duration::from_secs(1)).await;
            if self.clockwork.chance(5) {
                self.bus.replay();
            }
        }
        self.weather.calm.store(true, Ordering::SeqCst);
        self.clockwork.make_immortal();
        self.clockwork.sleep(LONGEST).await;
        for _ in 0..2 {
            pipeline.redrive();
            self.clockwork.sleep(LONGEST).await;
            while !pipeline.rests() {
                self.clockwork.sleep(Duration::from_secs(1)).await;
            }
        }
        self.witness.over.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_over(&self) -> bool {
        self.witness.over.load(Ordering::SeqCst)
    }

    pub(super) fn violations(&self) -> Vec<String> {
        lock(&self.witness.violations).clone()
    }

    pub(super) fn report(&self) -> Report {
        Report {
            commits: self.log.commits().len(),
            answers: self.witness.answered.load(Ordering::SeqCst),
            deaths: self.clockwork.deaths(),
            deliveries: self.witness.delivered.load(Ordering::SeqCst),
        }
    }
}
