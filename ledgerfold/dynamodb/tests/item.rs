//! The size of commits, which determines their cost.

use aws_sdk_dynamodb::types::AttributeValue;
use ledgerfold::{
    Actor, CausationId, CommandId, CommandName, CorrelationId, Event, EventId, Version,
    vocabulary::{CommandStamp, Commit, CommitEvent, CommitHash, Fingerprint, Metadata},
};
use ledgerfold_dynamodb::{CommitItem, item_size};
use orders_events::{Currency, Item, Money, OrderEvent, OrderPlaced};

const ONE_WRITE_UNIT: usize = 1024;

fn placed(lines: usize) -> OrderEvent {
    let price = Money { amount: 12_99, currency: Currency::from_code("EUR").expect("a currency") };
    let line = Item { sku: "darjeeling-ff-2026".to_owned(), quantity: 3, unit_price: price };
    let total = Money { amount: 12_99 * 9, ..price };
    OrderPlaced { customer_id: "c-000123".to_owned(), items: vec![line; lines], total }.into()
}

/// A commit of one event, with ids as long as the command function's.
fn commit(event: &OrderEvent) -> Commit {
    let id = "4edde2f3-9e3f-8d71-857a-17616c743abd";
    let command = CommandId::new(id).expect("a UUID is an id");
    let metadata = Metadata {
        recorded_at: "2026-11-23T09:08:50.638Z".parse().expect("an instant"),
        correlation_id: CorrelationId::from(&command),
        causation_id: CausationId::from(&command),
        actor: Actor::new("anonymous").expect("an actor"),
        traceparent: Some(
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                .parse()
                .expect("a traceparent"),
        ),
    };
    let stamp = CommandStamp {
        id: command,
        name: CommandName::from_static("PlaceOrder"),
        fingerprint: Fingerprint::restore("1AAAAAAAAAAAAAAAAAAAAA"),
        siblings: Vec::new(),
    };
    let event = CommitEvent {
        id: EventId::new(1_700_000_000_000, &[7; 10]),
        event_type: event.event_type(),
        schema_version: event.schema_version(),
        data: event.encode().expect("an event is JSON"),
    };
    let stream = format!("default/order#{id}").parse().expect("a stream");
    let only = (Version::new(1), Version::new(1));
    let hash = CommitHash::restore(&[7; 32]).expect("32 bytes");
    Commit::restore(stream, only, vec![event], stamp, metadata, hash)
        .expect("one event, one version")
}

fn size(commit: &Commit) -> usize {
    item_size(&CommitItem::from(commit).into_attributes().expect("a commit is an item"))
}

#[test]
fn a_commit_of_an_ordinary_event_fits_into_one_write_unit() {
    for lines in 1..=4 {
        let size = size(&commit(&placed(lines)));
        assert!(size <= ONE_WRITE_UNIT, "{lines} lines make {size} bytes");
    }
}

#[test]
fn content_as_text_is_at_most_a_quarter_larger_than_as_native_maps() {
    let event = placed(3);
    let text = event.encode().expect("an event is JSON").as_str().to_owned();
    let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let native: AttributeValue =
        serde_dynamo::to_attribute_value(value).expect("JSON is an attribute");
    let native = item_size(&[("d".to_owned(), native)].into());
    let text = item_size(&[("d".to_owned(), AttributeValue::S(text))].into());
    assert!(text <= native + native / 4, "{text} bytes of text, {native} as native maps");
}

#[test]
fn a_commit_is_read_back_unchanged() {
    let commit = commit(&placed(2));
    let item = CommitItem::from(&commit).into_attributes().expect("a commit is an item");
    let read = CommitItem::from_attributes(item).and_then(CommitItem::into_commit);
    assert_eq!(read.expect("it was written here"), commit);
}

#[test]
fn an_item_with_a_damaged_stamp_is_refused() {
    let item = CommitItem::from(&commit(&placed(1))).into_attributes().expect("an item");
    let stamp = item["m"].as_s().expect("a text").clone();
    let lines: Vec<_> = stamp.split('\n').collect();
    let without_a_line = lines[1..].join("\n");
    let with_a_line = format!("{stamp}\nmore");
    let without_a_time = [lines[0], lines[1], lines[2], "yesterday", lines[4]].join("\n");
    for damage in [String::new(), without_a_line, with_a_line, without_a_time] {
        let mut damaged = item.clone();
        damaged.insert("m".to_owned(), AttributeValue::S(damage.clone()));
        let read = CommitItem::from_attributes(damaged).and_then(CommitItem::into_commit);
        assert!(read.is_err(), "{damage:?} was accepted");
    }
}

#[test]
fn an_item_whose_versions_do_not_add_up_is_refused() {
    let item = CommitItem::from(&commit(&placed(1))).into_attributes().expect("an item");
    for (attribute, value) in [("to", "2"), ("sk", "0"), ("sk", "2")] {
        let mut damaged = item.clone();
        damaged.insert(attribute.to_owned(), AttributeValue::N(value.to_owned()));
        let read = CommitItem::from_attributes(damaged).and_then(CommitItem::into_commit);
        assert!(read.is_err(), "{attribute} = {value} was accepted");
    }
}
