//! The audit finds events that the bus has not published, and the repair publishes them from the log.

use std::time::Duration;

use jiff::Timestamp;
use orders_acceptance::aws::Mapping;
use orders_acceptance::demo::dashboard::{ByCurrency, Window, added};
use orders_acceptance::model::Figures;
use serde_json::Value;

use crate::programs::{clean_in_the_end, run};
use crate::world::{EURO, PROJECTED, TestOrder, World};

const SWITCHED: Duration = Duration::from_secs(120);

/// Pays an order while the relay is switched off. The caller must switch it on again in any case.
async fn unpublished(world: &World, relay: &[Mapping], order: &mut TestOrder, before: &str) {
    for mapping in relay {
        world.aws.switch_mapping(mapping, false, SWITCHED).await.expect("it can be switched off");
    }
    world.pay(order).await;
    let stream = format!("default/order#{}", order.id);
    let audit = ["audit", "--bus", "--since", before];

    let (code, found) = run("ledgerfold", &audit);
    assert_eq!((code, &found["totals"]["unpublished"]), (Some(3), &Value::from(1)), "{found}");
    let commit = &found["unpublished"][0];
    assert_eq!((&commit["stream"], &commit["to"]), (&stream.into(), &order.version.into()));
    assert!(
        found["bus"]["events"].as_u64() > Some(0),
        "earlier events count as published: {found}"
    );

    let (code, repaired) = run("ledgerfold", &["repair", "--bus", "--since", before, "--yes"]);
    assert_eq!((code, &repaired["published"]), (Some(0), &Value::from(1)), "{repaired}");
    clean_in_the_end(&audit).await;
    let (code, again) = run("ledgerfold", &["repair", "--bus", "--since", before, "--yes"]);
    assert_eq!((code, &again["published"]), (Some(0), &Value::from(0)), "{again}");
}

// Guards: unpublished-events-are-found-and-published
#[tokio::test]
async fn an_unpublished_event_is_found_and_published_from_the_log() {
    let world = World::alone();
    let before = Timestamp::now();
    let mut order = world.placed().await;
    world.aws.settled(PROJECTED).await.expect("everything is projected");
    let window = Window::around(before);
    let totals = async || window.totals(&world.client).await.expect("the dashboard can be read");
    let baseline = totals().await;
    let relay = &world.stack.contexts["orders"].functions["relay"];
    let relay = world.aws.mappings(relay).await.expect("Lambda can be asked");
    assert!(!relay.is_empty(), "the relay has a mapping");

    let from = before.to_string();
    let tested = std::panic::AssertUnwindSafe(unpublished(&world, &relay, &mut order, &from));
    let tested = futures::FutureExt::catch_unwind(tested).await;
    for mapping in &relay {
        world.aws.switch_mapping(mapping, true, SWITCHED).await.expect("it can be switched on");
    }
    if let Err(panic) = tested {
        std::panic::resume_unwind(panic);
    }

    // The relay publishes the event a second time. After a later event has arrived, both have.
    world.ship(&mut order).await;
    world.aws.settled(PROJECTED).await.expect("everything is projected");
    clean_in_the_end(&["audit", "--bus", "--since", &from]).await;
    let figures = Figures { paid: 1, shipped: 1, revenue: 900, ..Figures::default() };
    let expected = ByCurrency::from([(EURO.to_owned(), figures)]);
    assert_eq!(added(&baseline, &totals().await), expected, "everything is counted once");
}
