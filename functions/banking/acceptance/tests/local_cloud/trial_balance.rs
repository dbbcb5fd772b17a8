//! The trial balance: customers and the bank together are zero in each currency.

use acceptance::checks::has_fields;
use banking_acceptance::eventually;
use banking_acceptance::model::{Capture, TrialBalance};
use serde_json::Value;

use crate::world::{PROJECTED, World, answered, unique};

/// Reads the trial balance until it has these sums of customers, by currency. Without an issuer, other tests share the
/// tenant, and only the difference is known.
async fn balances(world: &World, expected: &[(&str, i64)]) {
    let exact = world.stack.auth.is_some();
    eventually("the trial balance is right", PROJECTED, async || {
        let answer = world.bank.trial_balance().send().await.map_err(|error| error.to_string())?;
        let found: TrialBalance = answer.json().map_err(|error| error.to_string())?;
        for (currency, customers) in expected {
            let totals = found.of(currency);
            let sums = (totals.customers, totals.settlement);
            if totals.difference != 0 || (exact && sums != (*customers, -customers)) {
                return Err(format!("{found:?}"));
            }
        }
        Ok(())
    })
    .await
    .expect("everything is projected");
}

// Guards: the-books-sum-to-zero
#[tokio::test]
async fn two_currencies_balance_each_by_itself() {
    let world = World::shared();
    let ada = world.euros(1_000).await;
    let bob = world.euros(500).await;
    let yen = world.account(70_000, "JPY").await;
    let other = world.account(0, "JPY").await;
    balances(&world, &[("EUR", 1_500), ("JPY", 70_000)]).await;

    world.transfer(&ada, &bob, 300).await;
    world.transfer(&yen, &other, 9_999).await;
    let withdrawal = world.withdraw(&bob, 450).await.version;
    let withdrawal = world.transfer_at(&bob, withdrawal).await;
    balances(&world, &[("EUR", 1_050), ("JPY", 70_000)]).await;
    answered(world.bank.reverse(&unique("key"), &withdrawal), 201).await;
    let hold = world.hold(&yen, 100).await;
    let capture = Capture { to: other.id.clone(), amount: None };
    answered(world.bank.capture(&unique("key"), &yen.id, &hold, &capture), 201).await;
    balances(&world, &[("EUR", 1_500), ("JPY", 70_000)]).await;

    let body: Value = answered(world.bank.trial_balance(), 200).await.json().expect("JSON");
    has_fields(&body, &["currencies"]);
    has_fields(&body["currencies"][0], &["currency", "customers", "settlement", "difference"]);
}
