//! Accounts with many entries.

use banking::domain::{AccountAt, AccountState, Accounts, BankingRejection, Leg};
use banking_events::{AccountEvent, Currency, LegAccount, Money};
use ledgerfold::{
    Caller, Category, Command, CommandId, CommandName, Decider, DecisionContext, EntityId,
    Snapshots, StreamId, command::CommandRequest, context::CommandPorts,
};
use serde::Serialize;

use crate::world::World;

/// The domain of accounts, with a command that only credits. Its commits, snapshots and rules are those of accounts. A
/// handler that caches the account writes 100,000 of them in seconds, because no other stream takes part.
#[derive(Clone, Copy, Debug)]
struct Filler;

/// Credits a cent.
#[derive(Clone, Debug, Serialize)]
struct Credit(EntityId);

impl Command for Credit {
    fn name(&self) -> CommandName {
        CommandName::from_static("Credit")
    }
}

impl Decider for Filler {
    type Command = Credit;
    type Event = AccountEvent;
    type State = AccountState;
    type Rejection = BankingRejection;

    const CATEGORY: Category = Accounts::CATEGORY;

    fn initial() -> AccountState {
        Accounts::initial()
    }

    fn evolve(state: AccountState, event: &AccountEvent) -> AccountState {
        Accounts::evolve(state, event)
    }

    fn decide(
        state: &AccountState,
        Credit(transaction): &Credit,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, BankingRejection> {
        let mut account = AccountAt::new(state, context.at)?;
        let currency = Currency::from_code("EUR").expect("three capital letters");
        account.credit(&Leg {
            transaction: transaction.clone(),
            amount: Money { amount: 1, currency },
            counterparty: LegAccount::Settlement(id("cash.EUR.0")),
            reference: "Salary".to_owned(),
        })?;
        Ok(account.into_events())
    }

    fn snapshots() -> Option<Snapshots<AccountState>> {
        Accounts::snapshots()
    }
}

fn id(text: &str) -> EntityId {
    EntityId::new(text).expect("an id")
}

/// Adds this many entries of a cent to an account, numbered from `first` on.
pub(crate) async fn credit(world: &World, account: &str, first: usize, entries: usize) {
    let CommandPorts { clock, random, .. } = world.ports.clone();
    let filler = CommandPorts::new(world.log.log.clone(), clock, random).handler::<Filler>();
    let stream = StreamId::of_default_tenant(Filler::CATEGORY, id(account));
    for number in first..first + entries {
        let command = Credit(id(&format!("t-{number}")));
        let key = CommandId::new(format!("fill/{number}")).expect("visible ASCII");
        let request = CommandRequest::new(Caller::anonymous(), stream.clone(), command, key);
        filler.handle(&request).await.expect("an open account takes credits");
    }
}
