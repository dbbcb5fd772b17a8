//! The rule of transfers: both legs and the record are in one transaction.

use std::collections::BTreeMap;

use banking_events::{
    AccountEvent, Currency, Kind, LegAccount, SettlementEvent, TransferEvent, TransferMade,
};
use ledgerfold::{EntityId, vocabulary::Commit};

use super::{Checker, Rule};
use crate::books::events;

/// A side of a transfer, as its account shows it.
#[derive(Debug)]
struct Leg {
    account: LegAccount,
    counterparty: LegAccount,
    /// Below zero for a debit.
    amount: i64,
    /// `None` for a customer's account, whose currency is that of the record.
    currency: Option<Currency>,
}

/// One transfer within one transaction.
#[derive(Default)]
struct Transfer {
    legs: Vec<Leg>,
    made: Option<TransferMade>,
}

pub(super) fn check(checker: &mut Checker, commits: &[Commit]) {
    let mut transfers = BTreeMap::<EntityId, Transfer>::new();
    for commit in commits {
        if let Err(reason) = collect(&mut transfers, commit) {
            checker.finds(Rule::NothingIsLost, reason);
        }
    }
    for (id, transfer) in &transfers {
        if let Err(reason) = transfer.check() {
            let detail = format!("transfer {id}: {reason}");
            checker.finds(Rule::TransfersAreWhole, detail);
        }
        // A capture has the reference of its hold, which may be captured in parts.
        if let (Some(made), Some(commit)) = (&transfer.made, commits.first())
            && made.kind != Kind::Capture
        {
            checker.check_reference(commit.stream().tenant(), &made.reference);
        }
    }
}

fn collect(transfers: &mut BTreeMap<EntityId, Transfer>, commit: &Commit) -> Result<(), String> {
    let stream = commit.stream();
    let mut add = |transaction: EntityId, leg| {
        transfers.entry(transaction).or_default().legs.push(leg);
    };
    match stream.category().as_str() {
        "account" => {
            let account = LegAccount::Customer(stream.id().clone());
            for recorded in events::<AccountEvent>(commit)? {
                let (transaction, counterparty, amount) = match recorded.event {
                    AccountEvent::Debited(it) => (it.transaction, it.counterparty, -it.amount),
                    AccountEvent::Credited(it) => (it.transaction, it.counterparty, it.amount),
                    _ => continue,
                };
                let account = account.clone();
                add(transaction, Leg { account, counterparty, amount, currency: None });
            }
        }
        "settlement" => {
            for recorded in events::<SettlementEvent>(commit)? {
                let is_debit = matches!(recorded.event, SettlementEvent::SettlementDebited(_));
                let leg = recorded.event.leg().clone();
                let amount = if is_debit { -leg.amount } else { leg.amount };
                let account = LegAccount::Settlement(stream.id().clone());
                let counterparty = LegAccount::Customer(leg.account);
                let currency = Some(leg.currency);
                add(leg.transaction, Leg { account, counterparty, amount, currency });
            }
        }
        "transfer" => {
            for recorded in events::<TransferEvent>(commit)? {
                if let TransferEvent::TransferMade(made) = recorded.event {
                    transfers.entry(stream.id().clone()).or_default().made = Some(made);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

impl Transfer {
    fn check(&self) -> Result<(), String> {
        let Some(made) = &self.made else { return Err("its record is missing".to_owned()) };
        let amount = made.amount.amount;
        let currency = made.amount.currency;
        let sum: i64 = self.legs.iter().map(|leg| leg.amount).sum();
        let has = |account: &LegAccount, counterparty: &LegAccount, amount: i64| {
            self.legs.iter().any(|leg| {
                leg.account == *account
                    && leg.counterparty == *counterparty
                    && leg.amount == amount
                    && leg.currency.is_none_or(|it| it == currency)
            })
        };
        let is_whole = self.legs.len() == 2
            && sum == 0
            && amount > 0
            && has(&made.from, &made.to, -amount)
            && has(&made.to, &made.from, amount);
        if is_whole { Ok(()) } else { Err(format!("{made:?} has the legs {:?}", self.legs)) }
    }
}
