//! The command functions in their containers, which may die at any turn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use banking::{
    commands::{
        CaptureHold, Deposit, Interbank, MakeTransfer, PlaceHold, ReleaseHold,
        ReverseBetweenAccounts, ReverseBetweenBanks, ReverseWithTheBank, SendTransfer, Withdraw,
    },
    domain::{Accounts, BankingRejection},
    process::InterbankTransfers,
};
use ledgerfold::command::{
    Answer, CommandError, CommandHandler, CommandRequest, JointDecider, JointHandler,
};
use ledgerfold::process::ProcessHandler;
use ledgerfold_simulator::{Faults, Processes, Scheduler, SimulatedLog, UnsteadyClock};
use ledgerfold_testkit::MemoryDeadlineStore;

use crate::{
    ledger::Ledger,
    plan::{Plant, Schedule},
    planted::{CaptureAtAnyTime, ReleaseAfterExpiry, TransferBookedToday},
    request::{Ask, Request},
};

/// The result of a command.
pub(crate) type Outcome = Result<Vec<Answer>, CommandError<BankingRejection>>;

/// The log of a schedule.
pub(crate) type BankingLog = SimulatedLog<Ledger>;

const CONTAINERS: usize = 3;

/// The containers of the command function.
pub(crate) struct Containers {
    pub(crate) scheduler: Scheduler,
    faults: Faults,
    schedule: Schedule,
    plant: Plant,
    pub(crate) processes: Processes,
    log: Arc<BankingLog>,
    /// A mutex, because a container that dies is replaced.
    containers: Mutex<Vec<Container>>,
}

/// One container. Its clock stays, and the handler that caches states ends with its process.
#[derive(Clone)]
pub(crate) struct Container {
    ports: Ports,
    plant: Plant,
    pub(crate) alone: CommandHandler<Accounts>,
    /// Shared, because to make them takes longer than to use them. They keep no state.
    joint: Arc<JointHandlers>,
}

#[derive(Clone)]
struct Ports {
    log: Arc<BankingLog>,
    clock: Arc<UnsteadyClock>,
    random: Arc<Scheduler>,
}

struct JointHandlers {
    deposit: JointHandler<Deposit>,
    withdraw: JointHandler<Withdraw>,
    transfer: JointHandler<MakeTransfer>,
    send: JointHandler<SendTransfer>,
    hold: JointHandler<PlaceHold>,
    capture: JointHandler<CaptureHold>,
    release: JointHandler<ReleaseHold>,
    reverse_between: JointHandler<ReverseBetweenAccounts>,
    reverse_settlement: JointHandler<ReverseWithTheBank>,
    reverse_banks: JointHandler<ReverseBetweenBanks>,
}

impl Ports {
    fn alone(&self) -> CommandHandler<Accounts> {
        let Self { log, clock, random } = self.clone();
        CommandHandler::new(log, clock, random)
    }

    fn joint<J: JointDecider>(&self) -> JointHandler<J> {
        let Self { log, clock, random } = self.clone();
        JointHandler::new(log, clock, random)
    }
}

impl JointHandlers {
    fn over(ports: &Ports) -> Self {
        Self {
            deposit: ports.joint(),
            withdraw: ports.joint(),
            transfer: ports.joint(),
            send: ports.joint(),
            hold: ports.joint(),
            capture: ports.joint(),
            release: ports.joint(),
            reverse_between: ports.joint(),
            reverse_settlement: ports.joint(),
            reverse_banks: ports.joint(),
        }
    }
}

impl Containers {
    pub(crate) fn new(
        scheduler: &Scheduler,
        faults: &Faults,
        schedule: Schedule,
        plant: Plant,
        log: Arc<BankingLog>,
    ) -> Self {
        let this = Self {
            scheduler: scheduler.clone(),
            faults: faults.clone(),
            schedule,
            plant,
            processes: Processes::new(scheduler.clone()),
            log,
            containers: Mutex::default(),
        };
        let containers = (0..CONTAINERS).map(|_| this.start()).collect();
        *this.lock() = containers;
        this
    }

    /// A new container. Some have a clock that is right.
    fn start(&self) -> Container {
        let is_right = self.scheduler.chance(30);
        let error = if is_right { Duration::ZERO } else { self.schedule.clock_error };
        let ports = Ports {
            log: self.log.clone(),
            clock: Arc::new(UnsteadyClock::new(&self.scheduler, error)),
            random: Arc::new(self.scheduler.clone()),
        };
        let joint = Arc::new(JointHandlers::over(&ports));
        Container { alone: ports.alone(), ports, plant: self.plant, joint }
    }

    /// The handler of some container.
    pub(crate) fn some_handler(&self) -> CommandHandler<Accounts> {
        self.lock()[self.scheduler.below(CONTAINERS)].alone.clone()
    }

    /// The process of transfers between banks, in some container.
    pub(crate) fn interbank(&self) -> ProcessHandler<InterbankTransfers> {
        let deadlines = Arc::<MemoryDeadlineStore>::default();
        ProcessHandler::new((), self.interbank_steps(), deadlines, self.log.clone())
    }

    /// The handler of its steps, in some container.
    pub(crate) fn interbank_steps(&self) -> JointHandler<Interbank> {
        self.lock()[self.scheduler.below(CONTAINERS)].ports.joint()
    }

    /// One function's answer, or `None` if it died or was not waited for.
    pub(crate) async fn send(&self, request: &Request, attempt: usize) -> Option<Outcome> {
        let at = self.scheduler.below(CONTAINERS);
        let container = self.lock()[at].clone();
        let request = match self.plant {
            Plant::RepeatedTransferMadeAgain if attempt > 0 => request.under_ids_of(attempt),
            _ => request.clone(),
        };
        let answered = self.processes.start(async move { container.handle(&request).await });
        if self.faults.fails() {
            // The client stops waiting, and the function goes on.
            self.log.effects().count("not waited for");
            return None;
        }
        let outcome = answered.await.ok();
        if outcome.is_none() {
            let died = &mut self.lock()[at];
            died.alone = died.ports.alone();
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Container>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Container {
    async fn handle(&self, request: &Request) -> Outcome {
        let Self { ports, plant, joint, .. } = self;
        let plant = *plant;
        match &request.ask {
            Ask::Account(command) => {
                let Request { id, caller, streams, .. } = request.clone();
                let stream = streams[0].clone();
                let request = CommandRequest::new(caller, stream, command.clone(), id);
                Ok(vec![self.alone.handle(&request).await?])
            }
            Ask::Deposit(it) => joint.deposit.handle(&request.joint(it)).await,
            Ask::Withdraw(it) => joint.withdraw.handle(&request.joint(it)).await,
            Ask::Transfer(it) if plant == Plant::BookedIntoThePast => {
                ports.joint::<TransferBookedToday>().handle(&request.joint(it)).await
            }
            Ask::Transfer(it) => joint.transfer.handle(&request.joint(it)).await,
            Ask::Send(it) => joint.send.handle(&request.joint(it)).await,
            Ask::Step(it) => ports.joint::<Interbank>().handle(&request.joint(it)).await,
            Ask::Hold(it) => joint.hold.handle(&request.joint(it)).await,
            Ask::Capture(it) if plant == Plant::ExpiredHoldCaptured => {
                ports.joint::<CaptureAtAnyTime>().handle(&request.joint(it)).await
            }
            Ask::Capture(it) => joint.capture.handle(&request.joint(it)).await,
            Ask::Release(it) if plant == Plant::LimitGivenBackTwice => {
                ports.joint::<ReleaseAfterExpiry>().handle(&request.joint(it)).await
            }
            Ask::Release(it) => joint.release.handle(&request.joint(it)).await,
            Ask::ReverseBetween(it) => joint.reverse_between.handle(&request.joint(it)).await,
            Ask::ReverseBetweenBanks(it) => joint.reverse_banks.handle(&request.joint(it)).await,
            Ask::ReverseWithTheBank(it) => {
                joint.reverse_settlement.handle(&request.joint(it)).await
            }
        }
    }
}
