//! The expected results, computed from the input alone.
//!
//! This is a second, independent implementation of the domain's rules. It never sees the service's answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::script::{Command, Line, Script};
use crate::model::{Figures, Money, OrderStatus, PlaceOrder, ShipmentStatus};

/// The expected final state of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedOrder {
    /// The customer.
    pub customer: String,
    /// The sum over its items.
    pub total: Money,
    /// The status.
    pub status: OrderStatus,
    /// Whether a refund is expected.
    pub refund_requested: bool,
    /// The number of its events.
    pub version: u64,
    /// The number of its commits, one for each command that takes effect.
    pub commits: usize,
}

impl ExpectedOrder {
    /// The expected status of its shipment. `None` for an order that was cancelled before it was paid, because the
    /// contract does not define it.
    #[must_use]
    pub fn shipment(&self) -> Option<ShipmentStatus> {
        match self.status {
            OrderStatus::Placed => Some(ShipmentStatus::None),
            OrderStatus::Paid => Some(ShipmentStatus::Pending),
            OrderStatus::Shipped => Some(ShipmentStatus::Shipped),
            OrderStatus::Delivered => Some(ShipmentStatus::Delivered),
            OrderStatus::Cancelled if self.refund_requested => Some(ShipmentStatus::Cancelled),
            OrderStatus::Cancelled => None,
        }
    }

    fn placed(body: &Value) -> Option<Self> {
        let body: PlaceOrder = serde_json::from_value(body.clone()).ok()?;
        Some(Self {
            total: body.total()?,
            customer: body.customer_id,
            status: OrderStatus::Placed,
            refund_requested: false,
            version: 1,
            commits: 1,
        })
    }

    fn apply(&mut self, command: Command) {
        let refund = command == Command::Cancel && self.status == OrderStatus::Paid;
        self.status = match command {
            Command::Place => OrderStatus::Placed,
            Command::Pay => OrderStatus::Paid,
            Command::Cancel => OrderStatus::Cancelled,
            Command::Ship => OrderStatus::Shipped,
            Command::Deliver => OrderStatus::Delivered,
        };
        self.refund_requested |= refund;
        self.version += if refund { 2 } else { 1 };
        self.commits += 1;
    }
}

/// The expected state of a script's order, or `None` if it is never placed.
#[must_use]
pub fn order(script: &Script) -> Option<ExpectedOrder> {
    let mut lines = script.effective();
    let mut order = ExpectedOrder::placed(&lines.next()?.body)?;
    lines.map(|line| line.command).for_each(|command| order.apply(command));
    Some(order)
}

/// The amounts that the scripts add to the dashboard, by currency.
#[must_use]
pub fn figures(scripts: &[Script]) -> BTreeMap<String, Figures> {
    let mut by_currency: BTreeMap<String, Figures> = BTreeMap::new();
    for script in scripts {
        let Some(order) = order(script) else { continue };
        let figures = by_currency.entry(order.total.currency).or_default();
        let happened =
            |command| i64::from(script.effective().any(|line: &Line| line.command == command));
        figures.placed += 1;
        figures.paid += happened(Command::Pay);
        figures.shipped += happened(Command::Ship);
        figures.delivered += happened(Command::Deliver);
        figures.cancelled += happened(Command::Cancel);
        let kept = happened(Command::Pay) - i64::from(order.refund_requested);
        figures.revenue += kept * order.total.amount;
    }
    by_currency
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{figures, order};
    use crate::demo::script::{Command, Expect, Line, Script};
    use crate::model::{Figures, OrderStatus};

    fn script(commands: &[(Command, u16)]) -> Script {
        let price = json!({"amount": 450, "currency": "EUR"});
        let body = json!({"customerId": "c", "items": [{"sku": "tea", "quantity": 2, "unitPrice": price}]});
        let line = |(index, (command, status)): (usize, &(Command, u16))| Line {
            key: index.to_string(),
            command: *command,
            order: "o".to_owned(),
            if_match: None,
            body: body.clone(),
            expect: Expect { status: *status, problem: None },
        };
        Script { order: "o".to_owned(), lines: commands.iter().enumerate().map(line).collect() }
    }

    #[test]
    fn a_paid_order_that_is_cancelled_earns_nothing_and_has_one_event_more() {
        let script = script(&[
            (Command::Place, 201),
            (Command::Pay, 409),
            (Command::Pay, 200),
            (Command::Cancel, 200),
        ]);
        let expected = order(&script).expect("it is placed");

        assert_eq!(expected.status, OrderStatus::Cancelled);
        assert!(expected.refund_requested);
        assert_eq!((expected.version, expected.commits), (4, 3));
        let expected = Figures { placed: 1, paid: 1, cancelled: 1, ..Figures::default() };
        assert_eq!(figures(&[script])["EUR"], expected);
    }

    #[test]
    fn a_repeated_line_counts_once() {
        let mut script = script(&[(Command::Place, 201), (Command::Pay, 200)]);
        script.lines.push(script.lines[1].clone());
        let expected = Figures { placed: 1, paid: 1, revenue: 900, ..Figures::default() };

        assert_eq!(order(&script).map(|order| order.version), Some(2));
        assert_eq!(figures(&[script])["EUR"], expected);
    }

    #[test]
    fn an_order_that_is_refused_is_not_expected_anywhere() {
        let script = script(&[(Command::Place, 400)]);
        assert_eq!(order(&script), None);
        assert!(figures(&[script]).is_empty());
    }
}
