//! The service of devices on DynamoDB Local, behind a meter.

use std::{collections::BTreeMap, sync::Arc};

use ledgerfold::{
    Caller, StreamId,
    context::{CommandPorts, Context, Kind, QueryPorts, ReadPorts},
    generations::RecordReader,
    ports::{ReadView, Skips},
    project::{Projector, ProjectorPorts},
};
use ledgerfold_dynamodb::{DynamoGenerationStore, DynamoReadTable, DynamoSkips};
use ledgerfold_lambda::{
    http::{Method, Path, Request},
    service::Answers,
};
use ledgerfold_testkit::SeededRandom;
use serde_json::{Value, json};

use crate::{
    cost::{fixture::Fixture, meter::Cost},
    tables,
};

/// The device `d-1`. One function answers all requests, until it is restarted.
pub(super) struct Fleet<'a> {
    fixture: &'a Fixture,
    context: Context,
    ports: CommandPorts,
    read_side: ReadSide,
    commands: Arc<dyn Answers>,
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

impl<'a> Fleet<'a> {
    /// A service without devices.
    pub(super) async fn open(fixture: &'a Fixture) -> Self {
        let context = devices::context();
        let client = || fixture.client.clone();
        let mut read_tables = BTreeMap::new();
        for projection in context.projections() {
            let table = match projection.kind() {
                Kind::Rows => tables::read_table_over(client()).await,
                Kind::Counters | Kind::Parts => {
                    DynamoReadTable::new(client(), tables::keyed_table(&client()).await)
                }
            };
            read_tables.insert(projection.name(), Arc::new(table));
        }
        let generations = Arc::new(tables::generations_over(client()).await);
        let skips = Arc::new(tables::skips_over(client()).await);
        let read_side = ReadSide { tables: read_tables, generations, skips };
        let ports = fixture.command_ports();
        let commands = devices::service().commands(&ports).expect("they can be checked");
        Self { fixture, context, ports, read_side, commands }
    }

    /// A service with the device.
    pub(super) async fn with_device(fixture: &'a Fixture) -> Self {
        let fleet = Self::open(fixture).await;
        fleet.register().await;
        fleet
    }

    /// Starts the function that handles commands again. It has no cached states then.
    pub(super) fn restart(&mut self) {
        self.commands = devices::service().commands(&self.ports).expect("they can be checked");
    }

    /// Sets the clock to another month.
    pub(super) fn turn_the_month(&self) {
        self.fixture.clock.set("1970-02-03T00:00:00Z".parse().expect("a time"));
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

    /// The cost of a query.
    pub(super) async fn get(&self, path: &str) -> Cost {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let request = Request { query, ..request(Method::GET, path) };
        let ports = QueryPorts::new(&self.context, self.ports.log.clone(), &self.read_side);
        let queries = devices::service().queries(&ports, self.ports.clock.clone());
        let queries = queries.expect("the context declares every read model");
        let (cost, answer) = self.fixture.meter.of(queries.answer(&request)).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response("request-1"));
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.body);
        cost
    }

    /// Applies the events of a stream after this version to the read models of readings, and returns the cost.
    pub(super) async fn project(&self, stream: &StreamId, after: u64) -> Cost {
        let mut whole = Cost::default();
        let readers = self.context.projections().iter();
        for projection in readers.filter(|it| it.selection().has(stream)) {
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
            let newest = self.fixture.deliveries(stream, after).await;
            let (cost, failed) = self.fixture.meter.of(projector.project(newest)).await;
            assert_eq!(failed, [], "{name}");
            whole = whole + cost;
        }
        whole
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
