//! Crowds of commands on the same accounts: money neither comes into being nor disappears.

use std::collections::HashSet;

use banking_acceptance::model::Entry;

use crate::world::{TestAccount, World, answered, count, crowd, unique};

/// Checks that the entries lead to the balance one by one, each transfer once.
async fn adds_up(world: &World, account: &TestAccount, balance: i64) -> Vec<Entry> {
    let entries = world.entries(account).await;
    let mut sum = 0;
    let mut version = 0;
    let mut seen = HashSet::new();
    for entry in &entries {
        sum += entry.amount;
        assert_eq!(entry.balance_after, sum, "{entry:?}");
        assert!(entry.version > version, "oldest first: {entry:?} after version {version}");
        version = entry.version;
        assert!(seen.insert(entry.transaction.clone()), "twice: {entry:?}");
    }
    assert_eq!((sum, world.balance(account).await), (balance, balance));
    entries
}

#[tokio::test]
async fn five_hundred_credits_at_once_are_all_there() {
    let world = World::shared();
    let account = world.euros(0).await;
    let movement = account.movement(1);
    let keys: Vec<_> = (0..500).map(|_| unique("credit")).collect();
    let deposits = keys.iter().map(|key| world.bank.deposit(key, &account.id, &movement));
    let answers = crowd(deposits).await;

    assert_eq!(count(&answers, 200, "accepted"), 500);
    assert_eq!(adds_up(&world, &account, 500).await.len(), 500);
}

// Guards: a-key-has-one-effect
#[tokio::test]
async fn sixty_four_sends_of_one_key_move_money_once() {
    let world = World::shared();
    let from = world.euros(1_000).await;
    let to = world.euros(0).await;
    let command = world.bank.transfer(&unique("transfer"), &from.transfer(&to, 300));
    let answers = crowd((0..64).map(|_| command.clone())).await;

    let different: HashSet<_> = answers.iter().map(|answer| answer.essence()).collect();
    assert_eq!(different.len(), 1, "one answer for all: {different:#?}");
    assert_eq!(answers[0].status(), 201);
    adds_up(&world, &from, 700).await;
    adds_up(&world, &to, 300).await;
}

// Guards: available-is-never-overdrawn
#[tokio::test]
async fn of_twenty_withdrawals_the_ten_that_fit_succeed() {
    let world = World::shared();
    let account = world.euros(1_000).await;
    let movement = account.movement(100);
    let keys: Vec<_> = (0..20).map(|_| unique("withdraw")).collect();
    let withdrawals = keys.iter().map(|key| world.bank.withdraw(key, &account.id, &movement));
    let answers = crowd(withdrawals).await;

    assert_eq!(count(&answers, 200, "accepted"), 10);
    assert_eq!(count(&answers, 409, "insufficient-funds"), 10);
    assert_eq!(adds_up(&world, &account, 0).await.len(), 11, "one deposit, ten withdrawals");
}

// Guards: legs-sum-to-zero
#[tokio::test]
async fn four_hundred_crossing_transfers_block_each_other_for_no_longer_than_they_take() {
    let world = World::shared();
    let ada = world.euros(10_000).await;
    let bob = world.euros(10_000).await;
    let bodies: Vec<_> =
        (0..200).flat_map(|_| [ada.transfer(&bob, 3), bob.transfer(&ada, 2)]).collect();
    let keys: Vec<_> = bodies.iter().map(|_| unique("crossing")).collect();
    let transfers = keys.iter().zip(&bodies).map(|(key, body)| world.bank.transfer(key, body));
    let answers = crowd(transfers).await;

    assert_eq!(count(&answers, 201, "accepted"), 400);
    assert_eq!(adds_up(&world, &ada, 10_000 - 200).await.len(), 401);
    assert_eq!(adds_up(&world, &bob, 10_000 + 200).await.len(), 401);
}

// Guards: legs-sum-to-zero
#[tokio::test]
async fn a_thousand_moves_of_one_cent_around_a_ring_change_no_balance() {
    let world = World::shared();
    let mut ring = Vec::new();
    for _ in 0..20 {
        ring.push(world.euros(100).await);
    }
    let next = ring.iter().cycle().skip(1);
    let lap: Vec<_> = ring.iter().zip(next).map(|(from, to)| from.transfer(to, 1)).collect();
    let keys: Vec<_> = (0..1_000).map(|_| unique("ring")).collect();
    let moves = keys.iter().zip(lap.iter().cycle());
    let answers = crowd(moves.map(|(key, body)| world.bank.transfer(key, body))).await;

    assert_eq!(count(&answers, 201, "accepted"), 1_000);
    for account in &ring {
        let entries = adds_up(&world, account, 100).await;
        assert_eq!(entries.len(), 101, "a deposit, 50 debits and 50 credits");
    }
}

#[tokio::test]
async fn thirty_two_sends_of_a_refused_command_change_nothing_and_it_stays_possible() {
    let world = World::shared();
    let from = world.euros(50).await;
    let to = world.euros(0).await;
    let command = world.bank.transfer(&unique("transfer"), &from.transfer(&to, 80));
    let answers = crowd((0..32).map(|_| command.clone())).await;
    assert_eq!(count(&answers, 409, "insufficient-funds"), 32);
    adds_up(&world, &from, 50).await;
    adds_up(&world, &to, 0).await;

    // A refusal is not remembered: the same command succeeds once there is enough.
    world.deposit(&from, 50).await;
    let first = answered(command.clone(), 201).await;
    assert_eq!(answered(command, 201).await.essence(), first.essence());
    adds_up(&world, &from, 20).await;
    adds_up(&world, &to, 80).await;
}
