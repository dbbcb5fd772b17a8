//! The whole service in memory, and requests to it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use banking_events::AccountEvent;
use ledgerfold::{
    Caller, Envelope, Recorded,
    context::{CommandPorts, Context, QueryPorts},
    vocabulary::{Commit, Delivery, Receipt},
};
use ledgerfold_lambda::{
    http::{Method, Path, Request},
    service::Answers,
};
use ledgerfold_testkit::{CountedLog, ManualClock, MemoryReadSide, SeededRandom};
use serde_json::{Value, json};

/// The whole service in memory.
pub(crate) struct World {
    pub(crate) log: Arc<CountedLog>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ports: CommandPorts,
    context: Context,
    read_side: MemoryReadSide,
    commands: Arc<dyn Answers>,
    queries: Arc<dyn Answers>,
    /// The number of the next request, which is its key. Atomic, so that requests need no exclusive world.
    keys: AtomicUsize,
}

/// An answer with its body as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("every answer is JSON")
    }
}

impl World {
    /// An empty bank at this time.
    pub(crate) fn at(time: &str) -> Self {
        let log = Arc::<CountedLog>::default();
        let clock = Arc::<ManualClock>::default();
        let ports = CommandPorts::new(log.clone(), clock.clone(), Arc::new(SeededRandom::new(5)));
        let context = banking::context();
        let read_side = MemoryReadSide::default();
        let service = banking::service();
        let commands = service.commands(&ports).expect("they can be checked");
        let query_ports = QueryPorts::new(&context, log.clone(), &read_side);
        let queries = service.queries(&query_ports, clock.clone());
        let queries = queries.expect("the context declares every read model");
        let keys = AtomicUsize::new(0);
        let world = Self { log, clock, ports, context, read_side, commands, queries, keys };
        world.set(time);
        world
    }

    /// Sets the clock, forward or back.
    pub(crate) fn set(&self, time: &str) {
        self.clock.set(time.parse().expect("a time in RFC 3339"));
    }

    /// Starts the function that handles commands again. It has no cached accounts then.
    pub(crate) fn restart(&mut self) {
        self.commands = banking::service().commands(&self.ports).expect("they can be checked");
    }

    async fn answer(&self, request: &Request) -> Answer {
        let service = if request.method == Method::POST { &self.commands } else { &self.queries };
        let answer = service.answer(request).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response(&request.id));
        Answer { status: answer.status.as_u16(), body: answer.body.as_str().to_owned() }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let key = format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        let headers = [("content-type", "application/json"), ("idempotency-key", &key)];
        let headers = owned(headers);
        let body = body.to_string().into_bytes();
        self.answer(&Request { headers, body, ..request(Method::POST, path) }).await
    }

    /// Sends a command that is accepted, and returns the id in its answer.
    pub(crate) async fn accepted(&self, path: &str, body: Value) -> String {
        let answer = self.post(path, body).await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = owned(query.split('&').filter_map(|pair| pair.split_once('=')));
        self.answer(&Request { query, ..request(Method::GET, path) }).await
    }

    /// The body of an answer with status 200.
    pub(crate) async fn shown(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// Opens an account in euro.
    pub(crate) async fn open(&self) -> String {
        self.accepted("/accounts", json!({"ownerId": "o-1", "currency": "EUR"})).await
    }

    pub(crate) async fn deposit(&self, account: &str, cents: i64) {
        let body = json!({"amount": euros(cents), "reference": "Salary"});
        self.accepted(&format!("/accounts/{account}/deposit"), body).await;
    }

    pub(crate) async fn withdraw(&self, account: &str, cents: i64) {
        let body = json!({"amount": euros(cents), "reference": "Cash"});
        self.accepted(&format!("/accounts/{account}/withdraw"), body).await;
    }

    /// Moves money, and returns the id of the transfer.
    pub(crate) async fn transfer(&self, [from, to]: [&str; 2], cents: i64) -> String {
        let amount = euros(cents);
        let body = json!({"from": from, "to": to, "amount": amount, "reference": "Rent"});
        self.accepted("/transfers", body).await
    }

    /// Freezes the account and opens it again: two events that are no entries.
    pub(crate) async fn freeze_and_unfreeze(&self, account: &str) {
        for step in ["freeze", "unfreeze"] {
            let path = format!("/accounts/{account}/{step}");
            self.accepted(&path, json!({"reason": "A card was found"})).await;
        }
    }

    /// Delivers all events to all projectors.
    pub(crate) async fn project(&self) {
        let commits = self.log.log.commits();
        let events = commits.iter().flat_map(Commit::envelopes).map(delivery);
        let deliveries: Vec<_> = events.collect();
        for projection in self.context.catalog().projections() {
            let projector = self.read_side.projector(&self.context, projection, &self.ports);
            let projector = projector.expect("the context declares it");
            projector.check().await.expect("the program has the model");
            assert_eq!(projector.project(deliveries.clone()).await, [], "{projection}");
        }
    }

    /// The commits of an account, oldest first.
    pub(crate) fn commits(&self, account: &str) -> Vec<Commit> {
        let commits = self.log.log.commits().into_iter();
        let of_account = |commit: &Commit| {
            let stream = commit.stream();
            stream.category().as_str() == "account" && stream.id().as_str() == account
        };
        commits.filter(of_account).collect()
    }
}

/// The events of a commit of an account.
pub(crate) fn events(commit: &Commit) -> Vec<Recorded<AccountEvent>> {
    let open = |envelope: Envelope| envelope.open::<AccountEvent>().expect("a known event");
    commit.envelopes().flat_map(open).collect()
}

pub(crate) fn euros(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}

fn delivery(envelope: Envelope) -> Delivery {
    let receipt = Receipt("message".to_owned());
    Delivery { receipt, content: Ok(envelope.into()), replay: None }
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

fn owned<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
