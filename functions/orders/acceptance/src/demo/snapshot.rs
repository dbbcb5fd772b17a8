//! All answers of the read side about the orders of one run, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::drive::OrderRun;
use super::expected::{self, ExpectedOrder};
use crate::Answer;
use crate::client::{Client, Request};
use crate::model::{Order, OrderSummary, Shipment};
use crate::wait::eventually;

const READERS: usize = 8;
const LONGEST_PAGE: u32 = 100;
// How many characters of a body are shown around a difference.
const EXCERPT: usize = 80;

/// An order of a run, with its expected final state.
#[derive(Debug, Clone)]
pub struct PlacedOrder {
    /// The id that the service chose.
    pub id: String,
    /// The expected final state.
    pub expected: ExpectedOrder,
}

/// The orders of a run that were placed and should be.
#[must_use]
pub fn placed_orders(runs: &[OrderRun]) -> Vec<PlacedOrder> {
    let placed = |run: &OrderRun| {
        Some(PlacedOrder { id: run.id.clone()?, expected: expected::order(&run.script)? })
    };
    runs.iter().filter_map(placed).collect()
}

/// The answers of the read models, by query.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The path of each query with the body of its answer. For a list, the items of all pages.
    pub bodies: BTreeMap<String, String>,
    /// Answers that did not match the expectation in time.
    pub wrong: Vec<String>,
    /// The duration of each query.
    pub took: Vec<Duration>,
}

impl Snapshot {
    /// Reads every order, every shipment and every customer's list. Waits for each until it matches the expectation,
    /// but for all together no longer than the deadline. Answers that do not match by then are listed in the snapshot.
    pub async fn take(client: &Client, orders: &[PlacedOrder], deadline: Duration) -> Self {
        let reader = Reader { client, until: Instant::now() + deadline };
        let reader = &reader;
        let customers: BTreeSet<_> =
            orders.iter().map(|order| order.expected.customer.as_str()).collect();
        let mut snapshot = Self::default();

        let views = orders.iter().map(|order| reader.order(order));
        snapshot.extend(stream::iter(views).buffer_unordered(READERS)).await;
        let shipments = orders.iter().map(|order| reader.shipment(order));
        snapshot.extend(stream::iter(shipments).buffer_unordered(READERS)).await;
        let lists = customers.into_iter().map(|customer| reader.customer(customer, orders));
        snapshot.extend(stream::iter(lists).buffer_unordered(READERS)).await;
        snapshot
    }

    /// The answers that differ in `later`, as descriptions.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let paths: BTreeSet<_> = self.bodies.keys().chain(later.bodies.keys()).collect();
        paths
            .into_iter()
            .filter(|path| self.bodies.get(*path) != later.bodies.get(*path))
            .map(|path| {
                let body = |snapshot: &Self| snapshot.bodies.get(path).cloned().unwrap_or_default();
                difference(path, &body(self), &body(later))
            })
            .collect()
    }

    async fn extend(&mut self, readings: impl futures::Stream<Item = Reading>) {
        let readings: Vec<Reading> = readings.collect().await;
        for reading in readings {
            self.took.extend(reading.took);
            self.wrong.extend(reading.wrong);
            self.bodies.insert(reading.path, reading.body);
        }
    }
}

/// Two different bodies, cut to the part around the first difference.
pub(super) fn difference(path: &str, before: &str, after: &str) -> String {
    let alike = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let start = alike.saturating_sub(EXCERPT / 2);
    let excerpt = |body: &str| body.chars().skip(start).take(EXCERPT).collect::<String>();
    format!("GET {path}\n  before: …{}…\n  after:  …{}…", excerpt(before), excerpt(after))
}

/// An answer that was read, repeatedly if necessary.
struct Reading {
    path: String,
    body: String,
    took: Vec<Duration>,
    wrong: Option<String>,
}

struct Reader<'a> {
    client: &'a Client,
    until: Instant,
}

impl Reader<'_> {
    async fn order(&self, order: &PlacedOrder) -> Reading {
        let path = format!("/orders/{}", order.id);
        let expected = &order.expected;
        self.single(path, |answer| {
            let view: Order = answer.json().map_err(|error| error.to_string())?;
            let shown = ExpectedOrder {
                customer: view.customer_id,
                total: view.total,
                status: view.status,
                refund_requested: view.refund_requested,
                version: view.version,
                commits: expected.commits,
            };
            expect_equal(&shown, expected)
        })
        .await
    }

    async fn shipment(&self, order: &PlacedOrder) -> Reading {
        let path = format!("/orders/{}/shipment", order.id);
        let expected = &order.expected;
        self.single(path, |answer| {
            let shipment: Shipment = answer.json().map_err(|error| error.to_string())?;
            let status = expected.shipment().unwrap_or(shipment.status);
            expect_equal(&(shipment.version, shipment.status), &(expected.version, status))
        })
        .await
    }

    async fn customer(&self, customer: &str, orders: &[PlacedOrder]) -> Reading {
        let path = format!("/customers/{customer}/orders");
        let of_customer: Vec<_> =
            orders.iter().filter(|order| order.expected.customer == customer).collect();
        let mut body = String::new();
        let mut took = Vec::new();
        let outcome = eventually(&path, self.left(), async || {
            let (items, raw) = self.list(&path, &mut took).await?;
            body = raw;
            of_customer.iter().try_for_each(|order| shown_in(&items, order))
        })
        .await;
        Reading { path, body, took, wrong: outcome.err().map(|error| error.to_string()) }
    }

    /// Reads one body until it passes the check.
    async fn single(&self, path: String, check: impl Fn(&Answer) -> Result<(), String>) -> Reading {
        let mut body = String::new();
        let mut took = Vec::new();
        let outcome = eventually(&path, self.left(), async || {
            let answer = ask(self.client.get(&path), &mut took).await?;
            body = answer.text();
            check(&answer)
        })
        .await;
        Reading { path, body, took, wrong: outcome.err().map(|error| error.to_string()) }
    }

    /// Reads all pages of a list, parsed and as text.
    async fn list(
        &self,
        path: &str,
        took: &mut Vec<Duration>,
    ) -> Result<(Vec<OrderSummary>, String), String> {
        let mut items = Vec::new();
        let mut raw = String::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut request = self.client.get(path).query("limit", LONGEST_PAGE);
            if let Some(cursor) = &cursor {
                request = request.query("cursor", cursor);
            }
            let answer = ask(request, took).await?;
            let page: RawPage = answer.json().map_err(|error| error.to_string())?;
            let read: Vec<OrderSummary> =
                serde_json::from_str(page.items.get()).map_err(|error| error.to_string())?;
            items.extend(read);
            raw.push_str(page.items.get());
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok((items, raw));
            }
        }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// A page with its items as text. Cursors are not compared: they are opaque and may differ each time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPage {
    items: Box<RawValue>,
    next_cursor: Option<String>,
}

async fn ask(request: Request<'_>, took: &mut Vec<Duration>) -> Result<Answer, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    took.push(answer.took());
    answer.expect_status(200).map_err(|error| error.to_string())
}

fn shown_in(items: &[OrderSummary], order: &PlacedOrder) -> Result<(), String> {
    let expected = &order.expected;
    let mut entries = items.iter().filter(|item| item.id == order.id);
    let entry = entries.next().ok_or_else(|| format!("{} is missing", order.id))?;
    if entries.next().is_some() {
        return Err(format!("{} is there twice", order.id));
    }
    let shown = (entry.version, entry.status, &entry.total);
    expect_equal(&shown, &(expected.version, expected.status, &expected.total))
}

fn expect_equal<T: PartialEq + std::fmt::Debug>(shown: &T, expected: &T) -> Result<(), String> {
    if shown == expected {
        return Ok(());
    }
    Err(format!("shown {shown:?}, expected {expected:?}"))
}

#[cfg(test)]
mod tests {
    use super::Snapshot;

    fn snapshot(version: u32) -> Snapshot {
        let body = format!("{}\"version\":{version}{}", "é".repeat(200), "x".repeat(200));
        let bodies = [("/orders/1".to_owned(), body), ("/orders/2".to_owned(), String::new())];
        Snapshot { bodies: bodies.into(), ..Snapshot::default() }
    }

    #[test]
    fn a_difference_is_shown_with_its_surroundings() {
        assert_eq!(snapshot(1).differences(&snapshot(1)), Vec::<String>::new());

        let differences = snapshot(1).differences(&snapshot(2));
        assert_eq!(differences.len(), 1);
        assert!(differences[0].starts_with("GET /orders/1\n"), "{}", differences[0]);
        assert!(differences[0].contains("\"version\":1x"), "{}", differences[0]);
        assert!(differences[0].contains("\"version\":2x"), "{}", differences[0]);
        assert!(differences[0].lines().all(|line| line.chars().count() < 100));
    }

    #[test]
    fn a_missing_answer_is_a_difference() {
        assert_eq!(snapshot(1).differences(&Snapshot::default()).len(), 2);
        assert_eq!(Snapshot::default().differences(&snapshot(1)).len(), 2);
    }
}
