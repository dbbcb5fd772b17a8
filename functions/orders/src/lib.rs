//! Orders: the first service on Ledgerfold.
//!
//! | module | content |
//! | --- | --- |
//! | [`domain`] | the state of an order, and the reasons to refuse a command; pure |
//! | [`commands`] | one file for each command: its body, its path and its decision |
//! | [`queries`] | one file for each query: its parameters, its path and its answer |
//! | [`read_models`] | folds of events for queries; pure |
//! | [`process`] | reactions to events and deadlines; pure |
//!
//! [`context`] and [`api`] declare all of them. The program of the functions, `orders-admin` and the OpenAPI document
//! derive their parts from these declarations.

pub mod commands;
pub mod domain;
pub mod process;
pub mod queries;
pub mod read_models;

use ledgerfold::{Role, context::Context};
use ledgerfold_lambda::{http::Api, service::Service};

use domain::Orders;
use process::PaymentDeadline;
use read_models::{CustomerOrders, Dashboard, OrderViews, Shipments};

/// The declaration of orders.
pub fn context() -> Context {
    Context::new("orders")
        .decider::<Orders>()
        .rows::<OrderViews>("order-view")
        .rows::<CustomerOrders>("customer-orders")
        .listed_by("by-customer")
        .rows::<Shipments>("shipment")
        .tally::<Dashboard>("dashboard")
        .process::<PaymentDeadline>("86400")
}

/// The HTTP operations of orders. `openapi.json` in this package describes them for other programs.
pub fn api() -> Api {
    let api = Api::new("Orders", "1.0.0")
        .described("Money is in integer minor units.")
        .licensed("Apache-2.0 OR MIT")
        .tried_as([Role::from_static("staff")]);
    queries::add_to(commands::add_to(api))
}

/// The declaration with the HTTP operations.
pub fn service() -> Service {
    Service::new(context(), api())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_declaration_does_not_contradict_itself() {
        assert_eq!(super::context().check(), Ok(()));
    }
}
