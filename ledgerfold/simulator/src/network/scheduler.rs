//! The scheduler: one process, one seed, virtual time. No failures except the death of a task.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use ledgerfold::ports::{Clock, Random};

use super::{
    gate::{Gate, Stop},
    ready::ReadyQueue,
};
use ledgerfold_testkit::SeededRandom;

/// Of a hundred steps, at how many time passes although a task could go on.
const EARLY_TICKS: usize = 15;

/// Runs tasks a step at a time, in an order that follows from a seed. Time passes when nothing else
/// can happen, and sometimes before.
///
/// A task stops at each [`Scheduler::turn`], and goes on when it is drawn. A killable one may die there instead, as the
/// process of a function may.
#[derive(Clone)]
pub struct Scheduler(Arc<Shared>);

struct Shared {
    /// Every draw of a schedule comes from this generator, so a schedule follows from its seed.
    random: SeededRandom,
    /// A mutex, because tasks register themselves while they are polled. No lock is held across a poll.
    state: Mutex<State>,
    /// Apart from `state`, because wakers share it and must not know the scheduler.
    ready: ReadyQueue,
}

struct State {
    /// Virtual time since the start. Only the scheduler moves it, and never back.
    now: Duration,
    /// The last number given to a task or a sleep. Numbers make equal wake-up times distinct.
    serial: u64,
    /// Of a hundred turns of killable tasks, at how many they die. Set to 0 at the end of a schedule.
    death_rate: usize,
    /// The task that is being polled, so that a stop knows its task.
    running: u64,
    /// Tasks that can go on. A `Vec`, because the next one is drawn by position.
    waiting: Vec<Stop>,
    /// Tasks by wake-up time. A `BTreeMap`, because the earliest one is next.
    sleeping: BTreeMap<(Duration, u64), Stop>,
    /// New tasks. The run takes them over between two polls: a task may spawn while it is polled.
    spawned: Vec<(u64, Task)>,
    /// How many tasks the scheduler has killed, for the report.
    deaths: usize,
}

struct Task {
    /// Boxed and pinned, because tasks of all types share one map.
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Puts the task into the ready queue. Made once, and used at every poll.
    waker: Waker,
    /// Whether it may die at a turn. Fixed at its start.
    killable: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Draw {
    Resume(Arc<Gate>),
    Kill(u64),
    Idle,
}

impl Scheduler {
    /// The clock and the randomness of a function.
    pub fn clock_and_random(&self) -> (Arc<Self>, Arc<Self>) {
        (Arc::new(self.clone()), Arc::new(self.clone()))
    }

    /// A scheduler of this seed. Killable tasks die at this rate of a hundred turns.
    pub fn new(seed: u64, death_rate: usize) -> Self {
        let state = State {
            now: Duration::ZERO,
            serial: 0,
            death_rate,
            running: 0,
            waiting: Vec::new(),
            sleeping: BTreeMap::new(),
            spawned: Vec::new(),
            deaths: 0,
        };
        let random = SeededRandom::new(seed);
        let state = Mutex::new(state);
        let ready = ReadyQueue::default();
        Self(Arc::new(Shared { random, state, ready }))
    }

    /// Starts a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.start(task, false);
    }

    /// Starts a task that may die at any turn.
    pub fn spawn_killable(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.start(task, true);
    }

    fn start(&self, task: impl Future<Output = ()> + Send + 'static, killable: bool) {
        let mut state = self.lock();
        state.serial += 1;
        let id = state.serial;
        let waker = self.0.ready.waker(id);
        self.0.ready.push(id);
        state.spawned.push((id, Task { future: Box::pin(task), waker, killable }));
    }

    /// A new signal of this scheduler.
    pub fn signal(&self) -> Signal {
        Signal { scheduler: self.clone(), waiting: Arc::default() }
    }

    /// Lets other tasks run first, if they are drawn.
    pub async fn turn(&self) {
        self.stop_here().pass().await;
    }

    fn stop_here(&self) -> Arc<Gate> {
        let mut state = self.lock();
        let gate = Arc::new(Gate::default());
        let task = state.running;
        state.waiting.push(Stop { task, gate: gate.clone() });
        gate
    }

    fn stop_for(&self, time: Duration) -> Arc<Gate> {
        let mut state = self.lock();
        let gate = Arc::new(Gate::default());
        state.serial += 1;
        let until = state.now + time;
        let serial = state.serial;
        let task = state.running;
        state.sleeping.insert((until, serial), Stop { task, gate: gate.clone() });
        gate
    }

    /// Kills no more tasks.
    pub fn stop_deaths(&self) {
        self.lock().death_rate = 0;
    }

    /// How many tasks have died.
    pub fn deaths(&self) -> usize {
        self.lock().deaths
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.lock().now
    }

    /// Draws an event of this probability, in hundredths.
    pub fn chance(&self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    /// A number below this one.
    pub fn below(&self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.0.random.next() % end).unwrap_or(0)
    }

    /// A time up to this one.
    pub fn within(&self, longest: Duration) -> Duration {
        longest.mul_f64(f64::from(u32::try_from(self.below(1_000)).unwrap_or(0)) / 1_000.0)
    }

    /// Runs until nothing is left to do. `false` if that takes more than this many steps.
    pub fn run(&self, steps: usize) -> bool {
        let mut tasks: BTreeMap<u64, Task> = BTreeMap::new();
        for _ in 0..steps {
            self.poll_ready(&mut tasks);
            match self.draw(&tasks) {
                Draw::Resume(gate) => gate.open(),
                Draw::Kill(task) => drop(tasks.remove(&task)),
                Draw::Idle => return true,
            }
        }
        false
    }

    fn poll_ready(&self, tasks: &mut BTreeMap<u64, Task>) {
        while let Some(id) = self.0.ready.pop() {
            tasks.extend(std::mem::take(&mut self.lock().spawned));
            let Some(task) = tasks.get_mut(&id) else { continue };
            self.lock().running = id;
            if task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready() {
                tasks.remove(&id);
            }
        }
    }

    fn draw(&self, tasks: &BTreeMap<u64, Task>) -> Draw {
        let is_early_tick = self.chance(EARLY_TICKS);
        let pick = self.below(usize::MAX);
        let death_roll = self.below(100);
        let mut state = self.lock();
        if (state.waiting.is_empty() || is_early_tick)
            && let Some(((time, _), stop)) = state.sleeping.pop_first()
        {
            state.now = state.now.max(time);
            state.waiting.push(stop);
        }
        if state.waiting.is_empty() {
            return Draw::Idle;
        }
        let pick = pick % state.waiting.len();
        let Stop { task, gate } = state.waiting.swap_remove(pick);
        let killable = tasks.get(&task).is_some_and(|task| task.killable);
        if killable && death_roll < state.death_rate {
            state.waiting.retain(|stop| stop.task != task);
            state.sleeping.retain(|_, stop| stop.task != task);
            state.deaths += 1;
            return Draw::Kill(task);
        }
        Draw::Resume(gate)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

/// A signal that tasks wait for without using steps: a task that waits for nothing else can wait for years.
#[derive(Clone)]
pub struct Signal {
    scheduler: Scheduler,
    /// The tasks that wait for this signal. Clones of a signal share them.
    waiting: Arc<Mutex<Vec<Stop>>>,
}

impl Signal {
    /// Waits for the next notification.
    pub async fn wait(&self) {
        let gate = Arc::new(Gate::default());
        let task = self.scheduler.lock().running;
        lock(&self.waiting).push(Stop { task, gate: gate.clone() });
        gate.pass().await;
    }

    /// Lets all waiting tasks go on.
    pub fn notify(&self) {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        self.scheduler.lock().waiting.extend(waiting);
    }

    /// Notifies after this time.
    pub fn notify_after(&self, time: Duration) {
        let signal = self.clone();
        self.scheduler.spawn(async move {
            signal.scheduler.sleep(time).await;
            signal.notify();
        });
    }
}

#[async_trait]
impl Clock for Scheduler {
    fn now(&self) -> Timestamp {
        let millis = 1_700_000_000_000 + i64::try_from(self.elapsed().as_millis()).unwrap_or(0);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, time: Duration) {
        self.stop_for(time).pass().await;
    }
}

impl Random for Scheduler {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.random.fill(bytes);
    }
}
