//! Accounts, their requests, and the names of their projections. The old code of the projections belongs to `old_code`.

use ledgerfold::{
    Caller, Category, Command, CommandId, CommandName, Decider, DecisionContext, EntityId,
    Idempotency, StreamId, Subject, TenantId, Timestamp, Version,
    command::{CommandRequest, Context, JointDecider, JointRequest, StreamHint},
};
use ledgerfold_testkit::bank::{
    Account, AccountCommand, AccountEvent, AccountRejection, Accounts, Deposited, Transfer,
    Transfers,
};
use serde::Serialize;

use crate::network::scheduler::Scheduler;

/// The projections, by the number of their queue: one of rows, and one of counters.
pub(crate) const PROJECTIONS: [&str; 2] = [STATEMENTS, TOTALS];
pub(crate) const STATEMENTS: &str = "statements";
pub(crate) const TOTALS: &str = "totals";
/// The projection of another context. It has rows of the public events.
pub(crate) const POINTS: &str = "points";

/// How many accounts the tenant `north` has.
pub(crate) const ACCOUNTS: usize = 3;
/// The tenants. `south` has one account, with the same id as the first of `north`.
pub(crate) const TENANTS: [&str; 2] = [NORTH, SOUTH];
const NORTH: &str = "north";
const SOUTH: &str = "south";

/// A request of a client, sent once or again.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The same each time that the command is sent.
    pub(crate) id: CommandId,
    /// One account, or the two of a joint command.
    pub(crate) streams: Vec<StreamId>,
    /// The command itself.
    pub(crate) ask: Ask,
    /// The version that the client expects, if it expects one.
    pub(crate) expected: Option<Version>,
    /// The client's belief about the stream, which may be wrong.
    pub(crate) hint: StreamHint,
    context: Context,
}

/// The command.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// Of one account.
    One(AccountCommand),
    /// Of the first account to the second.
    Transfer(Transfer),
    /// For the second account, as much as the first has.
    Bonus(Bonus),
}

/// A decision that looks at one account and changes another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bonuses;

/// Put into the second account as much as the first has: right only if the first has just as much when
/// it is committed. Never twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Bonus;

impl Command for Bonus {
    const SOME_ARE_STRICT: bool = true;

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
        _: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<AccountEvent>), AccountRejection> {
        match (&rich.email, &to.email) {
            (Some(_), Some(_)) if rich.balance == 0 => Err(AccountRejection::TooLittle),
            (Some(_), Some(_)) => Ok((Vec::new(), vec![Deposited { amount: rich.balance }.into()])),
            _ => Err(AccountRejection::NotOpen),
        }
    }
}

/// A tenant by its name.
pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("letters")
}

/// The other tenant.
pub(crate) fn tenant_beside(one: &TenantId) -> TenantId {
    tenant(if one.as_str() == NORTH { SOUTH } else { NORTH })
}

/// An account of the tenant `north`. Each account with an odd number is in the same shard of the counters as the account before, so that both can be
/// counted in one transaction.
pub(crate) fn account(number: usize) -> StreamId {
    account_of(NORTH, number)
}

fn account_of(name: &str, number: usize) -> StreamId {
    let number = number / 2 + 8 * (number % 2);
    let id = EntityId::new(format!("a{number}")).expect("letters and digits");
    StreamId::new(tenant(name), Category::from_static("account"), id)
}

/// The caller of all requests to a stream.
fn tester(stream: &StreamId) -> Caller {
    let subject = Subject::new("tester").expect("visible ASCII");
    Caller { tenant: stream.tenant().clone(), subject, ..Caller::anonymous() }
}

/// The context of decisions that depend neither on the time nor on the caller.
pub(crate) fn anytime(caller: &Caller) -> DecisionContext<'_> {
    DecisionContext { at: Timestamp::UNIX_EPOCH, caller }
}

/// The id of a command to this stream, which is its name, and its context.
fn identity(name: &str, stream: &StreamId) -> (CommandId, Context) {
    let id = CommandId::new(name).expect("a name is visible ASCII");
    let context = Context::of(tester(stream), &id);
    (id, context)
}

impl Request {
    /// Draws a command on accounts that other clients use too.
    pub(crate) fn draw(scheduler: &Scheduler, name: &str) -> Self {
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
            Ask::One(_) if scheduler.chance(15) => vec![account_of(SOUTH, 0)],
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
        let (id, context) = identity(name, &streams[0]);
        Self { id, streams, ask: ask_for, expected, hint, context }
    }

    /// A request to open an account, perhaps one that another client opens too.
    pub(crate) fn open(number: usize, name: &str) -> Self {
        let number = number % ACCOUNTS;
        let streams = vec![account(number)];
        let ask_for = Ask::One(AccountCommand::Open(format!("{number}@example.org")));
        let (id, context) = identity(name, &streams[0]);
        Self { id, streams, ask: ask_for, expected: None, hint: StreamHint::None, context }
    }

    /// As a command of one account.
    pub(crate) fn alone(&self, command: &AccountCommand) -> CommandRequest<AccountCommand> {
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
    pub(crate) fn joint<J>(&self, command: &J::Command) -> JointRequest<J>
    where
        J: JointDecider<Parts = (Accounts, Accounts), Command: Clone>,
    {
        let streams = [self.streams[0].clone(), self.streams[1].clone()];
        let context = self.context.clone();
        JointRequest::in_context(context, streams, command.clone(), self.id.clone())
    }

    /// The effect of the command on accounts in these states: the events of each stream that gets some.
    pub(crate) fn decide(
        &self,
        state: impl Fn(&StreamId) -> Account,
    ) -> Result<Vec<(StreamId, Vec<AccountEvent>)>, AccountRejection> {
        let context = &anytime(&self.context.caller);
        let states: Vec<_> = self.streams.iter().map(state).collect();
        let events = match &self.ask {
            Ask::One(command) => vec![<Accounts>::decide(&states[0], command, context)?],
            Ask::Transfer(transfer) => {
                <[_; 2]>::from(Transfers::decide((&states[0], &states[1]), transfer, context)?)
                    .into()
            }
            Ask::Bonus(bonus) => {
                <[_; 2]>::from(Bonuses::decide((&states[0], &states[1]), bonus, context)?).into()
            }
        };
        let parts = self.streams.iter().cloned().zip(events);
        Ok(parts.filter(|(_, events)| !events.is_empty()).collect())
    }

    /// Whether it adds money from outside.
    pub(crate) const fn makes_money(&self) -> bool {
        !matches!(self.ask, Ask::Transfer(_))
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::ports::CounterShard;

    use super::account;

    #[test]
    fn two_accounts_share_a_shard_and_a_third_has_another() {
        let [first, second, third] = [0, 1, 2].map(|number| CounterShard::of(&account(number)));
        assert_eq!(first, second);
        assert_ne!(first, third);
    }
}
