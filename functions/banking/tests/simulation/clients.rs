//! Clients: they send commands, and send them again until they are answered. The rules about answers belong to the
//! checker.

use std::{sync::Arc, time::Duration};

use banking::domain::Hold;
use ledgerfold::{
    Rejection, TenantId,
    command::{Answer, CommandError},
    ports::{Clock, PortError, StoreError},
};
use ledgerfold_simulator::Scheduler;

use crate::{
    draw::{ACCOUNTS, Draw, TENANTS, tenant},
    functions::Containers,
    ledger::Ledger,
    plan::Schedule,
    request::{Ask, Request},
};

const COMMANDS: usize = 10;
/// How often a client sends a command that is not answered.
const SENDS: usize = 40;
/// The longest wait before a command is sent again.
const LONGEST_RETRY_WAIT: Duration = Duration::from_secs(2);
/// The longest wait for the expiry of a hold.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);
/// Clients of the first tenant, and of the second.
const CLIENTS: [usize; 2] = [3, 1];

/// A client of one tenant.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) scheduler: Scheduler,
    pub(crate) schedule: Schedule,
    pub(crate) containers: Arc<Containers>,
    pub(crate) ledger: Ledger,
    pub(crate) tenant: TenantId,
    /// Its name, which is part of the names of its commands.
    pub(crate) name: String,
}

/// Opens all accounts, and then starts the clients.
pub(crate) async fn start(first: Client) {
    for name in TENANTS {
        let teller = Client { tenant: tenant(name), ..first.clone() };
        teller.open_accounts().await;
    }
    for (name, clients) in TENANTS.iter().zip(CLIENTS) {
        for number in 0..clients {
            let name = tenant(name);
            let client = Client { tenant: name, name: format!("c{number}"), ..first.clone() };
            first.scheduler.spawn(async move { client.run().await });
        }
    }
}

impl Client {
    async fn open_accounts(&self) {
        for number in 0..ACCOUNTS {
            let open = self.draw(format!("open-{number}"), |draw| draw.open(number));
            self.ask(&open).await;
            let deposit = self.draw(format!("first-{number}"), |draw| draw.deposit(number, 200));
            self.ask(&deposit).await;
        }
    }

    async fn run(&self) {
        let mut done: Vec<Request> = Vec::new();
        for number in 0..COMMANDS {
            // Often at once, so that clients compete.
            if self.scheduler.chance(50) {
                self.scheduler.sleep(self.scheduler.within(self.schedule.pace)).await;
            }
            if !done.is_empty() && self.scheduler.chance(15) {
                let again = done[self.scheduler.below(done.len())].clone();
                self.ledger.count("sent again after an answer");
                self.send_until_answered(&again).await;
                continue;
            }
            let name = format!("{}-{number}", self.name);
            let mut request = self.draw(name, |draw| draw.next());
            self.wait_for_expiry(&request).await;
            if self.scheduler.chance(3) {
                // The streams stay those of its own tenant.
                let other = TENANTS.into_iter().find(|name| *name != self.tenant.as_str());
                request.caller.tenant = tenant(other.unwrap_or_default());
            }
            if self.ask(&request).await {
                done.push(request);
            }
        }
    }

    fn draw(&self, name: String, next: impl FnOnce(&Draw<'_>) -> Request) -> Request {
        let Self { scheduler, tenant, .. } = self;
        self.ledger
            .with_books(|books| next(&Draw { scheduler, books, tenant: tenant.clone(), name }))
    }

    /// Sometimes a capture or a release comes exactly when its hold expires, or a moment beside.
    async fn wait_for_expiry(&self, request: &Request) {
        let hold = match &request.ask {
            Ask::Capture(_) => &request.streams[2],
            Ask::Release(_) => &request.streams[1],
            _ => return,
        };
        let expires_at = self.ledger.with_books(|books| {
            let hold: Option<Hold> = books.holds.get(hold).cloned().flatten();
            hold.map(|hold| hold.placed.expires_at)
        });
        let Some(expires_at) = expires_at.filter(|_| self.scheduler.chance(25)) else { return };
        let left = Duration::try_from(expires_at.duration_since(self.scheduler.now()));
        let beside = Duration::from_millis(1);
        let wait = match (left, self.scheduler.below(3)) {
            (Ok(left), 0) => left.saturating_sub(beside),
            (Ok(left), 1) => left,
            (Ok(left), _) => left + beside,
            (Err(_), _) => return,
        };
        if wait <= LONGEST_WAIT {
            self.scheduler.sleep(wait).await;
        }
    }

    /// Sends a new command until it is answered. Returns whether it was accepted.
    async fn ask(&self, request: &Request) -> bool {
        self.ledger.asked(request);
        self.send_until_answered(request).await
    }

    /// Sends a command until it is answered. Returns whether it was accepted.
    pub(crate) async fn send_until_answered(&self, request: &Request) -> bool {
        for attempt in 0..SENDS {
            match self.containers.send(request, attempt).await {
                Some(Ok(answers)) => {
                    self.ledger.answered(request, &answers);
                    return is_effect(&answers);
                }
                Some(Err(error)) if is_transient(&error) => {
                    self.ledger.count("failed for the moment");
                }
                Some(Err(refusal)) => {
                    self.ledger.refused(request, &refusal);
                    return false;
                }
                None => {}
            }
            self.scheduler.sleep(self.scheduler.within(LONGEST_RETRY_WAIT)).await;
        }
        false
    }
}

/// Whether an answer names events.
pub(crate) fn is_effect(answers: &[Answer]) -> bool {
    answers.iter().any(|answer| !answer.events.is_empty())
}

/// Whether sending a command again may help.
const fn is_transient<R: Rejection>(error: &CommandError<R>) -> bool {
    matches!(
        error,
        CommandError::Store(
            StoreError::Port(PortError::Throttled) | StoreError::Port(PortError::Unavailable(_))
        ) | CommandError::Contention { .. }
    )
}

/// Sends every accepted command once more. Each is recognised, and gets its first answer.
pub(crate) async fn repeat(client: Client) {
    for request in client.ledger.accepted() {
        client.send_until_answered(&request).await;
    }
}
