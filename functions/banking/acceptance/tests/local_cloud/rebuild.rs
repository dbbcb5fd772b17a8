//! The read models are the fold of the log, and the log is the one that was written.

use banking_acceptance::eventually;
use banking_acceptance::model::Capture;
use serde_json::Value;

use crate::programs::{admin, ledgerfold};
use crate::world::{PROJECTED, TestAccount, World, answered, moved, this_month, token_of, unique};

/// Everything that queries show of these accounts and transfers.
async fn shown(world: &World, accounts: &[&TestAccount], transfers: &[String]) -> Vec<Value> {
    let mut paths = vec!["/trial-balance".to_owned()];
    for account in accounts {
        let (id, owner, month) = (&account.id, &account.owner, this_month());
        paths.push(format!("/accounts/{id}"));
        paths.push(format!("/accounts/{id}/entries"));
        paths.push(format!("/accounts/{id}/holds"));
        paths.push(format!("/accounts/{id}/statements/{month}"));
        paths.push(format!("/owners/{owner}/accounts"));
    }
    paths.extend(transfers.iter().map(|id| format!("/transfers/{id}")));
    let mut answers = Vec::new();
    for path in paths {
        answers.push(answered(world.bank.get(&path), 200).await.json().expect("JSON"));
    }
    answers
}

/// Waits until an audit of the whole log finds no faults.
async fn clean_in_the_end() {
    eventually("the audit finds nothing", PROJECTED, async || match admin(&["audit"]) {
        (Some(0), _) => Ok(()),
        (_, found) => Err(found.to_string()),
    })
    .await
    .expect("the read models are the fold of the log");
}

// Guards: lost-tables-are-rebuilt
#[tokio::test]
async fn rebuilt_read_models_show_what_they_showed_before() {
    let world = World::alone();
    let ada = world.euros(1_000).await;
    let bob = world.euros(0).await;
    let hold = world.hold(&ada, 300).await;
    let part = Capture { to: bob.id.clone(), amount: Some(ada.money(100)) };
    let captured = answered(world.bank.capture(&unique("key"), &ada.id, &hold, &part), 201).await;
    world.holds(&ada, &token_of(&captured)).await;
    let transfer = world.transfer(&ada, &bob, 50).await.id;
    let reversed = answered(world.bank.reverse(&unique("key"), &transfer), 201).await;
    let transfers = [moved(&captured).id, transfer, moved(&reversed).id];
    clean_in_the_end().await;
    let before = shown(&world, &[&ada, &bob], &transfers).await;

    let (code, report) = admin(&["rebuild", "--all", "--yes", "--segments", "4"]);
    assert_eq!(code, Some(0), "{report}");
    let rebuilt = report["rebuilt"].as_array().expect("a list");
    assert_eq!(rebuilt.len(), 5, "all projections: {report}");
    for one in rebuilt {
        assert_eq!((&one["wrong"], &one["switched"]), (&0.into(), &true.into()), "{one}");
    }
    assert_eq!(shown(&world, &[&ada, &bob], &transfers).await, before);
    clean_in_the_end().await;
}

// Guards: a-changed-history-shows
#[tokio::test]
async fn the_chains_of_all_streams_hold() {
    let world = World::shared();
    let account = world.euros(100).await;
    let stream = format!("{}/account#{}", world.tenant, account.id);
    let (code, report) = ledgerfold(&["verify-chain", &stream]);
    assert_eq!(code, Some(0), "{report}");
    let (code, report) = ledgerfold(&["verify-chain"]);
    assert_eq!(code, Some(0), "{report}");
}
