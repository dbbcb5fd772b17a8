use ledgerfold::EntityId;
use ledgerfold_lambda::http::{Method, Problem, Request};

/// The paths that take commands, as the contract writes them.
pub const COMMANDS: [&str; 5] = [
    "/orders",
    "/orders/{id}/pay",
    "/orders/{id}/cancel",
    "/orders/{id}/ship",
    "/orders/{id}/deliver",
];

/// The paths that answer queries, as the contract writes them.
pub const QUERIES: [&str; 5] = [
    "/orders/{id}",
    "/orders/{id}/events",
    "/orders/{id}/shipment",
    "/customers/{customerId}/orders",
    "/dashboard",
];

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A command.
    Command(CommandRoute),
    /// A query.
    Query(QueryRoute),
}

/// The commands.
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

/// The queries.
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
    /// Finds what a request is for, by the ending of its path, whatever stands before it. The longest ending counts:
    /// `/customers/c-1/orders` is a customer's list, and not `/orders` behind something else.
    ///
    /// # Errors
    /// 404 for a path that is none, 405 for the wrong method, 400 for an id that is none.
    pub fn find(request: &Request) -> Result<Self, Problem> {
        use CommandRoute::{Cancel, Deliver, Pay, Place, Ship};
        use QueryRoute::{CustomerOrders, Dashboard, Events, Order, Shipment};
        let command = |route| Ok(Self::Command(route));
        let query = |route| Ok(Self::Query(route));
        match request.path.segments()[..] {
            [.., ""] => nowhere(),
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
            _ => nowhere(),
        }
    }
}

type Found = Result<Route, Problem>;

fn nowhere() -> Found {
    Err(Problem::not_found("There is nothing at this path."))
}

/// The methods of a command's path, as `Allow` lists them.
pub(super) const OF_COMMANDS: &str = "POST";
/// The methods of a query's path.
pub(super) const OF_QUERIES: &str = "GET, HEAD";

fn post(request: &Request, route: impl FnOnce() -> Found) -> Found {
    if request.method == Method::POST {
        route()
    } else {
        Err(Problem::method_not_allowed(OF_COMMANDS))
    }
}

/// HEAD is answered as GET is; the body is left out at the edge.
fn get(request: &Request, route: impl FnOnce() -> Found) -> Found {
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
