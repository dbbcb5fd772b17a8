//! The rules of orders as examples: given, when, then.

use ledgerfold_testkit::Given;
use orders::domain::{OrderCommand, OrderRejection, Orders};
use orders_events::{
    Currency, Item, Money, OrderCancelled, OrderDelivered, OrderEvent, OrderPaid, OrderPlaced,
    OrderShipped, RefundRequested,
};

fn euro(amount: i64) -> Money {
    Money { amount, currency: Currency::from_code("EUR").expect("a currency") }
}

fn items() -> Vec<Item> {
    vec![Item { sku: "tea".to_owned(), quantity: 2, unit_price: euro(450) }]
}

fn placed() -> OrderEvent {
    OrderPlaced { customer_id: "c-1".to_owned(), items: items(), total: euro(900) }.into()
}

fn paid() -> OrderEvent {
    OrderPaid { payment_reference: "pay-1".to_owned(), amount: euro(900) }.into()
}

fn cancelled() -> OrderEvent {
    OrderCancelled { reason: "changed my mind".to_owned() }.into()
}

fn refund() -> OrderEvent {
    RefundRequested { payment_reference: "pay-1".to_owned(), amount: euro(900) }.into()
}

fn shipped() -> OrderEvent {
    OrderShipped { carrier: "DHL".to_owned(), tracking_number: "00340".to_owned() }.into()
}

fn delivered() -> OrderEvent {
    OrderDelivered {}.into()
}

fn place() -> OrderCommand {
    let (customer_id, total) = ("c-1".to_owned(), euro(900));
    OrderCommand::PlaceOrder { customer_id, items: items(), total }
}

fn pay(amount: Money) -> OrderCommand {
    OrderCommand::PayOrder { payment_reference: "pay-1".to_owned(), amount }
}

fn cancel() -> OrderCommand {
    OrderCommand::CancelOrder { reason: "changed my mind".to_owned() }
}

fn ship() -> OrderCommand {
    let (carrier, tracking_number) = ("DHL".to_owned(), "00340".to_owned());
    OrderCommand::ShipOrder { carrier, tracking_number }
}

const DELIVER: OrderCommand = OrderCommand::DeliverOrder;
const CANCEL_UNPAID: OrderCommand = OrderCommand::CancelUnpaidOrder;

/// A history for each stage of an order.
fn stages() -> [(&'static str, Vec<OrderEvent>); 6] {
    [
        ("placed", vec![placed()]),
        ("paid", vec![placed(), paid()]),
        ("shipped", vec![placed(), paid(), shipped()]),
        ("delivered", vec![placed(), paid(), shipped(), delivered()]),
        ("cancelled", vec![placed(), cancelled()]),
        ("refunded", vec![placed(), paid(), cancelled(), refund()]),
    ]
}

#[test]
fn an_order_is_placed_once() {
    Given::<Orders>::nothing().when(place()).then([placed()]);
    for (_, history) in stages() {
        Given::<Orders>::events(history).when(place()).then_refused(OrderRejection::AlreadyPlaced);
    }
}

#[test]
fn every_command_to_a_missing_order_is_rejected() {
    for command in [pay(euro(900)), cancel(), CANCEL_UNPAID, ship(), DELIVER] {
        Given::<Orders>::nothing().when(command).then_refused(OrderRejection::NotFound);
    }
}

#[test]
fn each_stage_allows_its_commands_and_rejects_others_by_name_of_the_rule() {
    use OrderRejection::{
        AlreadyDelivered, AlreadyPaid, AlreadyShipped, Cancelled, NotPaid, NotShipped,
    };
    type Outcome = Result<Vec<OrderEvent>, OrderRejection>;
    let ok = |events: Vec<OrderEvent>| -> Outcome { Ok(events) };
    let table: [(&str, [Outcome; 4]); 6] = [
        ("placed", [ok(vec![paid()]), ok(vec![cancelled()]), Err(NotPaid), Err(NotShipped)]),
        (
            "paid",
            [
                Err(AlreadyPaid),
                ok(vec![cancelled(), refund()]),
                ok(vec![shipped()]),
                Err(NotShipped),
            ],
        ),
        (
            "shipped",
            [Err(AlreadyPaid), Err(AlreadyShipped), Err(AlreadyShipped), ok(vec![delivered()])],
        ),
        (
            "delivered",
            [Err(AlreadyPaid), Err(AlreadyDelivered), Err(AlreadyDelivered), Err(AlreadyDelivered)],
        ),
        ("cancelled", [Err(Cancelled), Err(Cancelled), Err(Cancelled), Err(Cancelled)]),
        ("refunded", [Err(Cancelled), Err(Cancelled), Err(Cancelled), Err(Cancelled)]),
    ];
    for ((stage, outcomes), (name, history)) in table.into_iter().zip(stages()) {
        assert_eq!(stage, name);
        for (command, outcome) in
            [pay(euro(900)), cancel(), ship(), DELIVER].into_iter().zip(outcomes)
        {
            let decided = Given::<Orders>::events(history.clone()).when(command);
            match outcome {
                Ok(events) => decided.then(events),
                Err(rejection) => decided.then_refused(rejection),
            }
        }
    }
}

#[test]
fn an_order_is_paid_in_full_and_in_its_currency() {
    let dollars = Money { amount: 900, currency: Currency::from_code("USD").expect("a currency") };
    for offered in [euro(899), euro(901), euro(0), dollars] {
        Given::<Orders>::events([placed()])
            .when(pay(offered))
            .then_refused(OrderRejection::AmountMismatch { total: euro(900), offered });
    }
}

#[test]
fn an_order_that_is_not_paid_in_time_is_cancelled_and_no_other() {
    for (stage, history) in stages() {
        let overdue = Given::<Orders>::events(history).when(CANCEL_UNPAID);
        if stage == "placed" {
            overdue.then([OrderCancelled { reason: "payment deadline".to_owned() }.into()]);
        } else {
            overdue.then([]);
        }
    }
}
