//! A process for tests: a bank that lends money, with all ports in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    Caller, CausationId, CommandId, CorrelationId, DeadlineName, Decider, EntityId, ProcessName,
    Recorded, StreamId, Subject, Timestamp, Traceparent, Version,
    command::{CommandHandler, CommandRequest, Context},
    ports::{AppendError, Clock, CommitPage, DeadlineKey, EventStore, PortError, Span, StoreError},
    process::{
        DeadlineSweep, DeadlineWorker, Expiry, Fired, OnRefusal, ProcessExpiry, ProcessHandler,
        ProcessManager, Reaction, Swept, SweptProcess,
    },
    vocabulary::{Commit, Delivery, NewCommit},
};
use ledgerfold_testkit::bank::{AccountCommand, AccountEvent, Accounts, Plain};
use ledgerfold_testkit::{
    Amended, Amendment, ManualClock, MemoryDeadlineQueue, MemoryDeadlineStore, MemoryEventStore,
    SeededRandom,
};

use crate::note_models::deliveries;

/// A process that calls a loan after too long a time, and writes a note on the register for every repayment. For every
/// called loan it sends a repayment to the register, which has no loan, so the domain refuses it.
pub(crate) struct Lending;

pub(crate) const REPAYMENT: DeadlineName = DeadlineName::from_static("repayment");
pub(crate) const LOAN: Duration = Duration::from_secs(1_000);

impl ProcessManager for Lending {
    type Event = AccountEvent;
    type Target = Accounts<Plain>;
    /// How long a loan may take.
    type Settings = Duration;

    const NAME: ProcessName = ProcessName::from_static("lending");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;

    fn react(event: &Recorded<AccountEvent>, loan: &Duration) -> Vec<Reaction<AccountCommand>> {
        match event.event {
            AccountEvent::LoanGranted(_) => {
                let due = event.recorded_at + *loan;
                let stream = event.stream.clone();
                let forgotten = DeadlineName::from_static("forgotten");
                vec![
                    Reaction::Schedule { stream: stream.clone(), name: REPAYMENT, due },
                    Reaction::Schedule { stream, name: forgotten, due: due + LOAN * 1_000 },
                ]
            }
            AccountEvent::LoanRepaid(_) => {
                vec![Reaction::Send { to: register(), command: note() }]
            }
            AccountEvent::LoanCalled(_) => {
                vec![Reaction::Send { to: register(), command: AccountCommand::Repay }]
            }
            _ => Vec::new(),
        }
    }

    fn expire(deadline: &DeadlineKey) -> Option<AccountCommand> {
        (deadline.name == REPAYMENT).then_some(AccountCommand::CallLoan)
    }
}

pub(crate) fn account(id: &str) -> StreamId {
    StreamId::of_default_tenant(<Accounts>::CATEGORY, EntityId::new(id).expect("an id"))
}

/// The note on the register about a repayment.
pub(crate) fn note() -> AccountCommand {
    AccountCommand::Write(vec!["a repayment".to_owned()])
}

pub(crate) fn register() -> StreamId {
    account("register")
}

/// All ports in memory.
pub(crate) struct Bank {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) broken: Arc<Amended<Broken>>,
    pub(crate) deadlines: Arc<MemoryDeadlineStore>,
    pub(crate) due: Arc<MemoryDeadlineQueue>,
    pub(crate) clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
}

impl Bank {
    pub(crate) fn new() -> Self {
        let log = Arc::<MemoryEventStore>::default();
        let broken = Amended::of(log.clone(), Broken::default());
        let random = Arc::new(SeededRandom::new(5));
        let deadlines = Arc::default();
        let due = Arc::default();
        let clock = Arc::default();
        Self { log, broken, deadlines, due, clock, random }
    }

    /// A handler with an empty cache, as after a cold start.
    pub(crate) fn commands(&self) -> CommandHandler<Accounts<Plain>> {
        CommandHandler::new(self.broken.clone(), self.clock.clone(), self.random.clone())
    }

    pub(crate) fn clock_and_random(&self) -> (Arc<ManualClock>, Arc<SeededRandom>) {
        (self.clock.clone(), self.random.clone())
    }

    pub(crate) async fn ask(&self, stream: &StreamId, command: AccountCommand) -> Vec<Commit> {
        let before = self.log.commits().len();
        let id = CommandId::new(format!("teller-{before}")).expect("visible ASCII");
        let subject = Subject::new("teller").expect("visible ASCII");
        let context = Context {
            caller: Caller { subject, ..Caller::anonymous() },
            correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
            causation_id: CausationId::from(&id),
            traceparent: Some(traceparent()),
        };
        let request = CommandRequest::in_context(context, stream.clone(), command, id);
        self.commands().handle(&request).await.expect("the command is accepted");
        self.log.commits()
    }

    pub(crate) fn process(&self) -> ProcessHandler<Lending> {
        ProcessHandler::new(LOAN, self.commands(), self.deadlines.clone(), self.broken.clone())
    }

    pub(crate) fn expiry(&self) -> Arc<dyn Expiry> {
        Arc::new(ProcessExpiry::<Lending>::new(self.commands()))
    }

    /// A sweep that remembers nothing, as after a cold start.
    pub(crate) fn sweep(&self) -> DeadlineSweep {
        self.sweep_of(vec![SweptProcess { name: Lending::NAME, queue: self.due.clone() }])
    }

    pub(crate) fn sweep_of(&self, processes: Vec<SweptProcess>) -> DeadlineSweep {
        let store = self.deadlines.clone();
        let random = self.random.clone();
        DeadlineSweep::new(store, self.clock.clone(), random, processes)
    }

    pub(crate) fn worker(&self) -> DeadlineWorker {
        self.worker_of(self.expiry())
    }

    pub(crate) fn worker_of(&self, expiry: Arc<dyn Expiry>) -> DeadlineWorker {
        DeadlineWorker::new(self.deadlines.clone(), self.clock.clone(), vec![expiry])
    }

    /// Sweeps, and fires everything that was sent.
    pub(crate) async fn fire(&self) -> (Swept, Fired) {
        let swept = self.sweep().sweep(NEVER).await.expect("deadlines can be listed");
        (swept, self.worker().handle(self.due.receive()).await)
    }

    /// Moves the clock forward.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.set(self.clock.now() + time);
    }

    /// All events of the log, as messages.
    pub(crate) fn messages(&self) -> Vec<Delivery> {
        let commits = self.log.commits();
        deliveries(commits.iter().flat_map(|commit| commit.envelopes().collect::<Vec<_>>()))
    }

    /// The types of the events of a stream.
    pub(crate) fn history(&self, stream: &StreamId) -> Vec<String> {
        let commits = self.log.commits();
        let of_stream = commits.iter().filter(|commit| commit.stream() == stream);
        let events = of_stream.flat_map(|commit| commit.events().collect::<Vec<_>>());
        events.map(|(_, event)| event.event_type.to_string()).collect()
    }
}

pub(crate) fn traceparent() -> Traceparent {
    Traceparent::new("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .expect("the example of W3C Trace Context")
}

/// A log that is unavailable for one account while it is broken. Atomic, because a test changes it during calls.
#[derive(Default)]
pub(crate) struct Broken(AtomicBool);

pub(crate) const UNREACHABLE: &str = "unreachable";

impl Broken {
    pub(crate) fn set(&self, is_broken: bool) {
        self.0.store(is_broken, Ordering::SeqCst);
    }

    fn check(&self, stream: &StreamId) -> Result<(), StoreError> {
        if self.0.load(Ordering::SeqCst) && stream.id().as_str() == UNREACHABLE {
            return Err(StoreError::Port(PortError::Unavailable("requested by the test".into())));
        }
        Ok(())
    }
}

#[async_trait]
impl Amendment for Broken {
    async fn read(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        after: Version,
    ) -> Result<CommitPage, StoreError> {
        self.check(stream)?;
        log.read(stream, after).await
    }

    async fn read_back(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.check(stream)?;
        log.read_back(stream, span, commits).await
    }

    async fn append(&self, log: &dyn EventStore, commit: &NewCommit) -> Result<(), AppendError> {
        self.check(commit.as_commit().stream())?;
        log.append(commit).await
    }
}

/// The end of an invocation without a time limit.
pub(crate) const NEVER: Timestamp = Timestamp::MAX;
