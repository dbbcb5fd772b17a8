//! Tenants never meet, even where all names are equal.
//!
//! Guards: tenants-never-meet

use acceptance::checks::refused;
use banking_acceptance::model::{Account, Money, Movement, TrialBalance};
use banking_acceptance::{Caller, Client, eventually};

use crate::world::{PROJECTED, World, answered, opening, unique};

/// Opens an account of the same owner with the same keys in each tenant, and pays an amount into it.
async fn opened(client: &Client, amount: i64) -> String {
    let body = opening("o-1", "EUR");
    let answer = answered(client.open("open", &body), 201).await;
    let id = answer.accepted().expect("a success").id;
    let movement = Movement::of(Money::euro(amount));
    answered(client.deposit("deposit", &id, &movement), 200).await;
    id
}

async fn of_owner(client: &Client, count: usize) -> Vec<Account> {
    eventually("the owner's accounts are listed", PROJECTED, async || {
        let accounts: Vec<Account> =
            client.accounts_of("o-1").all_pages().await.map_err(|error| error.to_string())?;
        if accounts.len() == count { Ok(accounts) } else { Err(format!("{accounts:?}")) }
    })
    .await
    .expect("the list is projected")
}

#[tokio::test]
async fn two_tenants_with_equal_names_never_meet() {
    let Some(world) = World::with_callers() else { return };
    let other_tenant = unique("t");
    let here = &world.bank;
    let there = Client::new(&world.stack, &Caller::manager().in_tenant(&other_tenant));
    let there = &there.expect("a client");
    let mine = opened(here, 100).await;
    let theirs = opened(there, 70).await;

    for (client, id, posted, foreign) in [(here, &mine, 100, &theirs), (there, &theirs, 70, &mine)]
    {
        let shown: Account = answered(client.account(id), 200).await.json().expect("an account");
        assert_eq!((shown.posted, shown.version), (posted, 2));
        let listed = of_owner(client, 1).await;
        assert_eq!(listed[0].id, *id);
        if id != foreign {
            refused(client.account(foreign), 404, "an account of the other tenant").await;
        }
        eventually("the trial balance has this tenant only", PROJECTED, async || {
            let answer = client.trial_balance().send().await.map_err(|error| error.to_string())?;
            let balance: TrialBalance = answer.json().map_err(|error| error.to_string())?;
            let euros = balance.of("EUR");
            let sums = (euros.customers, euros.settlement, euros.difference);
            if sums == (posted, -posted, 0) { Ok(()) } else { Err(format!("{balance:?}")) }
        })
        .await
        .expect("it is projected");
    }
}

#[tokio::test]
async fn no_transfer_crosses_from_one_tenant_to_another() {
    let Some(world) = World::with_callers() else { return };
    let other = World::with_callers().expect("the same stack");
    let mine = world.euros(100).await;
    let theirs = other.euros(50).await;
    for body in [mine.transfer(&theirs, 10), theirs.transfer(&mine, 10)] {
        refused(world.bank.transfer(&unique("key"), &body), 404, "another tenant").await;
    }
    assert_eq!(world.balance(&mine).await, 100);
    assert_eq!(other.balance(&theirs).await, 50);
}
