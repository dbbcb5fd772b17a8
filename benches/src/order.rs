//! The aggregate of all contestants: an order that is placed, paid and shipped, and that can have notes. Pure.

use ledgerfold::{
    Category, CommandName, Decider, DecisionContext, Rejection, RejectionKind, Snapshots, events,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    pub sku: String,
    pub name: String,
    pub quantity: u64,
    pub unit_cents: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlaced {
    pub customer_id: String,
    pub lines: Vec<Line>,
    pub total_cents: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPaid {
    pub payment_id: String,
    pub amount_cents: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderShipped {
    pub carrier: String,
    pub tracking: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoteAdded {
    pub text: String,
}

events! {
    pub enum Event {
        OrderPlaced: 1,
        OrderPaid: 1,
        OrderShipped: 1,
        NoteAdded: 1,
    }
}

/// The events of the other libraries and the baseline: the same content with a type tag.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Event", tag = "type")]
enum Tagged {
    OrderPlaced(OrderPlaced),
    OrderPaid(OrderPaid),
    OrderShipped(OrderShipped),
    NoteAdded(NoteAdded),
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Tagged::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Tagged::deserialize(deserializer)
    }
}

impl Event {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OrderPlaced(_) => "OrderPlaced",
            Self::OrderPaid(_) => "OrderPaid",
            Self::OrderShipped(_) => "OrderShipped",
            Self::NoteAdded(_) => "NoteAdded",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub enum Command {
    Place {
        customer_id: String,
        lines: Vec<Line>,
    },
    Pay {
        payment_id: String,
    },
    Ship {
        carrier: String,
        tracking: String,
    },
    /// Always accepted. Used for long streams and repeated commands.
    Note {
        text: String,
    },
}

impl ledgerfold::Command for Command {
    fn name(&self) -> CommandName {
        CommandName::from_static(match self {
            Self::Place { .. } => "Place",
            Self::Pay { .. } => "Pay",
            Self::Ship { .. } => "Ship",
            Self::Note { .. } => "Note",
        })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Status {
    #[default]
    New,
    Placed,
    Paid,
    Shipped,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    pub status: Status,
    pub total_cents: u64,
    /// Counts the events, which reveals lost and duplicate ones.
    pub events: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the command does not fit the order's status")]
pub struct Rejected;

impl Rejection for Rejected {
    fn rule(&self) -> &'static str {
        "order-status"
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

impl Order {
    pub fn decide(&self, command: &Command) -> Result<Event, Rejected> {
        match (self.status, command.clone()) {
            (Status::New, Command::Place { customer_id, lines }) => {
                let total_cents = lines.iter().map(|line| line.quantity * line.unit_cents).sum();
                Ok(OrderPlaced { customer_id, lines, total_cents }.into())
            }
            (Status::Placed, Command::Pay { payment_id }) => {
                Ok(OrderPaid { payment_id, amount_cents: self.total_cents }.into())
            }
            (Status::Paid, Command::Ship { carrier, tracking }) => {
                Ok(OrderShipped { carrier, tracking }.into())
            }
            (_, Command::Note { text }) => Ok(NoteAdded { text }.into()),
            _ => Err(Rejected),
        }
    }

    pub fn apply(&mut self, event: &Event) {
        self.events += 1;
        match event {
            Event::OrderPlaced(placed) => {
                self.status = Status::Placed;
                self.total_cents = placed.total_cents;
            }
            Event::OrderPaid(_) => self.status = Status::Paid,
            Event::OrderShipped(_) => self.status = Status::Shipped,
            Event::NoteAdded(_) => {}
        }
    }
}

/// The order as a domain of Ledgerfold, with or without snapshots.
pub struct Orders<const SNAPSHOTS: bool>;

impl<const SNAPSHOTS: bool> Decider for Orders<SNAPSHOTS> {
    type Command = Command;
    type Event = Event;
    type State = Order;
    type Rejection = Rejected;

    const CATEGORY: Category = Category::from_static("order");

    fn initial() -> Order {
        Order::default()
    }

    fn evolve(mut order: Order, event: &Event) -> Order {
        order.apply(event);
        order
    }

    fn decide(
        order: &Order,
        command: &Command,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<Event>, Rejected> {
        order.decide(command).map(|event| vec![event])
    }

    fn snapshots() -> Option<Snapshots<Order>> {
        SNAPSHOTS.then(|| Snapshots::of::<Self>(1))
    }
}

pub fn place(number: u64) -> Command {
    let line = |at: u64, name: &str| Line {
        sku: format!("SKU-{:06}", (number * 7 + at * 13) % 1_000_000),
        name: name.to_owned(),
        quantity: 1 + at,
        unit_cents: 1999 + at,
    };
    let lines = vec![line(0, "Blue widget"), line(1, "Red gadget"), line(2, "Spare part")];
    Command::Place { customer_id: format!("customer-{number:012}"), lines }
}

pub fn pay(number: u64) -> Command {
    Command::Pay { payment_id: format!("payment-{number:012}") }
}

pub fn ship(number: u64) -> Command {
    Command::Ship { carrier: "ACME Express".to_owned(), tracking: format!("1Z{number:014}") }
}

/// The three commands of an order.
pub fn life(number: u64) -> [Command; 3] {
    [place(number), pay(number), ship(number)]
}

pub fn note(bytes: usize) -> Command {
    Command::Note { text: "n".repeat(bytes) }
}

pub fn notes(count: usize, bytes: usize) -> Vec<Event> {
    vec![NoteAdded { text: "n".repeat(bytes) }.into(); count]
}
