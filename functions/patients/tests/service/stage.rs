//! The service over ports in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    Caller, CommandId, EntityId, Granted, Role, StreamId, Subject, TenantId, Version, Via,
    context::{CertificatePorts, CommandPorts, QueryPorts},
    erasure::Terms,
    keyring::CachedKeys,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, PortError, Span,
        StoreError, Transaction,
    },
    vocabulary::NewCommit,
};
use ledgerfold_lambda::{
    http::{Method, Path, Request},
    service::Answers,
};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryKeyring, MemoryReadSide, MemorySigner, SeededRandom,
};
use serde_json::{Value, json};

/// How long functions cache keys here.
pub(crate) const CACHED_FOR: Duration = Duration::from_secs(300);
/// How long a backup of the keys is kept here.
pub(crate) const BACKUPS: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct Stage {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) clock: Arc<ManualClock>,
    /// The keys behind the caches.
    pub(crate) keyring: Arc<MemoryKeyring>,
    /// Whether queries can record nothing.
    pub(crate) is_closed: Arc<AtomicBool>,
    commands: Arc<dyn Answers>,
    queries: Arc<dyn Answers>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The status and the type of the problem.
    pub(crate) fn problem(&self) -> (u16, &str) {
        (self.status, self.body["type"].as_str().unwrap_or_default())
    }
}

impl Stage {
    pub(crate) fn open() -> Self {
        let log = Arc::new(MemoryEventStore::default());
        let clock = Arc::new(ManualClock::default());
        let keyring = Arc::new(MemoryKeyring::default());
        let is_closed = Arc::new(AtomicBool::new(false));
        let random = Arc::new(SeededRandom::new(1));
        // One cache for each function.
        let cache = || Arc::new(CachedKeys::new(keyring.clone(), clock.clone()));
        let ports = CommandPorts::new(log.clone(), clock.clone(), random.clone());
        let of_commands = cache();
        let ports = ports.with_keyring(of_commands.clone()).with_eraser(of_commands);
        let closing = Closing { log: log.clone(), is_closed: is_closed.clone() };
        let recording = CommandPorts::new(Arc::new(closing), clock.clone(), random);
        let service = patients::service();
        let read_side = MemoryReadSide::default();
        let of_queries = cache();
        let certificates = CertificatePorts {
            states: of_queries.clone(),
            signer: Arc::new(MemorySigner::new().expect("the system has random numbers")),
            terms: Terms { cached_for: CACHED_FOR, backups: BACKUPS },
        };
        let query_ports = QueryPorts::new(service.context(), log.clone(), &read_side)
            .with_keys(of_queries)
            .with_certificates(certificates)
            .with_recording(recording);
        let queries = service.queries(&query_ports, clock.clone());
        let queries = queries.expect("the declaration is right");
        let commands = service.commands(&ports).expect("the declaration is right");
        Self { log, clock, keyring, is_closed, commands, queries }
    }

    async fn answer(&self, request: Request) -> Answered {
        let service = if request.method == Method::POST { &self.commands } else { &self.queries };
        let answer = service.answer(&request).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response("request-1"));
        let body = serde_json::from_str(&answer.body).unwrap_or_default();
        Answered { status: answer.status.as_u16(), headers: answer.headers, body }
    }

    pub(crate) async fn post(&self, by: &Caller, path: &str, key: &str, body: &Value) -> Answered {
        let headers = headers(&[("content-type", "application/json"), ("idempotency-key", key)]);
        let body = body.to_string().into_bytes();
        self.answer(Request { headers, body, ..request(by, Method::POST, path) }).await
    }

    pub(crate) async fn get(&self, by: &Caller, path: &str, purpose: &str) -> Answered {
        self.get_with(by, path, &[("purpose-of-use", purpose)]).await
    }

    pub(crate) async fn get_with(
        &self,
        by: &Caller,
        path: &str,
        with: &[(&str, &str)],
    ) -> Answered {
        self.answer(Request { headers: headers(with), ..request(by, Method::GET, path) }).await
    }

    /// The id of a new patient.
    pub(crate) async fn register(&self, insurance: &str) -> String {
        let registered = self.post(&registrar(), "/patients", insurance, &ada(insurance)).await;
        assert_eq!(registered.status, 201, "{registered:?}");
        registered.body["id"].as_str().expect("an id").to_owned()
    }

    /// Lets the caches of keys expire.
    pub(crate) fn after_caches(&self) {
        let later = self.clock.now_at().checked_add(CACHED_FOR).expect("a time");
        self.clock.set(later);
    }
}

/// The time of a clock, without waiting.
pub(crate) trait NowAt {
    fn now_at(&self) -> ledgerfold::Timestamp;
}

impl NowAt for ManualClock {
    fn now_at(&self) -> ledgerfold::Timestamp {
        ledgerfold::ports::Clock::now(self)
    }
}

/// The body of a registration.
pub(crate) fn ada(insurance: &str) -> Value {
    json!({
        "name": "Ada Lovelace", "birthDate": "1815-12-10",
        "identifiers": [{"system": "insurance", "value": insurance}],
    })
}

/// The body of a record.
pub(crate) fn record(kind: &str, text: &str) -> Value {
    json!({
        "kind": kind, "text": text, "effectiveAt": "2026-11-23T09:00:00Z",
        "code": {"system": "http://loinc.org", "code": "8310-5", "display": "Body temperature"},
    })
}

fn caller(subject: &str, role: &'static str) -> Caller {
    Caller {
        tenant: TenantId::default_tenant(),
        subject: Subject::new(subject).expect("a subject"),
        roles: Granted::only([Role::from_static(role)]),
        scopes: Granted::none(),
        via: Via::Token,
    }
}

pub(crate) fn registrar() -> Caller {
    caller("reg-1", "registrar")
}

pub(crate) fn doctor() -> Caller {
    caller("dr-1", "clinician")
}

pub(crate) fn officer() -> Caller {
    caller("po-1", "privacy-officer")
}

pub(crate) fn patient(id: &str) -> Caller {
    caller(EntityId::new(id).expect("an id").as_str(), "patient")
}

fn headers(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn request(by: &Caller, method: Method, path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    Request {
        method,
        path: Path::parse(path),
        query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        headers: Vec::new(),
        body: Vec::new(),
        id: uuid(),
        caller: by.clone(),
    }
}

/// Each request has an id of its own.
fn uuid() -> String {
    use std::sync::atomic::AtomicU64;
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    format!("request-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A log that can be closed for appends.
struct Closing {
    log: Arc<MemoryEventStore>,
    is_closed: Arc<AtomicBool>,
}

#[async_trait]
impl EventReader for Closing {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.log.read(stream, after).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.log.read_back(stream, span, commits).await
    }
}

#[async_trait]
impl EventStore for Closing {
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError> {
        if self.is_closed.load(Ordering::SeqCst) {
            let closed = StoreError::Port(PortError::Unavailable("it is closed".into()));
            return Err(AppendError::Store(closed));
        }
        self.log.append(commit).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.log.transact(transaction).await
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.log.record(command).await
    }
}
