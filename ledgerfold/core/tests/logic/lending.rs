//! A domain for tests of processes: a library that lends books, with all ports in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    Actor, Category, CausationId, Command, CommandId, CommandName, CorrelationId, DeadlineName,
    Decider, EntityId, ProcessName, Recorded, Rejection, StreamId, Timestamp, Traceparent, Version,
    command::{CommandHandler, CommandRequest, Context},
    events,
    ports::{AppendError, Clock, CommitPage, DeadlineKey, EventStore, PortError, StoreError},
    process::{DeadlineSweep, Expiry, ProcessExpiry, ProcessHandler, ProcessManager, Reaction},
    vocabulary::{Commit, Delivery, NewCommit},
};
use ledgerfold_testkit::{
    Amended, Amendment, ManualClock, MemoryDeadlineStore, MemoryEventStore, SeededRandom,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shelf::deliveries;

/// A book was lent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Lent {}
/// A book was returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Returned {}
/// A book was recalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Recalled {}
/// A page was stamped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Stamped {}

events! {
    /// The events of a book.
    pub(crate) enum BookEvent { Lent: 1, Returned: 1, Recalled: 1, Stamped: 1 }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum BookCommand {
    Lend,
    Return,
    /// Recalls the book if it is lent. Otherwise nothing changes.
    Recall,
    /// Stamps the register, every time.
    Stamp,
}

#[derive(Debug, thiserror::Error)]
#[error("the book is not lent")]
pub(crate) struct NotLent;

pub(crate) struct Books;

impl Command for BookCommand {
    fn name(&self) -> CommandName {
        CommandName::from_static(match self {
            Self::Lend => "Lend",
            Self::Return => "Return",
            Self::Recall => "Recall",
            Self::Stamp => "Stamp",
        })
    }
}

impl Rejection for NotLent {
    fn rule(&self) -> &'static str {
        "not-lent"
    }
}

impl Decider for Books {
    type Command = BookCommand;
    type Event = BookEvent;
    /// Whether the book is lent.
    type State = bool;
    type Rejection = NotLent;

    const CATEGORY: Category = Category::from_static("book");

    fn initial() -> bool {
        false
    }

    fn evolve(lent: bool, event: &BookEvent) -> bool {
        match event {
            BookEvent::Lent(_) => true,
            BookEvent::Returned(_) => false,
            BookEvent::Recalled(_) | BookEvent::Stamped(_) => lent,
        }
    }

    fn decide(lent: &bool, command: &BookCommand) -> Result<Vec<BookEvent>, NotLent> {
        match command {
            BookCommand::Lend => Ok(vec![Stamped {}.into(), Lent {}.into()]),
            BookCommand::Return if *lent => Ok(vec![Returned {}.into()]),
            BookCommand::Return => Err(NotLent),
            BookCommand::Recall if *lent => Ok(vec![Recalled {}.into()]),
            BookCommand::Recall => Ok(Vec::new()),
            BookCommand::Stamp => Ok(vec![Stamped {}.into()]),
        }
    }
}

/// A process that recalls a book after too long a loan, and stamps the register for every return. For every recall it
/// sends a return of the register, which the domain refuses.
pub(crate) struct Lending;

pub(crate) const RETURN: DeadlineName = DeadlineName::from_static("return");
pub(crate) const LOAN: Duration = Duration::from_secs(1_000);

impl ProcessManager for Lending {
    type Event = BookEvent;
    type Target = Books;
    /// The longest loan.
    type Settings = Duration;

    const NAME: ProcessName = ProcessName::from_static("lending");

    fn react(event: &Recorded<BookEvent>, loan: &Duration) -> Vec<Reaction<BookCommand>> {
        match event.event {
            BookEvent::Lent(_) => {
                let due = event.recorded_at + *loan;
                let stream = event.stream.clone();
                let forgotten = DeadlineName::from_static("forgotten");
                vec![
                    Reaction::Schedule { stream: stream.clone(), name: RETURN, due },
                    Reaction::Schedule { stream, name: forgotten, due: due + LOAN * 1_000 },
                ]
            }
            BookEvent::Returned(_) => {
                vec![Reaction::Send { stream: register(), command: BookCommand::Stamp }]
            }
            BookEvent::Recalled(_) => {
                vec![Reaction::Send { stream: register(), command: BookCommand::Return }]
            }
            BookEvent::Stamped(_) => Vec::new(),
        }
    }

    fn expire(deadline: &DeadlineKey) -> Option<BookCommand> {
        (deadline.name == RETURN).then_some(BookCommand::Recall)
    }
}

pub(crate) fn book(id: &str) -> StreamId {
    StreamId::new(Books::CATEGORY, EntityId::new(id).expect("an id"))
}

pub(crate) fn register() -> StreamId {
    book("register")
}

/// All ports in memory.
pub(crate) struct Library {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) broken: Arc<Amended<Broken>>,
    pub(crate) deadlines: Arc<MemoryDeadlineStore>,
    pub(crate) clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
}

impl Library {
    pub(crate) fn new() -> Self {
        let log = Arc::<MemoryEventStore>::default();
        let broken = Amended::of(log.clone(), Broken::default());
        let random = Arc::new(SeededRandom::new(5));
        let (deadlines, clock) = (Arc::default(), Arc::default());
        Self { log, broken, deadlines, clock, random }
    }

    /// A handler with an empty cache, as after a cold start.
    fn commands(&self) -> CommandHandler<Books> {
        CommandHandler::new(self.broken.clone(), self.clock.clone(), self.random.clone())
    }

    pub(crate) async fn ask(&self, stream: &StreamId, command: BookCommand) -> Vec<Commit> {
        let before = self.log.commits().len();
        let id = CommandId::new(format!("reader-{before}")).expect("visible ASCII");
        let context = Context {
            actor: Actor::new("reader").expect("visible ASCII"),
            correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
            causation_id: CausationId::from(&id),
            traceparent: Some(traceparent()),
        };
        let request = CommandRequest::new(stream.clone(), command, id).in_context(context);
        self.commands().handle(&request).await.expect("the command is accepted");
        self.log.commits()
    }

    pub(crate) fn process(&self) -> ProcessHandler<Lending> {
        ProcessHandler::new(LOAN, self.commands(), self.deadlines.clone(), self.broken.clone())
    }

    pub(crate) fn expiry(&self) -> Arc<dyn Expiry> {
        Arc::new(ProcessExpiry::<Lending>::new(self.commands()))
    }

    pub(crate) fn sweep(&self) -> DeadlineSweep {
        DeadlineSweep::new(self.deadlines.clone(), self.clock.clone(), vec![self.expiry()])
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

/// A log that is unavailable for one book while it is broken. Atomic, because a test changes it during calls.
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
        before: Option<Version>,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.check(stream)?;
        log.read_back(stream, before, commits).await
    }

    async fn append(&self, log: &dyn EventStore, commit: &NewCommit) -> Result<(), AppendError> {
        self.check(commit.as_commit().stream())?;
        log.append(commit).await
    }
}

/// The end of an invocation without a time limit.
pub(crate) const NEVER: Timestamp = Timestamp::MAX;
