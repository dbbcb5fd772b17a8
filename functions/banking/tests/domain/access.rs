//! The rows of the role table, for every command: allowed, forbidden, or hidden.
//!
//! Guards: everybody-sees-only-their-own

use banking::{
    commands::{
        CaptureHold, CloseAccount, Deposit, FreezeAccount, MakeTransfer, Making, OpenAccount,
        PlaceHold, ReleaseHold, Releasing, ReverseBetweenAccounts, ReverseWithTheBank, Reversing,
        SetLimits, UnfreezeAccount, Withdraw,
    },
    domain::{AccountState, Accounts, Transfer, TransferState, access},
};
use banking_events::{Kind, LegAccount, Money, TransferMade};
use ledgerfold::{
    Access::{self, Allowed, Forbidden, Hidden},
    Caller, Decide, Decider,
    command::JointDecider,
};

use crate::setup::{DAY, amount, caller, currency, euro, id, opened};

/// The callers of the table: the owner of the account, another owner, and one caller for each other role.
struct Callers {
    owner: Caller,
    other: Caller,
    teller: Caller,
    auditor: Caller,
    manager: Caller,
    nobody: Caller,
}

impl Callers {
    fn new() -> Self {
        Self {
            owner: caller("o-1", &["owner"]),
            other: caller("o-2", &["owner"]),
            teller: caller("t-1", &["teller"]),
            auditor: caller("a-1", &["auditor"]),
            manager: caller("m-1", &["manager"]),
            // The name of an owner without its role.
            nobody: caller("o-1", &[]),
        }
    }

    fn ask(&self, may: impl Fn(&Caller) -> Access) -> [Access; 6] {
        let Self { owner, other, teller, auditor, manager, nobody } = self;
        [owner, other, teller, auditor, manager, nobody].map(may)
    }
}

//                                owner      other   teller   auditor    manager  nobody
const OUT: [Access; 6] = [Allowed, Hidden, Allowed, Forbidden, Allowed, Hidden];
const BY_STAFF: [Access; 6] = [Forbidden, Hidden, Allowed, Forbidden, Allowed, Hidden];
const BY_MANAGER: [Access; 6] = [Forbidden, Hidden, Forbidden, Forbidden, Allowed, Hidden];
const READ: [Access; 6] = [Allowed, Hidden, Allowed, Allowed, Allowed, Hidden];

fn account() -> AccountState {
    Accounts::evolve(None, &opened())
}

fn making<C>(command: C) -> Making<C> {
    Making { account: id("a"), id: id("t-1"), command }
}

fn text() -> String {
    "because".to_owned()
}

#[test]
fn money_leaves_by_the_owner_and_by_staff() {
    let account = account();
    let a = &account;
    let callers = Callers::new();
    let withdraw = making(Withdraw { amount: amount(1, "EUR"), reference: text() });
    assert_eq!(callers.ask(|it| Withdraw::may(it, &withdraw, &(a, &None, &None))), OUT);

    let from = id("a");
    let to = id("b");
    let transfer =
        MakeTransfer { from, to, amount: amount(1, "EUR"), reference: text(), to_bank: None };
    let transfer = making(transfer);
    assert_eq!(callers.ask(|it| MakeTransfer::may(it, &transfer, &(a, &None, &None))), OUT);

    let hold = PlaceHold { amount: amount(1, "EUR"), reference: text(), expires_in: 1 };
    let hold = making(hold);
    assert_eq!(callers.ask(|it| PlaceHold::may(it, &hold, &(a, &None))), OUT);

    let capture = making(CaptureHold { hold: id("h"), to: id("b"), amount: None });
    assert_eq!(callers.ask(|it| CaptureHold::may(it, &capture, &(a, a, &None, &None))), OUT);

    let release = Releasing { account: id("a"), hold: id("h") };
    assert_eq!(callers.ask(|it| ReleaseHold::may(it, &release, &(a, &None))), OUT);
}

#[test]
fn staff_alone_pays_in_freezes_and_closes() {
    let account = account();
    let a = &account;
    let callers = Callers::new();
    let deposit = making(Deposit { amount: amount(1, "EUR"), reference: text() });
    assert_eq!(callers.ask(|it| Deposit::may(it, &deposit, &(a, &None, &None))), BY_STAFF);
    assert_eq!(callers.ask(|it| FreezeAccount { reason: text() }.may(it, a)), BY_STAFF);
    assert_eq!(callers.ask(|it| UnfreezeAccount { reason: text() }.may(it, a)), BY_STAFF);
    assert_eq!(callers.ask(|it| CloseAccount { reason: text() }.may(it, a)), BY_STAFF);
}

#[test]
fn a_manager_alone_sets_limits() {
    let a = account();
    assert_eq!(Callers::new().ask(|it| SetLimits { daily: None }.may(it, &a)), BY_MANAGER);
}

#[test]
fn an_owner_opens_accounts_for_itself_and_without_an_overdraft() {
    let open = |owner: &str, overdraft_limit| OpenAccount {
        owner_id: id(owner),
        currency: currency("EUR"),
        overdraft_limit,
    };
    let callers = Callers::new();
    //              owner      other      teller   auditor    manager  nobody
    let plain = [Allowed, Forbidden, Allowed, Forbidden, Allowed, Forbidden];
    assert_eq!(callers.ask(|it| open("o-1", 0).may(it, &None)), plain);
    let overdraft = [Forbidden, Forbidden, Allowed, Forbidden, Allowed, Forbidden];
    assert_eq!(callers.ask(|it| open("o-1", 1).may(it, &None)), overdraft);
}

/// A transfer from an account of `o-2` to one of `o-1`: its reversal takes money from `o-1`.
fn received() -> TransferState {
    let made = TransferMade {
        kind: Kind::Transfer,
        from: LegAccount::Customer(id("b")),
        from_owner: Some(id("o-2")),
        to: LegAccount::Customer(id("a")),
        to_owner: Some(id("o-1")),
        amount: Money { amount: 1, currency: euro() },
        reference: text(),
        from_booked_on: DAY,
        to_booked_on: DAY,
        hold: None,
        reverses: None,
        originally_booked_on: None,
    };
    Some(Transfer { made: Some(made), ..Transfer::default() })
}

#[test]
fn the_receiver_and_staff_reverse_a_transfer() {
    let original = received();
    let callers = Callers::new();
    let command = Reversing { original: id("t-0"), id: id("t-1"), reason: text() };
    // The sender knows of the transfer, and cannot take the money back.
    let expected = [Allowed, Forbidden, Allowed, Forbidden, Allowed, Hidden];
    let between =
        |it: &Caller| ReverseBetweenAccounts::may(it, &command, &(&None, &None, &original, &None));
    assert_eq!(callers.ask(between), expected);
    let with_the_bank =
        |it: &Caller| ReverseWithTheBank::may(it, &command, &(&None, &None, &original, &None));
    assert_eq!(callers.ask(with_the_bank), expected);
    let stranger = caller("o-3", &["owner"]);
    assert_eq!(between(&stranger), Hidden);
}

#[test]
fn reading_is_for_the_owner_staff_and_the_auditor() {
    let callers = Callers::new();
    assert_eq!(callers.ask(|it| access::of_owner(it, &id("o-1"))), READ);
    let balance = callers.ask(|it| Access::allowed_if(access::sees_trial_balance(it)));
    assert_eq!(balance, [Forbidden, Forbidden, Forbidden, Allowed, Allowed, Forbidden]);
}

#[test]
fn an_account_that_does_not_exist_looks_like_one_of_somebody_else() {
    let callers = Callers::new();
    // Everybody gets the decision's answer, which is that there is no such account.
    let unknown = callers.ask(|it| access::by_owner(it, &None));
    assert_eq!(unknown, [Allowed; 6]);
    assert_eq!(callers.ask(|it| access::by_staff(it, &None)), [Allowed; 6]);
    assert_eq!(callers.ask(|it| access::by_manager(it, &None)), [Allowed; 6]);
    assert_eq!(callers.ask(|it| access::by_receiver(it, &None)), [Allowed; 6]);
}
