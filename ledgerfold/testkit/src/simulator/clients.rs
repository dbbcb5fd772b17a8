//! Those who ask: they send commands, send them again, and look at what came of them.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use futures::channel::oneshot;
use ledgerfold::{
    Category, CommandId, ConsistencyToken, EntityId, StreamId, Version,
    command::{Answer, CommandError, CommandHandler, CommandRequest, Presumption},
    ports::Clock,
    query::fresh_row,
};

use super::{
    Clockwork,
    checker::{self, History},
    log::SimulatedLog,
    readings::Statements,
    world::World,
};
use crate::conformance::account::{AccountCommand, AccountRejection, Accounts, ask};

const CLIENTS: usize = 3;
const COMMANDS: usize = 7;
const ACCOUNTS: usize = 2;
const CONTAINERS: usize = 2;
/// How often a client sends a command that is not answered.
const SENDS: usize = 40;

/// The command functions' containers. Each remembers on its own, until it dies.
pub(super) struct Containers {
    clockwork: Clockwork,
    log: Arc<SimulatedLog>,
    handlers: Mutex<Vec<CommandHandler<Accounts>>>,
}

impl Containers {
    pub(super) fn new(clockwork: Clockwork, log: Arc<SimulatedLog>) -> Self {
        let containers = Self { clockwork, log, handlers: Mutex::default() };
        let handlers = (0..CONTAINERS).map(|_| containers.fresh()).collect();
        Self { handlers: Mutex::new(handlers), ..containers }
    }

    fn fresh(&self) -> CommandHandler<Accounts> {
        let (time, random) = (Arc::new(self.clockwork.clone()), Arc::new(self.clockwork.clone()));
        CommandHandler::new(self.log.clone(), time, random)
    }

    fn any(&self) -> (usize, CommandHandler<Accounts>) {
        let at = self.clockwork.below(CONTAINERS);
        let handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        (at, handlers[at].clone())
    }

    /// A container in the place of one that died.
    fn replace(&self, at: usize) {
        let fresh = self.fresh();
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)[at] = fresh;
    }
}

pub(super) fn start(world: &World) {
    for client in 0..CLIENTS {
        world.witness.clients.fetch_add(1, Ordering::SeqCst);
        let client = Client { world: world.clone(), name: client };
        world.clockwork.spawn(async move {
            client.live().await;
            client.world.witness.clients.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

struct Client {
    world: World,
    name: usize,
}

type Outcome = Result<Answer, CommandError<AccountRejection>>;

fn account(number: usize) -> StreamId {
    let id = EntityId::new(format!("a{number}")).expect("letters and digits");
    StreamId::new(Category::from_static("account"), id)
}

impl Client {
    async fn live(&self) {
        let clockwork = &self.world.clockwork;
        let mut done: Vec<CommandRequest<AccountCommand>> = Vec::new();
        for number in 0..COMMANDS {
            clockwork.sleep(clockwork.within(Duration::from_secs(2))).await;
            let again = !done.is_empty() && clockwork.chance(25);
            let request = if again {
                done[clockwork.below(done.len())].clone()
            } else {
                self.request(number)
            };
            let accepted = self.insist(&request).await;
            if let Some(answer) = accepted {
                self.look(&answer).await;
                done.push(request);
            } else if again {
                let id = &request.id;
                self.world.witness.violated(format!("{id} was accepted once, and then refused"));
            }
        }
    }

    /// Something to ask, of an account that others ask things of too.
    fn request(&self, number: usize) -> CommandRequest<AccountCommand> {
        let clockwork = &self.world.clockwork;
        let stream = account(clockwork.below(ACCOUNTS));
        let address = |of: usize| format!("{of}@example.org");
        let amount = u64::try_from(1 + clockwork.below(9)).unwrap_or(1);
        let command = match clockwork.below(12) {
            0..=2 => AccountCommand::Open(address(clockwork.below(2))),
            3..=4 => AccountCommand::Deposit(amount),
            5..=6 => AccountCommand::DepositAll(vec![amount; clockwork.below(4)]),
            7..=8 => AccountCommand::DepositOnce(amount),
            9 => AccountCommand::Move(address(2 + clockwork.below(2))),
            _ => AccountCommand::Close,
        };
        let mut request = ask(&stream, &format!("c{}-{number}", self.name), command);
        if clockwork.chance(10) {
            request.presumption = Presumption::New;
        }
        if clockwork.chance(10) {
            let guess = u64::try_from(clockwork.below(6)).unwrap_or(0);
            request.expected = Some(Version::new(guess));
        }
        self.world.witness.ask(&request.id, &stream, &request.command);
        request
    }

    /// Sends a command until it is answered: the answer, or `None` if it was refused.
    async fn insist(&self, request: &CommandRequest<AccountCommand>) -> Option<Answer> {
        for _ in 0..SENDS {
            let before = History::of(&self.world.log, &request.stream);
            match self.send(request).await {
                Some(Ok(answer)) => {
                    self.world.witness.answer(&request.id, answer.clone());
                    return Some(answer).filter(|answer| !answer.events.is_empty());
                }
                Some(Err(CommandError::Store(_) | CommandError::Contention { .. })) | None => {}
                Some(Err(CommandError::Load(error))) => {
                    self.world.witness.violated(format!("{}: {error}", request.id));
                    return None;
                }
                Some(Err(refusal)) => {
                    let after = History::of(&self.world.log, &request.stream);
                    if let Some(rule) = checker::refused(request, &refusal, &before, &after) {
                        self.world.witness.violated(rule);
                    }
                    return None;
                }
            }
            let clockwork = &self.world.clockwork;
            clockwork.sleep(clockwork.within(Duration::from_secs(1))).await;
        }
        None
    }

    /// One function's answer, or `None` if it died.
    async fn send(&self, request: &CommandRequest<AccountCommand>) -> Option<Outcome> {
        let (at, handler) = self.world.containers.any();
        let (answer, answered) = oneshot::channel();
        let request = request.clone();
        self.world.clockwork.spawn_mortal(async move {
            let _ = answer.send(handler.handle(&request).await);
        });
        let outcome = answered.await.ok();
        if outcome.is_none() {
            self.world.containers.replace(at);
        }
        outcome
    }

    /// Reads what was done, with the token that came with the answer.
    async fn look(&self, answer: &Answer) {
        let World { rows, log, witness, .. } = &self.world;
        let token = ConsistencyToken { stream: answer.stream.clone(), version: answer.version };
        let shown = fresh_row::<Statements>(&**rows, &**log, &answer.stream, Some(&token)).await;
        let Ok(shown) = shown else { return };
        let history = History::of(log, &answer.stream);
        match shown {
            Some(shown) if shown.version < answer.version => {
                let (id, seen, was) = (&answer.stream, shown.version, answer.version);
                witness.violated(format!("{id} was shown at {seen} to who had seen {was}"));
            }
            Some(shown) if !history.is_end_of_commit(shown.version) => {
                let (id, version) = (&answer.stream, shown.version);
                witness.violated(format!("half a commit of {id} was shown, at {version}"));
            }
            Some(shown) if history.statement(shown.version).as_ref() != Some(&shown.row) => {
                let (id, version) = (&answer.stream, shown.version);
                witness.violated(format!("{id} at {version} is not what was shown"));
            }
            _ => {}
        }
    }
}

/// The name of a command, for the checker.
pub(super) fn is_of_client(id: &CommandId) -> bool {
    id.as_str().starts_with('c')
}
