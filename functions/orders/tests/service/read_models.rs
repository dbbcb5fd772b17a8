//! The read models and their queries.

use ledgerfold::{Timestamp, vocabulary::Cursor};
use serde_json::{Value, json};

use crate::world::{World, get, order, with};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

#[tokio::test]
async fn an_order_is_shown_at_each_stage() {
    let world = World::new();
    world.clock.set(at("2026-11-23T09:00:00Z"));
    let id = world.place("a").await;
    let path = format!("/orders/{id}");
    let placed = world.get(&path).await;
    let expected = json!({
        "id": id, "customerId": "c-1", "items": order()["items"],
        "total": {"amount": 900, "currency": "EUR"}, "status": "placed",
        "placedAt": "2026-11-23T09:00:00Z", "paidAt": null, "cancelledAt": null, "shippedAt": null,
        "deliveredAt": null, "refundRequested": false, "version": 1,
    });
    assert_eq!((placed.status, &placed.body), (200, &expected));
    assert_eq!(placed.header("ETag"), Some("\"1\""));
    world.steps(&id, &["pay", "ship", "deliver"]).await;
    world.project().await;
    let delivered = world.get(&path).await.body;
    assert_eq!((&delivered["status"], &delivered["version"]), (&json!("delivered"), &json!(4)));
    for (version, status) in [(1, "placed"), (2, "paid"), (3, "shipped"), (4, "delivered")] {
        let past = world.get(&format!("{path}?version={version}")).await;
        assert_eq!((&past.body["status"], past.status), (&json!(status), 200));
    }
    assert_eq!(world.get(&format!("{path}?version=5")).await.status, 404);
    assert_eq!(world.get(&format!("{path}?at=2026-11-23T08:59:59Z")).await.status, 404);
    assert_eq!(world.get(&format!("{path}?at=2026-11-23T09:00:00Z")).await.status, 200);
}

// Guards: a-caller-sees-its-own-commands
#[tokio::test]
async fn the_past_shows_only_whole_commits() {
    let world = World::new();
    let id = world.place("a").await;
    world.steps(&id, &["pay", "cancel"]).await;
    // Versions 3 and 4, the cancellation and its refund, are one commit.
    for (version, status, refund, shown) in
        [(2, "paid", false, 2), (3, "paid", false, 2), (4, "cancelled", true, 4)]
    {
        let past = world.get(&format!("/orders/{id}?version={version}")).await;
        assert_eq!((past.status, &past.body["status"]), (200, &json!(status)), "at {version}");
        assert_eq!(past.body["refundRequested"], json!(refund), "at {version}");
        assert_eq!(past.body["version"], json!(shown));
        assert_eq!(past.header("ETag"), Some(format!("\"{shown}\"").as_str()));
    }
    assert_eq!(world.get(&format!("/orders/{id}?version=5")).await.status, 404);
}

#[tokio::test]
async fn parameters_for_the_past_are_checked() {
    let world = World::new();
    let id = world.place("a").await;
    for query in [
        "version=0",
        "version=-1",
        "version=x",
        "version=",
        "at=yesterday",
        "at=2026-11-23",
        "at=2026-11-23T09:00:00",
        "at=2026-11-23T09:00:00+00:00",
        "at=20261123T090000Z",
        "version=01",
        "version=1000000000000000",
        "version=1&at=2026-11-23T09:00:00Z",
        "version=1&version=1",
        "colour=red",
    ] {
        let answer = world.get(&format!("/orders/{id}?{query}")).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad-request"), "{query}");
    }
}

#[tokio::test]
async fn a_shipment_follows_its_order() {
    let world = World::new();
    let histories: [(&[&str], &str); 6] = [
        (&[], "none"),
        (&["pay"], "pending"),
        (&["pay", "ship"], "shipped"),
        (&["pay", "ship", "deliver"], "delivered"),
        (&["cancel"], "cancelled"),
        (&["pay", "cancel"], "cancelled"),
    ];
    for (at, (steps, status)) in histories.into_iter().enumerate() {
        let id = world.place(&format!("k{at}")).await;
        world.steps(&id, steps).await;
        world.project().await;
        let shipment = world.get(&format!("/orders/{id}/shipment")).await.body;
        assert_eq!(shipment["status"], json!(status), "{steps:?}");
        let carrier = if steps.contains(&"ship") { json!("DHL") } else { Value::Null };
        assert_eq!((&shipment["carrier"], &shipment["orderId"]), (&carrier, &json!(id)));
    }
    assert_eq!(world.get("/orders/nobody/shipment").await.status, 404);
}

#[tokio::test]
async fn the_audit_log_shows_every_event_with_its_context() {
    let world = World::new();
    let id = world.place("a").await;
    world.steps(&id, &["pay", "cancel"]).await;
    let path = format!("/orders/{id}/events");
    let page = world.get(&path).await;
    let types: Vec<_> =
        page.body["items"].as_array().expect("a list").iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["OrderPlaced", "OrderPaid", "OrderCancelled", "RefundRequested"]);
    assert_eq!(page.body["nextCursor"], Value::Null);
    let paid = &page.body["items"][1];
    assert_eq!(paid["data"]["amount"], json!({"amount": 900, "currency": "EUR"}));
    assert_eq!((&paid["schemaVersion"], &paid["actor"]), (&json!(1), &json!("anonymous")));
    assert_eq!(paid["commandId"], paid["correlationId"]);
    let (mut seen, mut next) = (Vec::new(), format!("{path}?limit=1"));
    loop {
        let page = world.get(&next).await.body;
        seen.push(page["items"][0]["version"].clone());
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        next = format!("{path}?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, [1, 2, 3, 4]);
    assert_eq!(world.get("/orders/nobody/events").await.status, 404);
}

#[tokio::test]
async fn lists_are_limited_and_each_has_its_own_cursors() {
    let world = World::new();
    let id = world.place("a").await;
    world.steps(&id, &["pay"]).await;
    let first = world.get(&format!("/orders/{id}/events?limit=1")).await.body;
    let cursor = first["nextCursor"].as_str().expect("there is more");
    let other = world.place("b").await;
    let foreign = format!("/orders/{other}/events?cursor={cursor}");
    let queries = ["limit=0", "limit=101", "limit=x", "limit=", "cursor=x", "cursor="];
    let mut paths: Vec<_> =
        queries.iter().map(|query| format!("/orders/{id}/events?{query}")).collect();
    paths.extend(queries.iter().map(|query| format!("/customers/c-1/orders?{query}")));
    paths.push(foreign);
    paths.push(format!("/orders/{id}/events?cursor={}", &cursor[1..]));
    for path in paths {
        let answer = world.get(&path).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad-request"), "{path}");
    }
}

// Guards: the-service-accepts-what-its-document-allows
#[tokio::test]
async fn a_cursor_that_the_list_cannot_have_issued_is_refused() {
    let world = World::new();
    let id = world.place("a").await;
    world.steps(&id, &["pay"]).await;
    world.project().await;
    let contents = [
        json!(""),
        json!("z".repeat(1_025)),
        json!(9),
        json!(u64::MAX),
        json!(null),
        json!([]),
        json!({"c": 1, "v": 1, "x": 1}),
        json!({"c": -1, "v": 1}),
        json!({"c": 1.5, "v": 2}),
    ];
    for content in contents {
        let lists = [
            ("default/orders of c-1".to_owned(), "/customers/c-1/orders".to_owned()),
            (format!("events of default/order#{id}"), format!("/orders/{id}/events")),
        ];
        for (list, path) in lists {
            let cursor = Cursor(content.clone()).to_text(&list);
            let answer = world.get(&format!("{path}?cursor={cursor}")).await;
            assert_eq!((answer.status, answer.problem()), (400, "bad-request"), "{path} {content}");
        }
    }
    // A cursor with any place begins there, even if somebody else made it: it shows no other rows than the list has.
    for place in [format!("2026-11-23T09:00:00.000000000Z#{id}"), "z".to_owned()] {
        let made = Cursor(place).to_text("default/orders of c-1");
        assert_eq!(world.get(&format!("/customers/c-1/orders?cursor={made}")).await.status, 200);
    }
}

#[tokio::test]
async fn revenue_is_exact_beyond_the_precision_of_a_double() {
    let world = World::new();
    world.clock.set(at("2026-11-23T09:00:00Z"));
    let line = json!({"sku": "gold", "quantity": 10_000, "unitPrice": {"amount": 100_000_000, "currency": "EUR"}});
    let largest = json!({"customerId": "c-1", "items": vec![line; 100]});
    let total = 100_000_000_000_000_i64;
    let orders = 91;
    for at in 0..orders {
        let placed = world.post("/orders", &format!("p{at}"), largest.clone()).await;
        let id = placed.body["id"].as_str().expect("an id").to_owned();
        let pay = json!({"paymentReference": "p", "amount": {"amount": total, "currency": "EUR"}});
        let paid = world.post(&format!("/orders/{id}/pay"), &format!("q{at}"), pay).await;
        assert_eq!((placed.status, paid.status), (201, 200));
    }
    world.project().await;
    let shown = world.get("/dashboard?from=2026-11-23&to=2026-11-23").await.body;
    assert_eq!(shown["days"][0]["revenue"], json!(total * orders));
    assert_eq!(shown["totals"][0]["revenue"], json!(total * orders));
}

#[tokio::test]
async fn a_customers_orders_are_listed_newest_first() {
    let world = World::new();
    let mut placed = Vec::new();
    for at in 0..45 {
        world.clock.set(Timestamp::from_second(1_000 + at / 2).expect("an instant"));
        placed.push(world.place(&format!("k{at}")).await);
    }
    world.project().await;
    let (mut listed, mut sizes, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/customers/c-1/orders{cursor}")).await.body;
        let items = page["items"].as_array().expect("a list").clone();
        sizes.push(items.len());
        listed.extend(items);
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("?cursor={next}");
    }
    assert_eq!(sizes, [20, 20, 5]);
    let times: Vec<_> = listed.iter().map(|order| order["placedAt"].as_str()).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    let mut ids: Vec<_> = listed.iter().filter_map(|order| order["id"].as_str()).collect();
    ids.sort_unstable();
    placed.sort_unstable();
    assert_eq!(ids, placed);
    assert_eq!(
        world.get("/customers/nobody/orders").await.body,
        json!({"items": [], "nextCursor": null})
    );
}

#[tokio::test]
async fn the_dashboard_counts_by_day_and_currency() {
    let world = World::new();
    world.clock.set(at("2026-11-22T23:59:59Z"));
    let first = world.place("a").await;
    world.clock.set(at("2026-11-23T00:00:00Z"));
    world.steps(&first, &["pay"]).await;
    let mut yen = order();
    yen["items"][0]["unitPrice"] = json!({"amount": 7, "currency": "JPY"});
    world.post("/orders", "b", yen).await;
    world.clock.set(at("2026-11-24T12:00:00Z"));
    world.steps(&first, &["cancel"]).await;
    world.project().await;
    let figures = |placed: u8, paid: u8, cancelled: u8, revenue: i64, currency: &str| {
        json!({"currency": currency, "placed": placed, "paid": paid, "shipped": 0, "delivered": 0,
               "cancelled": cancelled, "revenue": revenue})
    };
    let day = |date: &str, mut figures: Value| {
        figures["date"] = json!(date);
        figures
    };
    let all = world.get("/dashboard?from=2026-11-01&to=2026-11-30").await.body;
    let expected = json!({
        "days": [
            day("2026-11-22", figures(1, 0, 0, 0, "EUR")),
            day("2026-11-23", figures(0, 1, 0, 900, "EUR")),
            day("2026-11-23", figures(1, 0, 0, 0, "JPY")),
            day("2026-11-24", figures(0, 0, 1, -900, "EUR")),
        ],
        "totals": [figures(1, 1, 1, 0, "EUR"), figures(1, 0, 0, 0, "JPY")],
    });
    assert_eq!(all, expected);
    let one = world.get("/dashboard?from=2026-11-23&to=2026-11-23").await.body;
    assert_eq!(one["totals"], json!([figures(0, 1, 0, 900, "EUR"), figures(1, 0, 0, 0, "JPY")]));
    let none = world.get("/dashboard?from=2020-01-01&to=2020-12-31").await.body;
    assert_eq!(none, json!({"days": [], "totals": []}));
}

#[tokio::test]
async fn parameters_of_the_dashboard_are_checked() {
    let world = World::new();
    for query in [
        "",
        "from=2026-11-01",
        "to=2026-11-01",
        "from=x&to=2026-11-01",
        "from=2026-11-02&to=2026-11-01",
        "from=2026-02-30&to=2026-03-01",
        "from=2026-01-01&to=2027-01-02",
        "from=2026-11-1&to=2026-11-02",
        "from=2026-11-01T00:00:00Z&to=2026-11-02",
        "from=2026-11-01&to=2026-11-02&by=week",
    ] {
        let answer = world.get(&format!("/dashboard?{query}")).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad-request"), "{query}");
    }
    assert_eq!(world.get("/dashboard?from=2026-01-01&to=2027-01-01").await.status, 200);
}

// Guards: a-caller-sees-its-own-commands
#[tokio::test]
async fn a_caller_sees_its_own_commands_before_they_are_projected() {
    let world = World::new();
    world.clock.set(at("2026-11-23T09:00:00Z"));
    let id = world.place("a").await;
    world.project().await;
    let paid = world.post(&format!("/orders/{id}/pay"), "b", crate::world::body("pay")).await;
    let token = paid.header("Consistency-Token").expect("a command answers one");
    let paths = [
        (format!("/orders/{id}"), "/status", "placed", "paid"),
        (format!("/orders/{id}/shipment"), "/status", "none", "pending"),
        ("/customers/c-1/orders".to_owned(), "/items/0/status", "placed", "paid"),
    ];
    for (path, field, before, after) in paths {
        let stale = world.get(&path).await.body;
        let fresh = world.send(&with(get(&path), "consistency-token", token)).await.body;
        assert_eq!(stale.pointer(field), Some(&json!(before)), "{path}");
        assert_eq!(fresh.pointer(field), Some(&json!(after)), "{path}");
    }
    let dashboard = "/dashboard?from=2026-11-23&to=2026-11-23";
    assert_eq!(world.get(dashboard).await.body["totals"][0]["paid"], json!(0));
    let fresh = world.send(&with(get(dashboard), "consistency-token", token)).await.body;
    assert_eq!(fresh["totals"][0]["paid"], json!(1));
}
