//! Two tenants with equal ids in one process manager.
//!
//! Guards: tenants-never-meet

use std::time::Duration;

use ledgerfold::{
    Caller, CommandId, DeadlineName, Decider, EntityId, ProcessName, Recorded, StreamId, TenantId,
    command::CommandRequest,
    ports::DeadlineKey,
    process::{OnRefusal, ProcessExpiry, ProcessHandler, ProcessManager, Reaction, SweptProcess},
};
use ledgerfold_testkit::bank::{AccountCommand, AccountEvent, Accounts, Plain};

use crate::lending::{Bank, LOAN, NEVER};

/// A process that opens a file for each loan at once, and calls the loan when it is due.
struct Filing;

const REPAYMENT: DeadlineName = DeadlineName::from_static("repayment");

impl ProcessManager for Filing {
    type Event = AccountEvent;
    type Target = Accounts<Plain>;
    type Settings = Duration;

    const NAME: ProcessName = ProcessName::from_static("filing");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;

    fn react(event: &Recorded<AccountEvent>, loan: &Duration) -> Vec<Reaction<AccountCommand>> {
        let AccountEvent::LoanGranted(_) = event.event else { return Vec::new() };
        let stream = event.stream.clone();
        let id = EntityId::new("file").expect("letters");
        let file = stream.beside(stream.category().clone(), id);
        let note = AccountCommand::Write(vec![format!("a loan of {}", stream.id())]);
        vec![
            Reaction::Send { to: file, command: note },
            Reaction::Schedule { stream, name: REPAYMENT, due: event.recorded_at + *loan },
        ]
    }

    fn expire(deadline: &DeadlineKey) -> Option<AccountCommand> {
        (deadline.name == REPAYMENT).then_some(AccountCommand::CallLoan)
    }
}

fn account(tenant: &TenantId, id: &str) -> StreamId {
    StreamId::new(tenant.clone(), <Accounts>::CATEGORY, EntityId::new(id).expect("an id"))
}

/// Each tenant sends these commands with equal ids to accounts with equal ids.
async fn ask(bank: &Bank, tenant: &TenantId, id: &str, turn: usize, command: AccountCommand) {
    let caller = Caller { tenant: tenant.clone(), ..Caller::anonymous() };
    let command_id = CommandId::new(format!("{id}-{turn}")).expect("visible ASCII");
    let request = CommandRequest::new(caller, account(tenant, id), command, command_id);
    bank.commands().handle(&request).await.expect("the command is accepted");
}

/// Runs the process for these tenants in one bank. The second account of each tenant repays its loan, and only the
/// loans of `late` are still open when they are due.
async fn run(tenants: &[&TenantId], late: &TenantId) -> Bank {
    let bank = Bank::new();
    let process = || {
        ProcessHandler::<Filing>::new(
            LOAN,
            bank.commands(),
            bank.deadlines.clone(),
            bank.broken.clone(),
        )
    };
    for tenant in tenants {
        for id in ["a", "b"] {
            ask(&bank, tenant, id, 0, AccountCommand::Borrow(100)).await;
        }
        ask(&bank, tenant, "b", 1, AccountCommand::Repay).await;
    }
    for _ in 0..2 {
        assert_eq!(process().handle(bank.messages()).await, []);
    }
    for tenant in tenants.iter().filter(|tenant| **tenant != late) {
        ask(&bank, tenant, "a", 1, AccountCommand::Repay).await;
    }
    bank.pass(LOAN);
    let swept = SweptProcess { name: Filing::NAME, queue: bank.due.clone() };
    bank.sweep_of(vec![swept]).sweep(NEVER).await.expect("deadlines can be listed");
    let expiry = ProcessExpiry::<Filing>::new(bank.commands());
    bank.worker_of(std::sync::Arc::new(expiry)).handle(bank.due.receive()).await;
    bank
}

/// Everything of a tenant: the types and contents of its events, by stream, and its deadlines.
fn result_of(bank: &Bank, tenant: &TenantId) -> (Vec<String>, usize) {
    let commits = bank.log.commits();
    let ours = commits.iter().filter(|commit| commit.stream().tenant() == tenant);
    let events = ours.flat_map(|commit| {
        commit.events().map(move |(version, event)| {
            let stream = commit.stream();
            let actor = &commit.metadata().actor;
            format!("{stream} {version} {} {} {actor}", event.event_type, event.data.as_str())
        })
    });
    let waiting = bank.deadlines.waiting();
    let waiting = waiting.iter().filter(|it| it.deadline.key.stream.tenant() == tenant).count();
    (events.collect(), waiting)
}

#[tokio::test]
async fn a_process_does_for_each_of_two_tenants_what_it_does_for_it_alone() {
    let here = TenantId::default_tenant();
    let there = TenantId::new("other").expect("letters");
    let both = run(&[&here, &there], &there).await;
    for tenant in [&here, &there] {
        let alone = result_of(&run(&[tenant], &there).await, tenant);
        assert_eq!(result_of(&both, tenant), alone, "{tenant}");
    }
    let events = |tenant| result_of(&both, tenant).0.join("\n");
    assert!(!events(&here).contains("LoanCalled"), "{}", events(&here));
    assert_eq!(events(&there).matches("LoanCalled").count(), 1, "{}", events(&there));
    for tenant in [&here, &there] {
        assert_eq!(events(tenant).matches("account#file ").count(), 2, "{}", events(tenant));
    }
}
