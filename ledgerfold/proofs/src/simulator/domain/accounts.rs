//! Accounts, their commands and their read models. The old code of the projections belongs to `old_code`.

use ledgerfold::{
    Category, Command, CommandId, CommandName, Decider, EntityId, Idempotency, InvalidId, Recorded,
    StreamId, Version,
    command::{CommandRequest, Context, JointDecider, JointRequest, StreamHint},
    ports::{CounterKey, IndexKey},
    project::{Counts, Projection, Tally},
};
use serde::{Deserialize, Serialize};

use crate::{
    conformance::account::{
        Account, AccountCommand, AccountEvent, AccountRejection, Accounts, Deposited, Transfer,
        Transfers, ask,
    },
    simulator::network::scheduler::Scheduler,
};

/// The projections, by the number of their queue: one of rows, and one of counters.
pub(in crate::simulator) const PROJECTIONS: [&str; 2] = [STATEMENTS, TOTALS];
pub(in crate::simulator) const STATEMENTS: &str = "statements";
pub(in crate::simulator) const TOTALS: &str = "totals";

/// How many accounts there are.
pub(in crate::simulator) const ACCOUNTS: usize = 3;

/// The list that all open accounts are in.
pub(in crate::simulator) const OPEN: &str = "open";

/// A request of a client, sent once or again.
#[derive(Clone, Debug)]
pub(in crate::simulator) struct Request {
    /// The same each time that the command is sent.
    pub(in crate::simulator) id: CommandId,
    /// One account, or the two of a joint command.
    pub(in crate::simulator) streams: Vec<StreamId>,
    /// The command itself.
    pub(in crate::simulator) ask: Ask,
    /// The version that the client expects, if it expects one.
    pub(in crate::simulator) expected: Option<Version>,
    /// The client's belief about the stream, which may be wrong.
    pub(in crate::simulator) hint: StreamHint,
    context: Context,
}

/// The command.
#[derive(Clone, Debug)]
pub(in crate::simulator) enum Ask {
    /// Of one account.
    One(AccountCommand),
    /// Of the first account to the second.
    Transfer(Transfer),
    /// For the second account, as much as the first has.
    Bonus(Bonus),
}

/// A decision that looks at one account and changes another.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulator) struct Bonuses;

/// Put into the second account as much as the first has: right only if the first has just as much when
/// it is committed. Never twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::simulator) struct Bonus;

impl Command for Bonus {
    fn name(&self) -> CommandName {
        CommandName::from_static("Bonus")
    }

    fn idempotency(&self) -> Idempotency {
        Idempotency::Strict
    }
}

impl JointDecider for Bonuses {
    type Command = Bonus;
    type Parts = (Accounts, Accounts);
    type Rejection = AccountRejection;

    fn decide(
        (rich, to): (&Account, &Account),
        _: &Bonus,
    ) -> Result<(Vec<AccountEvent>, Vec<AccountEvent>), AccountRejection> {
        match (&rich.email, &to.email) {
            (Some(_), Some(_)) if rich.balance == 0 => Err(AccountRejection::TooLittle),
            (Some(_), Some(_)) => Ok((Vec::new(), vec![Deposited { amount: rich.balance }.into()])),
            _ => Err(AccountRejection::NotOpen),
        }
    }
}

pub(in crate::simulator) fn account(number: usize) -> StreamId {
    let id = EntityId::new(format!("a{number}")).expect("letters and digits");
    StreamId::new(Category::from_static("account"), id)
}

impl Request {
    /// Draws a command on accounts that other clients use too.
    pub(in crate::simulator) fn draw(scheduler: &Scheduler, name: &str) -> Self {
        let address = |of: usize| format!("{of}@example.org");
        let amount = u64::try_from(1 + scheduler.below(9)).unwrap_or(1);
        let first = scheduler.below(ACCOUNTS);
        let other = (first + 1 + scheduler.below(ACCOUNTS - 1)) % ACCOUNTS;
        let ask_for = match scheduler.below(20) {
            0..=1 => Ask::One(AccountCommand::Open(address(scheduler.below(3)))),
            2..=4 => Ask::One(AccountCommand::Deposit(amount)),
            5 => Ask::One(AccountCommand::DepositAll(vec![amount; scheduler.below(4)])),
            6 => Ask::One(AccountCommand::DepositAll(vec![amount; 15 + scheduler.below(10)])),
            7..=8 => Ask::One(AccountCommand::DepositOnce(amount)),
            9 => Ask::One(AccountCommand::Move(address(3 + scheduler.below(2)))),
            10 => Ask::One(AccountCommand::Close),
            11..=15 => Ask::Transfer(Transfer(amount)),
            _ => Ask::Bonus(Bonus),
        };
        let streams = match ask_for {
            Ask::One(_) => vec![account(first)],
            Ask::Transfer(_) | Ask::Bonus(_) => vec![account(first), account(other)],
        };
        let alone = matches!(ask_for, Ask::One(_));
        let hint = match alone && scheduler.chance(10) {
            true => StreamHint::New,
            false => StreamHint::None,
        };
        let guess = u64::try_from(scheduler.below(6)).unwrap_or(0);
        let expected = (alone && scheduler.chance(10)).then(|| Version::new(guess));
        let CommandRequest { id, context, .. } = ask(&streams[0], name, ());
        Self { id, streams, ask: ask_for, expected, hint, context }
    }

    /// A request to open an account, perhaps one that another client opens too.
    pub(in crate::simulator) fn open(number: usize, name: &str) -> Self {
        let number = number % ACCOUNTS;
        let streams = vec![account(number)];
        let ask_for = Ask::One(AccountCommand::Open(format!("{number}@example.org")));
        let CommandRequest { id, context, hint, .. } = ask(&streams[0], name, ());
        Self { id, streams, ask: ask_for, expected: None, hint, context }
    }

    /// As a command of one account.
    pub(in crate::simulator) fn alone(
        &self,
        command: &AccountCommand,
    ) -> CommandRequest<AccountCommand> {
        CommandRequest {
            stream: self.streams[0].clone(),
            command: command.clone(),
            id: self.id.clone(),
            expected: self.expected,
            hint: self.hint,
            context: self.context.clone(),
        }
    }

    /// As a command of two accounts.
    pub(in crate::simulator) fn joint<J>(&self, command: &J::Command) -> JointRequest<J>
    where
        J: JointDecider<Parts = (Accounts, Accounts), Command: Clone>,
    {
        JointRequest {
            streams: [self.streams[0].clone(), self.streams[1].clone()],
            command: command.clone(),
            id: self.id.clone(),
            context: self.context.clone(),
        }
    }

    /// The effect of the command on accounts in these states: the events of each stream that gets some.
    pub(in crate::simulator) fn decide(
        &self,
        state: impl Fn(&StreamId) -> Account,
    ) -> Result<Vec<(StreamId, Vec<AccountEvent>)>, AccountRejection> {
        let states: Vec<_> = self.streams.iter().map(state).collect();
        let events = match &self.ask {
            Ask::One(command) => vec![Accounts::decide(&states[0], command)?],
            Ask::Transfer(transfer) => {
                <[_; 2]>::from(Transfers::decide((&states[0], &states[1]), transfer)?).into()
            }
            Ask::Bonus(bonus) => {
                <[_; 2]>::from(Bonuses::decide((&states[0], &states[1]), bonus)?).into()
            }
        };
        let parts = self.streams.iter().cloned().zip(events);
        Ok(parts.filter(|(_, events)| !events.is_empty()).collect())
    }

    /// Whether it adds money from outside.
    pub(in crate::simulator) const fn makes_money(&self) -> bool {
        !matches!(self.ask, Ask::Transfer(_))
    }
}

/// An account as a reader sees it, while it is open.
pub(in crate::simulator) struct Statements;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::simulator) struct Statement {
    /// The address that it was opened with, by which it is listed.
    pub(in crate::simulator) listed: String,
    pub(in crate::simulator) email: String,
    pub(in crate::simulator) balance: u64,
    /// How many events it has seen since it was opened.
    pub(in crate::simulator) events: u64,
}

impl Projection for Statements {
    type Event = AccountEvent;
    type Row = Statement;

    fn evolve(
        row: Option<Statement>,
        event: &Recorded<AccountEvent>,
    ) -> Result<Option<Statement>, String> {
        if let AccountEvent::Opened(opened) = &event.event {
            let email = opened.email.clone();
            return Ok(Some(Statement { listed: email.clone(), email, balance: 0, events: 1 }));
        }
        let row = row.ok_or("it is not open")?;
        let events = row.events + 1;
        Ok(match &event.event {
            AccountEvent::Closed(_) => None,
            AccountEvent::Opened(_) => Some(row),
            AccountEvent::Deposited(it) => {
                Some(Statement { balance: row.balance + it.amount, events, ..row })
            }
            AccountEvent::Withdrawn(it) => {
                Some(Statement { balance: row.balance.saturating_sub(it.amount), events, ..row })
            }
            AccountEvent::Moved(it) => Some(Statement { email: it.to.clone(), events, ..row }),
        })
    }

    fn index(row: &Statement) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::new(OPEN, &*row.listed).map(Some)
    }
}

/// The sums over all accounts.
pub(in crate::simulator) struct Totals;

/// The counter of all events, which only ever grows.
pub(in crate::simulator) const EVENTS: &str = "events";

/// The one group of counters.
pub(in crate::simulator) fn all() -> CounterKey {
    CounterKey::new("all").expect("a key")
}

impl Tally for Totals {
    type Event = AccountEvent;
    type Memo = u64;

    fn count(
        seen: &mut u64,
        event: &Recorded<AccountEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        *seen += 1;
        counts.add(all(), EVENTS, 1)?;
        match &event.event {
            AccountEvent::Deposited(it) => counts.add(all(), "money", signed(it.amount)),
            AccountEvent::Withdrawn(it) => counts.add(all(), "money", -signed(it.amount)),
            AccountEvent::Opened(_) => counts.add(all(), "open", 1),
            AccountEvent::Closed(_) => counts.add(all(), "open", -1),
            AccountEvent::Moved(_) => Ok(()),
        }
    }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
