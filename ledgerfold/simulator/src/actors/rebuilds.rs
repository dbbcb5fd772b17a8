//! Rebuilds of read models while clients write and read. They are interrupted anywhere and start again, roll back, are
//! abandoned, and remove old generations. Repairs belong to `operators`.

use ledgerfold::{
    generations,
    ports::{Clock, RowReader, TallyReader, Written},
    rebuild::{Plan, RebuildError, Rebuilder, Verified},
    vocabulary::GenerationRef,
};
use ledgerfold_testkit::bank::all_accounts;
use std::sync::Arc;

use crate::{
    actors::readers::Readers,
    domain::{
        accounts::{ACCOUNTS, account},
        observations::Observations,
        old_code::{Code, Deployment},
    },
    infrastructure::projection::SimulatedProjection,
    network::{processes::Processes, scheduler::Scheduler, tasks::Tasks},
    plan::{plant::Plant, schedule::Schedule},
};

/// How often a missed event is verified again before a pause.
const ROUNDS: usize = 5;
/// The most attempts of one task, more than any faults need.
const ATTEMPTS: usize = 200;
/// Of a hundred attempts, how many are abandoned.
const GIVEN_UP: usize = 10;

/// A task for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RebuildTask {
    Rebuild,
    RollBack,
    /// Give up and remove the former live generation.
    RemoveOld,
}

/// One attempt at a task, by a process that may die.
struct Attempt {
    rebuilds: Rebuilds,
    projection: SimulatedProjection,
    task: RebuildTask,
    /// The live generation at the beginning of the task.
    from: GenerationRef,
    /// The code that this process was deployed with.
    code: Code,
    /// The product's handler, new for each process.
    rebuilder: Rebuilder,
}

/// The handles of rebuilds. Clones share the parts behind them.
#[derive(Clone)]
pub(crate) struct Rebuilds {
    pub(crate) scheduler: Scheduler,
    pub(crate) observations: Arc<Observations>,
    pub(crate) schedule: Schedule,
    pub(crate) plant: Plant,
    pub(crate) tasks: Tasks,
    pub(crate) processes: Processes,
    pub(crate) projections: [SimulatedProjection; 2],
    pub(crate) readers: Arc<Readers>,
    pub(crate) deployment: Deployment,
}

pub(crate) fn start(rebuilds: &Rebuilds) {
    for (queue, rebuilt) in rebuilds.schedule.rebuilt.into_iter().enumerate() {
        if rebuilt {
            let at_work = rebuilds.clone();
            rebuilds.tasks.rebuild(async move { run_tasks(&at_work, queue).await });
            let reader = rebuilds.clone();
            rebuilds.scheduler.spawn(async move { read_during_rebuild(&reader, queue).await });
        }
    }
}

/// Runs a rebuild and perhaps further tasks, one after the other.
async fn run_tasks(rebuilds: &Rebuilds, queue: usize) {
    let scheduler = &rebuilds.scheduler;
    let pace = rebuilds.schedule.pace();
    let projection = &rebuilds.projections[queue];
    let mut tasks = vec![RebuildTask::Rebuild];
    for (task, of_hundred) in
        [(RebuildTask::RollBack, 30), (RebuildTask::Rebuild, 30), (RebuildTask::RemoveOld, 60)]
    {
        tasks.extend(scheduler.chance(of_hundred).then_some(task));
    }
    for task in tasks {
        scheduler.sleep(scheduler.within(2 * pace)).await;
        let guard = loop {
            match projection.operator_lock.take() {
                Some(guard) => break guard,
                None => scheduler.sleep(scheduler.within(pace)).await,
            }
        };
        let from = projection.record().live();
        let mut attempts = 1;
        while !is_done(rebuilds, projection, task, from).await {
            rebuilds.observations.count(|report| report.cut_short += 1);
            if attempts == ATTEMPTS {
                rebuilds.observations.violated(format!("{task:?} failed {ATTEMPTS} times"));
                return;
            }
            attempts += 1;
            scheduler.sleep(scheduler.within(3 * pace)).await;
        }
        drop(guard);
    }
}

/// Runs one attempt. `true` if the task is done.
async fn is_done(
    rebuilds: &Rebuilds,
    projection: &SimulatedProjection,
    task: RebuildTask,
    from: GenerationRef,
) -> bool {
    let rebuilds = rebuilds.clone();
    let projection = projection.clone();
    let code = rebuilds.deployment.draw(&rebuilds.scheduler);
    let rebuilder = projection.rebuilder(code);
    let processes = rebuilds.processes.clone();
    let attempt = Attempt { rebuilds, projection, task, from, code, rebuilder };
    matches!(processes.start(async move { attempt.run().await }).await, Ok(Ok(true)))
}

impl Attempt {
    /// `true` if nothing is left to do.
    async fn run(&self) -> Result<bool, RebuildError> {
        match self.task {
            RebuildTask::Rebuild | RebuildTask::RollBack => self.switch().await,
            RebuildTask::RemoveOld => self.remove_old().await,
        }
    }

    async fn switch(&self) -> Result<bool, RebuildError> {
        let record = self.rebuilder.generations().await?;
        if record.live() != self.from {
            // An earlier attempt switched, and died before it got the answer.
            return Ok(true);
        }
        let building = match self.task {
            RebuildTask::RollBack => self.rebuilder.begin_roll_back().await?,
            _ => self.rebuilder.begin().await?,
        };
        let plan = Plan { segments: 2, ..Plan::default() };
        if self.rebuilds.plant == Plant::SwitchedUnfilled {
            return self.switch_blindly().await;
        }
        self.rebuilder.fill(&building, plan, &|_| ()).await?;
        if self.rebuilds.scheduler.chance(GIVEN_UP) {
            return self.give_up().await;
        }
        if self.rebuilds.plant == Plant::SwitchedUnverified {
            return self.switch_blindly().await;
        }
        for _ in 0..ROUNDS {
            let verified = self.rebuilder.verify(&building, plan, &|_| ()).await?;
            if verified.wrong() > 0 {
                return self.found_wrong(&verified).await;
            }
            if self.rebuilder.switch(&verified).await? == Written::Done {
                self.count_switch();
                return Ok(true);
            }
            self.rebuilds.observations.count(|report| report.missed += 1);
        }
        Ok(false)
    }

    /// An event that old code cannot read waits for the fix; damaged rows are rebuilt.
    async fn found_wrong(&self, verified: &Verified) -> Result<bool, RebuildError> {
        let Rebuilds { schedule, observations, .. } = &self.rebuilds;
        if schedule.damage {
            return self.give_up().await;
        }
        if self.code == Code::Fixed {
            observations.violated(format!("a rebuild was found wrong: {:?}", verified.summary()));
        }
        Ok(self.code == Code::Fixed)
    }

    /// A roll-back that was given up is not tried again: its target stays as it is.
    async fn give_up(&self) -> Result<bool, RebuildError> {
        self.rebuilder.abandon().await?;
        self.rebuilds.observations.count(|report| report.given_up += 1);
        self.remove().await?;
        Ok(self.task == RebuildTask::RollBack)
    }

    async fn switch_blindly(&self) -> Result<bool, RebuildError> {
        let record = self.rebuilder.generations().await?;
        let (clock, _) = self.rebuilds.scheduler.clock_and_random();
        let switched = record.switched(clock.now())?;
        let SimulatedProjection { projection, generations, .. } = &self.projection;
        let changed = generations::change(&**generations, &*clock, projection, &switched).await?;
        Ok(changed == Written::Done)
    }

    fn count_switch(&self) {
        self.rebuilds.observations.count(|report| match self.task {
            RebuildTask::RollBack => report.roll_backs += 1,
            _ => report.switches += 1,
        });
    }

    async fn remove_old(&self) -> Result<bool, RebuildError> {
        self.rebuilder.retire().await?;
        self.remove().await?;
        Ok(true)
    }

    async fn remove(&self) -> Result<(), RebuildError> {
        let removed = self.rebuilder.remove(&|_| ()).await?;
        let removed = usize::try_from(removed).unwrap_or(usize::MAX);
        self.rebuilds.observations.count(|report| report.removed += removed);
        Ok(())
    }
}

/// Reads the live generation again and again during a rebuild.
async fn read_during_rebuild(rebuilds: &Rebuilds, queue: usize) {
    let Rebuilds { readers, scheduler, schedule, .. } = rebuilds;
    while rebuilds.tasks.is_rebuilding() {
        scheduler.sleep(scheduler.within(schedule.pace() / 4)).await;
        let stream = account(scheduler.below(ACCOUNTS));
        // `Readers` checks the results.
        match queue {
            0 => drop(RowReader::get(&**readers, &stream).await),
            _ => {
                drop(TallyReader::memo(&**readers, &stream).await);
                let key = all_accounts();
                drop(TallyReader::range(&**readers, stream.tenant(), &key, &key).await);
            }
        }
    }
}

/// Removes items that delayed functions have written.
pub(crate) async fn remove_leftovers(rebuilds: &Rebuilds) {
    for projection in &rebuilds.projections {
        let rebuilder = projection.rebuilder(Code::Fixed);
        if let Err(error) = rebuilder.remove(&|_| ()).await {
            rebuilds.observations.violated(format!("a removal failed: {error}"));
        }
    }
}
