use ledgerfold::Timestamp;

use crate::world::{World, account};

async fn compact(world: &World) -> u64 {
    world.exporter().compact(Timestamp::MAX).await.expect("memory answers")
}

/// A day with an event in each hour.
async fn day() -> World {
    let world = World::new();
    for hour in 1..=24 {
        world.write(&account(&format!("s{}", hour % 5)), &["note"]).await;
        let day = if hour == 24 { "2026-11-30T00" } else { &format!("2026-11-29T{hour:02}") };
        world.now_is(&format!("{day}:10:00Z"));
        world.close().await;
    }
    world
}

// Guards: a-compaction-changes-no-row
#[tokio::test]
async fn the_files_of_a_day_that_is_over_become_one_per_table() {
    let world = day().await;
    assert_eq!(world.live().await.units().len(), 24);
    assert_eq!(compact(&world).await, 1);
    let visible = world.visible().await;
    let rows: Vec<_> = visible.values().cloned().collect();
    assert_eq!(rows, [[24], [24]], "{visible:?}");
    assert_eq!(world.findings().await, []);
    assert_eq!(compact(&world).await, 0, "there is nothing left to merge");
}

#[tokio::test]
async fn a_day_that_is_not_over_stays_as_it_is() {
    let world = World::new();
    for hour in 1..=3 {
        world.write(&account("a"), &["note"]).await;
        world.now_is(&format!("2026-11-29T{hour:02}:10:00Z"));
        world.close().await;
    }
    assert_eq!(compact(&world).await, 0);
}

#[tokio::test]
async fn a_late_event_is_merged_later_and_large_files_are_left_alone() {
    let world = day().await;
    compact(&world).await;
    world.now_is("2026-11-29T20:00:00Z");
    let late = world.append(&account("late"), &["late"]).await;
    world.now_is("2026-11-30T01:10:00Z");
    world.mark(&account("late"), late).await;
    world.close().await;
    // The unit of 24 rows is more than half of the limit of 40.
    assert_eq!(compact(&world).await, 0);
    assert_eq!(world.findings().await, []);
}

#[tokio::test]
async fn two_compactions_at_the_same_time_merge_each_file_once() {
    let world = day().await;
    let both = tokio::join!(compact(&world), compact(&world));
    assert_eq!(both.0 + both.1, 1);
    assert_eq!(world.findings().await, []);
}
