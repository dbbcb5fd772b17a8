//! The whole service in memory, and requests to it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ledgerfold::{
    Caller, Envelope, Granted, Role, Subject, TenantId, Timestamp,
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
    pub(crate) caller: Caller,
    ports: CommandPorts,
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
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("every answer is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A caller with this role.
pub(crate) fn caller(subject: &str, role: &'static str) -> Caller {
    Caller {
        tenant: TenantId::default_tenant(),
        subject: Subject::new(subject).expect("a subject"),
        roles: Granted::only([Role::from_static(role)]),
        ..Caller::anonymous()
    }
}

/// A reading in a body.
pub(crate) fn reading(seq: u64, at: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    json!({"seq": seq, "at": at, "metric": "temperature", "value": value})
}

impl World {
    /// A service without devices at this time.
    pub(crate) fn at(time: &str) -> Self {
        let log = Arc::<CountedLog>::default();
        let clock = Arc::<ManualClock>::default();
        let ports = CommandPorts::new(log.clone(), clock.clone(), Arc::new(SeededRandom::new(5)));
        let context = devices::context();
        let read_side = MemoryReadSide::default();
        let service = devices::service();
        let commands = service.commands(&ports).expect("they can be checked");
        let query_ports = QueryPorts::new(&context, log.clone(), &read_side);
        let queries = service.queries(&query_ports, clock.clone());
        let queries = queries.expect("the context declares every read model");
        let keys = AtomicUsize::new(0);
        let caller = Caller::anonymous();
        let world = Self { log, clock, caller, ports, context, read_side, commands, queries, keys };
        world.set(time);
        world
    }

    /// A service with the device `d-1`.
    pub(crate) async fn with_device(time: &str) -> Self {
        let world = Self::at(time);
        world.register("d-1").await;
        world
    }

    /// Sets the clock, forward or back.
    pub(crate) fn set(&self, time: &str) {
        self.clock.set(time.parse().expect("a time in RFC 3339"));
    }

    pub(crate) fn now(&self) -> Timestamp {
        use ledgerfold::ports::Clock;
        self.clock.now()
    }

    /// Starts the function that handles commands again. It has no cached states then.
    pub(crate) fn restart(&mut self) {
        self.commands = devices::service().commands(&self.ports).expect("they can be checked");
    }

    async fn answer(&self, request: &Request) -> Answer {
        let service = if request.method == Method::POST { &self.commands } else { &self.queries };
        let answer = service.answer(request).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response(&request.id));
        let headers = answer.headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Answer { status: answer.status.as_u16(), headers, body: answer.body.as_str().to_owned() }
    }

    /// Sends a body as it is, with more headers.
    pub(crate) async fn post_text(
        &self,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let headers = owned([("content-type", "application/json")].iter().chain(headers).copied());
        let body = body.as_bytes().to_vec();
        let caller = self.caller.clone();
        self.answer(&Request { headers, body, caller, ..request(Method::POST, path) }).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let key = format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        self.post_text(path, &body.to_string(), &[("idempotency-key", &key)]).await
    }

    /// Sends a batch to `d-1`.
    pub(crate) async fn send(&self, epoch: u32, readings: &[Value]) -> Answer {
        let body = json!({"epoch": epoch, "readings": readings});
        self.post_text("/devices/d-1/readings", &body.to_string(), &[]).await
    }

    /// Sends readings with these numbers, each at this time, and returns the answer of a batch that is handled.
    pub(crate) async fn sent(&self, epoch: u32, seqs: impl IntoIterator<Item = u64>) -> Value {
        let at = self.now().to_string();
        let readings = seqs.into_iter().map(|seq| reading(seq, &at, json!(20.5)));
        let answer = self.send(epoch, &readings.collect::<Vec<_>>()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub(crate) async fn register(&self, id: &str) -> Answer {
        let body = json!({"id": id, "model": "Thermo 7", "site": "s-1"});
        let answer = self.post("/devices", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = owned(query.split('&').filter_map(|pair| pair.split_once('=')));
        let headers = owned(headers.iter().copied());
        let caller = self.caller.clone();
        self.answer(&Request { query, headers, caller, ..request(Method::GET, path) }).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    /// The body of an answer with status 200.
    pub(crate) async fn shown(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
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

    /// All readings of a metric of `d-1`, page by page.
    pub(crate) async fn timeline(&self, query: &str, limit: usize) -> Vec<Value> {
        let mut readings = Vec::new();
        let mut cursor = String::new();
        loop {
            let path =
                format!("/devices/d-1/timeline?metric=temperature&limit={limit}{query}{cursor}");
            let page = self.shown(&path).await;
            readings.extend(page["items"].as_array().expect("a list").iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return readings,
            }
        }
    }
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
