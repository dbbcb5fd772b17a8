//! The stack under test, and orders for tests.

use std::fs::File;
use std::time::Duration;

use orders_acceptance::aws::Aws;
use orders_acceptance::model::{
    Accepted, CancelOrder, Dashboard, Figures, Item, Money, PayOrder, PlaceOrder, ShipOrder,
};
use orders_acceptance::{Answer, Client, Patience, Request, Stack};
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior, interval};
use uuid::Uuid;

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

/// A clock that skips missed ticks.
pub(crate) fn every(period: Duration) -> Interval {
    let mut clock = interval(period);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock
}

/// The running stack.
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) client: Client,
    pub(crate) aws: Aws,
    // The lock is held as long as the world exists.
    _turn: File,
}

impl World {
    /// The stack, shared with other tests.
    pub(crate) fn shared() -> Self {
        Self::open(|file| file.lock_shared().expect("the file system has locks"))
    }

    /// The stack without any other test. It uses a file lock, because the test runner starts a process for each test.
    pub(crate) fn alone() -> Self {
        Self::open(|file| file.lock().expect("the file system has locks"))
    }

    fn open(take_turn: impl Fn(&File)) -> Self {
        let path = Stack::path().expect("the stack is up");
        let turn = File::create(path.with_extension("lock")).expect("the folder can be written");
        take_turn(&turn);
        let stack = Stack::read(&path).expect("the stack is up");
        let client =
            Client::new(&stack.contexts["orders"]).expect("the stack file names the service");
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

/// Sends a request that must get this status.
pub(crate) async fn answered(request: Request<'_>, status: u16) -> Answer {
    let answer = request.send().await.expect("the service answers");
    answer.expect_status(status).expect("the status of the contract")
}

pub(crate) fn token_of(answer: &Answer) -> String {
    answer.consistency_token().expect("a success carries a token").to_owned()
}

/// A unique name, also across runs.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::new_v4().simple())
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
