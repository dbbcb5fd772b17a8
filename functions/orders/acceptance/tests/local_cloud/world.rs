//! The stack under test, and orders for tests.

use std::time::Duration;

use acceptance::turn::Turn;
pub(crate) use acceptance::{checks::answered, every, unique};
use orders_acceptance::aws::Aws;
use orders_acceptance::model::{
    Accepted, CancelOrder, Dashboard, Figures, Item, Money, PayOrder, PlaceOrder, ShipOrder,
};
use orders_acceptance::{Answer, Client, Patience, Request, Stack};
use serde::Serialize;

/// The longest time until an event reaches the read models.
pub(crate) const PROJECTED: Duration = Duration::from_secs(120);

/// The currency of most tests.
pub(crate) const EURO: &str = "EUR";

/// Currencies of one test each, so that it can rely on the dashboard's figures.
pub(crate) mod currency {
    pub(crate) const READ_YOUR_WRITES: &str = "NOK";
    pub(crate) const CANCELLED_AFTER_PAYMENT: &str = "SEK";
    pub(crate) const RACE: &str = "DKK";
}

/// The running stack.
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) client: Client,
    pub(crate) aws: Aws,
    // Other tests wait until the world is dropped.
    _turn: Turn,
}

impl World {
    /// The stack, shared with other tests.
    pub(crate) fn shared() -> Self {
        Self::of(Turn::shared())
    }

    /// The stack without any other test.
    pub(crate) fn alone() -> Self {
        Self::of(Turn::alone())
    }

    fn of(turn: Turn) -> Self {
        let stack = turn.stack.clone();
        let client = Client::new(&stack).expect("the stack file names the service");
        Self { aws: Aws::new(&stack), client, stack, _turn: turn }
    }

    /// A client that returns the first answer.
    pub(crate) fn impatient(&self) -> Client {
        self.client.with_patience(Patience::Once)
    }

    /// The commits of an order's stream in the event table.
    pub(crate) async fn commits(&self, order: &str) -> usize {
        self.aws.commits(order).await.expect("the event table can be queried")
    }

    /// A new order of 9.00 euro, by a new customer.
    pub(crate) async fn placed(&self) -> TestOrder {
        self.place(&basket(&unique("customer"), EURO)).await
    }

    pub(crate) async fn place(&self, body: &PlaceOrder) -> TestOrder {
        let answer = answered(self.client.place(&unique("place"), body), 201).await;
        let accepted = answer.accepted().expect("the body of a success");
        TestOrder {
            id: accepted.id,
            customer: body.customer_id.clone(),
            total: body.total().expect("it has items"),
            version: accepted.version,
            token: token_of(&answer),
        }
    }

    pub(crate) async fn paid(&self) -> TestOrder {
        let mut order = self.placed().await;
        self.pay(&mut order).await;
        order
    }

    pub(crate) async fn shipped(&self) -> TestOrder {
        let mut order = self.paid().await;
        self.ship(&mut order).await;
        order
    }

    pub(crate) async fn delivered(&self) -> TestOrder {
        let mut order = self.shipped().await;
        self.deliver(&mut order).await;
        order
    }

    pub(crate) async fn cancelled(&self) -> TestOrder {
        let mut order = self.placed().await;
        self.cancel(&mut order).await;
        order
    }

    pub(crate) async fn pay(&self, order: &mut TestOrder) -> Accepted {
        order.after(self.client.pay(&unique("pay"), &order.id, &order.payment())).await
    }

    pub(crate) async fn cancel(&self, order: &mut TestOrder) -> Accepted {
        order.after(self.client.cancel(&unique("cancel"), &order.id, &reason())).await
    }

    pub(crate) async fn ship(&self, order: &mut TestOrder) -> Accepted {
        order.after(self.client.ship(&unique("ship"), &order.id, &parcel())).await
    }

    pub(crate) async fn deliver(&self, order: &mut TestOrder) -> Accepted {
        order.after(self.client.deliver(&unique("deliver"), &order.id)).await
    }
}

/// An order of a test, with its state after the last answer.
#[derive(Debug, Clone)]
pub(crate) struct TestOrder {
    pub(crate) id: String,
    pub(crate) customer: String,
    pub(crate) total: Money,
    pub(crate) version: u64,
    pub(crate) token: String,
}

impl TestOrder {
    pub(crate) fn payment(&self) -> PayOrder {
        PayOrder { payment_reference: "psp-1".to_owned(), amount: self.total.clone() }
    }

    async fn after(&mut self, command: Request<'_>) -> Accepted {
        let answer = answered(command, 200).await;
        let accepted = answer.accepted().expect("the body of a success");
        self.version = accepted.version;
        self.token = token_of(&answer);
        accepted
    }
}

pub(crate) fn token_of(answer: &Answer) -> String {
    answer.consistency_token().expect("a success carries a token").to_owned()
}

/// Two packets of tea at 4.50.
pub(crate) fn basket(customer: &str, currency: &str) -> PlaceOrder {
    let tea = Item { sku: "tea".to_owned(), quantity: 2, unit_price: Money::new(450, currency) };
    PlaceOrder { customer_id: customer.to_owned(), items: vec![tea] }
}

pub(crate) fn reason() -> CancelOrder {
    CancelOrder { reason: "changed my mind".to_owned() }
}

pub(crate) fn parcel() -> ShipOrder {
    ShipOrder { carrier: "DHL".to_owned(), tracking_number: "00340".to_owned() }
}

/// The value as JSON of exactly this many bytes, filled up with spaces.
pub(crate) fn padded(value: &impl Serialize, bytes: usize) -> Vec<u8> {
    let mut json = serde_json::to_vec(value).expect("JSON");
    assert!(json.len() <= bytes, "there is room");
    json.resize(bytes, b' ');
    json
}

/// The totals in one currency, or zeros if nothing was counted.
pub(crate) fn totals_in(dashboard: &Dashboard, currency: &str) -> Figures {
    let mut totals = dashboard.totals.iter().filter(|total| total.currency == currency);
    let figures = totals.next().map(|total| total.figures).unwrap_or_default();
    assert!(totals.next().is_none(), "{currency} has one line of totals");
    figures
}
