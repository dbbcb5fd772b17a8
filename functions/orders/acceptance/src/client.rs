//! The client of the orders service.

use std::{fmt, ops::Deref};

use ledgerfold::{Role, Subject};
use ledgerfold_testkit::http::{self, Grant, Stack, StackError};
pub use ledgerfold_testkit::http::{ClientError, Patience, Request};

use crate::model::{CancelOrder, DeliverOrder, PayOrder, PlaceOrder, ShipOrder};

/// A client of one orders service. It is cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client(http::Client);

impl Deref for Client {
    type Target = http::Client;

    fn deref(&self) -> &http::Client {
        &self.0
    }
}

impl Client {
    /// A client of the deployed orders service, for a member of staff.
    ///
    /// # Errors
    /// If the stack has no such service, or no token can be made.
    pub fn new(stack: &Stack) -> Result<Self, StackError> {
        let subject = Subject::new("acceptance").expect("it has only letters");
        let staff = Grant { roles: vec![Role::from_static("staff")], ..Grant::of(subject) };
        stack.client("orders", &staff).map(Self)
    }

    /// The same client with another patience.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> Self {
        Self(self.0.with_patience(patience))
    }

    /// `POST /orders`.
    pub fn place(&self, key: &str, body: &PlaceOrder) -> Request<'_> {
        self.command("/orders", key, body)
    }

    /// `POST /orders/{id}/pay`.
    pub fn pay(&self, key: &str, id: &str, body: &PayOrder) -> Request<'_> {
        self.command(&format!("/orders/{id}/pay"), key, body)
    }

    /// `POST /orders/{id}/cancel`.
    pub fn cancel(&self, key: &str, id: &str, body: &CancelOrder) -> Request<'_> {
        self.command(&format!("/orders/{id}/cancel"), key, body)
    }

    /// `POST /orders/{id}/ship`.
    pub fn ship(&self, key: &str, id: &str, body: &ShipOrder) -> Request<'_> {
        self.command(&format!("/orders/{id}/ship"), key, body)
    }

    /// `POST /orders/{id}/deliver`.
    pub fn deliver(&self, key: &str, id: &str) -> Request<'_> {
        self.command(&format!("/orders/{id}/deliver"), key, &DeliverOrder {})
    }

    /// `GET /orders/{id}`.
    pub fn order(&self, id: &str) -> Request<'_> {
        self.get(&format!("/orders/{id}"))
    }

    /// `GET /orders/{id}/events`.
    pub fn events(&self, id: &str) -> Request<'_> {
        self.get(&format!("/orders/{id}/events"))
    }

    /// `GET /orders/{id}/shipment`.
    pub fn shipment(&self, id: &str) -> Request<'_> {
        self.get(&format!("/orders/{id}/shipment"))
    }

    /// `GET /customers/{customerId}/orders`.
    pub fn customer_orders(&self, customer: &str) -> Request<'_> {
        self.get(&format!("/customers/{customer}/orders"))
    }

    /// `GET /dashboard`, both days included.
    pub fn dashboard(&self, from: impl fmt::Display, to: impl fmt::Display) -> Request<'_> {
        self.get("/dashboard").query("from", from).query("to", to)
    }
}

#[cfg(test)]
mod tests;
