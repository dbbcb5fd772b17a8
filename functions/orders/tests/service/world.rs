//! The whole service in memory, and requests to it.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    Actor, Timestamp,
    command::CommandHandler,
    ports::RowReader,
    process::{DeadlineSweep, ProcessExpiry, ProcessHandler},
    project::{Projector, ProjectorPorts, ReadModel, RowModel, TallyModel},
    vocabulary::{Delivery, Receipt},
};
use ledgerfold_lambda::http::{
    GatewayEvent, GatewayResponse, Method, Path, Problem, Request, Response, answer_event,
};
use ledgerfold_testkit::{
    ManualClock, MemoryDeadlineStore, MemoryEventStore, MemoryQuarantine, MemoryRowStore,
    MemoryTallyStore, SeededRandom,
};
use orders::{
    domain::Orders,
    http::{CommandService, QueryService, ReadTables, Readable, Route},
    process::{Patience, PaymentDeadline},
    read_models::{CustomerOrders, Dashboard, OrderViews, Shipments},
};
use serde_json::{Value, json};

/// How long an order may stay unpaid.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3_600);

/// The whole service in memory.
pub(crate) struct World {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) deadlines: Arc<MemoryDeadlineStore>,
    handler: CommandHandler<Orders>,
    tables: Tables,
    commands: CommandService,
    queries: QueryService,
}

#[derive(Clone, Default)]
struct Tables {
    order_views: Arc<MemoryRowStore>,
    customer_orders: Arc<MemoryRowStore>,
    shipments: Arc<MemoryRowStore>,
    dashboard: Arc<MemoryTallyStore>,
}

fn rows(table: &Arc<MemoryRowStore>) -> Readable<dyn RowReader> {
    Readable { table: table.clone(), skips: no_skips() }
}

pub(crate) fn no_skips() -> Arc<MemoryQuarantine> {
    Arc::default()
}

impl World {
    pub(crate) fn new() -> Self {
        let (log, clock) = (Arc::<MemoryEventStore>::default(), Arc::<ManualClock>::default());
        let tables = Tables::default();
        let random = Arc::new(SeededRandom::new(11));
        let handler = CommandHandler::new(log.clone(), clock.clone(), random);
        let commands = CommandService::new(handler.clone());
        let read_tables = ReadTables {
            order_views: rows(&tables.order_views),
            customer_orders: rows(&tables.customer_orders),
            shipments: rows(&tables.shipments),
            dashboard: Readable { table: tables.dashboard.clone(), skips: no_skips() },
        };
        let queries = QueryService::new(log.clone(), read_tables);
        let deadlines = Arc::default();
        Self { log, clock, deadlines, handler, tables, commands, queries }
    }

    /// Answers a request like the functions behind API Gateway.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        let outcome = self.answer(request).await;
        Answer::from(outcome.unwrap_or_else(|problem| problem.into_response(&request.id)))
    }

    /// Answers a Lambda event.
    pub(crate) async fn send_event(&self, event: Value) -> GatewayResponse {
        let event: GatewayEvent = serde_json::from_value(event).expect("an event");
        answer_event(event, &|request: Request| async move { self.answer(&request).await }).await
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
        let Tables { order_views, customer_orders, shipments, dashboard } = self.tables.clone();
        let models: [Arc<dyn ReadModel>; 4] = [
            Arc::new(RowModel::<OrderViews>::new(order_views)),
            Arc::new(RowModel::<CustomerOrders>::new(customer_orders)),
            Arc::new(RowModel::<Shipments>::new(shipments)),
            Arc::new(TallyModel::<Dashboard>::new(dashboard)),
        ];
        for model in models {
            let random = Arc::new(SeededRandom::new(12));
            let (log, clock) = (self.log.clone(), self.clock.clone());
            let projector =
                Projector::new(model, ProjectorPorts { log, skips: no_skips(), clock, random });
            assert_eq!(projector.project(self.deliveries()).await, []);
        }
    }

    /// Delivers all events to the process once more.
    pub(crate) async fn react(&self) {
        let (commands, deadlines) = (self.handler.clone(), self.deadlines.clone());
        let (patience, log) = (Patience(PATIENCE), self.log.clone());
        let process = ProcessHandler::<PaymentDeadline>::new(patience, commands, deadlines, log);
        assert_eq!(process.handle(self.deliveries()).await, []);
    }

    /// Runs a sweep of deadlines.
    pub(crate) async fn sweep(&self) {
        let payment = Arc::new(ProcessExpiry::<PaymentDeadline>::new(self.handler.clone()));
        let (deadlines, clock) = (self.deadlines.clone(), self.clock.clone());
        let sweep = DeadlineSweep::new(deadlines, clock, vec![payment]);
        let swept = sweep.sweep(Timestamp::MAX).await.expect("deadlines can be listed");
        assert!(!swept.needs_attention(), "{swept:?}");
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
        let body = serde_json::from_str(&response.body).expect("all answers are JSON");
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
        caller: Actor::new("anonymous").expect("an actor"),
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

/// Whether a path has a route.
pub(crate) fn is_found(method: Method, path: &str) -> bool {
    Route::find(&request(method, path)).is_ok()
}
