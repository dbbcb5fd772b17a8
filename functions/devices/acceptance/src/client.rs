//! The client of the devices service.

use std::ops::Deref;

use jiff::Timestamp;
use ledgerfold::{Role, Subject, TenantId};
use ledgerfold_testkit::http::{self, Grant, Stack, StackError};
pub use ledgerfold_testkit::http::{ClientError, Patience, Request};
use reqwest::Method;
use serde_json::json;

use crate::model::{Batch, RegisterDevice};

/// The name of the context in the stack file.
pub const CONTEXT: &str = "devices";

/// A caller of the service: the content of its token. A stack without an issuer knows no callers, and lets everybody
/// do everything.
#[derive(Debug, Clone)]
pub struct Caller(Grant);

impl Caller {
    /// A device. Its subject is its id.
    ///
    /// # Panics
    /// If the id is not valid as a subject.
    #[must_use]
    pub fn device(id: &str) -> Self {
        Self::of(id, "device")
    }

    /// An operator, with all permissions.
    #[must_use]
    pub fn operator() -> Self {
        Self::of("olga", "operator")
    }

    /// Somebody with a valid token but without any role.
    #[must_use]
    pub fn nobody() -> Self {
        let subject = Subject::new("nobody").expect("it has only letters");
        Self(Grant::of(subject))
    }

    /// The same caller of another tenant.
    ///
    /// # Panics
    /// If the name is not valid as a tenant.
    #[must_use]
    pub fn in_tenant(self, name: &str) -> Self {
        let tenant = TenantId::new(name).expect("a name of a tenant");
        Self(Grant { tenant, ..self.0 })
    }

    fn of(subject: &str, role: &'static str) -> Self {
        let subject = Subject::new(subject).expect("a name of a subject");
        Self(Grant { roles: vec![Role::from_static(role)], ..Grant::of(subject) })
    }
}

/// A client of one devices service. It is cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client(http::Client);

impl Deref for Client {
    type Target = http::Client;

    fn deref(&self) -> &http::Client {
        &self.0
    }
}

impl Client {
    /// A client of the deployed devices service for this caller.
    ///
    /// # Errors
    /// If the stack has no such service, or no token can be made.
    pub fn new(stack: &Stack, caller: &Caller) -> Result<Self, StackError> {
        stack.client(CONTEXT, &caller.0).map(Self)
    }

    /// The same client for another caller. Both share their connections.
    ///
    /// # Errors
    /// If no token can be made.
    pub fn for_caller(&self, stack: &Stack, caller: &Caller) -> Result<Self, StackError> {
        stack.for_caller(&self.0, &caller.0).map(Self)
    }

    /// The same client with another patience.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> Self {
        Self(self.0.with_patience(patience))
    }

    /// `POST /devices`.
    pub fn register(&self, key: &str, body: &RegisterDevice) -> Request<'_> {
        self.command("/devices", key, body)
    }

    /// `POST /devices/{id}/readings`. It needs no key.
    pub fn send(&self, id: &str, batch: &Batch) -> Request<'_> {
        self.request(Method::POST, &format!("/devices/{id}/readings")).json(batch)
    }

    /// `POST /devices/{id}/decommission`.
    pub fn decommission(&self, key: &str, id: &str) -> Request<'_> {
        self.command(&format!("/devices/{id}/decommission"), key, &json!({"reason": "worn out"}))
    }

    /// `GET /devices/{id}`.
    pub fn device(&self, id: &str) -> Request<'_> {
        self.get(&format!("/devices/{id}"))
    }

    /// `GET /devices/{id}/timeline`, of one metric.
    pub fn timeline(&self, id: &str, metric: &str) -> Request<'_> {
        self.get(&format!("/devices/{id}/timeline")).query("metric", metric)
    }

    /// `GET /devices/{id}/rollup`, of one metric between two instants.
    pub fn rollup(
        &self,
        id: &str,
        metric: &str,
        (from, to): (Timestamp, Timestamp),
        step: &str,
    ) -> Request<'_> {
        let request = self.get(&format!("/devices/{id}/rollup")).query("metric", metric);
        request.query("from", from).query("to", to).query("step", step)
    }

    /// `GET /sites/{site}/devices`.
    pub fn devices_of(&self, site: &str) -> Request<'_> {
        self.get(&format!("/sites/{site}/devices"))
    }

    /// `GET /fleet` between two days or instants.
    pub fn fleet(&self, from: &str, to: &str) -> Request<'_> {
        self.get("/fleet").query("from", from).query("to", to)
    }
}
