//! Transfers between accounts, and their reversals.

use acceptance::checks::{has_fields, refused, refused_by_rule};
use banking_acceptance::model::{Kind, Money, Transfer};
use serde_json::Value;

use crate::world::{TestAccount, World, answered, moved, unique};

#[tokio::test]
async fn a_transfer_shows_the_fields_of_the_contract_and_both_legs() {
    let world = World::shared();
    let from = world.euros(1_000).await;
    let to = world.euros(0).await;
    let body = from.transfer(&to, 250);
    let made = answered(world.bank.transfer(&unique("key"), &body), 201).await;
    has_fields(&made.json().expect("JSON"), &["id", "legs"]);
    let moved = moved(&made);
    let legs: Vec<_> = moved.legs.iter().map(|leg| (leg.account.as_str(), leg.version)).collect();
    assert_eq!(legs, [(from.id.as_str(), 3), (to.id.as_str(), 2)]);

    let shown = answered(world.bank.shown_transfer(&moved.id), 200).await;
    let fields: [&str; 9] =
        ["id", "from", "to", "amount", "reference", "kind", "reversedBy", "reverses", "recordedAt"];
    has_fields(&shown.json().expect("JSON"), &fields);
    let shown = world.shown_transfer(&moved.id).await;
    assert_eq!((&shown.from, &shown.to), (&from.id, &to.id));
    assert_eq!((shown.amount, shown.kind), (Money::euro(250), Kind::Transfer));
    assert_eq!((shown.reference.as_str(), shown.reversed_by), ("rent", None));

    let debit = world.entries(&from).await.pop().expect("an entry");
    let credit = world.entries(&to).await.pop().expect("an entry");
    assert_eq!((debit.amount, debit.balance_after, debit.version), (-250, 750, 3));
    assert_eq!((credit.amount, credit.balance_after, credit.version), (250, 250, 2));
    assert_eq!((&debit.counterparty, &credit.counterparty), (&to.id, &from.id));
    assert_eq!((&debit.transaction, &credit.transaction), (&moved.id, &moved.id));
}

#[tokio::test]
async fn deposits_and_withdrawals_are_transfers_with_the_bank() {
    let world = World::shared();
    let account = world.euros(0).await;
    let paid_in = world.deposit(&account, 500).await.version;
    let paid_out = world.withdraw(&account, 200).await.version;
    let paid_in = world.shown_transfer(&world.transfer_at(&account, paid_in).await).await;
    let paid_out = world.shown_transfer(&world.transfer_at(&account, paid_out).await).await;
    assert_eq!((paid_in.kind, &paid_in.to), (Kind::Deposit, &account.id));
    assert_eq!((paid_out.kind, &paid_out.from), (Kind::Withdrawal, &account.id));
    let entries = world.entries(&account).await;
    let amounts: Vec<_> = entries.iter().map(|it| (it.amount, it.balance_after)).collect();
    assert_eq!(amounts, [(500, 500), (-200, 300)]);
}

async fn is_refused(world: &World, body: &Transfer, rule: &str) {
    refused_by_rule(world.bank.transfer(&unique("key"), body), rule, rule).await;
}

#[tokio::test]
async fn currencies_do_not_mix() {
    let world = World::shared();
    let euros = world.euros(1_000).await;
    let yen = world.account(1_000, "JPY").await;
    is_refused(&world, &euros.transfer(&yen, 10), "currency-mismatch").await;
    is_refused(&world, &yen.transfer(&euros, 10), "currency-mismatch").await;
    let third = Transfer::of(Money::new(10, "USD"), &euros.id, &yen.id);
    is_refused(&world, &third, "currency-mismatch").await;
    for account in [&euros, &yen] {
        let other = TestAccount { currency: "USD".to_owned(), ..account.clone() };
        let deposit = world.bank.deposit(&unique("key"), &account.id, &other.movement(1));
        refused_by_rule(deposit, "currency-mismatch", "a deposit").await;
        assert_eq!(world.balance(account).await, 1_000);
    }
}

#[tokio::test]
async fn a_transfer_that_one_side_refuses_leaves_both_unchanged() {
    let world = World::shared();
    let from = world.euros(100).await;
    let to = world.euros(0).await;
    is_refused(&world, &from.transfer(&to, 101), "insufficient-funds").await;
    answered(world.bank.close(&unique("close"), &to.id), 200).await;
    is_refused(&world, &from.transfer(&to, 100), "account-closed").await;
    let shown = (world.shown(&from).await, world.shown(&to).await);
    assert_eq!((shown.0.posted, shown.0.version), (100, 2));
    assert_eq!((shown.1.posted, shown.1.version), (0, 2));
}

#[tokio::test]
async fn an_account_pays_neither_itself_nor_an_unknown_one() {
    let world = World::shared();
    let account = world.euros(100).await;
    let unknown = TestAccount { id: unique("unknown"), ..account.clone() };
    let itself = world.bank.transfer(&unique("key"), &account.transfer(&account, 10));
    refused(itself, 400, "from equals to").await;
    for body in [account.transfer(&unknown, 10), unknown.transfer(&account, 10)] {
        refused(world.bank.transfer(&unique("key"), &body), 404, "an unknown account").await;
    }
    let deposit = world.bank.deposit(&unique("key"), &unknown.id, &unknown.movement(1));
    refused(deposit, 404, "a deposit into an unknown account").await;
    assert_eq!(world.shown(&account).await.version, 2);
}

#[tokio::test]
async fn a_transfer_is_reversed_once() {
    let world = World::shared();
    let from = world.euros(1_000).await;
    let to = world.euros(0).await;
    let original = world.transfer(&from, &to, 400).await;
    let command = world.bank.reverse(&unique("reverse"), &original.id);
    let answer = answered(command.clone(), 201).await;
    let reversal = moved(&answer);
    assert_ne!(reversal.id, original.id);
    assert_eq!(answered(command, 201).await.essence(), answer.essence());
    let again = world.bank.reverse(&unique("reverse"), &original.id);
    refused_by_rule(again, "already-reversed", "a second reversal").await;

    let shown = world.shown_transfer(&reversal.id).await;
    assert_eq!((&shown.from, &shown.to, shown.kind), (&to.id, &from.id, Kind::Reversal));
    assert_eq!(shown.reverses.as_deref(), Some(original.id.as_str()));
    let shown = world.shown_transfer(&original.id).await;
    assert_eq!(shown.reversed_by.as_deref(), Some(reversal.id.as_str()));
    assert_eq!((world.balance(&from).await, world.balance(&to).await), (1_000, 0));
}

#[tokio::test]
async fn a_reversal_obeys_the_rules_of_a_debit() {
    let world = World::shared();
    let from = world.euros(1_000).await;
    let to = world.euros(0).await;
    let other = world.euros(0).await;
    let original = world.transfer(&from, &to, 400).await;
    world.transfer(&to, &other, 1).await;
    let reverse = || world.bank.reverse(&unique("reverse"), &original.id);
    refused_by_rule(reverse(), "insufficient-funds", "the money is gone").await;
    world.deposit(&to, 1).await;
    answered(reverse(), 201).await;
    assert_eq!((world.balance(&from).await, world.balance(&to).await), (1_000, 0));
    refused(world.bank.reverse(&unique("reverse"), &unique("none")), 404, "no transfer").await;
}

#[tokio::test]
async fn a_deposit_and_a_withdrawal_are_reversed_too() {
    let world = World::shared();
    let account = world.euros(0).await;
    let deposit = world.deposit(&account, 300).await.version;
    let deposit = world.transfer_at(&account, deposit).await;
    let withdrawal = world.withdraw(&account, 100).await.version;
    let withdrawal = world.transfer_at(&account, withdrawal).await;
    answered(world.bank.reverse(&unique("key"), &withdrawal), 201).await;
    assert_eq!(world.balance(&account).await, 300);
    answered(world.bank.reverse(&unique("key"), &deposit), 201).await;
    assert_eq!(world.balance(&account).await, 0);
    let entries: Vec<Value> =
        world.bank.entries(&account.id).all_pages().await.expect("the entries");
    assert_eq!(entries.len(), 4);
}
