//! The client of the banking service.

use std::{fmt, ops::Deref};

use ledgerfold::{Role, Subject, TenantId};
use ledgerfold_testkit::http::{self, Grant, Stack, StackError};
pub use ledgerfold_testkit::http::{ClientError, Patience, Request};
use serde_json::json;

use crate::model::{Capture, Money, Movement, OpenAccount, PlaceHold, Transfer};

/// The name of the context in the stack file.
pub const CONTEXT: &str = "banking";

/// A caller of the service: the content of its token. A stack without an issuer knows no callers, and lets everybody
/// do everything.
#[derive(Debug, Clone)]
pub struct Caller(Grant);

impl Caller {
    /// An owner of accounts. Its subject is the id of the owner.
    ///
    /// # Panics
    /// If the id is not valid as a subject.
    #[must_use]
    pub fn owner(id: &str) -> Self {
        Self::of(id, "owner")
    }

    /// A teller.
    #[must_use]
    pub fn teller() -> Self {
        Self::of("tell", "teller")
    }

    /// An auditor.
    #[must_use]
    pub fn auditor() -> Self {
        Self::of("audrey", "auditor")
    }

    /// A manager, with all permissions.
    #[must_use]
    pub fn manager() -> Self {
        Self::of("max", "manager")
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

/// A client of one banking service. It is cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client(http::Client);

impl Deref for Client {
    type Target = http::Client;

    fn deref(&self) -> &http::Client {
        &self.0
    }
}

impl Client {
    /// A client of the deployed banking service for this caller.
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

    /// `POST /accounts`.
    pub fn open(&self, key: &str, body: &OpenAccount) -> Request<'_> {
        self.command("/accounts", key, body)
    }

    /// `POST /accounts/{id}/deposit`.
    pub fn deposit(&self, key: &str, id: &str, body: &Movement) -> Request<'_> {
        self.command(&format!("/accounts/{id}/deposit"), key, body)
    }

    /// `POST /accounts/{id}/withdraw`.
    pub fn withdraw(&self, key: &str, id: &str, body: &Movement) -> Request<'_> {
        self.command(&format!("/accounts/{id}/withdraw"), key, body)
    }

    /// `POST /transfers`.
    pub fn transfer(&self, key: &str, body: &Transfer) -> Request<'_> {
        self.command("/transfers", key, body)
    }

    /// `POST /transfers/{id}/reverse`.
    pub fn reverse(&self, key: &str, id: &str) -> Request<'_> {
        self.command(&format!("/transfers/{id}/reverse"), key, &json!({"reason": "a mistake"}))
    }

    /// `POST /accounts/{id}/holds`.
    pub fn hold(&self, key: &str, id: &str, body: &PlaceHold) -> Request<'_> {
        self.command(&format!("/accounts/{id}/holds"), key, body)
    }

    /// `POST /accounts/{id}/holds/{hold}/capture`.
    pub fn capture(&self, key: &str, id: &str, hold: &str, body: &Capture) -> Request<'_> {
        self.command(&format!("/accounts/{id}/holds/{hold}/capture"), key, body)
    }

    /// `POST /accounts/{id}/holds/{hold}/release`.
    pub fn release(&self, key: &str, id: &str, hold: &str) -> Request<'_> {
        self.command(&format!("/accounts/{id}/holds/{hold}/release"), key, &json!({}))
    }

    /// `POST /accounts/{id}/limits`.
    pub fn limit(&self, key: &str, id: &str, daily: Option<&Money>) -> Request<'_> {
        self.command(&format!("/accounts/{id}/limits"), key, &json!({"daily": daily}))
    }

    /// `POST /accounts/{id}/freeze`.
    pub fn freeze(&self, key: &str, id: &str) -> Request<'_> {
        self.command(&format!("/accounts/{id}/freeze"), key, &json!({"reason": "a lost card"}))
    }

    /// `POST /accounts/{id}/unfreeze`.
    pub fn unfreeze(&self, key: &str, id: &str) -> Request<'_> {
        self.command(&format!("/accounts/{id}/unfreeze"), key, &json!({"reason": "a new card"}))
    }

    /// `POST /accounts/{id}/close`.
    pub fn close(&self, key: &str, id: &str) -> Request<'_> {
        self.command(&format!("/accounts/{id}/close"), key, &json!({"reason": "moved away"}))
    }

    /// `GET /accounts/{id}`.
    pub fn account(&self, id: &str) -> Request<'_> {
        self.get(&format!("/accounts/{id}"))
    }

    /// `GET /accounts/{id}/entries`.
    pub fn entries(&self, id: &str) -> Request<'_> {
        self.get(&format!("/accounts/{id}/entries"))
    }

    /// `GET /accounts/{id}/holds`.
    pub fn holds(&self, id: &str) -> Request<'_> {
        self.get(&format!("/accounts/{id}/holds"))
    }

    /// `GET /accounts/{id}/statements/{month}`, with the month as `yyyy-mm`.
    pub fn statement(&self, id: &str, month: impl fmt::Display) -> Request<'_> {
        self.get(&format!("/accounts/{id}/statements/{month}"))
    }

    /// `GET /owners/{ownerId}/accounts`.
    pub fn accounts_of(&self, owner: &str) -> Request<'_> {
        self.get(&format!("/owners/{owner}/accounts"))
    }

    /// `GET /transfers/{id}`.
    pub fn shown_transfer(&self, id: &str) -> Request<'_> {
        self.get(&format!("/transfers/{id}"))
    }

    /// `GET /trial-balance`.
    pub fn trial_balance(&self) -> Request<'_> {
        self.get("/trial-balance")
    }
}
