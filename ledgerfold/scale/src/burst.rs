//! A burst of deadlines: many that are due at the same moment, and their way through sweep, queue and workers.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use ledgerfold::{
    CorrelationId, DeadlineName, ProcessName, Recorded,
    command::CommandHandler,
    ports::{Cause, Clock, Deadline, DeadlineKey, DueDeadline},
    process::{
        CommandOf, DeadlineSweep, DeadlineWorker, DueMessage, Fired, OnRefusal, ProcessExpiry,
        ProcessManager, Reaction, Swept, SweptProcess,
    },
    vocabulary::Receipt,
};
use ledgerfold_testkit::bank::{AccountCommand, AccountEvent, Accounts};

use crate::{
    assumptions::{COLD_START, NEW_TABLE},
    cloud::Cloud,
    domain::{Existing, Growing, catalog, stream},
    functions::Usage,
    mailbox::Mailbox,
    ports::{DueQueue, GrowingLog, MeteredDeadlines},
    time::{Tasks, Time},
};

/// How often the schedule starts the sweep, and how long it may run.
const TICK: Duration = Duration::from_secs(60);
const SWEEP_TIME: Duration = Duration::from_secs(45);
/// The least commits of each account.
const HISTORY: u64 = 30;
/// The longest run.
const LONGEST: Duration = Duration::from_secs(3_600);
/// After this time SQS delivers a message again, with the projector timeout of the template.
const VISIBILITY: Duration = Duration::from_secs(181);

/// The setting of a burst.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    /// The deadlines, all due one second after a sweep, and so 59 seconds before the next.
    pub deadlines: u64,
    /// The most messages of a batch: `ProjectorBatchSize`.
    pub batch: usize,
    /// The concurrent invocations of the worker: `MaximumConcurrency`.
    pub workers: usize,
    /// The seed of everything random.
    pub seed: u64,
}

impl Burst {
    /// A burst with the template as it is generated, and new tables.
    pub fn of(deadlines: u64) -> Self {
        Self { deadlines, batch: 10, workers: 5, seed: 1 }
    }
}

/// The results of a burst.
#[derive(Clone, Debug, PartialEq)]
pub struct BurstFigures {
    /// From the moment at which the deadlines were due until the last one was done.
    pub duration: Duration,
    /// The deadlines that each sweep sent, and those that it had sent before.
    pub sweeps: Vec<(usize, usize)>,
    /// Deadlines that are done.
    pub done: usize,
    /// Deadlines that failed and are tried again.
    pub postponed: usize,
    /// Messages without an effect.
    pub outdated: usize,
    /// Deadlines that still wait at the end.
    pub waiting: usize,
    /// Invocations of the worker.
    pub invocations: u64,
    /// Requests by kind.
    pub requests: BTreeMap<&'static str, u64>,
    /// Requests to tables that were throttled.
    pub throttled: u64,
}

/// A process whose deadlines put money into an account.
struct Interest;

impl ProcessManager for Interest {
    type Event = AccountEvent;
    type Target = Accounts<Growing>;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("interest");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;

    fn react(_: &Recorded<AccountEvent>, (): &()) -> Vec<Reaction<CommandOf<Self>>> {
        Vec::new()
    }

    fn expire(_: &DeadlineKey) -> Option<AccountCommand> {
        Some(AccountCommand::Deposit(1))
    }
}

/// Runs the model.
pub fn burst(setting: &Burst) -> BurstFigures {
    let time = Time::new(setting.seed);
    let mut tasks = Tasks::new(time.clone());
    let world = Rc::new(World::new(setting, &time));
    let sweeping = world.clone();
    tasks.spawner().spawn(async move { sweeping.sweep().await });
    for _ in 0..setting.workers {
        let working = world.clone();
        tasks.spawner().spawn(async move { working.work().await });
    }
    let mut end = Duration::ZERO;
    while world.deadlines.waiting() > 0 && end < LONGEST {
        end += TICK / 60;
        tasks.run_until(end);
    }
    world.figures()
}

struct World {
    setting: Burst,
    cloud: Arc<Cloud>,
    log: Arc<GrowingLog>,
    deadlines: Arc<MeteredDeadlines>,
    messages: Arc<Mailbox<DueDeadline>>,
    usage: Usage,
    /// The observations. They change while functions run.
    sweeps: RefCell<Vec<Swept>>,
    fired: RefCell<Fired>,
    last: RefCell<Duration>,
}

impl World {
    fn new(setting: &Burst, time: &Time) -> Self {
        let cloud = Arc::new(Cloud::new(time.clone(), LONGEST, NEW_TABLE));
        let existing = Existing::new(setting.deadlines, HISTORY, &catalog(false));
        let log = GrowingLog::new(cloud.clone(), Arc::new(existing), (1, 1));
        let all = (0..setting.deadlines).map(|number| deadline(number, time));
        Self {
            setting: *setting,
            usage: Usage::new(&cloud),
            deadlines: Arc::new(MeteredDeadlines::new(cloud.clone(), all)),
            log: Arc::new(log),
            cloud,
            messages: Arc::default(),
            sweeps: RefCell::default(),
            fired: RefCell::default(),
            last: RefCell::default(),
        }
    }

    /// The sweep function, in one environment that stays warm.
    async fn sweep(&self) {
        let time = &self.cloud.time;
        let clock = Arc::new(time.clone());
        let messages = self.messages.clone();
        let queue = Arc::new(DueQueue { cloud: self.cloud.clone(), messages });
        let swept = vec![SweptProcess { name: Interest::NAME, queue }];
        let sweep = DeadlineSweep::new(self.deadlines.clone(), clock.clone(), clock, swept);
        for tick in 0.. {
            time.sleep_until(TICK * tick).await;
            if let Ok(swept) = sweep.sweep(time.now() + SWEEP_TIME).await {
                self.sweeps.borrow_mut().push(swept);
            }
        }
    }

    /// One of the concurrent invocations of the worker. Its environment starts with the first message.
    async fn work(&self) {
        let time = &self.cloud.time;
        let clock = Arc::new(time.clone());
        let commands = CommandHandler::new(self.log.clone(), clock.clone(), clock.clone());
        let expiry = Arc::new(ProcessExpiry::<Interest>::new(commands));
        let worker = DeadlineWorker::new(self.deadlines.clone(), clock, vec![expiry]);
        let mut is_warm = false;
        loop {
            let batch = self.messages.next(self.setting.batch).await;
            if !is_warm {
                time.pass(time.latency(COLD_START)).await;
                is_warm = true;
            }
            let message = |(at, due): (usize, &DueDeadline)| DueMessage {
                receipt: Receipt(at.to_string()),
                content: Ok(due.clone()),
            };
            let messages = batch.iter().enumerate().map(message).collect();
            let fired = self.usage.of(worker.handle(messages)).await;
            for failed in &fired.failed {
                let due = failed.receipt.0.parse().ok().and_then(|at: usize| batch.get(at));
                if let Some(due) = due.cloned() {
                    let messages = self.messages.clone();
                    time.call_at(time.elapsed() + VISIBILITY, move || messages.put(due));
                }
            }
            self.observe(&fired);
        }
    }

    fn observe(&self, fired: &Fired) {
        let mut all = self.fired.borrow_mut();
        all.done += fired.done;
        all.postponed += fired.postponed;
        all.outdated += fired.outdated;
        if fired.done > 0 {
            *self.last.borrow_mut() = self.cloud.time.elapsed();
        }
    }

    fn figures(&self) -> BurstFigures {
        let Fired { done, postponed, outdated, .. } = *self.fired.borrow();
        let counts = self.cloud.counts();
        let sweeps = self.sweeps.borrow();
        BurstFigures {
            duration: self.last.borrow().saturating_sub(AFTER_A_TICK),
            sweeps: sweeps.iter().map(|swept| (swept.sent, swept.already_sent)).collect(),
            done,
            postponed,
            outdated,
            waiting: self.deadlines.waiting(),
            invocations: self.usage.invocations(),
            throttled: counts.throttled,
            requests: counts.requests,
        }
    }
}

/// When all deadlines are due: just missed by the first sweep.
const AFTER_A_TICK: Duration = Duration::from_secs(1);

fn deadline(number: u64, time: &Time) -> Deadline {
    let name = DeadlineName::from_static("year-end");
    let key = DeadlineKey { process: Interest::NAME, stream: stream(number), name };
    let event = format!("018bcfe5-6800-7000-8000-{number:012}");
    let cause = Cause {
        event: event.parse().expect("it is a UUID"),
        correlation_id: CorrelationId::new("conversation").expect("visible ASCII"),
        traceparent: None,
    };
    Deadline { key, due: time.now() + AFTER_A_TICK, cause }
}
