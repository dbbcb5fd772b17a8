//! The routes of the service.

use ledgerfold::EntityId;
use ledgerfold_lambda::http::{Method, Problem, Request};

/// The paths of commands, as in the contract.
pub const COMMANDS: [&str; 5] = [
    "/orders",
    "/orders/{id}/pay",
    "/orders/{id}/cancel",
    "/orders/{id}/ship",
    "/orders/{id}/deliver",
];

/// The paths of queries, as in the contract.
pub const QUERIES: [&str; 5] = [
    "/orders/{id}",
    "/orders/{id}/events",
    "/orders/{id}/shipment",
    "/customers/{customerId}/orders",
    "/dashboard",
];

/// The operation that a request addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A command.
    Command(CommandRoute),
    /// A query.
    Query(QueryRoute),
}

/// An operation that runs a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandRoute {
    /// `POST /orders`
    Place,
    /// `POST /orders/{id}/pay`
    Pay(EntityId),
    /// `POST /orders/{id}/cancel`
    Cancel(EntityId),
    /// `POST /orders/{id}/ship`
    Ship(EntityId),
    /// `POST /orders/{id}/deliver`
    Deliver(EntityId),
}

/// An operation that answers a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryRoute {
    /// `GET /orders/{id}`
    Order(EntityId),
    /// `GET /orders/{id}/events`
    Events(EntityId),
    /// `GET /orders/{id}/shipment`
    Shipment(EntityId),
    /// `GET /customers/{customerId}/orders`
    CustomerOrders(EntityId),
    /// `GET /dashboard`
    Dashboard,
}

impl Route {
    /// Finds the operation of a request by the end of its path, with any prefix. The longest match counts:
    /// `/customers/c-1/orders` is a customer's list, and not `/orders` after a prefix.
    ///
    /// # Errors
    /// 404 for an unknown path, 405 for a wrong method, 400 for an invalid id.
    pub fn find(request: &Request) -> Result<Self, Problem> {
        use CommandRoute::{Cancel, Deliver, Pay, Place, Ship};
        use QueryRoute::{CustomerOrders, Dashboard, Events, Order, Shipment};
        let command = |route| Ok(Self::Command(route));
        let query = |route| Ok(Self::Query(route));
        match request.path.segments()[..] {
            [.., ""] => unknown_path(),
            [.., "orders", id, "pay"] => post(request, || command(Pay(order_id(id)?))),
            [.., "orders", id, "cancel"] => post(request, || command(Cancel(order_id(id)?))),
            [.., "orders", id, "ship"] => post(request, || command(Ship(order_id(id)?))),
            [.., "orders", id, "deliver"] => post(request, || command(Deliver(order_id(id)?))),
            [.., "orders", id, "events"] => get(request, || query(Events(order_id(id)?))),
            [.., "orders", id, "shipment"] => get(request, || query(Shipment(order_id(id)?))),
            [.., "customers", id, "orders"] => {
                get(request, || query(CustomerOrders(valid_id("customer", id)?)))
            }
            [.., "orders", id] => get(request, || query(Order(order_id(id)?))),
            [.., "orders"] => post(request, || command(Place)),
            [.., "dashboard"] => get(request, || query(Dashboard)),
            _ => unknown_path(),
        }
    }
}

type FindResult = Result<Route, Problem>;

fn unknown_path() -> FindResult {
    Err(Problem::not_found("This path does not exist."))
}

/// The methods of a command's path, for `Allow`.
pub(super) const OF_COMMANDS: &str = "POST";
/// The methods of a query's path, for `Allow`.
pub(super) const OF_QUERIES: &str = "GET, HEAD";

fn post(request: &Request, route: impl FnOnce() -> FindResult) -> FindResult {
    if request.method == Method::POST {
        route()
    } else {
        Err(Problem::method_not_allowed(OF_COMMANDS))
    }
}

/// HEAD is routed like GET; the gateway adapter removes the body.
fn get(request: &Request, route: impl FnOnce() -> FindResult) -> FindResult {
    if [Method::GET, Method::HEAD].contains(&request.method) {
        route()
    } else {
        Err(Problem::method_not_allowed(OF_QUERIES))
    }
}

fn order_id(text: &str) -> Result<EntityId, Problem> {
    valid_id("order", text)
}

fn valid_id(of: &str, text: &str) -> Result<EntityId, Problem> {
    EntityId::new(text).map_err(|rule| Problem::bad_request(format!("The id of the {of}: {rule}.")))
}
