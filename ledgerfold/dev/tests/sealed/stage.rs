//! The service over ports in memory, as the functions of a deployment run it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use ledgerfold::{
    Caller, EntityId, TenantId,
    context::{CommandPorts, QueryPorts},
    keyring::CachedKeys,
    ports::{KeyEraser, KeyReader},
    sealed::DataSubject,
    vocabulary::{Delivery, ErasureRequest, Receipt},
};
use ledgerfold_lambda::{
    http::{Method, Path, Request},
    service::Answers,
};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryKeyring, MemoryReadSide, SeededRandom, clinic,
};
use serde_json::Value;

use crate::service::service;

pub(crate) struct Stage {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) clock: Arc<ManualClock>,
    /// The keys behind the cache.
    pub(crate) keyring: Arc<MemoryKeyring>,
    pub(crate) read_side: MemoryReadSide,
    ports: CommandPorts,
    commands: Arc<dyn Answers>,
    queries: Arc<dyn Answers>,
}

/// An answer, with its headers in the body's place if there is none.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) text: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| *known == name)
    }
}

impl Stage {
    pub(crate) fn open() -> Self {
        let log = Arc::new(MemoryEventStore::default());
        let clock = Arc::new(ManualClock::default());
        let keyring = Arc::new(MemoryKeyring::default());
        // One cache for each function.
        let cache = || Arc::new(CachedKeys::new(keyring.clone(), clock.clone()));
        let random = Arc::new(SeededRandom::new(1));
        let ports = CommandPorts::new(log.clone(), clock.clone(), random).with_keyring(cache());
        let service = service();
        let read_side = MemoryReadSide::default();
        let query_ports = QueryPorts::new(service.context(), log.clone(), &read_side);
        let queries = service.queries(&query_ports.with_keys(cache()), clock.clone());
        let queries = queries.expect("the declaration is right");
        let commands = service.commands(&ports).expect("the declaration is right");
        Self { log, clock, keyring, read_side, ports, commands, queries }
    }

    async fn answer(&self, request: Request) -> Answered {
        let service = if request.method == Method::POST { &self.commands } else { &self.queries };
        let answer = service.answer(&request).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response("request-1"));
        let status = answer.status.as_u16();
        Answered { status, headers: answer.headers, text: answer.body }
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answered {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers =
            vec![header("content-type", "application/json"), header("idempotency-key", key)];
        let body = body.to_string().into_bytes();
        self.answer(Request { headers, body, ..request(Method::POST, path) }).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.answer(request(Method::GET, path)).await
    }

    /// The id of a new patient.
    pub(crate) async fn register(&self, key: &str, name: &str, email: &str) -> String {
        let body = serde_json::json!({"name": name, "email": email});
        let registered = self.post("/patients", key, &body).await;
        assert_eq!(registered.status, 201, "{registered:?}");
        registered.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Projects all commits.
    pub(crate) async fn project(&self) {
        let projector = self.read_side.projector(&clinic::context(), "directory", &self.ports);
        let projector = projector.expect("it is declared");
        for commit in self.log.commits() {
            let deliveries = commit.envelopes().map(|envelope| Delivery {
                receipt: Receipt(envelope.event.id.to_string()),
                content: Ok(envelope.into()),
                replay: None,
            });
            assert_eq!(projector.project(deliveries.collect()).await, []);
        }
    }

    /// Erases a patient. Functions notice it when the key that they remember expires.
    pub(crate) async fn erase(&self, id: &str) {
        let tenant = TenantId::default_tenant();
        let key = self.keyring.tenant_key(&tenant).await.expect("it is read");
        let id = EntityId::new(id).expect("an id");
        let subject = key.expect("it was made").pseudonym(&DataSubject::from(&id));
        let request = ErasureRequest::example();
        self.keyring.erase(&tenant, &subject, &request).await.expect("it is erased");
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

/// The log lines of a test, of all levels.
#[derive(Clone, Default)]
pub(crate) struct LogLines(Arc<Mutex<Vec<u8>>>);

impl LogLines {
    pub(crate) fn text(&self) -> String {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }
}

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
