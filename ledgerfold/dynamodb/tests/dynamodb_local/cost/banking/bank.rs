//! The service of banking on DynamoDB Local, behind a meter.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use banking::domain::{Accounts, Transfers};
use ledgerfold::{
    Caller, Decider, EntityId, StreamId,
    context::{CommandPorts, Context, QueryPorts, ReadPorts},
    generations::RecordReader,
    ports::{ReadView, Skips, Span},
    project::{Projector, ProjectorPorts},
    vocabulary::Commit,
};
use ledgerfold_dynamodb::{DynamoGenerationStore, DynamoReadTable, DynamoSkips};
use ledgerfold_lambda::http::{Method, Path, Request};
use ledgerfold_testkit::SeededRandom;
use serde_json::{Value, json};

use crate::{
    cost::{fixture::Fixture, meter::Cost},
    tables,
};

/// A bank. Every request is answered by a function that has just started.
pub(super) struct Bank<'a> {
    fixture: &'a Fixture,
    context: Context,
    ports: CommandPorts,
    read_side: ReadSide,
    /// The number of the next request, which is its key. Atomic, so that requests need no exclusive bank.
    keys: AtomicUsize,
}

/// The read tables of all projections.
struct ReadSide {
    tables: BTreeMap<&'static str, Arc<DynamoReadTable>>,
    generations: Arc<DynamoGenerationStore>,
    skips: Arc<DynamoSkips>,
}

impl ReadPorts for ReadSide {
    fn view(&self, projection: &'static str, _: Option<&'static str>) -> Arc<dyn ReadView> {
        self.tables[projection].clone()
    }

    fn generations(&self) -> RecordReader {
        RecordReader::new(self.generations.clone(), Arc::new(SeededRandom::new(5)))
    }

    fn skips(&self, _: &'static str) -> Arc<dyn Skips> {
        self.skips.clone()
    }
}

/// An answer: its status and its body.
pub(super) type Answer = (u16, Value);

impl<'a> Bank<'a> {
    pub(super) async fn open(fixture: &'a Fixture) -> Self {
        let context = banking::context();
        let client = || fixture.client.clone();
        let mut read_tables = BTreeMap::new();
        for projection in context.projections() {
            let table = match projection.index() {
                Some(_) => tables::read_table_over(client()).await,
                // A table of counters has the keys of a table without an index of rows.
                None if projection.name().ends_with("-totals") => {
                    DynamoReadTable::new(client(), tables::keyed_table(&client()).await)
                }
                None => tables::read_table_over(client()).await,
            };
            read_tables.insert(projection.name(), Arc::new(table));
        }
        let generations = Arc::new(tables::generations_over(client()).await);
        let skips = Arc::new(tables::skips_over(client()).await);
        let read_side = ReadSide { tables: read_tables, generations, skips };
        let ports = fixture.command_ports();
        Self { fixture, context, ports, read_side, keys: AtomicUsize::new(0) }
    }

    pub(super) fn ports(&self) -> &CommandPorts {
        &self.ports
    }

    fn next_key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// Sends a command under this key, and returns its cost with the answer.
    pub(super) async fn post_as(&self, key: &str, path: &str, body: &Value) -> (Cost, Answer) {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let body = body.to_string().into_bytes();
        let request = Request { headers, body, ..request(Method::POST, path) };
        let commands = banking::service().commands(&self.ports).expect("they can be checked");
        let (cost, answer) = self.fixture.meter.of(commands.answer(&request)).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response("request-1"));
        let body = serde_json::from_str(answer.body.as_str()).expect("JSON");
        (cost, (answer.status.as_u16(), body))
    }

    /// Sends a command.
    pub(super) async fn post(&self, path: &str, body: Value) -> (Cost, Answer) {
        self.post_as(&self.next_key(), path, &body).await
    }

    /// The cost of a command that is accepted, and the id in its answer.
    pub(super) async fn accepted(&self, path: &str, body: Value) -> (Cost, String) {
        let (cost, (status, body)) = self.post(path, body).await;
        assert!(matches!(status, 200 | 201), "{path}: {body}");
        (cost, body["id"].as_str().expect("an id").to_owned())
    }

    /// The cost of a command that is sent twice: of the second time.
    pub(super) async fn repeated(&self, path: &str, body: Value) -> Cost {
        let key = self.next_key();
        let (_, first) = self.post_as(&key, path, &body).await;
        let (cost, second) = self.post_as(&key, path, &body).await;
        assert_eq!(second, first);
        cost
    }

    /// The cost of a command that a rule refuses.
    pub(super) async fn refused(&self, path: &str, body: Value) -> Cost {
        let (cost, (status, body)) = self.post(path, body).await;
        assert_eq!(status, 409, "{body}");
        cost
    }

    /// The cost of a query.
    pub(super) async fn get(&self, path: &str) -> Cost {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let request = Request { query, ..request(Method::GET, path) };
        let ports = QueryPorts::new(&self.context, self.ports.log.clone(), &self.read_side);
        let queries = banking::service().queries(&ports, self.ports.clock.clone());
        let queries = queries.expect("the context declares every read model");
        let (cost, answer) = self.fixture.meter.of(queries.answer(&request)).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response("request-1"));
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.body.as_str());
        cost
    }

    /// An account of `o-1` in euro, without entries.
    pub(super) async fn empty_account(&self) -> String {
        self.accepted("/accounts", json!({"ownerId": "o-1", "currency": "EUR"})).await.1
    }

    /// An account with an opening and a deposit.
    pub(super) async fn account(&self) -> String {
        let account = self.empty_account().await;
        self.deposit(&account).await;
        account
    }

    /// Pays ten euros into an account.
    pub(super) async fn deposit(&self, account: &str) -> Cost {
        let body = json!({"amount": euros(1_000), "reference": "Salary"});
        self.accepted(&format!("/accounts/{account}/deposit"), body).await.0
    }

    pub(super) async fn newest_commit(&self, account: &str) -> Commit {
        let newest = self.ports.log.read_back(&stream_of(account), Span::ALL, 1).await;
        let newest = newest.expect("the log can be read").commits.into_iter().next();
        newest.expect("the account exists")
    }

    /// The streams that the newest transaction of an account has changed.
    pub(super) async fn newest_streams(&self, account: &str) -> Vec<StreamId> {
        let newest = self.newest_commit(account).await;
        let siblings = newest.command().siblings.iter().map(|sibling| sibling.stream.clone());
        siblings.chain([newest.stream().clone()]).collect()
    }

    /// The transfer that made the newest entry of an account.
    pub(super) async fn newest_transfer(&self, account: &str) -> String {
        let streams = self.newest_streams(account).await;
        let transfer = streams.iter().find(|stream| *stream.category() == Transfers::CATEGORY);
        transfer.expect("the newest event is an entry").id().to_string()
    }

    /// Applies the events of these streams to all read models, and returns the cost.
    pub(super) async fn project(&self, streams: &[StreamId]) -> Cost {
        let mut whole = Cost::default();
        for projection in self.context.projections() {
            let name = projection.name();
            let table = self.read_side.tables[name].clone();
            let models = self.context.catalog().models(name, table);
            let models = models.expect("the context declares it");
            let CommandPorts { log, clock, random, .. } = self.ports.clone();
            let skips = self.read_side.skips.clone();
            let ports = ProjectorPorts { log, skips, clock, random };
            let generations = self.read_side.generations.clone();
            let projector = Projector::of_generations(models, generations, ports);
            projector.check().await.expect("the program has the model");
            for stream in streams.iter().filter(|stream| projection.selection().has(stream)) {
                let newest = self.fixture.deliveries(stream, 0).await;
                let (cost, failed) = self.fixture.meter.of(projector.project(newest)).await;
                assert_eq!(failed, [], "{name}");
                whole = whole + cost;
            }
        }
        whole
    }
}

pub(super) fn stream_of(account: &str) -> StreamId {
    StreamId::of_default_tenant(Accounts::CATEGORY, EntityId::new(account).expect("an id"))
}

pub(super) fn euros(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
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
