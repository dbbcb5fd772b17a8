//! The decisions of the process manager, with effects and commands of its own. The functions that run it belong to
//! `actors::reactions`.

use std::time::Duration;

use ledgerfold::{
    Actor, Category, CausationId, Claim, Command, CommandName, DeadlineName, Decider,
    DecisionContext, ProcessName, Recorded, Snapshots, StreamId, Subject, Timestamp,
    ports::DeadlineKey,
    process::{OnRefusal, ProcessManager, Reaction},
};
use ledgerfold_testkit::bank::{
    Account, AccountEvent, AccountRejection, Accounts, Closed, Deposited,
};
use serde::Serialize;

use crate::domain::history::Effect;

/// The amount that a new account gets.
const WELCOME: u64 = 1;

/// The process: a new account gets a welcome, and is closed after a while if it holds nothing else.
pub(crate) struct Welcome;

/// The accounts, with the commands of the process.
pub(crate) struct WelcomedAccounts;

/// A command of the process for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum WelcomeCommand {
    /// Put the welcome in.
    Welcome,
    /// Close it if no more than a welcome is in it.
    CloseUnused,
}

impl ProcessManager for Welcome {
    type Event = AccountEvent;
    type Target = WelcomedAccounts;
    /// How long an account may stay unused.
    type Settings = Duration;

    const NAME: ProcessName = ProcessName::from_static("welcome");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;

    fn react(
        event: &Recorded<AccountEvent>,
        unused_timeout: &Duration,
    ) -> Vec<Reaction<WelcomeCommand>> {
        let AccountEvent::Opened(_) = &event.event else { return Vec::new() };
        let stream = event.stream.clone();
        let welcome = Reaction::Send { to: stream.clone(), command: WelcomeCommand::Welcome };
        // An account may be opened again, and each time there is a deadline of its own.
        let name = format!("unused-{}", event.version).parse();
        let name = name.unwrap_or(DeadlineName::from_static("unused"));
        let closing =
            Reaction::Schedule { stream, name, due: due(event.recorded_at, *unused_timeout) };
        vec![welcome, closing]
    }

    fn expire(_: &DeadlineKey) -> Option<WelcomeCommand> {
        Some(WelcomeCommand::CloseUnused)
    }
}

/// When an account that was opened then is looked at.
pub(crate) fn due(opened: Timestamp, unused_timeout: Duration) -> Timestamp {
    opened.checked_add(unused_timeout).unwrap_or(Timestamp::MAX)
}

impl WelcomeCommand {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Welcome => "Welcome",
            Self::CloseUnused => "CloseUnused",
        }
    }

    /// The command behind an effect, with its stream and the event that led to it; `None` if the process did not send
    /// it.
    pub(crate) fn of(effect: &Effect) -> Option<(Self, &StreamId, &CausationId)> {
        let [commit] = effect.commits.as_slice() else { return None };
        let metadata = commit.metadata();
        let name = commit.command().name.as_str();
        let command =
            [Self::Welcome, Self::CloseUnused].into_iter().find(|it| it.as_str() == name)?;
        (metadata.actor == Actor::from(&Subject::from(&Welcome::NAME))).then_some((
            command,
            commit.stream(),
            &metadata.causation_id,
        ))
    }
}

impl Command for WelcomeCommand {
    fn name(&self) -> CommandName {
        CommandName::from_static(self.as_str())
    }
}

impl Decider for WelcomedAccounts {
    type Command = WelcomeCommand;
    type Event = AccountEvent;
    type State = Account;
    type Rejection = AccountRejection;

    const CATEGORY: Category = <Accounts>::CATEGORY;

    fn initial() -> Account {
        <Accounts>::initial()
    }

    fn evolve(account: Account, event: &AccountEvent) -> Account {
        <Accounts>::evolve(account, event)
    }

    fn decide(
        account: &Account,
        command: &WelcomeCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        match (&account.email, command) {
            (None, _) => Err(AccountRejection::NotOpen),
            (Some(_), WelcomeCommand::Welcome) => Ok(vec![Deposited { amount: WELCOME }.into()]),
            (Some(_), WelcomeCommand::CloseUnused) if account.balance > WELCOME => Ok(Vec::new()),
            (Some(email), WelcomeCommand::CloseUnused) => {
                Ok(vec![Closed { email: email.clone() }.into()])
            }
        }
    }

    fn snapshots() -> Option<Snapshots<Account>> {
        <Accounts>::snapshots()
    }

    fn claims(event: &AccountEvent) -> Vec<Claim> {
        <Accounts>::claims(event)
    }
}
