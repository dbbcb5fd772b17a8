//! The rules of orders as examples: given, when, then.

use std::collections::BTreeSet;

use ledgerfold::{Caller, Decider, DecisionContext, Rejection, Timestamp};
use ledgerfold_lambda::http::HttpCommand;
use ledgerfold_testkit::Given;
use orders::{
    commands::{
        Amount, CancelOrder, CancelUnpaidOrder, DeliverOrder, OrderCommand, PayOrder, PlaceOrder,
        ShipOrder,
    },
    domain::{OrderRejection, Orders},
};
use orders_events::{
    Currency, Item, Money, OrderCancelled, OrderDelivered, OrderEvent, OrderPaid, OrderPlaced,
    OrderShipped, RefundRequested,
};
use serde_json::json;

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
    PlaceOrder::example().into()
}

fn pay(amount: Amount) -> OrderCommand {
    PayOrder { amount, ..PayOrder::example() }.into()
}

fn cancel() -> OrderCommand {
    CancelOrder::example().into()
}

fn ship() -> OrderCommand {
    ShipOrder::example().into()
}

const DELIVER: OrderCommand = OrderCommand::DeliverOrder(DeliverOrder {});
const CANCEL_UNPAID: OrderCommand = OrderCommand::CancelUnpaidOrder(CancelUnpaidOrder {});

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
    for command in [pay(Amount::euro(900)), cancel(), CANCEL_UNPAID, ship(), DELIVER] {
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
            [pay(Amount::euro(900)), cancel(), ship(), DELIVER].into_iter().zip(outcomes)
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
    let dollars = serde_json::from_value(json!({"amount": 900, "currency": "USD"}));
    let dollars = dollars.expect("an amount");
    for offered in [Amount::euro(899), Amount::euro(901), Amount::euro(0), dollars] {
        let (total, refused) = (euro(900), offered.into());
        Given::<Orders>::events([placed()])
            .when(pay(offered))
            .then_refused(OrderRejection::AmountMismatch { total, offered: refused });
    }
}

// Guards: the-http-document-matches-the-code
#[test]
fn a_command_documents_exactly_the_rules_that_refuse_it() {
    fn refusals<C: HttpCommand + Into<OrderCommand>>(other: Option<C>) -> BTreeSet<&'static str> {
        let command: OrderCommand = C::example().into();
        let commands = [Some(command), other.map(Into::into)].into_iter().flatten();
        let mut rules = BTreeSet::new();
        for command in commands {
            for (_, history) in stages() {
                let state = history.iter().fold(Orders::initial(), Orders::evolve);
                let context =
                    DecisionContext { at: Timestamp::UNIX_EPOCH, caller: &Caller::anonymous() };
                rules.extend(command.decide(&state, &context).err().map(|refused| refused.rule()));
            }
        }
        rules
    }
    fn check<C: HttpCommand + Into<OrderCommand>>(other: Option<C>) {
        let documented: BTreeSet<_> = C::REFUSALS.iter().copied().collect();
        assert_eq!(refusals(other), documented, "{}", C::PATH);
    }
    check::<PlaceOrder>(None);
    check(Some(PayOrder { amount: Amount::euro(1), ..PayOrder::example() }));
    check::<CancelOrder>(None);
    check::<ShipOrder>(None);
    check::<DeliverOrder>(None);
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
