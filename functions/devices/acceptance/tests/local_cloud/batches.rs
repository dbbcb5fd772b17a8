//! Batches: taken, repeated, refused and missing readings.

use acceptance::checks::{refused, refused_by_rule, shows_version};
use devices_acceptance::model::{Rejected, TimelineReading};
use futures::future::join_all;

use crate::world::{METRIC, World, answered, body_of, numbered, registration, token_of, unique};

// Guards: each-reading-is-taken-once
#[tokio::test]
async fn a_batch_is_taken_once_and_gaps_close_when_late_readings_come() {
    let world = World::shared();
    let id = world.device().await;
    let first = world.send(&id, &numbered(1, [1, 2, 3, 106])).await;
    shows_version(&first, 2);
    let body = body_of(&first);
    assert_eq!((body.accepted, body.missing), (4, vec![[4, 105]]));
    let again = body_of(&world.send(&id, &numbered(1, [1, 2, 3, 106])).await);
    assert_eq!((again.accepted, again.duplicates), (0, vec![1, 2, 3, 106]));
    let late = world.send(&id, &numbered(1, 4..=100)).await;
    let body = body_of(&late);
    assert_eq!((body.accepted, body.missing), (97, vec![[101, 105]]));
    let shown = world.shown(&id, &token_of(&late)).await;
    assert_eq!((shown.epoch, shown.up_to, shown.missing), (Some(1), 100, vec![[101, 105]]));
    assert_eq!((shown.version, shown.latest[METRIC].seq), (body.version, 106));
}

// Guards: each-reading-is-taken-once
#[tokio::test]
async fn of_ten_equal_batches_at_once_each_reading_is_taken_once() {
    let world = World::shared();
    let id = world.device().await;
    let batch = numbered(1, 1..=50);
    let answers = join_all((0..10).map(|_| world.send(&id, &batch))).await;
    let accepted: usize = answers.iter().map(|answer| body_of(answer).accepted).sum();
    let duplicates: usize = answers.iter().map(|answer| body_of(answer).duplicates.len()).sum();
    assert_eq!((accepted, duplicates), (50, 450));
    let newest = answers.iter().max_by_key(|answer| body_of(answer).version).expect("ten");
    let timeline = world.operator.timeline(&id, METRIC).consistency_token(&token_of(newest));
    let timeline: Vec<TimelineReading> = timeline.all_pages().await.expect("a list");
    let seqs: Vec<_> = timeline.iter().map(|reading| reading.seq).collect();
    assert_eq!(seqs, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_new_epoch_begins_anew_and_an_older_one_is_taken_once_and_late() {
    let world = World::shared();
    let id = world.device().await;
    world.send(&id, &numbered(1, [1, 3])).await;
    let body = body_of(&world.send(&id, &numbered(2, [1])).await);
    assert_eq!((body.accepted, body.missing), (1, Vec::new()));
    let late = world.send(&id, &numbered(1, [2, 3])).await;
    assert_eq!((body_of(&late).accepted, body_of(&late).duplicates), (1, vec![3]));
    let timeline = world.operator.timeline(&id, METRIC).consistency_token(&token_of(&late));
    let timeline: Vec<TimelineReading> = timeline.all_pages().await.expect("a list");
    let late: Vec<_> = timeline.iter().filter(|it| it.late).map(|it| (it.epoch, it.seq)).collect();
    assert_eq!((timeline.len(), late), (4, vec![(1, 2)]));
}

#[tokio::test]
async fn a_value_that_is_not_finite_is_refused_alone() {
    let world = World::shared();
    let id = world.device().await;
    let body = |values: &[&str]| {
        let reading = |(at, value): (usize, &&str)| {
            let seq = at + 1;
            let at = "2026-11-29T08:00:00Z";
            format!(r#"{{"seq":{seq},"at":"{at}","metric":"t","value":{value}}}"#)
        };
        let readings: Vec<_> = values.iter().enumerate().map(reading).collect();
        format!(r#"{{"epoch":1,"readings":[{}]}}"#, readings.join(","))
    };
    let send = |text: String| {
        let path = format!("/devices/{id}/readings");
        world.operator.request(reqwest::Method::POST, &path).body(text, "application/json")
    };
    let mixed = answered(send(body(&["21.50", "1e999"])), 200).await;
    let token = mixed.consistency_token().expect("a token").to_owned();
    let mixed = body_of(&mixed);
    let not_finite = |seq| Rejected { seq, rule: "value-not-finite".to_owned() };
    assert_eq!((mixed.accepted, mixed.rejected), (1, vec![not_finite(2)]));
    let nothing = answered(send(body(&["1e999"]).replace("\"seq\":1", "\"seq\":9")), 422).await;
    let nothing = body_of(&nothing);
    assert_eq!((nothing.accepted, nothing.rejected, nothing.version), (0, vec![not_finite(9)], 2));
    for text in ["NaN", "Infinity", "\"1\"", "null"] {
        refused(send(body(&[text])), 400, text).await;
    }
    refused(send(body(&[])), 400, "no reading").await;
    refused(send(body(&vec!["1"; 501])), 400, "too many readings").await;
    refused(send(format!("{}{}", body(&["1"]), " ".repeat(256 * 1024))), 413, "large").await;
    let timeline = world.operator.timeline(&id, "t").consistency_token(&token);
    let timeline = answered(timeline, 200).await;
    assert!(timeline.text().contains("\"value\":21.50,"), "{}", timeline.text());
}

#[tokio::test]
async fn a_decommissioned_device_sends_nothing_and_a_device_is_registered_once() {
    let world = World::shared();
    let id = world.device().await;
    let exists = world.operator.register(&unique("key"), &registration(Some(&id), "s-1"));
    refused_by_rule(exists, "device-exists", "a second registration").await;
    world.send(&id, &numbered(1, [1])).await;
    let key = unique("end");
    let ended = answered(world.operator.decommission(&key, &id), 200).await;
    shows_version(&ended, 3);
    let again = answered(world.operator.decommission(&key, &id), 200).await;
    assert_eq!(again.essence(), ended.essence());
    refused_by_rule(
        world.operator.send(&id, &numbered(1, [2])),
        "device-decommissioned",
        "a batch",
    )
    .await;
    let shown = world.shown(&id, &token_of(&ended)).await;
    assert_eq!((shown.status.as_str(), shown.version), ("decommissioned", 3));
    refused(world.operator.send("nobody", &numbered(1, [1])), 404, "an unknown device").await;
    refused(world.operator.decommission(&key, "nobody"), 404, "an unknown device").await;
}

#[tokio::test]
async fn a_version_that_does_not_hold_refuses_a_batch() {
    let world = World::shared();
    let id = world.device().await;
    world.send(&id, &numbered(1, [1])).await;
    let batch = numbered(1, [2]);
    refused(world.operator.send(&id, &batch).if_match(1), 412, "an old version").await;
    answered(world.operator.send(&id, &batch).if_match(2), 200).await;
}
