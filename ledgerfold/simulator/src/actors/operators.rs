//! Operators: they replay the archive, repair and audit while clients write, deploy the fix and damage rows. Rebuilds
//! have a module of their own.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    StreamId,
    ports::{Clock, Segment, Streams, StreamsError},
    project::{ProjectError, ProjectorPorts, TallyModel, UnknownModel, Verifiable},
    reconcile::{
        Counters, CountersVerdict, Effect, LostMemos, OnDivergence, Reconciler, Repairer, Summary,
    },
};
use ledgerfold_testkit::bank::Totals;

use crate::{
    domain::{observations::Observations, old_code::Deployment},
    infrastructure::{
        bus::{Bus, FOREIGN, FilterArns},
        pipeline_log::PipelineLog,
        projection::SimulatedProjection,
        tallies::UnconditionalTallies,
    },
    network::{faults::Faults, processes::Processes, scheduler::Scheduler, tasks::Tasks},
    plan::{
        plant::Plant,
        schedule::{Outage, Schedule},
    },
};

/// The longest time that a late stream may be in transit.
const GRACE: Duration = Duration::from_secs(3);
/// How often a model that moves is audited again.
const AUDITS: usize = 5;
/// The pause between two audits of a model that moves.
const AUDIT_PAUSE: Duration = Duration::from_secs(60);
/// How many repairs run while clients write.
const LIVE_REPAIRS: usize = 6;
/// The queues with a read model behind them.
const READ_MODELS: [usize; 3] = [0, 1, FOREIGN];
/// How many rows are damaged.
const DAMAGED_ROWS: usize = 9;

/// The failure of an operator's work.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Streams(#[from] StreamsError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Model(#[from] UnknownModel),
}

/// The handles of operators. Clones share the parts behind them.
#[derive(Clone)]
pub(crate) struct Operators {
    pub(crate) scheduler: Scheduler,
    pub(crate) faults: Faults,
    pub(crate) observations: Arc<Observations>,
    pub(crate) schedule: Schedule,
    pub(crate) plant: Plant,
    pub(crate) tasks: Tasks,
    pub(crate) processes: Processes,
    pub(crate) log: Arc<PipelineLog>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) projections: [SimulatedProjection; 2],
    /// The projection of another context.
    pub(crate) foreign: SimulatedProjection,
    pub(crate) deployment: Deployment,
}

impl Operators {
    /// The read model behind a queue.
    fn projection(&self, queue: usize) -> &SimulatedProjection {
        self.projections.get(queue).unwrap_or(&self.foreign)
    }
}

pub(crate) fn start(operators: &Operators) {
    let schedule = operators.schedule;
    if schedule.outage != Outage::None {
        let operators = operators.clone();
        operators
            .clone()
            .scheduler
            .spawn(async move { run_outage(&operators, schedule.outage).await });
    }
    for _ in 0..schedule.replays {
        let operators = operators.clone();
        operators.tasks.clone().work(async move { replay(&operators).await });
    }
    if schedule.repaired_live {
        for queue in READ_MODELS {
            let operators = operators.clone();
            operators
                .tasks
                .clone()
                .work(async move { repair_now_and_then(&operators, queue).await });
        }
    }
    if schedule.old_code && operators.scheduler.chance(80) {
        let operators = operators.clone();
        operators.tasks.clone().work(async move {
            wait(&operators).await;
            wait(&operators).await;
            // A canary first: most functions have the old code for as long as clients are at work.
            operators.deployment.reach(10);
        });
    }
    if schedule.damage {
        let operators = operators.clone();
        operators.tasks.clone().work(async move { damage_rows(&operators).await });
    }
}

/// Waits for some time, while clients work.
async fn wait(operators: &Operators) {
    operators.scheduler.sleep(operators.scheduler.within(3 * operators.schedule.pace())).await;
}

/// Replays a window of published events, to all rules or to one.
async fn replay(operators: &Operators) {
    let scheduler = &operators.scheduler;
    wait(operators).await;
    wait(operators).await;
    let now = scheduler.elapsed();
    let window = match scheduler.chance(50) {
        true => (Duration::ZERO, now),
        false => (scheduler.within(now), now),
    };
    let [rows, tallies] = [[true, true], [true, false], [false, true]][scheduler.below(3)];
    let foreign = rows;
    let rules = [rows, tallies, foreign, operators.schedule.stray_replays];
    operators.bus.replay(window, FilterArns(rules));
}

/// Damages or removes rows, in any generation.
async fn damage_rows(operators: &Operators) {
    let Operators { scheduler, projections: [statements, _], .. } = operators;
    for _ in 0..DAMAGED_ROWS {
        scheduler.sleep(scheduler.within(operators.schedule.pace())).await;
        let generations = statements.table.generations();
        if let Some(generation) = generations.get(scheduler.below(generations.len())) {
            let table = statements.table.rows_of(*generation);
            let rows = table.rows();
            table.damage(&rows[scheduler.below(rows.len())].stream);
        }
    }
}

async fn repair_now_and_then(operators: &Operators, queue: usize) {
    for _ in 0..LIVE_REPAIRS {
        // Soon after the damage, so that the repair meets newer events.
        operators.scheduler.sleep(operators.scheduler.within(operators.schedule.pace())).await;
        let Some(guard) = operators.projection(queue).operator_lock.take() else { continue };
        let at_work = operators.clone();
        let repaired =
            operators.processes.start(async move { repair(&at_work, queue, true).await });
        // The next round repeats a repair that died or failed.
        drop(repaired.await);
        drop(guard);
    }
}

fn repairer(operators: &Operators, queue: usize) -> Result<Repairer, UnknownModel> {
    let projection = operators.projection(queue);
    let model: Arc<dyn Verifiable> = match (operators.plant, queue) {
        (Plant::RepairCountsTwice, 1) => {
            let tallies = projection.table.tallies_of(projection.record().live().number);
            Arc::new(TallyModel::<Totals>::new(Arc::new(UnconditionalTallies(tallies))))
        }
        _ => projection.live()?,
    };
    let (clock, random) = operators.scheduler.clock_and_random();
    let on_divergence = match operators.schedule.damage {
        true => OnDivergence::Overwrite,
        false => OnDivergence::Report,
    };
    // No memo is lost in any schedule: a stream without one was never counted.
    let log = projection.reader();
    let skips = projection.quarantine.clone();
    let repairer =
        Repairer::new(model, ProjectorPorts { log, skips, clock, random }, on_divergence);
    Ok(repairer.with_lost_memos(LostMemos::Count))
}

/// All streams of the log, page by page and segment by segment.
async fn streams(operators: &Operators, of: u32) -> Result<Vec<StreamId>, CliError> {
    let mut streams = Vec::new();
    for segment in Segment::split(of) {
        let mut next = None;
        loop {
            let page = operators.log.list(segment, next.as_ref()).await?;
            streams.extend(page.items);
            next = page.next;
            if next.is_none() || operators.plant == Plant::RepairStopsEarly {
                break;
            }
        }
    }
    Ok(streams)
}

async fn repair(operators: &Operators, queue: usize, live: bool) -> Result<(), CliError> {
    let repairer = repairer(operators, queue)?;
    for stream in streams(operators, 1).await? {
        let repair = repairer.repair(&stream).await?;
        operators.observations.count(|report| match repair.effect {
            Effect::CaughtUp if live => report.caught_up_live += 1,
            Effect::CaughtUp => report.caught_up += 1,
            Effect::Overwritten => report.overwritten += 1,
            Effect::None | Effect::Left => {}
        });
    }
    Ok(())
}

/// Repairs all read models. Faults are off by then.
pub(crate) async fn repair_all(operators: &Operators) {
    for queue in READ_MODELS {
        if let Err(error) = repair(operators, queue, false).await {
            operators.observations.violated(format!("a repair failed: {error}"));
        }
    }
}

/// Compares all read models with the log. A difference is a violation.
pub(crate) async fn audit(operators: &Operators) {
    for queue in READ_MODELS {
        match examine_until_stable(operators, queue).await {
            Ok((summary, counters)) => {
                if !summary.is_clean() {
                    operators.observations.audit_finds(&format!("{summary:?}"));
                }
                if let Some(verdict) = counters.filter(|it| *it != CountersVerdict::Equal) {
                    operators.observations.audit_finds(&format!("{verdict:?}"));
                }
            }
            Err(error) => operators.observations.violated(format!("an audit failed: {error}")),
        }
    }
}

/// Examines a moved stream again, because the first result proves nothing: a deadline may have fired.
async fn examine_until_stable(
    operators: &Operators,
    queue: usize,
) -> Result<(Summary, Option<CountersVerdict>), CliError> {
    let mut examined = examine(operators, queue).await?;
    for _ in 0..AUDITS {
        if examined.1 != Some(CountersVerdict::Moved) {
            break;
        }
        operators.scheduler.sleep(AUDIT_PAUSE).await;
        examined = examine(operators, queue).await?;
    }
    Ok(examined)
}

async fn examine(
    operators: &Operators,
    queue: usize,
) -> Result<(Summary, Option<CountersVerdict>), CliError> {
    let projection = operators.projection(queue);
    let time = Arc::new(operators.scheduler.clone());
    let model = projection.live()?;
    let skips = projection.quarantine.clone();
    let auditor =
        Reconciler::new(projection.reader(), time, GRACE).of("model", model.clone(), skips);
    let mut counters = Counters::begin(&*model).await?;
    let mut summary = Summary::default();
    for finding in auditor.examine(&streams(operators, 2).await?).await? {
        summary.add(&finding.comparison);
        if let Some(counters) = &mut counters {
            counters.add(&finding.stream, &finding.comparison);
        }
    }
    let verdict = match counters {
        Some(counters) => Some(counters.end(&*model, &operators.scheduler).await?),
        None => None,
    };
    Ok((summary, verdict))
}

/// Starts the outage, and ends it.
async fn run_outage(operators: &Operators, outage: Outage) {
    operators.scheduler.sleep(Schedule::OUTAGE_BEGIN).await;
    operators.faults.set_outage(outage);
    operators.scheduler.sleep(Schedule::OUTAGE_LENGTH).await;
    operators.faults.set_outage(Outage::None);
}
