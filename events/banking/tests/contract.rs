//! Checks the event types against their contract: the JSON Schemas, the golden files of each version, and the
//! AsyncAPI document.

use banking_events::{
    AccountClosed, AccountEvent, AccountFrozen, AccountOpened, AccountUnfrozen, Credited, Currency,
    DailyLimitSet, Debited, FundsReserved, HoldCaptured, HoldEvent, HoldPlaced, HoldReleased, Kind,
    LegAccount, Money, ReleaseCause, RemoteAccount, ReservationReleased, SettlementCredited,
    SettlementDebited, SettlementEvent, SettlementLeg, TransferDeclined, TransferEvent,
    TransferMade, TransferReceived, TransferRefused, TransferReversed, TransferSent,
};
use jiff::civil::Date;
use ledgerfold::{EntityId, TenantId, Timestamp};
use ledgerfold_testkit::schemas::{About, check};

const DAY: Date = Date::constant(2026, 11, 28);

fn id(text: &str) -> EntityId {
    EntityId::new(text).expect("an id")
}

fn euro() -> Currency {
    Currency::from_code("EUR").expect("three capital letters")
}

fn leg() -> SettlementLeg {
    SettlementLeg {
        transaction: id("t-1"),
        amount: 900,
        currency: euro(),
        balance_after: -900,
        account: id("a-1"),
        booked_on: DAY,
    }
}

fn account_events() -> [AccountEvent; 9] {
    let reason = || "Asked by the owner.".to_owned();
    let counterparty = || LegAccount::Settlement(id("cash.EUR.7"));
    let reference = || "Rent".to_owned();
    let opened = AccountOpened {
        owner_id: id("o-1"),
        currency: euro(),
        overdraft_limit: 500,
        booked_on: DAY,
    };
    let credited = Credited {
        transaction: id("t-1"),
        amount: 900,
        balance_after: 900,
        counterparty: counterparty(),
        reference: reference(),
        booked_on: DAY,
    };
    let debited = Debited {
        transaction: id("t-2"),
        amount: 100,
        balance_after: 800,
        counterparty: LegAccount::Customer(id("a-2")),
        reference: reference(),
        booked_on: DAY,
        hold: Some(id("h-1")),
    };
    let reserved = FundsReserved {
        hold: id("h-1"),
        amount: 300,
        expires_at: Some(Timestamp::UNIX_EPOCH),
        booked_on: DAY,
    };
    let released = ReservationReleased {
        hold: id("h-1"),
        amount: 200,
        cause: ReleaseCause::Expired,
        booked_on: DAY,
    };
    [
        opened.into(),
        credited.into(),
        debited.into(),
        reserved.into(),
        released.into(),
        DailyLimitSet { daily_limit: Some(1_000), booked_on: DAY }.into(),
        AccountFrozen { reason: reason(), booked_on: DAY }.into(),
        AccountUnfrozen { reason: reason(), booked_on: DAY }.into(),
        AccountClosed { reason: reason(), booked_on: DAY }.into(),
    ]
}

fn hold_events() -> [HoldEvent; 3] {
    let placed = HoldPlaced {
        account: id("a-1"),
        owner_id: id("o-1"),
        amount: Money { amount: 300, currency: euro() },
        reference: "Hotel".to_owned(),
        expires_at: Timestamp::UNIX_EPOCH,
    };
    [
        placed.into(),
        HoldCaptured { transaction: id("t-2"), amount: 100 }.into(),
        HoldReleased { amount: 200 }.into(),
    ]
}

fn transfer_events() -> [TransferEvent; 6] {
    let made = TransferMade {
        kind: Kind::Reversal,
        from: LegAccount::Customer(id("a-1")),
        from_owner: Some(id("o-1")),
        to: LegAccount::Settlement(id("cash.EUR.7")),
        to_owner: None,
        amount: Money { amount: 900, currency: euro() },
        reference: "Sent twice.".to_owned(),
        from_booked_on: DAY,
        to_booked_on: DAY,
        hold: Some(id("h-1")),
        reverses: Some(id("t-0")),
        originally_booked_on: Some(DAY),
    };
    let amount = Money { amount: 900, currency: euro() };
    let bank = TenantId::new("bank-2").expect("letters");
    let remote = RemoteAccount { bank, account: id("a-1") };
    let sent = TransferSent {
        kind: Kind::Reversal,
        from: id("a-1"),
        from_owner: id("o-1"),
        to: remote.clone(),
        amount,
        reference: "Sent twice.".to_owned(),
        reverses: Some(id("t-0")),
    };
    let rule = || "account-closed".to_owned();
    let received = TransferReceived { from: remote.clone(), transfer: id("t-1"), amount };
    let declined = TransferDeclined { from: remote, transfer: id("t-1"), amount, rule: rule() };
    [
        made.into(),
        TransferReversed { by: id("t-2"), reason: "Sent twice.".to_owned() }.into(),
        sent.into(),
        received.into(),
        declined.into(),
        TransferRefused { rule: rule() }.into(),
    ]
}

const fn about(description: &'static str) -> About<'static> {
    About { context: "banking", version: env!("CARGO_PKG_VERSION"), description }
}

// Guards: every-event-can-be-read
#[test]
fn the_events_of_accounts_match_their_contract() {
    let about = about("The events of customers' accounts.");
    check(&about, concat!(env!("CARGO_MANIFEST_DIR"), "/account"), &account_events());
}

// Guards: every-event-can-be-read
#[test]
fn the_events_of_holds_match_their_contract() {
    let about = about("The events of holds.");
    check(&about, concat!(env!("CARGO_MANIFEST_DIR"), "/hold"), &hold_events());
}

// Guards: every-event-can-be-read
#[test]
fn the_events_of_settlement_accounts_match_their_contract() {
    let events: [SettlementEvent; 2] =
        [SettlementCredited(leg()).into(), SettlementDebited(leg()).into()];
    let about = about("The events of the bank's own accounts.");
    check(&about, concat!(env!("CARGO_MANIFEST_DIR"), "/settlement"), &events);
}

// Guards: every-event-can-be-read
#[test]
fn the_events_of_transfers_match_their_contract() {
    let about = about("The events of transfers.");
    check(&about, concat!(env!("CARGO_MANIFEST_DIR"), "/transfer"), &transfer_events());
}
