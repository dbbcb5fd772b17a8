use std::collections::{BTreeMap, BTreeSet};

use ledgerfold::Version;
use ledgerfold_export::{Exporter, Tables, WindowLength};

use crate::world::{World, account, account_of, at};

#[tokio::test]
async fn a_window_is_closed_with_the_events_that_were_recorded_before_its_end() {
    let world = World::new();
    world.write(&account("a"), &["one", "two"]).await;
    world.write(&account_of("acme", "a"), &["three"]).await;
    world.now_is("2026-11-29T01:00:00Z");
    world.write(&account("a"), &["later"]).await;
    world.now_is("2026-11-29T01:02:00Z");
    let run = world.close().await;
    assert_eq!((run.windows, run.events, run.finished), (1, 3, true));
    let marker = world.marker("2026-11-29/00-00").expect("a marker");
    assert_eq!(
        (marker.from, marker.until),
        (at("2026-11-29T00:00:00Z"), at("2026-11-29T01:00:00Z"))
    );
    assert_eq!((marker.events, marker.withheld), (3, 0));
    assert_eq!(world.findings().await, []);
    world.now_is("2026-11-29T02:02:00Z");
    assert_eq!(world.close().await.events, 1);
    assert_eq!(world.findings().await, []);
    assert_eq!(world.progress.all_marks(), []);
    let expected = BTreeMap::from([
        ("events 2026-11-29".to_owned(), vec![3, 1]),
        ("typed/account/NoteWritten/v1 2026-11-29".to_owned(), vec![3, 1]),
    ]);
    assert_eq!(world.visible().await, expected);
}

// Guards: an-empty-window-is-closed-too
#[tokio::test]
async fn a_window_without_events_gets_a_marker_and_none_is_closed_before_its_end() {
    let world = World::new();
    world.now_is("2026-11-29T01:01:59Z");
    assert_eq!(world.close().await.windows, 1, "the one before midnight");
    world.now_is("2026-11-29T03:30:00Z");
    assert_eq!(world.close().await.windows, 3);
    for hour in ["00-00", "01-00", "02-00"] {
        let marker = world.marker(&format!("2026-11-29/{hour}")).expect(hour);
        assert_eq!(marker.events, 0);
    }
    assert_eq!(world.marker("2026-11-29/03-00"), None);
    assert_eq!(world.close().await.windows, 0, "nothing is closed twice");
    assert!(world.visible().await.is_empty());
}

#[tokio::test]
async fn many_streams_and_long_streams_take_several_steps_and_one_window() {
    let world = World::new();
    for stream in 0..20 {
        for commit in 0..=stream % 7 {
            world.write(&account(&format!("s{stream}")), &["note", &format!("{commit}")]).await;
        }
    }
    world.now_is("2026-11-29T01:30:00Z");
    let run = world.close().await;
    assert_eq!(run.windows, 1);
    assert_eq!(world.findings().await, []);
    let live = world.live().await;
    assert!(live.number > 6, "{} steps", live.number);
    assert_eq!(world.marker("2026-11-29/00-00").expect("a marker").events, run.events);
    assert_eq!(live.units().values().map(|unit| unit.rows).sum::<u64>(), run.events);
}

#[tokio::test]
async fn a_lost_message_is_made_good_by_the_next_one_of_the_stream() {
    let world = World::new();
    world.append(&account("a"), &["lost"]).await;
    world.now_is("2026-11-29T01:30:00Z");
    assert_eq!(world.close().await.events, 0);
    assert_eq!(world.findings().await.len(), 1, "the event is missing");
    world.write(&account("a"), &["told"]).await;
    world.now_is("2026-11-29T02:30:00Z");
    assert_eq!(world.close().await.events, 2);
    assert_eq!(world.findings().await, []);
}

#[tokio::test]
async fn messages_may_come_late_repeated_or_about_nothing() {
    let world = World::new();
    let version = world.append(&account("a"), &["one"]).await;
    world.mark(&account("nobody"), Version::new(7)).await;
    world.now_is("2026-11-29T02:30:00Z");
    assert_eq!(world.close().await.windows, 1);
    world.mark(&account("a"), version).await;
    world.mark(&account("a"), version).await;
    world.now_is("2026-11-29T03:30:00Z");
    assert_eq!(world.close().await.events, 1);
    world.mark(&account("a"), version).await;
    world.now_is("2026-11-29T04:30:00Z");
    assert_eq!(world.close().await.events, 0);
    assert_eq!(world.findings().await, []);
    assert_eq!(world.progress.all_marks(), []);
}

#[tokio::test]
async fn a_fast_clock_does_not_hold_its_stream_back_and_a_slow_one_changes_nothing() {
    let world = World::new();
    world.write(&account("a"), &["one"]).await;
    world.now_is("2031-01-01T00:00:00Z");
    world.write(&account("a"), &["fast"]).await;
    world.now_is("2026-11-28T12:00:00Z");
    world.write(&account("a"), &["slow"]).await;
    world.now_is("2026-11-29T01:30:00Z");
    assert_eq!(world.close().await.events, 3);
    assert_eq!(world.findings().await, []);
    let live = world.live().await;
    let days: BTreeSet<_> = live.units().keys().map(|id| id.day.to_string()).collect();
    let days: Vec<_> = days.into_iter().collect();
    assert_eq!(days, ["2026-11-28", "2026-11-29", "2031-01-01"]);
}

// Guards: an-export-does-not-depend-on-its-writer
#[tokio::test]
async fn the_same_events_give_the_same_bytes_whoever_writes_them() {
    let (one, other) = (World::new(), World::new());
    let streams = ["c", "a", "b"].map(account);
    for stream in &streams {
        let version = one.append(stream, &["x", "y"]).await;
        one.mark(stream, version).await;
    }
    for commit in one.log.commits() {
        other.log.overwrite(&commit);
        other.mark(commit.stream(), commit.to()).await;
    }
    for world in [&one, &other] {
        world.now_is("2026-11-29T01:30:00Z");
        world.close().await;
    }
    assert_eq!(one.files.objects(), other.files.objects());
    assert!(one.files.objects().keys().any(|key| key.ends_with(".parquet")));
}

#[tokio::test]
async fn two_writers_at_the_same_time_export_each_event_once() {
    let world = World::new();
    for stream in 0..9 {
        world.write(&account(&format!("s{stream}")), &["one", "two"]).await;
    }
    world.now_is("2026-11-29T01:30:00Z");
    let both = tokio::join!(world.close(), world.close());
    assert_eq!(both.0.events + both.1.events, 18);
    assert_eq!(both.0.windows + both.1.windows, 1);
    assert_eq!(world.findings().await, []);
}

#[tokio::test]
async fn without_time_a_run_ends_and_the_next_one_goes_on() {
    let world = World::new();
    world.write(&account("a"), &["one"]).await;
    world.now_is("2026-11-29T01:30:00Z");
    let run = world.exporter().close_windows(at("2026-11-29T01:30:00Z")).await.expect("memory");
    assert_eq!((run.windows, run.finished), (0, false));
    assert_eq!(world.close().await.windows, 1);
}

#[tokio::test]
async fn after_many_steps_the_state_is_read_from_a_checkpoint() {
    let world = World::new();
    world.now_is("2026-12-05T00:30:00Z");
    world.close().await;
    world.write(&account("a"), &["one"]).await;
    world.now_is("2026-12-10T00:30:00Z");
    world.close().await;
    let live = world.live().await;
    assert_eq!(live.number, 121);
    let checkpoints: Vec<_> =
        world.files.objects().into_keys().filter(|key| key.starts_with("checkpoints/")).collect();
    assert_eq!(checkpoints.len(), 1);
    // Without the manifests before the checkpoint, a reader still knows everything.
    let rest = World::new();
    for (key, content) in world.files.objects() {
        let number = key.strip_prefix("manifests/").map(|name| name.trim_end_matches(".json"));
        let number: u64 = number.map_or(u64::MAX, |number| number.parse().expect("a number"));
        if number > 64 {
            rest.files.overwrite(&key, content);
        }
    }
    assert_eq!(rest.live().await, live);
}

#[tokio::test]
async fn a_type_without_a_schema_is_in_the_table_of_all_events_only() {
    let world = World::new();
    world.write(&account("a"), &["one"]).await;
    world.now_is("2026-11-29T01:30:00Z");
    let exporter = Exporter::new(world.ports(), Tables::default(), WindowLength::HOUR);
    exporter.close_windows(at("2026-11-30T00:00:00Z")).await.expect("memory answers");
    assert_eq!(world.visible().await.into_keys().collect::<Vec<_>>(), ["events 2026-11-29"]);
    // A verification with more tables than there were at that time finds no fault.
    assert_eq!(world.findings().await, []);
}
