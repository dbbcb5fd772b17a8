//! A command is recognised by its caller, its stream and its key.
//!
//! Guards: a-key-has-one-effect

use acceptance::checks::refused;
use banking_acceptance::Caller;
use banking_acceptance::model::{Capture, PlaceHold};

use crate::world::{World, answered, count, crowd, moved, opening, unique};

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let world = World::shared();
    let from = world.euros(1_000).await;
    let to = world.euros(0).await;
    let key = unique("key");
    let opened = answered(world.bank.open(&key, &opening("o-1", "EUR")), 201).await;
    refused(world.bank.open(&key, &opening("o-2", "EUR")), 422, "another owner").await;
    let again = answered(world.bank.open(&key, &opening("o-1", "EUR")), 201).await;
    assert_eq!(opened.essence(), again.essence(), "the refusal changed nothing");

    answered(world.bank.transfer(&key, &from.transfer(&to, 100)), 201).await;
    refused(world.bank.transfer(&key, &from.transfer(&to, 101)), 422, "another amount").await;
    answered(world.bank.withdraw(&key, &from.id, &from.movement(100)), 200).await;
    let more = world.bank.withdraw(&key, &from.id, &from.movement(200));
    refused(more, 422, "another withdrawal").await;
    let hold = PlaceHold::of(from.money(100), 60);
    answered(world.bank.hold(&key, &from.id, &hold), 201).await;
    let longer = PlaceHold { expires_in: 61, ..hold };
    refused(world.bank.hold(&key, &from.id, &longer), 422, "another time").await;

    let shown = world.shown(&from).await;
    assert_eq!((shown.posted, shown.held, shown.available), (800, 100, 700));
    assert_eq!(world.balance(&to).await, 100);
}

#[tokio::test]
async fn a_key_on_another_account_is_another_command() {
    let world = World::shared();
    let [withdraw, deposit, freeze] = ["withdraw", "deposit", "freeze"].map(unique);
    for amount in [100, 200] {
        let account = world.euros(amount).await;
        let id = account.id.as_str();
        answered(world.bank.withdraw(&withdraw, id, &account.movement(10)), 200).await;
        answered(world.bank.deposit(&deposit, id, &account.movement(1)), 200).await;
        answered(world.bank.freeze(&freeze, id), 200).await;
        assert_eq!(world.balance(&account).await, amount - 9);
    }
}

#[tokio::test]
async fn a_key_of_another_caller_is_another_command() {
    let Some(world) = World::with_callers() else { return };
    let from = world.euros(1_000).await;
    let to = world.euros(0).await;
    let key = unique("key");
    let body = from.transfer(&to, 100);
    let teller = world.client(Caller::teller());
    let owner = world.owner_of(&from);
    let mut made = Vec::new();
    for client in [&world.bank, &teller, &owner] {
        let first = answered(client.transfer(&key, &body), 201).await;
        let again = answered(client.transfer(&key, &body), 201).await;
        assert_eq!(first.essence(), again.essence());
        made.push(moved(&first).id);
    }
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 3, "each caller has made one");
    assert_eq!((world.balance(&from).await, world.balance(&to).await), (700, 300));
}

#[tokio::test]
async fn a_movement_is_recognised_after_many_others() {
    let world = World::shared();
    let from = world.euros(10_000).await;
    let to = world.euros(0).await;
    let hold = world.hold(&from, 500).await;
    let capture = Capture { to: to.id.clone(), amount: Some(from.money(50)) };
    let key = unique("first");
    let transfer = from.transfer(&to, 100);
    let first = [
        (world.bank.transfer(&key, &transfer), 201),
        (world.bank.deposit(&unique("deposit"), &from.id, &from.movement(7)), 200),
        (world.bank.withdraw(&key, &from.id, &from.movement(5)), 200),
        (world.bank.capture(&key, &from.id, &hold, &capture), 201),
        (world.bank.hold(&key, &from.id, &PlaceHold::of(from.money(20), 3_600)), 201),
    ];
    let mut answers = Vec::new();
    for (command, status) in &first {
        answers.push(answered(command.clone(), *status).await.essence());
    }

    let one = from.transfer(&to, 1);
    let keys: Vec<_> = (0..150).map(|_| unique("later")).collect();
    let later = crowd(keys.iter().map(|key| world.bank.transfer(key, &one))).await;
    assert_eq!(count(&later, 201, "accepted"), 150);
    let before = (world.shown(&from).await, world.shown(&to).await);
    for ((command, status), first) in first.into_iter().zip(answers) {
        assert_eq!(answered(command, status).await.essence(), first);
    }
    assert_eq!((world.shown(&from).await, world.shown(&to).await), before);
}
