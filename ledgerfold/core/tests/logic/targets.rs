//! What processes send their commands to: several streams at once, another tenant, and a domain that refuses.

use std::marker::PhantomData;

use ledgerfold::{
    Caller, CommandId, Decider, EntityId, ProcessName, Recorded, StreamId, TenantId,
    command::{CommandHandler, CommandRequest, JointHandler},
    context::Context,
    process::{
        AcrossTenants, Joint, NoDeadline, OnRefusal, ProcessHandler, ProcessManager, Reaction,
        ReactionOf, Target,
    },
    vocabulary::{Delivery, FailedReceipt},
};
use ledgerfold_testkit::bank::{AccountCommand, AccountEvent, Accounts, Transfer, Transfers};

use crate::lending::Bank;

/// A process that moves an amount between two accounts for each account that is opened under the name of `trigger`.
struct Move<T, const REPORTS: bool>(PhantomData<fn() -> T>);

/// The accounts of the process.
type Legs = [StreamId; 2];

impl<T, const REPORTS: bool> ProcessManager for Move<T, REPORTS>
where
    T: Target<Command = Transfer, To = Legs, Waits = NoDeadline>,
{
    type Event = AccountEvent;
    type Target = T;
    type Settings = Legs;

    const NAME: ProcessName = ProcessName::from_static("move");
    const REACTS_TO: &'static [&'static str] = &["Opened"];
    const ON_REFUSAL: OnRefusal = if REPORTS { OnRefusal::Report } else { OnRefusal::Ignore };

    fn react(event: &Recorded<AccountEvent>, legs: &Legs) -> Vec<ReactionOf<Self>> {
        let is_trigger = event.stream.id().as_str() == "trigger";
        let send = Reaction::Send { to: legs.clone(), command: Transfer(40) };
        is_trigger.then_some(send).into_iter().collect()
    }
}

fn account(tenant: &str, id: &str) -> StreamId {
    let tenant = TenantId::new(tenant).expect("a tenant");
    StreamId::new(tenant, <Accounts>::CATEGORY, EntityId::new(id).expect("an id"))
}

async fn ask(bank: &Bank, stream: &StreamId, command: AccountCommand) {
    let caller = Caller { tenant: stream.tenant().clone(), ..Caller::anonymous() };
    let id = CommandId::new(format!("c-{}", bank.log.commits().len())).expect("visible ASCII");
    let (clock, random) = bank.clock_and_random();
    let handler = CommandHandler::<Accounts>::new(bank.log.clone(), clock, random);
    let request = CommandRequest::new(caller, stream.clone(), command, id);
    handler.handle(&request).await.expect("the command is accepted");
}

async fn open(bank: &Bank, stream: &StreamId, balance: u64) {
    let email = format!("{}@{}", stream.id(), stream.tenant());
    ask(bank, stream, AccountCommand::Open(email)).await;
    if balance > 0 {
        ask(bank, stream, AccountCommand::Deposit(balance)).await;
    }
}

/// A bank with a trigger in the default tenant, and an account with a balance and an empty one in this tenant.
async fn bank(tenant: &str, balance: u64) -> (Bank, Legs) {
    let bank = Bank::new();
    let legs = [account(tenant, "from"), account(tenant, "to")];
    open(&bank, &account("default", "trigger"), 0).await;
    open(&bank, &legs[0], balance).await;
    open(&bank, &legs[1], 0).await;
    (bank, legs)
}

async fn handle<P>(bank: &Bank, legs: &Legs, messages: Vec<Delivery>) -> Vec<FailedReceipt>
where
    P: ProcessManager<Settings = Legs, Target: Target<Handler = JointHandler<Transfers>>>,
{
    let (clock, random) = bank.clock_and_random();
    let steps = JointHandler::<Transfers>::new(bank.log.clone(), clock, random);
    let deadlines = bank.deadlines.clone();
    let process = ProcessHandler::<P>::new(legs.clone(), steps, deadlines, bank.log.clone());
    process.handle(messages).await
}

#[tokio::test]
async fn a_joint_command_of_a_process_changes_all_its_streams_once() {
    let (bank, legs) = bank("default", 100).await;
    for _ in 0..5 {
        assert_eq!(handle::<Move<Joint<Transfers>, true>>(&bank, &legs, bank.messages()).await, []);
    }
    assert_eq!(bank.history(&legs[0]), ["Opened", "Deposited", "Withdrawn"]);
    assert_eq!(bank.history(&legs[1]), ["Opened", "Deposited"]);
}

// Guards: tenants-never-meet
#[tokio::test]
async fn only_a_process_that_declares_it_reaches_another_tenant() {
    let (bank, legs) = bank("other", 100).await;
    let before = bank.log.commits().len();
    let failed = handle::<Move<Joint<Transfers>, false>>(&bank, &legs, bank.messages()).await;
    let [failed] = &failed[..] else { panic!("{failed:?}") };
    assert!(failed.reason.contains("AcrossTenants"), "{}", failed.reason);
    assert_eq!(bank.log.commits().len(), before);

    type Abroad = Move<AcrossTenants<Joint<Transfers>>, false>;
    assert_eq!(handle::<Abroad>(&bank, &legs, bank.messages()).await, []);
    assert_eq!(bank.history(&legs[1]), ["Opened", "Deposited"]);
    let commits = bank.log.commits();
    let moved = commits.iter().find(|commit| commit.command().name.as_str() == "Transfer");
    assert_eq!(moved.expect("it moved").metadata().actor.as_str(), "move");
}

#[tokio::test]
async fn a_refusal_is_ignored_or_reported_as_the_process_says() {
    let (bank, legs) = bank("default", 39).await;
    let before = bank.log.commits().len();
    assert_eq!(handle::<Move<Joint<Transfers>, false>>(&bank, &legs, bank.messages()).await, []);
    let failed = handle::<Move<Joint<Transfers>, true>>(&bank, &legs, bank.messages()).await;
    let [failed] = &failed[..] else { panic!("{failed:?}") };
    assert!(failed.reason.contains("refused"), "{}", failed.reason);
    assert_eq!(bank.log.commits().len(), before);

    // The message comes again, and the money is there now.
    ask(&bank, &legs[0], AccountCommand::Deposit(1)).await;
    assert_eq!(handle::<Move<Joint<Transfers>, true>>(&bank, &legs, bank.messages()).await, []);
    assert_eq!(bank.history(&legs[1]), ["Opened", "Deposited"]);
}

#[test]
fn a_declaration_names_the_categories_of_a_joint_target_once() {
    let legs = [account("default", "from"), account("default", "to")];
    let context = Context::new("bank").decider::<Accounts>();
    let context = context.process_with::<Move<Joint<Transfers>, true>>(legs);
    let [process] = context.processes() else { panic!("{context:?}") };
    assert_eq!(process.targets(), [<Accounts>::CATEGORY]);
    assert!(process.sends_jointly());
}
