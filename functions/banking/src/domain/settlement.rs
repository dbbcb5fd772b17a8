//! The bank's own accounts, for money that comes from outside or leaves.
//!
//! Each currency has many of them, and each transfer chooses one by its id. So deposits rarely wait for each other.

use std::cmp::max;

use banking_events::{
    Currency, Money, SettlementCredited, SettlementDebited, SettlementEvent, SettlementLeg,
};
use jiff::civil::Date;
use ledgerfold::{
    Category, Decider, DecisionContext, EntityId, Snapshots, StreamId, TenantId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BankingRejection, MAX_BALANCE, NoCommand, at::date_of};

/// The number of settlement accounts of a currency. 1,000 deposits per second are then four per second for each, and a
/// transaction takes some 20 ms.
pub const SHARDS: u32 = 256;

/// The rail of cash.
const CASH: &str = "cash";
/// The rail of transfers between banks.
const INTERBANK: &str = "interbank";

/// The domain of settlement accounts. Only joint commands change them.
#[derive(Clone, Copy, Debug)]
pub struct Settlements;

/// The state that decisions depend on. `None` means that there was no transfer yet.
pub type SettlementState = Option<Settlement>;

/// A settlement account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// The sum of its legs.
    pub balance: i64,
    /// The booking date of the newest leg.
    pub booked_on: Date,
}

/// The settlement account of a deposit or a withdrawal.
pub fn settlement_of(transaction: &EntityId, currency: Currency) -> EntityId {
    account_of(CASH, transaction, currency)
}

/// The settlement account of a transfer from or to another bank.
pub fn interbank_of(transaction: &EntityId, currency: Currency) -> EntityId {
    account_of(INTERBANK, transaction, currency)
}

fn account_of(rail: &str, transaction: &EntityId, currency: Currency) -> EntityId {
    // FNV-1a: the choice must be the same in every version of this program, because a repeated request makes it again.
    let hash = transaction
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let id = format!("{rail}.{currency}.{}", hash % SHARDS);
    EntityId::new(id).expect("a currency and a number are short and have no special characters")
}

/// The stream of the settlement account of a transfer.
pub fn stream_of(tenant: TenantId, transaction: &EntityId, currency: Currency) -> StreamId {
    StreamId::new(tenant, Settlements::CATEGORY, settlement_of(transaction, currency))
}

/// The other leg of a transfer between an account and the bank.
#[derive(Clone, Debug)]
pub struct OtherLeg {
    /// The transfer.
    pub transaction: EntityId,
    /// The amount, above zero.
    pub amount: Money,
    /// The account of the customer.
    pub account: EntityId,
}

/// The leg of money that leaves the bank.
///
/// # Errors
/// [`BankingRejection::BalanceTooLarge`].
pub fn credit(
    state: &SettlementState,
    leg: OtherLeg,
    at: Timestamp,
) -> Result<SettlementEvent, BankingRejection> {
    let change = leg.amount.amount;
    Ok(SettlementCredited(book(state, leg, change, at)?).into())
}

/// The leg of money that comes into the bank.
///
/// # Errors
/// [`BankingRejection::BalanceTooLarge`].
pub fn debit(
    state: &SettlementState,
    leg: OtherLeg,
    at: Timestamp,
) -> Result<SettlementEvent, BankingRejection> {
    let change = -leg.amount.amount;
    Ok(SettlementDebited(book(state, leg, change, at)?).into())
}

fn book(
    state: &SettlementState,
    leg: OtherLeg,
    change: i64,
    at: Timestamp,
) -> Result<SettlementLeg, BankingRejection> {
    let OtherLeg { transaction, amount, account } = leg;
    let today = date_of(at);
    let balance = state.map_or(0, |settlement| settlement.balance);
    let balance_after = balance.checked_add(change).ok_or(BankingRejection::BalanceTooLarge)?;
    // The balance is below zero where more money came into the bank than left it.
    if !(-MAX_BALANCE..=MAX_BALANCE).contains(&balance_after) {
        return Err(BankingRejection::BalanceTooLarge);
    }
    Ok(SettlementLeg {
        transaction,
        amount: amount.amount,
        currency: amount.currency,
        balance_after,
        account,
        booked_on: state.map_or(today, |settlement| max(settlement.booked_on, today)),
    })
}

impl Decider for Settlements {
    type Command = NoCommand;
    type Event = SettlementEvent;
    type State = SettlementState;
    type Rejection = BankingRejection;

    const CATEGORY: Category = Category::from_static("settlement");

    fn initial() -> SettlementState {
        None
    }

    fn evolve(_: SettlementState, event: &SettlementEvent) -> SettlementState {
        let leg = event.leg();
        Some(Settlement { balance: leg.balance_after, booked_on: leg.booked_on })
    }

    fn decide(
        _: &SettlementState,
        command: &NoCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<SettlementEvent>, BankingRejection> {
        match *command {}
    }

    fn snapshots() -> Option<Snapshots<SettlementState>> {
        Some(Snapshots::of::<Self>(1))
    }
}
