//! The sums of all accounts, for the trial balance.

use banking_events::{AccountEvent, Currency, SettlementEvent};
use ledgerfold::{
    Recorded,
    ports::CounterKey,
    project::{Counts, Tally},
};
use serde::{Deserialize, Serialize};

use super::not_begun;

/// The counter of a currency: the sum of all balances, in minor units.
pub const BALANCE: &str = "balance";

/// The balances of all customers' accounts, by currency.
#[derive(Clone, Copy, Debug)]
pub struct CustomerTotals;

/// The balances of all settlement accounts, by currency.
#[derive(Clone, Copy, Debug)]
pub struct SettlementTotals;

/// The account's currency, which its entries do not contain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMemo {
    currency: Option<Currency>,
}

/// A settlement account needs no memory: its legs name their currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoMemo {}

fn key_of(currency: Currency) -> CounterKey {
    CounterKey::new(currency.code()).expect("a currency is short")
}

impl Tally for CustomerTotals {
    type Event = AccountEvent;
    type Memo = AccountMemo;

    fn count(
        memo: &mut AccountMemo,
        event: &Recorded<AccountEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let change = match &event.event {
            AccountEvent::AccountOpened(opened) => {
                memo.currency = Some(opened.currency);
                return Ok(());
            }
            AccountEvent::Credited(credited) => credited.amount,
            AccountEvent::Debited(debited) => -debited.amount,
            _ => return Ok(()),
        };
        let currency = memo.currency.ok_or_else(not_begun)?;
        counts.add(key_of(currency), BALANCE, change)
    }
}

impl Tally for SettlementTotals {
    type Event = SettlementEvent;
    type Memo = NoMemo;

    fn count(
        _: &mut NoMemo,
        event: &Recorded<SettlementEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let leg = event.event.leg();
        let change = match &event.event {
            SettlementEvent::SettlementCredited(_) => leg.amount,
            SettlementEvent::SettlementDebited(_) => -leg.amount,
        };
        counts.add(key_of(leg.currency), BALANCE, change)
    }
}
