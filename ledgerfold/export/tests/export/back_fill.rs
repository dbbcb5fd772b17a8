use ledgerfold_export::Exporter;

use crate::world::{World, account};

async fn fill(world: &World, exporter: &Exporter) -> u64 {
    exporter.back_fill(&world.streams().await).await.expect("memory answers").events
}

// Guards: a-back-fill-and-live-windows-meet
#[tokio::test]
async fn a_back_fill_adds_all_history_while_windows_are_closed() {
    let world = World::new();
    for stream in 0..12 {
        let stream = account(&format!("s{stream}"));
        for note in ["one", "two", "three"] {
            world.append(&stream, &[note]).await;
        }
    }
    // Some of the streams go on, with messages.
    for stream in 0..6 {
        world.write(&account(&format!("s{stream}")), &["four"]).await;
    }
    world.now_is("2026-11-29T01:30:00Z");
    let exporter = world.exporter();
    let (filled, run) = tokio::join!(fill(&world, &exporter), world.close());
    assert_eq!(filled + run.events, 42);
    assert_eq!(world.findings().await, []);
    assert_eq!(fill(&world, &exporter).await, 0, "a repetition adds nothing");
}

#[tokio::test]
async fn events_of_an_open_window_wait_for_its_end_also_if_no_message_comes() {
    let world = World::new();
    world.now_is("2026-11-29T01:30:00Z");
    world.append(&account("a"), &["one"]).await;
    assert_eq!(fill(&world, &world.exporter()).await, 0);
    world.close().await;
    world.now_is("2026-11-29T02:30:00Z");
    assert_eq!(world.close().await.events, 1);
    assert_eq!(world.findings().await, []);
}
