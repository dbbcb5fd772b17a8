//! The lists of customers' orders.

use std::fmt;

use ledgerfold::{
    EntityId, InvalidId, Recorded, Timestamp,
    ports::{IndexKey, IndexOrder},
    project::Projection,
};
use orders_events::{Money, OrderEvent};
use serde::{Deserialize, Serialize};

use super::{Status, not_placed};

/// The orders of a customer, newest first.
#[derive(Clone, Copy, Debug)]
pub struct CustomerOrders;

/// An order in its customer's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerOrder {
    /// Its id.
    pub id: String,
    /// The customer.
    pub customer_id: String,
    /// The current status.
    pub status: Status,
    /// The total price.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// The position of an order in its customer's list: by the time of placing, then by id. Its text is the order key of
/// the index. It contains only this time and this id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlaceInList {
    placed_at: Timestamp,
    id: String,
}

impl PlaceInList {
    /// The position of this order.
    pub fn of(order: &CustomerOrder) -> Self {
        Self { placed_at: order.placed_at, id: order.id.clone() }
    }

    /// The order key of this position.
    pub fn order(&self) -> IndexOrder {
        IndexOrder::new(self.to_string()).expect("a time and an id are short")
    }
}

impl fmt::Display for PlaceInList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}#{}", self.placed_at, self.id)
    }
}

impl From<PlaceInList> for String {
    fn from(place: PlaceInList) -> Self {
        place.to_string()
    }
}

/// A text that is not a position in a customer's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a position in the list is a time and an order id")]
pub struct NoPlace;

impl TryFrom<String> for PlaceInList {
    type Error = NoPlace;

    fn try_from(text: String) -> Result<Self, NoPlace> {
        let (time, id) = text.split_once('#').ok_or(NoPlace)?;
        let placed_at = time.parse().map_err(|_| NoPlace)?;
        let id = EntityId::new(id).map_err(|_| NoPlace)?.into();
        Ok(Self { placed_at, id })
    }
}

impl Projection for CustomerOrders {
    type Event = OrderEvent;
    type Row = CustomerOrder;

    fn evolve(
        row: Option<CustomerOrder>,
        event: &Recorded<OrderEvent>,
    ) -> Result<Option<CustomerOrder>, String> {
        if let OrderEvent::OrderPlaced(placed) = &event.event {
            return Ok(Some(CustomerOrder {
                id: event.stream.id().to_string(),
                customer_id: placed.customer_id.clone(),
                status: Status::Placed,
                total: placed.total,
                placed_at: event.recorded_at,
            }));
        }
        let order = row.ok_or_else(not_placed)?;
        Ok(Some(CustomerOrder { status: order.status.after(&event.event), ..order }))
    }

    fn index(row: &CustomerOrder) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::new(&*row.customer_id, PlaceInList::of(row).to_string()).map(Some)
    }
}
