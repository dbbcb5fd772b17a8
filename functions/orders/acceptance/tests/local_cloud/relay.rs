//! What the relay cannot publish.

use orders_acceptance::eventually;
use uuid::Uuid;

use crate::programs::{clean_in_the_end, ledgerfold};
use crate::world::{PROJECTED, World};

/// How many letters the relay has left.
fn letters() -> u64 {
    let (code, said) = ledgerfold(&["dead-letters", "list"]);
    assert_eq!(code, Some(0), "{said}");
    said["deadLetters"]["relay"]["waiting"].as_u64().expect("the stack has such a queue")
}

#[tokio::test]
async fn a_commit_that_can_never_be_published_stops_no_other_and_somebody_is_told() {
    let world = World::alone();
    assert_eq!(letters(), 0);
    let damaged = Uuid::new_v4().to_string();
    world.aws.write_nonsense(&damaged).await.expect("the table takes it");
    let order = world.paid().await;
    clean_in_the_end(&["audit", "--stream", &format!("order#{}", order.id)]).await;

    eventually("there is a letter", PROJECTED, async || {
        let (_, said) = ledgerfold(&["dead-letters", "show", "relay"]);
        let body = said["messages"][0]["body"].as_str().unwrap_or_default();
        if body.contains(&format!("order#{damaged} at 1")) { Ok(()) } else { Err(said.to_string()) }
    })
    .await
    .expect("word was left of it");

    world.aws.delete_nonsense(&damaged).await.expect("it is there");
    let (code, said) = ledgerfold(&["dead-letters", "purge", "relay", "--yes"]);
    assert_eq!((code, &said["messages"]), (Some(0), &1.into()), "{said}");
    eventually("the letter is gone", PROJECTED, async || match letters() {
        0 => Ok(()),
        left => Err(format!("{left} are there")),
    })
    .await
    .expect("the queue is empty");
}
