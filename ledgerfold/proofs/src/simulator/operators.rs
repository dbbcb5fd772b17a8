//! Those who look after the system: they replay the archive, audit, and repair, also while others
//! write; and sometimes they do damage.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    StreamId,
    ports::{Clock, Segment, Streams, StreamsError},
    project::{ProjectError, ProjectorPorts, TallyModel, UnknownModel, Verifiable},
    reconcile::{
        Counters, CountersVerdict, Effect, LostMemos, OnDivergence, Reconciler, Repairer, Summary,
    },
};

use super::{
    Plant, bus::FilterArns, domain::Totals, schedule::Outage, tallies::Blind, world::World,
};

/// How long what is behind may be on its way.
const GRACE: Duration = Duration::from_secs(3);
/// How often what moves is audited again, and how long after.
const AUDITS: usize = 5;
const QUIET: Duration = Duration::from_secs(60);
/// How often somebody repairs while others write.
const LIVE_REPAIRS: usize = 6;
/// How many rows are damaged.
const MISHAPS: usize = 9;

/// Why an operator could not go on.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Streams(#[from] StreamsError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Model(#[from] UnknownModel),
}

pub(super) fn start(world: &World) {
    let schedule = world.schedule;
    if schedule.outage != Outage::None {
        let world = world.clone();
        world.clone().clockwork.spawn(async move { world.suffer(schedule.outage).await });
    }
    for _ in 0..schedule.replays {
        let world = world.clone();
        world.clone().work(async move { replay(&world).await });
    }
    if schedule.repaired_live {
        for queue in [0, 1] {
            let world = world.clone();
            world.clone().work(async move { repair_now_and_then(&world, queue).await });
        }
    }
    if schedule.old_code && world.clockwork.chance(80) {
        let world = world.clone();
        world.clone().work(async move {
            wait(&world).await;
            wait(&world).await;
            // A canary first: most functions have the old code for as long as clients are at work.
            world.deployment.reach(10);
        });
    }
    if schedule.mishap {
        let world = world.clone();
        world.clone().work(async move { do_damage(&world).await });
    }
}

/// A time at which clients are at work.
async fn wait(world: &World) {
    world.clockwork.sleep(world.clockwork.within(3 * world.schedule.pace())).await;
}

/// Replays a window of what was published, to all rules or to one.
async fn replay(world: &World) {
    let clockwork = &world.clockwork;
    wait(world).await;
    wait(world).await;
    let now = clockwork.elapsed();
    let window = match clockwork.chance(50) {
        true => (Duration::ZERO, now),
        false => (clockwork.within(now), now),
    };
    let [rows, tallies] = [[true, true], [true, false], [false, true]][clockwork.below(3)];
    world.bus.replay(window, FilterArns([rows, tallies, world.schedule.stray_replays]));
}

/// Damages rows that are there, or loses them, in whatever generation.
async fn do_damage(world: &World) {
    let World { clockwork, subjects: [statements, _], .. } = world;
    for _ in 0..MISHAPS {
        clockwork.sleep(clockwork.within(world.schedule.pace())).await;
        let generations = statements.table.generations();
        if let Some(generation) = generations.get(clockwork.below(generations.len())) {
            let table = statements.table.rows_of(*generation);
            let rows = table.rows();
            table.damage(&rows[clockwork.below(rows.len())].stream);
        }
    }
}

async fn repair_now_and_then(world: &World, queue: usize) {
    for _ in 0..LIVE_REPAIRS {
        // Soon after the damage, so that it is repaired while the row moves on.
        world.clockwork.sleep(world.clockwork.within(world.schedule.pace())).await;
        let Some(seat) = world.subjects[queue].desk.take() else { continue };
        let at_work = world.clone();
        let repaired = world.processes.start(async move { repair(&at_work, queue, true).await });
        // One that died or failed is begun again the next time.
        drop(repaired.await);
        drop(seat);
    }
}

fn repairer(world: &World, queue: usize) -> Result<Repairer, UnknownModel> {
    let subject = &world.subjects[queue];
    let model: Arc<dyn Verifiable> = match (world.plant, queue) {
        (Plant::RepairCountsTwice, 1) => {
            let tallies = subject.table.tallies_of(subject.record().live().number);
            Arc::new(TallyModel::<Totals>::new(Arc::new(Blind(tallies))))
        }
        _ => subject.live()?,
    };
    let (clock, random) = world.time_and_chance();
    let on_divergence = match world.schedule.mishap {
        true => OnDivergence::Overwrite,
        false => OnDivergence::Report,
    };
    // No memo is lost in any schedule: what has none was never counted.
    let (log, skips) = (world.log.clone(), subject.quarantine.clone());
    let repairer =
        Repairer::new(model, ProjectorPorts { log, skips, clock, random }, on_divergence);
    Ok(repairer.with_lost_memos(LostMemos::Count))
}

/// All streams of the log, page by page and segment by segment.
async fn streams(world: &World, of: u32) -> Result<Vec<StreamId>, CliError> {
    let mut streams = Vec::new();
    for segment in Segment::split(of) {
        let mut next = None;
        loop {
            let page = world.log.list(segment, next.as_ref()).await?;
            streams.extend(page.items);
            next = page.next;
            if next.is_none() || world.plant == Plant::RepairStopsEarly {
                break;
            }
        }
    }
    Ok(streams)
}

async fn repair(world: &World, queue: usize, live: bool) -> Result<(), CliError> {
    let repairer = repairer(world, queue)?;
    for stream in streams(world, 1).await? {
        let repair = repairer.repair(&stream).await?;
        world.witness.count(|report| match repair.effect {
            Effect::CaughtUp if live => report.caught_up_live += 1,
            Effect::CaughtUp => report.caught_up += 1,
            Effect::Overwritten => report.overwritten += 1,
            Effect::None | Effect::Left => {}
        });
    }
    Ok(())
}

/// Brings both read models home. The weather is good.
pub(super) async fn repair_all(world: &World) {
    for queue in [0, 1] {
        if let Err(trouble) = repair(world, queue, false).await {
            world.witness.violated(format!("a repair came to nothing: {trouble}"));
        }
    }
}

/// Holds both read models against the log: nothing may be wrong.
pub(super) async fn audit(world: &World) {
    for queue in [0, 1] {
        match examine_at_rest(world, queue).await {
            Ok((summary, counters)) => {
                if !summary.is_clean() {
                    world.witness.audit_finds(&format!("{summary:?}"));
                }
                if let Some(verdict) = counters.filter(|it| *it != CountersVerdict::Equal) {
                    world.witness.audit_finds(&format!("{verdict:?}"));
                }
            }
            Err(trouble) => world.witness.violated(format!("an audit failed: {trouble}")),
        }
    }
}

/// Examines again what has moved meanwhile, which proves nothing: a deadline may have fired.
async fn examine_at_rest(
    world: &World,
    queue: usize,
) -> Result<(Summary, Option<CountersVerdict>), CliError> {
    let mut examined = examine(world, queue).await?;
    for _ in 0..AUDITS {
        if examined.1 != Some(CountersVerdict::Moved) {
            break;
        }
        world.clockwork.sleep(QUIET).await;
        examined = examine(world, queue).await?;
    }
    Ok(examined)
}

async fn examine(
    world: &World,
    queue: usize,
) -> Result<(Summary, Option<CountersVerdict>), CliError> {
    let (subject, time) = (&world.subjects[queue], Arc::new(world.clockwork.clone()));
    let (model, skips) = (subject.live()?, subject.quarantine.clone());
    let auditor = Reconciler::new(world.log.clone(), time, GRACE).of("model", model.clone(), skips);
    let mut counters = Counters::begin(&*model).await?;
    let mut summary = Summary::default();
    for finding in auditor.examine(&streams(world, 2).await?).await? {
        summary.add(&finding.comparison);
        if let Some(counters) = &mut counters {
            counters.add(&finding.comparison);
        }
    }
    let verdict = match counters {
        Some(counters) => Some(counters.end(&*model, &world.clockwork).await?),
        None => None,
    };
    Ok((summary, verdict))
}
