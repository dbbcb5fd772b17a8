//! A run: clients at a fixed rate, the functions behind them, and everything that follows from their commits.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use ledgerfold::{
    StreamId,
    command::{Answer, StreamHint},
    generations::{self, RecordReader},
    project::{Catalog, Projector, ProjectorPorts},
    query::{LiveRows, fresh_row},
    relay::Relay,
    vocabulary::{ConsistencyToken, Generations},
};
use ledgerfold_testkit::{
    MemoryGenerationStore, MemoryQuarantine,
    bank::{AccountCommand, Statements},
};

use crate::{
    assumptions::GATEWAY,
    cloud::{Cloud, float},
    domain::{
        ByOwner, COUNTERS, Existing, Handler, ROWS, catalog, opening, ready, request, stream,
    },
    figures::{Figures, Observed, Usages},
    functions::{Environments, Usage, projector_worker, relay_lane},
    latencies::{Durations, Visible},
    mailbox::Mailbox,
    ports::{Bus, GrowingLog, Message, MeteredGenerations, MeteredTable},
    setting::{Setting, Template},
    time::{Spawner, Tasks, Time},
};

/// How long the queues get to become empty after the load.
const LONGEST_BACKLOG: Duration = Duration::from_secs(120);
/// The first part of the load is not part of the latencies: environments start in it.
const WARM_UP: f64 = 0.25;

/// Runs the model.
pub fn run(setting: &Setting) -> Figures {
    let time = Time::new(setting.seed);
    let mut tasks = Tasks::new(time.clone());
    let world = Rc::new(World::new(setting, &time, &tasks.spawner()));
    let clients = world.clone();
    let spawner = tasks.spawner();
    tasks.spawner().spawn(async move { clients.send_all(&spawner).await });
    tasks.run_until(setting.load);
    let mut end = setting.load;
    while !world.is_idle() && end < setting.load + LONGEST_BACKLOG {
        end += Duration::from_millis(100);
        tasks.run_until(end);
    }
    world.figures(end.saturating_sub(setting.load))
}

/// Everything of a run.
struct World {
    setting: Setting,
    time: Time,
    cloud: Arc<Cloud>,
    existing: Arc<Existing>,
    log: Arc<GrowingLog>,
    commands: Environments,
    queries: Usage,
    rows: LiveRows,
    skips: Arc<MemoryQuarantine>,
    relay: Rc<Usage>,
    projectors: Vec<(&'static str, Rc<Usage>)>,
    visible: Arc<Visible>,
    /// The observations. They change while commands run.
    sent: Cell<u64>,
    running: Cell<u64>,
    failed: Cell<u64>,
    queried: Cell<u64>,
    created: Cell<u64>,
    command: RefCell<Durations>,
    query: RefCell<Durations>,
}

/// The ports of a run, from which its functions are made.
struct Services {
    setting: Setting,
    catalog: Catalog,
    cloud: Arc<Cloud>,
    existing: Arc<Existing>,
    log: Arc<GrowingLog>,
    generations: Arc<MeteredGenerations>,
    skips: Arc<MemoryQuarantine>,
    visible: Arc<Visible>,
}

impl Services {
    fn new(setting: &Setting, time: &Time) -> Self {
        let catalog = catalog(setting.has_one_list);
        let cloud = Arc::new(Cloud::new(time.clone(), setting.load, setting.partitions()));
        let existing = Arc::new(Existing::new(setting.streams, setting.history, &catalog));
        let shards = usize::try_from(setting.partitions()).unwrap_or(usize::MAX);
        let shape = (shards, setting.template.relay_lanes);
        let log = Arc::new(GrowingLog::new(cloud.clone(), existing.clone(), shape));
        let records = Arc::new(MemoryGenerationStore::default());
        for name in [ROWS, COUNTERS] {
            let first = Generations::first(1);
            let written = ready(generations::change(&*records, time, name, &first));
            written.expect("memory takes the first record");
        }
        Self {
            setting: setting.clone(),
            catalog,
            generations: Arc::new(MeteredGenerations { cloud: cloud.clone(), records }),
            cloud,
            existing,
            log,
            skips: Arc::default(),
            visible: Arc::default(),
        }
    }

    fn clock(&self) -> Arc<Time> {
        Arc::new(self.cloud.time.clone())
    }

    fn table(&self) -> Arc<MeteredTable> {
        Arc::new(MeteredTable {
            cloud: self.cloud.clone(),
            existing: self.existing.clone(),
            table: Arc::default(),
            visible: self.visible.clone(),
        })
    }

    /// Starts a relay for each lane of the change stream.
    fn start_relays(&self, queues: Vec<Arc<Mailbox<Message>>>, spawner: &Spawner) -> Rc<Usage> {
        let bus = Arc::new(Bus::new(self.cloud.clone(), queues));
        let usage = Rc::new(Usage::new(&self.cloud));
        for lane in self.log.lanes() {
            let relay = Relay::new(bus.clone(), self.clock(), self.clock());
            let time = self.cloud.time.clone();
            let lane = lane.clone();
            let batch = self.setting.template.relay_batch;
            spawner.spawn(relay_lane(time, lane, relay, batch, usage.clone()));
        }
        usage
    }

    /// Starts the projector of a queue as often as it may run at once.
    fn start_projector(
        &self,
        name: &str,
        table: &Arc<MeteredTable>,
        queue: &Arc<Mailbox<Message>>,
        spawner: &Spawner,
    ) -> Rc<Usage> {
        let models = self.catalog.models(name, table.clone()).expect("the catalog has it");
        let ports = ProjectorPorts {
            log: self.log.clone(),
            skips: self.skips.clone(),
            clock: self.clock(),
            random: self.clock(),
        };
        let projector = Projector::of_generations(models, self.generations.clone(), ports)
            .with_quarantine(self.skips.clone());
        let usage = Rc::new(Usage::new(&self.cloud));
        let Template { projectors, projector_batch, counter_projectors, counter_batch, .. } =
            self.setting.template;
        let (most, batch) = match name {
            COUNTERS => (counter_projectors, counter_batch),
            _ => (projectors, projector_batch),
        };
        for _ in 0..most {
            let queue = queue.clone();
            let projector = projector.clone();
            let cloud = self.cloud.clone();
            let usage = usage.clone();
            spawner.spawn(projector_worker(queue, projector, batch, cloud, usage));
        }
        usage
    }

    /// A function that handles commands, with a cache of its own.
    fn command_handlers(&self) -> impl Fn() -> Handler + 'static {
        let log = self.log.clone();
        let clock = self.clock();
        move || Handler::new(log.clone(), clock.clone(), clock.clone())
    }

    fn rows(&self, table: &Arc<MeteredTable>) -> LiveRows {
        let generations = RecordReader::new(self.generations.clone(), self.clock());
        match self.setting.has_one_list {
            true => LiveRows::new::<Statements>(ROWS, table.clone(), generations),
            false => LiveRows::new::<ByOwner>(ROWS, table.clone(), generations),
        }
    }
}

impl World {
    fn new(setting: &Setting, time: &Time, spawner: &Spawner) -> Self {
        let services = Services::new(setting, time);
        let names = [ROWS, COUNTERS];
        let queues = names.map(|_| Arc::new(Mailbox::default()));
        let tables = names.map(|_| services.table());
        let relay = services.start_relays(queues.to_vec(), spawner);
        let projectors = names.iter().zip(&queues).zip(&tables);
        let projectors = projectors.map(|((name, queue), table)| {
            (*name, services.start_projector(name, table, queue, spawner))
        });
        let projectors = projectors.collect();
        let rows = services.rows(&tables[0]);
        let commands = Environments::new(&services.cloud, services.command_handlers());
        let queries = Usage::new(&services.cloud);
        let Services { setting, cloud, existing, log, skips, visible, .. } = services;
        Self {
            setting,
            time: time.clone(),
            cloud,
            existing,
            log,
            commands,
            queries,
            rows,
            skips,
            relay,
            projectors,
            visible,
            sent: Cell::new(0),
            running: Cell::new(0),
            failed: Cell::new(0),
            queried: Cell::new(0),
            created: Cell::new(0),
            command: RefCell::default(),
            query: RefCell::default(),
        }
    }

    /// Sends commands at a fixed rate, whether or not earlier ones are answered.
    async fn send_all(self: Rc<Self>, spawner: &Spawner) {
        for number in 0.. {
            let at = Duration::from_secs_f64(float(number) / f64::from(self.setting.rate));
            if at >= self.setting.load {
                break;
            }
            self.time.sleep_until(at).await;
            let client = self.clone();
            self.sent.set(number + 1);
            self.running.set(self.running.get() + 1);
            spawner.spawn(async move {
                client.send(number).await;
                client.running.set(client.running.get() - 1);
            });
        }
    }

    async fn send(&self, number: u64) {
        let sent = self.time.elapsed();
        let (target, hint) = self.draw_stream();
        let command = match hint {
            StreamHint::New => opening(number),
            StreamHint::None => AccountCommand::Deposit(100),
        };
        let request = request(target, command, number).with_hint(hint);
        self.time.pass(self.time.latency(GATEWAY)).await;
        let answer = self.commands.with(async |handler| handler.handle(&request).await).await;
        let is_measured = sent >= self.setting.load.mul_f64(WARM_UP);
        let now = self.time.elapsed();
        let Ok(Answer { stream, version, .. }) = answer else {
            self.failed.set(self.failed.get() + 1);
            return;
        };
        if is_measured {
            self.command.borrow_mut().add(now.saturating_sub(sent));
            self.visible.expect(&stream, version, sent);
        }
        if self.time.draw() < self.setting.queries {
            let token = ConsistencyToken { stream, version };
            self.ask(&token, is_measured).await;
        }
    }

    fn draw_stream(&self) -> (StreamId, StreamHint) {
        if self.time.draw() < self.setting.hot {
            return (stream(0), StreamHint::None);
        }
        if self.time.draw() < self.setting.creations {
            let created = self.created.get();
            self.created.set(created + 1);
            return (stream(self.existing.streams() + created), StreamHint::New);
        }
        (stream(self.time.below(self.existing.streams())), StreamHint::None)
    }

    async fn ask(&self, token: &ConsistencyToken, is_measured: bool) {
        let sent = self.time.elapsed();
        self.queried.set(self.queried.get() + 1);
        self.time.pass(self.time.latency(GATEWAY)).await;
        let stream = &token.stream;
        let row = fresh_row::<ByOwner>(&self.rows, &*self.log, &*self.skips, stream, Some(token));
        let answer = self.queries.of(row).await;
        if is_measured && answer.is_ok() {
            self.query.borrow_mut().add(self.time.elapsed().saturating_sub(sent));
        }
    }

    /// Whether all commands are answered and visible.
    fn is_idle(&self) -> bool {
        self.running.get() == 0
            && self.visible.missing() == 0
            && self.cloud.counts().messages >= self.cloud.counts().targets
            && self.log.lanes().iter().all(|lane| lane.len() == 0)
    }

    fn figures(&self, backlog: Duration) -> Figures {
        let projectors = self.projectors.iter().map(|(name, usage)| (*name, &**usage));
        let usages = Usages {
            commands: &self.commands.usage,
            queries: &self.queries,
            relay: &self.relay,
            projectors: projectors.collect(),
        };
        let observed = Observed {
            commands: self.sent.get(),
            failed: self.failed.get(),
            queries: self.queried.get(),
            command: self.command.borrow().clone(),
            query: self.query.borrow().clone(),
            visible: self.visible.durations(),
            missing: self.visible.missing(),
            lanes: self.log.lanes().len(),
            backlog,
        };
        Figures::new(&self.setting, &self.cloud, &usages, &observed)
    }
}
