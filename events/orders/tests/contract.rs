//! Checks the event types against their contract: the JSON Schemas, the golden files of each version, and the
//! AsyncAPI document.

use ledgerfold_testkit::schemas::{About, check};
use orders_events::{
    Currency, Item, Money, OrderCancelled, OrderDelivered, OrderEvent, OrderPaid, OrderPlaced,
    OrderShipped, RefundRequested,
};

fn euros(amount: i64) -> Money {
    Money { amount, currency: Currency::from_code("EUR").expect("three capital letters") }
}

/// One event of each type, in its current version.
fn samples() -> [OrderEvent; 6] {
    let item = Item { sku: "tea".to_owned(), quantity: 2, unit_price: euros(450) };
    let customer_id = "c-1".to_owned();
    let payment_reference = "pay-1".to_owned();
    let (carrier, tracking_number) = ("DHL".to_owned(), "00340434292135100186".to_owned());
    [
        OrderPlaced { customer_id, items: vec![item], total: euros(900) }.into(),
        OrderPaid { payment_reference: payment_reference.clone(), amount: euros(900) }.into(),
        OrderCancelled { reason: "Bought twice.".to_owned() }.into(),
        RefundRequested { payment_reference, amount: euros(900) }.into(),
        OrderShipped { carrier, tracking_number }.into(),
        OrderDelivered {}.into(),
    ]
}

// Guards: every-event-can-be-read
#[test]
fn the_events_match_their_contract() {
    let about = About {
        context: "orders",
        version: env!("CARGO_PKG_VERSION"),
        description: "The events of orders, from placement to delivery or refund.",
    };
    check(&about, env!("CARGO_MANIFEST_DIR"), &samples());
}
