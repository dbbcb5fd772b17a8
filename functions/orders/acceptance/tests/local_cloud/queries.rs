//! Queries and the paging of lists.

use std::collections::BTreeSet;

use futures::future::join_all;
use orders_acceptance::eventually;
use orders_acceptance::model::{
    Dashboard, EventRecord, Money, Order, OrderStatus, OrderSummary, Page, Shipment, ShipmentStatus,
};
use serde_json::Value;

use crate::world::{EURO, PROJECTED, TestOrder, World, answered, basket, parcel, unique};
use acceptance::checks::{has_fields, shows_version};

async fn order(world: &World, order: &TestOrder) -> Order {
    let request = world.client.order(&order.id).consistency_token(&order.token);
    let answer = answered(request, 200).await;
    shows_version(&answer, order.version);
    answer.json().expect("an order")
}

async fn shipment(world: &World, order: &TestOrder) -> Shipment {
    let request = world.client.shipment(&order.id).consistency_token(&order.token);
    let answer = answered(request, 200).await;
    shows_version(&answer, order.version);
    answer.json().expect("a shipment")
}

#[tokio::test]
async fn an_order_shows_every_field_and_absent_times_are_null() {
    let world = World::shared();
    let placed = world.placed().await;
    let request = world.client.order(&placed.id).consistency_token(&placed.token);
    let body: Value = answered(request, 200).await.json().expect("JSON");
    has_fields(
        &body,
        &[
            "id",
            "customerId",
            "items",
            "total",
            "status",
            "placedAt",
            "paidAt",
            "cancelledAt",
            "shippedAt",
            "deliveredAt",
            "refundRequested",
            "version",
        ],
    );
    let asked = basket(&placed.customer, EURO);
    assert_eq!(body["items"], serde_json::to_value(&asked.items).expect("JSON"));
    assert_eq!(body["total"], serde_json::to_value(Money::new(900, EURO)).expect("JSON"));
    assert_eq!(body["customerId"], placed.customer);
    assert_eq!(body["status"], "placed");
    assert_eq!(body["refundRequested"], false);
    for absent in ["paidAt", "cancelledAt", "shippedAt", "deliveredAt"] {
        assert_eq!(body[absent], Value::Null, "{absent}");
    }
    assert!(body["placedAt"].as_str().is_some_and(|time| time.ends_with('Z')), "UTC");
}

#[tokio::test]
async fn an_order_shows_its_status_and_the_time_of_each_step() {
    let world = World::shared();
    let delivered = order(&world, &world.delivered().await).await;
    assert_eq!(delivered.status, OrderStatus::Delivered);
    let times = [
        Some(delivered.placed_at),
        delivered.paid_at,
        delivered.shipped_at,
        delivered.delivered_at,
    ];
    assert!(times.iter().all(Option::is_some), "{times:?}");
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!((delivered.cancelled_at, delivered.refund_requested), (None, false));

    let cancelled = order(&world, &world.cancelled().await).await;
    assert_eq!((cancelled.status, cancelled.refund_requested), (OrderStatus::Cancelled, false));
    assert!(cancelled.cancelled_at.is_some());

    let mut refunded = world.paid().await;
    world.cancel(&mut refunded).await;
    let refunded = order(&world, &refunded).await;
    assert_eq!((refunded.status, refunded.refund_requested), (OrderStatus::Cancelled, true));
    assert!(refunded.paid_at.is_some() && refunded.cancelled_at.is_some());
}

#[tokio::test]
async fn a_shipment_follows_its_order() {
    let world = World::shared();
    let mut placed = world.placed().await;
    let body: Value = {
        let request = world.client.shipment(&placed.id).consistency_token(&placed.token);
        answered(request, 200).await.json().expect("JSON")
    };
    has_fields(
        &body,
        &["orderId", "status", "carrier", "trackingNumber", "shippedAt", "deliveredAt", "version"],
    );
    assert_eq!(shipment(&world, &placed).await.status, ShipmentStatus::None);

    world.pay(&mut placed).await;
    let pending = shipment(&world, &placed).await;
    assert_eq!((pending.status, pending.carrier), (ShipmentStatus::Pending, None));

    world.ship(&mut placed).await;
    let shipped = shipment(&world, &placed).await;
    assert_eq!(shipped.order_id, placed.id);
    assert_eq!(shipped.status, ShipmentStatus::Shipped);
    assert_eq!(shipped.carrier, Some(parcel().carrier));
    assert_eq!(shipped.tracking_number, Some(parcel().tracking_number));
    assert!(shipped.shipped_at.is_some() && shipped.delivered_at.is_none());

    world.deliver(&mut placed).await;
    let delivered = shipment(&world, &placed).await;
    assert_eq!(delivered.status, ShipmentStatus::Delivered);
    assert!(delivered.delivered_at >= delivered.shipped_at);

    let mut refunded = world.paid().await;
    world.cancel(&mut refunded).await;
    assert_eq!(shipment(&world, &refunded).await.status, ShipmentStatus::Cancelled);
}

#[tokio::test]
async fn the_audit_log_lists_all_events_oldest_first_in_pages() {
    let world = World::shared();
    let delivered = world.delivered().await;
    let request = world.client.events(&delivered.id).consistency_token(&delivered.token);
    let body: Page<Value> = answered(request.clone(), 200).await.json().expect("a page");
    assert_eq!(body.next_cursor, None, "four events fit a page");
    for item in &body.items {
        has_fields(
            item,
            &[
                "id",
                "type",
                "schemaVersion",
                "version",
                "recordedAt",
                "actor",
                "commandId",
                "correlationId",
                "causationId",
                "data",
            ],
        );
        assert!(item["data"].is_object());
    }

    let whole: Vec<EventRecord> = request.clone().all_pages().await.expect("a list");
    let one_by_one: Vec<EventRecord> =
        request.clone().query("limit", 1).all_pages().await.expect("a list");
    let by_threes: Vec<EventRecord> = request.query("limit", 3).all_pages().await.expect("a list");
    assert_eq!(whole, one_by_one);
    assert_eq!(whole, by_threes);
    let types: Vec<_> = whole.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, ["OrderPlaced", "OrderPaid", "OrderShipped", "OrderDelivered"]);
    assert_eq!(whole.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let ids: BTreeSet<_> = whole.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn a_customer_s_orders_come_newest_first_in_pages() {
    let world = World::shared();
    let customer = unique("customer");
    let body = basket(&customer, EURO);
    let mut placed = BTreeSet::new();
    for _ in 0..9 {
        let five = join_all((0..5).map(|_| world.place(&body))).await;
        placed.extend(five.into_iter().map(|order| order.id));
    }

    let request = world.client.customer_orders(&customer);
    eventually("all 45 orders are listed", PROJECTED, async || {
        let list: Vec<OrderSummary> =
            request.clone().all_pages().await.map_err(|e| e.to_string())?;
        if list.len() == 45 { Ok(()) } else { Err(format!("{} are listed", list.len())) }
    })
    .await
    .expect("the list is projected");

    let mut sizes = Vec::new();
    let mut list: Vec<OrderSummary> = Vec::new();
    let mut cursor = None::<String>;
    loop {
        let mut page = request.clone().query("limit", 20);
        if let Some(cursor) = &cursor {
            page = page.query("cursor", cursor);
        }
        let page: Page<OrderSummary> = answered(page, 200).await.json().expect("a page");
        sizes.push(page.items.len());
        list.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() || sizes.len() > 3 {
            break;
        }
    }
    assert_eq!(sizes, [20, 20, 5]);
    assert!(list.is_sorted_by(|one, next| one.placed_at >= next.placed_at), "newest first");
    assert_eq!(list.into_iter().map(|order| order.id).collect::<BTreeSet<_>>(), placed);
}

#[tokio::test]
async fn a_page_of_a_list_has_twenty_entries_by_default() {
    let world = World::shared();
    let customer = unique("customer");
    let body = basket(&customer, EURO);
    join_all((0..21).map(|_| world.place(&body))).await;

    let page = eventually("21 orders are listed", PROJECTED, async || {
        let request = world.client.customer_orders(&customer);
        let page: Page<OrderSummary> =
            request.send().await.and_then(|answer| answer.json()).map_err(|e| e.to_string())?;
        if page.next_cursor.is_some() {
            Ok(page)
        } else {
            Err(format!("{} listed", page.items.len()))
        }
    })
    .await
    .expect("the list is projected");
    assert_eq!(page.items.len(), 20);
}

#[tokio::test]
async fn a_customer_s_list_shows_the_fields_of_the_contract_for_each_order() {
    let world = World::shared();
    let paid = world.paid().await;
    let request = world.client.customer_orders(&paid.customer).consistency_token(&paid.token);
    let page: Page<Value> = answered(request, 200).await.json().expect("a page");
    assert_eq!(page.items.len(), 1);
    let item = &page.items[0];
    has_fields(item, &["id", "status", "total", "placedAt", "version"]);
    assert_eq!((&item["id"], &item["status"]), (&paid.id.clone().into(), &"paid".into()));
    assert_eq!(item["version"], 2);
}

#[tokio::test]
async fn a_customer_without_orders_has_an_empty_list() {
    let world = World::shared();
    let request = world.client.customer_orders(&unique("customer"));
    let page: Page<Value> = answered(request, 200).await.json().expect("a page");
    assert_eq!(page, Page { items: Vec::new(), next_cursor: None });
}

#[tokio::test]
async fn the_dashboard_shows_days_and_totals_that_add_up() {
    let world = World::shared();
    let order = world.paid().await;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (from, to) = (today.yesterday().expect("a day"), today.tomorrow().expect("a day"));
    let request = world.client.dashboard(from, to).consistency_token(&order.token);
    let answer = answered(request, 200).await;

    let body: Value = answer.json().expect("JSON");
    has_fields(&body, &["days", "totals"]);
    let figures = ["currency", "placed", "paid", "shipped", "delivered", "cancelled", "revenue"];
    has_fields(&body["totals"][0], &figures);
    has_fields(&body["days"][0], &[&["date"], figures.as_slice()].concat());

    let dashboard: Dashboard = answer.json().expect("a dashboard");
    for total in &dashboard.totals {
        let days = || dashboard.days.iter().filter(|day| day.currency == total.currency);
        let sum = |field: fn(&orders_acceptance::model::Figures) -> i64| {
            days().map(|day| field(&day.figures)).sum::<i64>()
        };
        assert!(days().all(|day| (from..=to).contains(&day.date)));
        assert_eq!(sum(|figures| figures.placed), total.figures.placed, "{}", total.currency);
        assert_eq!(sum(|figures| figures.paid), total.figures.paid, "{}", total.currency);
        assert_eq!(sum(|figures| figures.revenue), total.figures.revenue, "{}", total.currency);
    }
}

#[tokio::test]
async fn a_day_on_which_nothing_happened_is_not_counted() {
    let world = World::shared();
    let request = world.client.dashboard("1999-01-01", "1999-12-31");
    let dashboard: Dashboard = answered(request, 200).await.json().expect("a dashboard");
    let counted: i64 = dashboard.totals.iter().map(|total| total.figures.counted()).sum();
    assert_eq!(counted, 0);
}
