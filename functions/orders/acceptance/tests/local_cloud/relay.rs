//! Commits that the relay cannot publish.

use orders_acceptance::eventually;
use uuid::Uuid;

use crate::programs::{clean_in_the_end, ledgerfold};
use crate::world::{PROJECTED, World};

/// The number of the relay's dead letters.
fn dead_letters() -> u64 {
    let (code, answer) = ledgerfold(&["dead-letters", "list"]);
    assert_eq!(code, Some(0), "{answer}");
    answer["deadLetters"]["relay"]["waiting"].as_u64().expect("the stack has such a queue")
}

// Guards: an-unpublishable-commit-blocks-nothing
#[tokio::test]
async fn an_unpublishable_commit_blocks_no_other_and_becomes_a_dead_letter() {
    let world = World::alone();
    assert_eq!(dead_letters(), 0);
    let damaged = Uuid::new_v4().to_string();
    world.aws.write_nonsense(&damaged).await.expect("the table accepts it");
    let order = world.paid().await;
    clean_in_the_end(&["audit", "--stream", &format!("default/order#{}", order.id)]).await;

    eventually("there is a dead letter", PROJECTED, async || {
        let (_, answer) = ledgerfold(&["dead-letters", "show", "relay"]);
        let body = answer["messages"][0]["body"].as_str().unwrap_or_default();
        if body.contains(&format!("default/order#{damaged} at 1")) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    })
    .await
    .expect("the relay has reported it");

    world.aws.delete_nonsense(&damaged).await.expect("it exists");
    let (code, answer) = ledgerfold(&["dead-letters", "purge", "relay", "--yes"]);
    assert_eq!((code, &answer["messages"]), (Some(0), &1.into()), "{answer}");
    eventually("the dead letter is gone", PROJECTED, async || match dead_letters() {
        0 => Ok(()),
        left => Err(format!("{left} are left")),
    })
    .await
    .expect("the queue is empty");
}
