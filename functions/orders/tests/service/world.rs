//! The whole service in memory, and requests to it.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    Caller, Timestamp,
    context::{CommandPorts, Context, DeclaredProcess, QueryPorts},
    process::{DeadlineSweep, DeadlineWorker, SweptProcess},
    project::Projector,
    vocabulary::{Delivery, Receipt},
};
use ledgerfold_lambda::{
    http::{
        Authentication, GatewayEvent, GatewayResponse, Method, Path, Problem, Request, Response,
        answer_event,
    },
    service::Answers,
};
use ledgerfold_testkit::{
    ManualClock, MemoryDeadlineQueue, MemoryDeadlineStore, MemoryEventStore, MemoryReadSide,
    SeededRandom,
};
use serde_json::{Value, json};

/// How long an order may stay unpaid.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3_600);

/// The whole service in memory.
pub(crate) struct World {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) deadlines: Arc<MemoryDeadlineStore>,
    pub(crate) read_side: MemoryReadSide,
    context: Context,
    ports: CommandPorts,
    commands: Arc<dyn Answers>,
    queries: Arc<dyn Answers>,
}

impl World {
    pub(crate) fn new() -> Self {
        let (log, clock) = (Arc::<MemoryEventStore>::default(), Arc::<ManualClock>::default());
        let random = Arc::new(SeededRandom::new(11));
        let ports = CommandPorts::new(log.clone(), clock.clone(), random);
        let (context, read_side) = (orders::context(), MemoryReadSide::default());
        let service = orders::service();
        let commands = service.commands(&ports).expect("every command can be checked");
        let query_ports = QueryPorts::new(&context, log.clone(), &read_side);
        let queries = service.queries(&query_ports, clock.clone());
        let queries = queries.expect("the context declares every read model");
        let deadlines = Arc::default();
        Self { log, clock, deadlines, read_side, context, ports, commands, queries }
    }

    /// Answers a request like the functions behind API Gateway.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        let outcome = self.answer(request).await;
        Answer::from(outcome.unwrap_or_else(|problem| problem.into_response(&request.id)))
    }

    /// Answers a Lambda event of an anonymous caller.
    pub(crate) async fn send_event(&self, event: Value) -> GatewayResponse {
        self.send_event_by(&Authentication::None, event).await
    }

    /// Answers a Lambda event whose caller has to be known.
    pub(crate) async fn send_event_by(
        &self,
        authentication: &Authentication,
        event: Value,
    ) -> GatewayResponse {
        let event: GatewayEvent = serde_json::from_value(event).expect("an event");
        let answer = |request: Request| async move { self.answer(&request).await };
        answer_event(event, authentication, &answer).await
    }

    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        if request.method == Method::POST {
            self.commands.answer(request).await
        } else {
            self.queries.answer(request).await
        }
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.send(&post(path, key, body.to_string())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(&get(path)).await
    }

    /// Places an order of 9.00 EUR and returns its id.
    pub(crate) async fn place(&self, key: &str) -> String {
        let answer = self.post("/orders", key, order()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().expect("an id is a text").to_owned()
    }

    /// Sends these commands to an order.
    pub(crate) async fn steps(&self, id: &str, steps: &[&str]) {
        for step in steps {
            let (path, key) = (format!("/orders/{id}/{step}"), format!("{id}-{step}"));
            let answer = self.post(&path, &key, body(step)).await;
            assert_eq!(answer.status, 200, "{step}: {answer:?}");
        }
    }

    /// Delivers all events to all projectors.
    pub(crate) async fn project(&self) {
        for projection in self.context.catalog().projections() {
            let projector = self.projector(projection);
            projector.check().await.expect("the program has the model");
            assert_eq!(projector.project(self.deliveries()).await, [], "{projection}");
        }
    }

    fn projector(&self, projection: &str) -> Projector {
        let projector = self.read_side.projector(&self.context, projection, &self.ports);
        projector.expect("the context declares it")
    }

    fn process(&self) -> &DeclaredProcess {
        self.context.processes().first().expect("the context declares the process")
    }

    /// Delivers all events to the process once more.
    pub(crate) async fn react(&self) {
        let patience = PATIENCE.as_secs().to_string();
        let handler = self.process().handler(&patience, &self.ports, self.deadlines.clone());
        let handler = handler.expect("a number of seconds");
        assert_eq!(handler.handle(self.deliveries()).await, []);
    }

    /// Sweeps deadlines, and fires those that are due.
    pub(crate) async fn sweep(&self) {
        let process = self.process();
        let due = Arc::<MemoryDeadlineQueue>::default();
        let swept = vec![SweptProcess { name: process.name().clone(), queue: due.clone() }];
        let CommandPorts { clock, random, .. } = &self.ports;
        let deadlines = self.deadlines.clone();
        let sweep = DeadlineSweep::new(deadlines.clone(), clock.clone(), random.clone(), swept);
        let swept = sweep.sweep(Timestamp::MAX).await.expect("deadlines can be listed");
        assert!(!swept.needs_attention(), "{swept:?}");
        let expiry = process.expiry(&self.ports);
        let worker = DeadlineWorker::new(deadlines, clock.clone(), vec![expiry]);
        let fired = worker.handle(due.receive()).await;
        assert_eq!((fired.given_up, fired.failed), (0, Vec::new()));
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        let commits = self.log.commits();
        let events = commits.iter().flat_map(|commit| commit.envelopes().collect::<Vec<_>>());
        let delivery = |envelope: ledgerfold::Envelope| {
            let receipt = Receipt("message".to_owned());
            Delivery { receipt, content: Ok(envelope.into()), replay: None }
        };
        events.map(delivery).collect()
    }
}

/// An answer with its body parsed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// The name after `/problems/`.
    pub(crate) fn problem(&self) -> &str {
        assert_eq!(self.header("Content-Type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"], json!(self.status));
        assert_eq!(self.body["instance"], json!("request-1"));
        for field in ["title", "detail"] {
            assert!(self.body[field].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.strip_prefix("/problems/").expect("a problem has a type")
    }

    /// The fields named in the problem of a body.
    pub(crate) fn pointers(&self) -> Vec<&str> {
        assert_eq!((self.status, self.problem()), (400, "invalid-body"), "{self:?}");
        let errors = self.body["errors"].as_array().expect("the errors are a list");
        errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let body = match response.body.as_str() {
            "" => Value::Null,
            json => serde_json::from_str(json).expect("all answers with a body are JSON"),
        };
        Self { status: response.status.as_u16(), body, headers: response.headers }
    }
}

pub(crate) fn post(path: &str, key: &str, body: impl Into<Vec<u8>>) -> Request {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    Request { body: body.into(), headers: owned(headers), ..request(Method::POST, path) }
}

pub(crate) fn get(path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Request { query: owned(pairs), ..request(Method::GET, path) }
}

pub(crate) fn request(method: Method, path: &str) -> Request {
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

fn owned<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn with(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

/// A body of `POST /orders`.
pub(crate) fn order() -> Value {
    json!({
        "customerId": "c-1",
        "items": [{"sku": "tea", "quantity": 2, "unitPrice": {"amount": 450, "currency": "EUR"}}],
    })
}

/// A valid body for this command.
pub(crate) fn body(command: &str) -> Value {
    match command {
        "pay" => {
            json!({"paymentReference": "pay-1", "amount": {"amount": 900, "currency": "EUR"}})
        }
        "cancel" => json!({"reason": "changed my mind"}),
        "ship" => json!({"carrier": "DHL", "trackingNumber": "00340"}),
        _ => json!({}),
    }
}
