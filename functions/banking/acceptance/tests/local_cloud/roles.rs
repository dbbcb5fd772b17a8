//! Every row of the table of roles in the contract, allowed and refused.
//!
//! Guards: everybody-sees-only-their-own

use acceptance::checks::problem;
use banking_acceptance::model::{Capture, OpenAccount, PlaceHold};
use banking_acceptance::{Caller, Client, Request};

use crate::world::{TestAccount, World, opening, this_month, unique};

/// An operation that a caller tries on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    OpenForTheOwner,
    OpenWithAnOverdraft,
    Deposit,
    Withdraw,
    Transfer,
    Reverse,
    Hold,
    Capture,
    Release,
    Limit,
    RemoveLimit,
    Freeze,
    Unfreeze,
    Close,
    Read,
    ReadEntries,
    ReadHolds,
    ReadStatement,
    ReadTransfer,
    ReadOwnersAccounts,
    ReadTrialBalance,
}

use Operation::{
    Capture as CaptureIt, Close, Deposit, Freeze, Hold, Limit, OpenForTheOwner,
    OpenWithAnOverdraft, Read, ReadEntries, ReadHolds, ReadOwnersAccounts, ReadStatement,
    ReadTransfer, ReadTrialBalance, Release, RemoveLimit, Reverse, Transfer, Unfreeze, Withdraw,
};

/// The expected status of each operation: for the owner of the account, another owner, a teller, an auditor, a manager
/// and somebody without a role.
const TABLE: [(Operation, [u16; 6]); 21] = [
    (OpenForTheOwner, [201, 403, 201, 403, 201, 403]),
    (OpenWithAnOverdraft, [403, 403, 201, 403, 201, 403]),
    (Read, [200, 404, 200, 200, 200, 404]),
    (ReadEntries, [200, 404, 200, 200, 200, 404]),
    (ReadHolds, [200, 404, 200, 200, 200, 404]),
    (ReadStatement, [200, 404, 200, 200, 200, 404]),
    (ReadTransfer, [200, 404, 200, 200, 200, 404]),
    (ReadOwnersAccounts, [200, 404, 200, 200, 200, 404]),
    (ReadTrialBalance, [403, 403, 403, 200, 200, 403]),
    (Deposit, [403, 404, 200, 403, 200, 404]),
    (Withdraw, [200, 404, 200, 403, 200, 404]),
    (Transfer, [201, 404, 201, 403, 201, 404]),
    (Reverse, [201, 404, 201, 403, 201, 404]),
    (Hold, [201, 404, 201, 403, 201, 404]),
    (CaptureIt, [201, 404, 201, 403, 201, 404]),
    (Release, [200, 404, 200, 403, 200, 404]),
    (Limit, [403, 404, 403, 403, 200, 404]),
    (RemoveLimit, [403, 404, 403, 403, 200, 404]),
    (Freeze, [403, 404, 200, 403, 200, 404]),
    (Unfreeze, [403, 404, 200, 403, 200, 404]),
    (Close, [403, 404, 200, 403, 200, 404]),
];

/// An account with everything that the operations need.
struct Given {
    account: TestAccount,
    /// An account of the same owner without money.
    empty: TestAccount,
    /// An account of somebody else.
    other: TestAccount,
    /// A transfer that the account has received.
    received: String,
    hold: String,
}

impl Given {
    async fn in_world(world: &World) -> Self {
        let account = world.euros(10_000).await;
        let empty = world.account_of(&account.owner, 0, "EUR").await;
        let other = world.euros(1_000).await;
        let received = world.transfer(&other, &account, 500).await.id;
        let hold = world.hold(&account, 400).await;
        Self { account, empty, other, received, hold }
    }

    fn request<'a>(&self, client: &'a Client, operation: Operation) -> Request<'a> {
        let Self { account, empty, other, received, hold } = self;
        let id = account.id.as_str();
        let key = unique("key");
        match operation {
            OpenForTheOwner => client.open(&key, &opening(&account.owner, "EUR")),
            OpenWithAnOverdraft => {
                let overdraft_limit = Some(1);
                let body = OpenAccount { overdraft_limit, ..opening(&account.owner, "EUR") };
                client.open(&key, &body)
            }
            Deposit => client.deposit(&key, id, &account.movement(10)),
            Withdraw => client.withdraw(&key, id, &account.movement(10)),
            Transfer => client.transfer(&key, &account.transfer(other, 10)),
            Reverse => client.reverse(&key, received),
            Hold => client.hold(&key, id, &PlaceHold::of(account.money(10), 60)),
            CaptureIt => {
                let amount = Some(account.money(10));
                client.capture(&key, id, hold, &Capture { to: other.id.clone(), amount })
            }
            Release => client.release(&key, id, hold),
            Limit => client.limit(&key, id, Some(&account.money(1_000_000))),
            RemoveLimit => client.limit(&key, id, None),
            Freeze => client.freeze(&key, id),
            Unfreeze => client.unfreeze(&key, id),
            Close => client.close(&key, &empty.id),
            Read => client.account(id),
            ReadEntries => client.entries(id),
            ReadHolds => client.holds(id),
            ReadStatement => client.statement(id, this_month()),
            ReadTransfer => client.shown_transfer(received),
            ReadOwnersAccounts => client.accounts_of(&account.owner),
            ReadTrialBalance => client.trial_balance(),
        }
    }
}

async fn check_column(world: &World, column: usize, caller: impl FnOnce(&Given) -> Caller) {
    let given = Given::in_world(world).await;
    let client = world.client(caller(&given));
    for (operation, statuses) in TABLE {
        let answer = given.request(&client, operation).send().await.expect("an answer");
        let case = format!("column {column}, {operation:?}");
        match statuses[column] {
            403 => assert_eq!(problem(&answer, 403, &case).name(), "forbidden", "{case}"),
            404 => assert_eq!(problem(&answer, 404, &case).name(), "not-found", "{case}"),
            status => assert_eq!(answer.status(), status, "{case}: {}", answer.text()),
        }
    }
}

#[tokio::test]
async fn an_owner_moves_its_own_money_and_no_more() {
    let Some(world) = World::with_callers() else { return };
    check_column(&world, 0, |given| Caller::owner(&given.account.owner)).await;
}

#[tokio::test]
async fn another_owner_finds_nothing() {
    let Some(world) = World::with_callers() else { return };
    check_column(&world, 1, |_| Caller::owner(&unique("stranger"))).await;
}

#[tokio::test]
async fn a_teller_does_everything_but_limits_and_the_trial_balance() {
    let Some(world) = World::with_callers() else { return };
    check_column(&world, 2, |_| Caller::teller()).await;
}

#[tokio::test]
async fn an_auditor_reads_everything_and_changes_nothing() {
    let Some(world) = World::with_callers() else { return };
    check_column(&world, 3, |_| Caller::auditor()).await;
}

#[tokio::test]
async fn a_manager_does_everything() {
    let Some(world) = World::with_callers() else { return };
    check_column(&world, 4, |_| Caller::manager()).await;
}

#[tokio::test]
async fn somebody_without_a_role_finds_nothing() {
    let Some(world) = World::with_callers() else { return };
    check_column(&world, 5, |_| Caller::nobody()).await;
}

#[tokio::test]
async fn only_the_receiver_of_a_transfer_reverses_it_and_the_payer_sees_it() {
    let Some(world) = World::with_callers() else { return };
    let payer = world.euros(100).await;
    let receiver = world.euros(0).await;
    let transfer = world.transfer(&payer, &receiver, 60).await.id;
    let by_payer = world.owner_of(&payer);
    let seen = by_payer.shown_transfer(&transfer).send().await.expect("an answer");
    assert_eq!(seen.status(), 200);
    let answer = by_payer.reverse(&unique("key"), &transfer).send().await.expect("an answer");
    assert_eq!(problem(&answer, 403, "the payer").name(), "forbidden");
    let by_receiver = world.owner_of(&receiver);
    let answer = by_receiver.reverse(&unique("key"), &transfer).send().await.expect("an answer");
    assert_eq!(answer.status(), 201, "{}", answer.text());
    assert_eq!((world.balance(&payer).await, world.balance(&receiver).await), (100, 0));
}
