//! Those who rebuild read models while others write and read them: they are cut short anywhere and
//! begin again, roll back, give up, and remove what is needed no more.

use ledgerfold::{
    ports::{Clock, GenerationStore, RowReader, TallyReader, Written},
    rebuild::{Plan, RebuildError, Rebuilder, Verified},
    vocabulary::GenerationRef,
};
use std::sync::Arc;

use crate::simulator::{
    actors::{functions::Processes, readers::Readers},
    domain::{
        accounts::{ACCOUNTS, account, all},
        observations::Witness,
        old_code::{Code, Deployment},
    },
    infrastructure::projection::Subject,
    network::{scheduler::Clockwork, tasks::Tasks},
    plan::{plant::Plant, schedule::Schedule},
};

/// How often what was outrun is verified again before somebody has a rest.
const ROUNDS: usize = 5;
/// How often somebody tries to do what he was asked to, which is more than any weather takes.
const ATTEMPTS: usize = 200;
/// Of a hundred attempts, how many are given up on.
const GIVEN_UP: usize = 10;

/// What somebody is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    Rebuild,
    RollBack,
    /// Give up what was live before, and remove it.
    RemoveOld,
}

/// One try to do it, by a process that may die.
struct Attempt {
    rebuilds: Rebuilds,
    subject: Subject,
    errand: Errand,
    /// What was live when the errand began.
    from: GenerationRef,
    code: Code,
    rebuilder: Rebuilder,
}

/// The parts that rebuilds use.
#[derive(Clone)]
pub(in crate::simulator) struct Rebuilds {
    pub(in crate::simulator) clockwork: Clockwork,
    pub(in crate::simulator) witness: Arc<Witness>,
    pub(in crate::simulator) schedule: Schedule,
    pub(in crate::simulator) plant: Plant,
    pub(in crate::simulator) tasks: Tasks,
    pub(in crate::simulator) processes: Processes,
    pub(in crate::simulator) subjects: [Subject; 2],
    pub(in crate::simulator) readers: Arc<Readers>,
    pub(in crate::simulator) deployment: Deployment,
}

pub(in crate::simulator) fn start(rebuilds: &Rebuilds) {
    for (queue, rebuilt) in rebuilds.schedule.rebuilt.into_iter().enumerate() {
        if rebuilt {
            let at_work = rebuilds.clone();
            rebuilds.tasks.rebuild(async move { look_after(&at_work, queue).await });
            let reader = rebuilds.clone();
            rebuilds.clockwork.spawn(async move { watch(&reader, queue).await });
        }
    }
}

/// Goes from errand to errand.
async fn look_after(rebuilds: &Rebuilds, queue: usize) {
    let (clockwork, pace) = (&rebuilds.clockwork, rebuilds.schedule.pace());
    let subject = &rebuilds.subjects[queue];
    let mut errands = vec![Errand::Rebuild];
    for (errand, of_hundred) in
        [(Errand::RollBack, 30), (Errand::Rebuild, 30), (Errand::RemoveOld, 60)]
    {
        errands.extend(clockwork.chance(of_hundred).then_some(errand));
    }
    for errand in errands {
        clockwork.sleep(clockwork.within(2 * pace)).await;
        let seat = loop {
            match subject.desk.take() {
                Some(seat) => break seat,
                None => clockwork.sleep(clockwork.within(pace)).await,
            }
        };
        let from = subject.record().live();
        let mut attempts = 1;
        while !is_done(rebuilds, subject, errand, from).await {
            rebuilds.witness.count(|report| report.cut_short += 1);
            if attempts == ATTEMPTS {
                rebuilds.witness.violated(format!("{errand:?} came to nothing"));
                return;
            }
            attempts += 1;
            clockwork.sleep(clockwork.within(3 * pace)).await;
        }
        drop(seat);
    }
}

/// Whether an attempt has come to its end.
async fn is_done(
    rebuilds: &Rebuilds,
    subject: &Subject,
    errand: Errand,
    from: GenerationRef,
) -> bool {
    let (rebuilds, subject) = (rebuilds.clone(), subject.clone());
    let code = rebuilds.deployment.draw(&rebuilds.clockwork);
    let rebuilder = subject.rebuilder(code);
    let processes = rebuilds.processes.clone();
    let attempt = Attempt { rebuilds, subject, errand, from, code, rebuilder };
    matches!(processes.start(async move { attempt.run().await }).await, Ok(Ok(true)))
}

impl Attempt {
    /// Whether there is nothing left to do.
    async fn run(&self) -> Result<bool, RebuildError> {
        match self.errand {
            Errand::Rebuild | Errand::RollBack => self.switch().await,
            Errand::RemoveOld => self.remove_old().await,
        }
    }

    async fn switch(&self) -> Result<bool, RebuildError> {
        let record = self.rebuilder.generations().await?;
        if record.live() != self.from {
            // An attempt before has come so far, and was not told.
            return Ok(true);
        }
        let building = match self.errand {
            Errand::RollBack => self.rebuilder.begin_roll_back().await?,
            _ => self.rebuilder.begin().await?,
        };
        let plan = Plan { segments: 2, ..Plan::default() };
        if self.rebuilds.plant == Plant::SwitchedUnfilled {
            return self.switch_blindly().await;
        }
        self.rebuilder.fill(&building, plan, &|_| ()).await?;
        if self.rebuilds.clockwork.chance(GIVEN_UP) {
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
            self.rebuilds.witness.count(|report| report.missed += 1);
        }
        Ok(false)
    }

    /// What old code cannot read waits for its mending; damaged rows are made anew.
    async fn found_wrong(&self, verified: &Verified) -> Result<bool, RebuildError> {
        let Rebuilds { schedule, witness, .. } = &self.rebuilds;
        if schedule.mishap {
            return self.give_up().await;
        }
        if self.code == Code::Mended {
            witness.violated(format!("a rebuild was found wrong: {:?}", verified.summary()));
        }
        Ok(self.code == Code::Mended)
    }

    /// A roll-back that was given up is not tried again: what it would go back to is as it is.
    async fn give_up(&self) -> Result<bool, RebuildError> {
        self.rebuilder.abandon().await?;
        self.rebuilds.witness.count(|report| report.given_up += 1);
        self.remove().await?;
        Ok(self.errand == Errand::RollBack)
    }

    async fn switch_blindly(&self) -> Result<bool, RebuildError> {
        let record = self.rebuilder.generations().await?;
        let now = self.rebuilds.clockwork.now();
        let Subject { projection, generations, .. } = &self.subject;
        Ok(generations.write(projection, &record.switched(now)?).await? == Written::Done)
    }

    fn count_switch(&self) {
        self.rebuilds.witness.count(|report| match self.errand {
            Errand::RollBack => report.roll_backs += 1,
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
        self.rebuilds.witness.count(|report| report.removed += removed);
        Ok(())
    }
}

/// Looks again and again at what is live, as long as somebody rebuilds.
async fn watch(rebuilds: &Rebuilds, queue: usize) {
    let Rebuilds { readers, clockwork, schedule, .. } = rebuilds;
    while rebuilds.tasks.is_rebuilding() {
        clockwork.sleep(clockwork.within(schedule.pace() / 4)).await;
        let stream = account(clockwork.below(ACCOUNTS));
        // Whether that goes well and forwards is seen to by the readers.
        match queue {
            0 => drop(RowReader::get(&**readers, &stream).await),
            _ => {
                drop(TallyReader::memo(&**readers, &stream).await);
                drop(TallyReader::range(&**readers, &all(), &all()).await);
            }
        }
    }
}

/// Removes what functions have left that were held up.
pub(in crate::simulator) async fn tidy(rebuilds: &Rebuilds) {
    for subject in &rebuilds.subjects {
        let rebuilder = subject.rebuilder(Code::Mended);
        if let Err(error) = rebuilder.remove(&|_| ()).await {
            rebuilds.witness.violated(format!("a removal came to nothing: {error}"));
        }
    }
}
