//! Parsers for the bodies of commands. Each one reports all invalid fields.

use ledgerfold::EntityId;
use ledgerfold_lambda::http::Fields;
use orders_events::{Currency, Item, Money};

use crate::domain::OrderCommand;

/// The largest integer that every JSON parser represents exactly (RFC 8259, section 6).
const MAX_AMOUNT: i64 = (1 << 53) - 1;

const ID_RULE: &str = "must be 1 to 64 characters of A-Z a-z 0-9 . _ -, but not . or ..";
const SKU_RULE: &str = "must be 1 to 64 characters of A-Z a-z 0-9 . _ -";

pub(super) fn place(body: &mut Fields<'_>) -> Option<OrderCommand> {
    let customer_id = id(body, "customerId");
    let items = body.objects("items", (1, 100), item);
    let total = items.as_ref().and_then(|items| total(body, items));
    Some(OrderCommand::PlaceOrder { customer_id: customer_id?, items: items?, total: total? })
}

pub(super) fn pay(body: &mut Fields<'_>) -> Option<OrderCommand> {
    let payment_reference = body.short_text("paymentReference", 200);
    let amount = body.object("amount", |amount| money(amount, MAX_AMOUNT));
    Some(OrderCommand::PayOrder { payment_reference: payment_reference?, amount: amount? })
}

pub(super) fn cancel(body: &mut Fields<'_>) -> Option<OrderCommand> {
    Some(OrderCommand::CancelOrder { reason: body.short_text("reason", 200)? })
}

pub(super) fn ship(body: &mut Fields<'_>) -> Option<OrderCommand> {
    let carrier = body.short_text("carrier", 200);
    let tracking_number = body.short_text("trackingNumber", 200);
    Some(OrderCommand::ShipOrder { carrier: carrier?, tracking_number: tracking_number? })
}

pub(super) fn deliver(_: &mut Fields<'_>) -> Option<OrderCommand> {
    Some(OrderCommand::DeliverOrder)
}

fn item(item: &mut Fields<'_>) -> Option<Item> {
    let sku = item.text("sku", SKU_RULE, |text| is_sku(text).then(|| text.to_owned()));
    let quantity = item.integer("quantity", 1, 10_000);
    let unit_price = item.object("unitPrice", |price| money(price, 100_000_000));
    Some(Item { sku: sku?, quantity: u32::try_from(quantity?).ok()?, unit_price: unit_price? })
}

fn is_sku(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

fn id(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    fields.text(name, ID_RULE, |text| EntityId::new(text).ok().map(String::from))
}

fn money(fields: &mut Fields<'_>, most: i64) -> Option<Money> {
    let amount = fields.integer("amount", 0, most);
    let currency =
        fields.text("currency", "must be a current ISO 4217 code, for example EUR", |code| {
            iso_currency::Currency::from_code(code).and_then(|_| Currency::from_code(code).ok())
        });
    Some(Money { amount: amount?, currency: currency? })
}

/// The sum of the items, which must have one currency.
fn total(body: &mut Fields<'_>, items: &[Item]) -> Option<Money> {
    let currency = items.first()?.unit_price.currency;
    if items.iter().any(|item| item.unit_price.currency != currency) {
        body.refuse("items", "must all be priced in the same currency");
        return None;
    }
    let sum = items.iter().try_fold(Money { amount: 0, currency }, |sum, item| {
        sum.checked_add(item.unit_price.checked_mul(item.quantity)?)
    });
    let sum = sum.filter(|sum| sum.amount <= MAX_AMOUNT);
    if sum.is_none() {
        body.refuse("items", format!("must not cost more than {MAX_AMOUNT} in total"));
    }
    sum
}
