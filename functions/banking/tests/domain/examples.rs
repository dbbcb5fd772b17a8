//! The commands on several streams as examples: given these events in each stream, when, then.

use banking::{
    commands::{
        CaptureHold, Deposit, MakeTransfer, Making, PlaceHold, ReleaseHold, Releasing,
        ReverseBetweenAccounts, Reversing, Withdraw,
    },
    domain::BankingRejection,
};
use banking_events::{
    AccountEvent, Credited, Debited, FundsReserved, HoldCaptured, HoldEvent, HoldPlaced,
    HoldReleased, Kind, LegAccount, Money, ReleaseCause, ReservationReleased, SettlementCredited,
    SettlementDebited, SettlementLeg, TransferEvent, TransferMade, TransferReversed,
};
use ledgerfold_testkit::GivenTogether;

use crate::setup::{DAY, MORNING, amount, at, caller, euro, id, opened, opened_by, paid_in};

/// One hour after [`MORNING`].
const EXPIRY: &str = "2026-11-28T10:00:00Z";

fn customer(account: &str) -> LegAccount {
    LegAccount::Customer(id(account))
}

fn making<C>(command: C) -> Making<C> {
    Making { account: id("a"), id: id("t-1"), command }
}

fn debited(sum: i64, balance_after: i64, counterparty: LegAccount) -> Debited {
    Debited {
        transaction: id("t-1"),
        amount: sum,
        balance_after,
        counterparty,
        reference: "Rent".to_owned(),
        booked_on: DAY,
        hold: None,
    }
}

fn credited(sum: i64, balance_after: i64, counterparty: LegAccount) -> Credited {
    let Debited { transaction, amount, reference, booked_on, .. } =
        debited(sum, balance_after, counterparty.clone());
    Credited { transaction, amount, balance_after, counterparty, reference, booked_on }
}

fn made(kind: Kind, from: LegAccount, to: LegAccount, sum: i64) -> TransferMade {
    let owner = |account: &LegAccount| match account {
        LegAccount::Customer(account) => {
            Some(id(if account.as_str() == "a" { "o-1" } else { "o-2" }))
        }
        LegAccount::Settlement(_) => None,
    };
    TransferMade {
        kind,
        from_owner: owner(&from),
        to_owner: owner(&to),
        from,
        to,
        amount: Money { amount: sum, currency: euro() },
        reference: "Rent".to_owned(),
        from_booked_on: DAY,
        to_booked_on: DAY,
        hold: None,
        reverses: None,
        originally_booked_on: None,
    }
}

fn rent() -> String {
    "Rent".to_owned()
}

fn transfer(sum: i64) -> Making<MakeTransfer> {
    let amount = amount(sum, "EUR");
    let (from, to) = (id("a"), id("b"));
    making(MakeTransfer { from, to, amount, reference: rent(), to_bank: None })
}

fn reserved(sum: i64) -> AccountEvent {
    let expires_at = Some(at(EXPIRY));
    FundsReserved { hold: id("h-1"), amount: sum, expires_at, booked_on: DAY }.into()
}

fn placed(sum: i64) -> HoldEvent {
    HoldPlaced {
        account: id("a"),
        owner_id: id("o-1"),
        amount: Money { amount: sum, currency: euro() },
        reference: rent(),
        expires_at: at(EXPIRY),
    }
    .into()
}

fn released(sum: i64, cause: ReleaseCause) -> AccountEvent {
    ReservationReleased { hold: id("h-1"), amount: sum, cause, booked_on: DAY }.into()
}

fn leg(balance_after: i64, sum: i64) -> SettlementLeg {
    SettlementLeg {
        transaction: id("t-1"),
        amount: sum,
        currency: euro(),
        balance_after,
        account: id("a"),
        booked_on: DAY,
    }
}

fn bank() -> LegAccount {
    let shard = banking::domain::settlement::settlement_of(&id("t-1"), euro());
    LegAccount::Settlement(shard)
}

#[test]
fn a_transfer_moves_money_between_two_accounts() {
    let receiver = vec![opened_by("o-2", 0)];
    GivenTogether::<MakeTransfer>::events((vec![opened(), paid_in(900)], receiver, vec![]))
        .by(caller("o-1", &["owner"]))
        .at(MORNING)
        .when(transfer(400))
        .then((
            vec![debited(400, 500, customer("b")).into()],
            vec![credited(400, 400, customer("a")).into()],
            vec![made(Kind::Transfer, customer("a"), customer("b"), 400).into()],
        ));
}

#[test]
fn a_transfer_needs_both_accounts_and_the_money() {
    GivenTogether::<MakeTransfer>::nothing()
        .at(MORNING)
        .when(transfer(1))
        .then_refused(BankingRejection::NoAccount);
    GivenTogether::<MakeTransfer>::events((vec![opened(), paid_in(900)], vec![], vec![]))
        .at(MORNING)
        .when(transfer(1))
        .then_refused(BankingRejection::NoAccount);
    GivenTogether::<MakeTransfer>::events((vec![opened(), paid_in(9)], vec![opened()], vec![]))
        .at(MORNING)
        .when(transfer(10))
        .then_refused(BankingRejection::InsufficientFunds { available: 9 });
}

#[test]
fn an_account_of_somebody_else_does_not_exist() {
    let given = || {
        let from = vec![opened_by("o-2", 0), paid_in(900)];
        GivenTogether::<MakeTransfer>::events((from, vec![opened()], vec![])).at(MORNING)
    };
    given().by(caller("o-1", &["owner"])).when(transfer(1)).then_hidden();
    given().by(caller("a-1", &["auditor"])).when(transfer(1)).then_forbidden();
}

#[test]
fn a_deposit_has_its_other_leg_at_the_bank() {
    let deposit = Deposit { amount: amount(50, "EUR"), reference: rent() };
    GivenTogether::<Deposit>::events((vec![opened()], vec![], vec![]))
        .at(MORNING)
        .when(making(deposit))
        .then((
            vec![credited(50, 50, bank()).into()],
            vec![SettlementDebited(leg(-50, 50)).into()],
            vec![made(Kind::Deposit, bank(), customer("a"), 50).into()],
        ));
}

#[test]
fn a_withdrawal_has_its_other_leg_at_the_bank() {
    let withdraw = Withdraw { amount: amount(50, "EUR"), reference: rent() };
    GivenTogether::<Withdraw>::events((vec![opened(), paid_in(60)], vec![], vec![]))
        .at(MORNING)
        .when(making(withdraw))
        .then((
            vec![debited(50, 10, bank()).into()],
            vec![SettlementCredited(leg(50, 50)).into()],
            vec![made(Kind::Withdrawal, customer("a"), bank(), 50).into()],
        ));
}

#[test]
fn a_hold_reserves_money_until_its_time() {
    let hold = PlaceHold { amount: amount(50, "EUR"), reference: rent(), expires_in: 3_600 };
    GivenTogether::<PlaceHold>::events((vec![opened(), paid_in(60)], vec![]))
        .at(MORNING)
        .when(Making { account: id("a"), id: id("h-1"), command: hold })
        .then((vec![reserved(50)], vec![placed(50)]));
}

#[test]
fn a_capture_moves_reserved_money() {
    let capture = CaptureHold { hold: id("h-1"), to: id("b"), amount: Some(amount(20, "EUR")) };
    let debit = Debited { hold: Some(id("h-1")), ..debited(20, 40, customer("b")) };
    let mut record = made(Kind::Capture, customer("a"), customer("b"), 20);
    record.hold = Some(id("h-1"));
    let from = vec![opened(), paid_in(60), reserved(50)];
    let to = vec![opened_by("o-2", 0)];
    GivenTogether::<CaptureHold>::events((from, to, vec![placed(50)], vec![]))
        .at(MORNING)
        .when(making(capture))
        .then((
            vec![debit.into()],
            vec![credited(20, 20, customer("a")).into()],
            vec![HoldCaptured { transaction: id("t-1"), amount: 20 }.into()],
            vec![record.into()],
        ));
}

#[test]
fn a_release_gives_the_rest_back() {
    let release = Releasing { account: id("a"), hold: id("h-1") };
    let account = vec![opened(), paid_in(60), reserved(50)];
    GivenTogether::<ReleaseHold>::events((account, vec![placed(50)]))
        .at(MORNING)
        .when(release)
        .then((
            vec![released(50, ReleaseCause::Released)],
            vec![HoldReleased { amount: 50 }.into()],
        ));
}

#[test]
fn a_hold_of_another_account_does_not_exist() {
    let release = Releasing { account: id("b"), hold: id("h-1") };
    GivenTogether::<ReleaseHold>::events((vec![opened()], vec![placed(50)]))
        .at(MORNING)
        .when(release)
        .then_refused(BankingRejection::NoHold);
}

fn reversing() -> Reversing {
    Reversing { original: id("t-0"), id: id("t-1"), reason: rent() }
}

fn original() -> TransferEvent {
    made(Kind::Transfer, customer("b"), customer("a"), 60).into()
}

#[test]
fn a_reversal_is_a_transfer_the_other_way() {
    let mut record = made(Kind::Reversal, customer("a"), customer("b"), 60);
    record.reverses = Some(id("t-0"));
    record.originally_booked_on = Some(DAY);
    let receiver = vec![opened(), paid_in(60)];
    let sender = vec![opened_by("o-2", 0)];
    GivenTogether::<ReverseBetweenAccounts>::events((receiver, sender, vec![original()], vec![]))
        .at(MORNING)
        .when(reversing())
        .then((
            vec![debited(60, 0, customer("b")).into()],
            vec![credited(60, 60, customer("a")).into()],
            vec![TransferReversed { by: id("t-1"), reason: rent() }.into()],
            vec![record.into()],
        ));
}

// Guards: a-key-has-one-effect
#[test]
fn the_id_of_a_transfer_is_used_once() {
    let taken = || vec![original()];
    let accounts = || (vec![opened(), paid_in(60)], vec![opened_by("o-2", 0)]);
    let (from, to) = accounts();
    GivenTogether::<MakeTransfer>::events((from, to, taken()))
        .at(MORNING)
        .when(transfer(1))
        .then_refused(BankingRejection::TransferExists);
    let (from, to) = accounts();
    GivenTogether::<ReverseBetweenAccounts>::events((from, to, taken(), taken()))
        .at(MORNING)
        .when(reversing())
        .then_refused(BankingRejection::TransferExists);
}

// Guards: a-hold-expires-exactly-at-its-time
#[test]
fn a_hold_counts_up_to_the_nanosecond_before_its_time() {
    let given = |time: &str| {
        let from = vec![opened(), paid_in(60), reserved(50)];
        GivenTogether::<MakeTransfer>::events((from, vec![opened_by("o-2", 0)], vec![])).at(time)
    };
    given("2026-11-28T09:59:59.999999999Z")
        .when(transfer(60))
        .then_refused(BankingRejection::InsufficientFunds { available: 10 });
    given(EXPIRY).when(transfer(60)).then((
        vec![released(50, ReleaseCause::Expired), debited(60, 0, customer("b")).into()],
        vec![credited(60, 60, customer("a")).into()],
        vec![made(Kind::Transfer, customer("a"), customer("b"), 60).into()],
    ));
}

// Guards: a-hold-expires-exactly-at-its-time
#[test]
fn a_hold_is_captured_up_to_the_nanosecond_before_its_time() {
    let capture = || making(CaptureHold { hold: id("h-1"), to: id("b"), amount: None });
    let given = |time: &str| {
        let from = vec![opened(), paid_in(60), reserved(50)];
        let to = vec![opened_by("o-2", 0)];
        GivenTogether::<CaptureHold>::events((from, to, vec![placed(50)], vec![])).at(time)
    };
    let debit = Debited { hold: Some(id("h-1")), ..debited(50, 10, customer("b")) };
    let mut record = made(Kind::Capture, customer("a"), customer("b"), 50);
    record.hold = Some(id("h-1"));
    given("2026-11-28T09:59:59.999999999Z").when(capture()).then((
        vec![debit.into()],
        vec![credited(50, 50, customer("a")).into()],
        vec![HoldCaptured { transaction: id("t-1"), amount: 50 }.into()],
        vec![record.into()],
    ));
    given(EXPIRY).when(capture()).then_refused(BankingRejection::HoldExpired);
}
