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
    /// Finds what a request is for.
    ///
    /// # Errors
    /// 404 for a path that is none, 405 for the wrong method, 400 for an id that is none.
    pub fn find(request: &Request) -> Result<Self, Problem> {
        use CommandRoute::{Cancel, Deliver, Pay, Place, Ship};
        use QueryRoute::{CustomerOrders, Dashboard, Events, Order, Shipment};
        let (command, query) = (Self::Command, Self::Query);
        let nowhere = || Err(Problem::not_found("There is nothing at this path."));
        let segments = request.segments();
        if segments.contains(&"") {
            return nowhere();
        }
        match segments[..] {
            ["orders"] => post(request, || Ok(command(Place))),
            ["orders", id, "pay"] => post(request, || Ok(command(Pay(order_id(id)?)))),
            ["orders", id, "cancel"] => post(request, || Ok(command(Cancel(order_id(id)?)))),
            ["orders", id, "ship"] => post(request, || Ok(command(Ship(order_id(id)?)))),
            ["orders", id, "deliver"] => post(request, || Ok(command(Deliver(order_id(id)?)))),
            ["orders", id, "events"] => get(request, || Ok(query(Events(order_id(id)?)))),
            ["orders", id, "shipment"] => get(request, || Ok(query(Shipment(order_id(id)?)))),
            ["orders", id] => get(request, || Ok(query(Order(order_id(id)?)))),
            ["customers", id, "orders"] => {
                get(request, || Ok(query(CustomerOrders(valid_id("customer", id)?))))
            }
            ["dashboard"] => get(request, || Ok(query(Dashboard))),
            _ => nowhere(),
        }
    }
}

type Found = Result<Route, Problem>;

fn post(request: &Request, route: impl FnOnce() -> Found) -> Found {
    on(request, &Method::POST, route)
}

fn get(request: &Request, route: impl FnOnce() -> Found) -> Found {
    on(request, &Method::GET, route)
}

fn on(request: &Request, method: &Method, route: impl FnOnce() -> Found) -> Found {
    if request.method == *method {
        route()
    } else {
        Err(Problem::method_not_allowed(method.as_str()))
    }
}

fn order_id(text: &str) -> Result<EntityId, Problem> {
    valid_id("order", text)
}

fn valid_id(of: &str, text: &str) -> Result<EntityId, Problem> {
    EntityId::new(text).map_err(|rule| Problem::bad_request(format!("The id of the {of}: {rule}.")))
}
