//! The service of devices on DynamoDB Local, behind a meter.

use std::sync::Arc;

use ledgerfold::{Caller, context::CommandPorts};
use ledgerfold_lambda::{
    http::{Method, Path, Request},
    service::Answers,
};
use serde_json::{Value, json};

use crate::cost::{fixture::Fixture, meter::Cost};

/// The device `d-1`. One function answers all requests, until it is restarted.
pub(super) struct Fleet<'a> {
    fixture: &'a Fixture,
    ports: CommandPorts,
    commands: Arc<dyn Answers>,
}

impl<'a> Fleet<'a> {
    /// A service without devices.
    pub(super) fn open(fixture: &'a Fixture) -> Self {
        let ports = fixture.command_ports();
        let commands = devices::service().commands(&ports).expect("they can be checked");
        Self { fixture, ports, commands }
    }

    /// A service with the device.
    pub(super) async fn with_device(fixture: &'a Fixture) -> Self {
        let fleet = Self::open(fixture);
        fleet.register().await;
        fleet
    }

    /// Starts the function that handles commands again. It has no cached states then.
    pub(super) fn restart(&mut self) {
        self.commands = devices::service().commands(&self.ports).expect("they can be checked");
    }

    pub(super) async fn register(&self) -> Cost {
        let body = json!({"id": "d-1", "model": "Thermo 7", "site": "s-1"});
        self.post("/devices", &body, 201).await
    }

    /// Sends a batch.
    pub(super) async fn send(&self, batch: Value) -> Cost {
        self.post("/devices/d-1/readings", &batch, 200).await
    }

    async fn post(&self, path: &str, body: &Value, status: u16) -> Cost {
        let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let body = body.to_string().into_bytes();
        let request = Request { headers, body, ..request(Method::POST, path) };
        let (cost, answer) = self.fixture.meter.of(self.commands.answer(&request)).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response("request-1"));
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
        cost
    }
}

fn request(method: Method, path: &str) -> Request {
    Request {
        method,
        path: Path::parse(path),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        id: "request-1".to_owned(),
        caller: Caller::anonymous(),
    }
}
