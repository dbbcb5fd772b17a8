//! The history of one order: its events, and its state in the past.

use std::io::Write;

use acceptance::report::{align_right, heading, table};

use super::DemoError;
use super::snapshot::PlacedOrder;
use crate::client::{Client, ClientError, Request};
use crate::model::{EventRecord, Order};

const LONGEST_DATA: usize = 38;

/// The first of the orders with the most events.
pub(super) fn most_eventful(orders: &[PlacedOrder]) -> Option<&PlacedOrder> {
    orders.iter().rev().max_by_key(|order| order.expected.version)
}

/// Reports the order's events, and its state at an earlier version and time. Returns differences.
pub(super) async fn show(
    out: &mut impl Write,
    client: &Client,
    order: &PlacedOrder,
) -> Result<Vec<String>, DemoError> {
    let events: Vec<EventRecord> = client.events(&order.id).all_pages().await?;
    heading(out, &format!("One order's history: {}", order.id))?;
    writeln!(out, "{}", event_table(&events))?;

    let mut differences = Vec::new();
    let versions: Vec<u64> = events.iter().map(|event| event.version).collect();
    if versions != (1..=order.expected.version).collect::<Vec<_>>() {
        differences
            .push(format!("order {}: its audit log has the versions {versions:?}", order.id));
    }
    let Some(middle) = events.get(events.len() / 2) else {
        return Ok(differences);
    };

    let version = middle.version;
    let shown = past(client.order(&order.id).query("version", version)).await?;
    writeln!(out, "  as at version {version}: {}, version {}", shown.status, shown.version)?;
    differences.extend(unequal(&order.id, shown.version, version));

    let at = middle.recorded_at;
    let shown = past(client.order(&order.id).query("at", at)).await?;
    writeln!(out, "  as recorded by {at}: {}, version {}", shown.status, shown.version)?;
    let by_then = events.iter().filter(|event| event.recorded_at <= at).map(|event| event.version);
    differences.extend(unequal(&order.id, shown.version, by_then.max().unwrap_or_default()));
    Ok(differences)
}

async fn past(request: Request<'_>) -> Result<Order, ClientError> {
    request.send().await?.expect_status(200)?.json()
}

fn unequal(order: &str, shown: u64, expected: u64) -> Option<String> {
    (shown != expected).then(|| {
        format!("order {order}: in the past shown at version {shown}, expected version {expected}")
    })
}

fn event_table(events: &[EventRecord]) -> comfy_table::Table {
    let mut table = table(&["version", "event", "recorded at", "data"]);
    align_right(&mut table, 0);
    for event in events {
        table.add_row([
            event.version.to_string(),
            event.r#type.clone(),
            event.recorded_at.to_string(),
            shortened(&event.data.to_string()),
        ]);
    }
    table
}

fn shortened(data: &str) -> String {
    if data.chars().count() <= LONGEST_DATA {
        return data.to_owned();
    }
    data.chars().take(LONGEST_DATA - 1).chain(['…']).collect()
}
