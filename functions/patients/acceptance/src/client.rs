//! The client of the patients service.

use std::ops::Deref;

use ledgerfold::{Role, Subject, TenantId};
use ledgerfold_testkit::http::{self, Grant, Stack, StackError};
pub use ledgerfold_testkit::http::{ClientError, Patience, Request};
use serde_json::{Value, json};

/// The name of the context in the stack file.
pub const CONTEXT: &str = "patients";

const PURPOSE: &str = "purpose-of-use";

/// A caller of the service: the content of its token.
#[derive(Debug, Clone)]
pub struct Caller(Grant);

impl Caller {
    /// A registrar.
    ///
    /// # Panics
    /// If the name is not valid as a subject.
    #[must_use]
    pub fn registrar() -> Self {
        Self::of("reg-1", "registrar")
    }

    /// A clinician.
    ///
    /// # Panics
    /// If the name is not valid as a subject.
    #[must_use]
    pub fn clinician(name: &str) -> Self {
        Self::of(name, "clinician")
    }

    /// A patient. Its subject is its id.
    ///
    /// # Panics
    /// If the id is not valid as a subject.
    #[must_use]
    pub fn patient(id: &str) -> Self {
        Self::of(id, "patient")
    }

    /// A privacy officer.
    ///
    /// # Panics
    /// If the name is not valid as a subject.
    #[must_use]
    pub fn privacy_officer() -> Self {
        Self::of("po-1", "privacy-officer")
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

/// A client of one patients service. It is cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client(http::Client);

impl Deref for Client {
    type Target = http::Client;

    fn deref(&self) -> &http::Client {
        &self.0
    }
}

impl Client {
    /// A client of the deployed service for this caller.
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

    /// `POST /patients`.
    pub fn register(&self, key: &str, name: &str, insurance: &str) -> Request<'_> {
        let body = json!({
            "name": name,
            "birthDate": "1980-04-01",
            "identifiers": [{"system": "insurance", "value": insurance}],
            "contact": {"email": "someone@example.org", "phone": null},
        });
        self.command("/patients", key, &body)
    }

    /// `POST /patients/{id}/records`.
    pub fn add_record(&self, key: &str, id: &str, kind: &str, text: &str) -> Request<'_> {
        self.command(&format!("/patients/{id}/records"), key, &record(kind, text))
    }

    /// `POST /patients/{id}/records/{record}/amend`.
    pub fn amend_record(&self, key: &str, id: &str, record_id: &str, text: &str) -> Request<'_> {
        let mut body = record("observation", text);
        body["reason"] = json!("read again");
        self.command(&format!("/patients/{id}/records/{record_id}/amend"), key, &body)
    }

    /// `POST /patients/{id}/records/{record}/retract`.
    pub fn retract_record(&self, key: &str, id: &str, record_id: &str) -> Request<'_> {
        let body = json!({"reason": "entered in error"});
        self.command(&format!("/patients/{id}/records/{record_id}/retract"), key, &body)
    }

    /// `POST /patients/{id}/consents`.
    pub fn give_consent(
        &self,
        key: &str,
        id: &str,
        grantee: &str,
        kinds: Option<&[&str]>,
        purposes: &[&str],
    ) -> Request<'_> {
        let body = json!({"grantee": grantee, "kinds": kinds, "purposes": purposes, "until": null});
        self.command(&format!("/patients/{id}/consents"), key, &body)
    }

    /// `POST /patients/{id}/consents/{consent}/withdraw`.
    pub fn withdraw_consent(&self, key: &str, id: &str, consent: &str) -> Request<'_> {
        self.command(&format!("/patients/{id}/consents/{consent}/withdraw"), key, &json!({}))
    }

    /// `POST /patients/{id}/emergency-access`.
    pub fn take_access(&self, key: &str, id: &str) -> Request<'_> {
        let body = json!({"reason": "unconscious after an accident"});
        self.command(&format!("/patients/{id}/emergency-access"), key, &body)
    }

    /// `POST /patients/{id}/erasure`.
    pub fn erase(&self, key: &str, id: &str) -> Request<'_> {
        let body = json!({"basis": "GDPR Art. 17(1)(b)", "requestedBy": "data subject"});
        self.command(&format!("/patients/{id}/erasure"), key, &body)
    }

    /// `POST /patients/{id}/legal-hold`.
    pub fn hold(&self, key: &str, id: &str) -> Request<'_> {
        self.command(&format!("/patients/{id}/legal-hold"), key, &json!({"reason": "lawsuit 7"}))
    }

    /// `POST /patients/{id}/legal-hold/lift`.
    pub fn lift(&self, key: &str, id: &str) -> Request<'_> {
        self.command(&format!("/patients/{id}/legal-hold/lift"), key, &json!({}))
    }

    /// `GET /patients/{id}` or a path below it, for this purpose. `part` is empty or begins with a slash.
    pub fn read(&self, id: &str, part: &str, purpose: &str) -> Request<'_> {
        self.get(&format!("/patients/{id}{part}")).header(PURPOSE, purpose)
    }
}

fn record(kind: &str, text: &str) -> Value {
    json!({
        "kind": kind,
        "code": {"system": "http://loinc.org", "code": "8310-5", "display": "Body temperature"},
        "text": text,
        "effectiveAt": "2026-11-23T09:00:00Z",
    })
}

/// The last segment of the `Location` of a creation.
///
/// # Errors
/// If the answer has another status than 201.
pub fn created(answer: http::Answer) -> Result<String, ClientError> {
    let answer = answer.expect_status(201)?;
    let location = answer.header("location").unwrap_or_default();
    Ok(location.rsplit('/').next().unwrap_or_default().to_owned())
}
