//! Orders: the first service on Ledgerfold.
//!
//! | module | content |
//! | --- | --- |
//! | [`domain`] | commands, decisions and rejections; pure |
//! | [`read_models`] | folds of events for queries; pure |
//! | [`process`] | reactions to events and deadlines; pure |
//! | [`http`] | the HTTP contract: paths, bodies, responses |
//!
//! [`context`] declares all of them. The program of the functions and `orders-admin` derive their parts from it.

pub mod domain;
pub mod http;
pub mod process;
pub mod read_models;

use ledgerfold::context::Context;
use ledgerfold_lambda::service::{Example, Service};

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

/// The declaration with the HTTP services.
pub fn service() -> Service {
    Service::new(context(), http::commands, http::queries).with_examples(&[
        Example {
            method: "POST",
            path: "/orders",
            body: Some(
                r#"{"customerId":"c-1","items":[{"sku":"tea","quantity":2,"unitPrice":{"amount":450,"currency":"EUR"}}]}"#,
            ),
        },
        Example { method: "GET", path: "/customers/c-1/orders", body: None },
        Example { method: "GET", path: "/dashboard?from=2026-01-01&to=2026-12-31", body: None },
    ])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_declaration_does_not_contradict_itself() {
        assert_eq!(super::context().check(), Ok(()));
    }
}
