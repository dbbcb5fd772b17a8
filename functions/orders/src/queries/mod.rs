//! The queries of the service, one file each: the path, the parameters, the answer, and how it is found. Routes, checks
//! and the OpenAPI document follow from these files.
//!
//! To add a query, copy the file that is most like it, and add it to the list below.

mod get_customer_orders;
mod get_dashboard;
mod get_events;
mod get_order;
mod get_shipment;

use ledgerfold::{Decider, EntityId, StreamId};
use ledgerfold_lambda::http::{Api, Problem, QueryCall};

use crate::domain::Orders;

pub use get_customer_orders::{GetCustomerOrders, ListedOrder};
pub use get_dashboard::{DashboardView, Day, Figures, GetDashboard};
pub use get_events::GetEvents;
pub use get_order::GetOrder;
pub use get_shipment::{GetShipment, ShipmentView};

/// Adds all queries.
pub(crate) fn add_to(api: Api) -> Api {
    api.query::<GetOrder>()
        .query::<GetEvents>()
        .query::<GetShipment>()
        .query::<GetCustomerOrders>()
        .query::<GetDashboard>()
}

/// The stream of an order of the caller's tenant.
fn stream(call: QueryCall<'_>, id: EntityId) -> StreamId {
    call.stream(Orders::CATEGORY, id)
}

fn no_such_order() -> Problem {
    Problem::not_found("The order does not exist, or it did not exist at that time.")
}

/// The order in the examples.
fn example_order() -> EntityId {
    EntityId::new("o-1").expect("o-1 is an id")
}
