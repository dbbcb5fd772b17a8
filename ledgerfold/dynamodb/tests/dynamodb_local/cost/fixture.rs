//! Tables and handlers for the cost contract.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use ledgerfold::{
    Decider, StreamId, Version,
    command::{Answer, CommandError, CommandHandler, CommandRequest, JointDecider, JointHandler},
    context::CommandPorts,
    generations::{self, RecordReader},
    ports::{Clock, CopyIndex, EventReader, EventStore, GenerationStore, Random, Written},
    project::{Catalog, Projection, Projector, ProjectorPorts, ReadModel},
    query::LiveRows,
    vocabulary::{Content, Delivery, Generations, Mark, Receipt, RecordCopy},
};
use ledgerfold_dynamodb::{
    DynamoGenerationStore, DynamoReadTable, DynamoRowStore, DynamoSkips, DynamoTallyStore,
};
use ledgerfold_testkit::{ManualClock, SeededRandom};

use super::meter::{Cost, Meter};
use crate::{tables, temporary::Temporary};

/// The name of the projection with generations.
const NOTES: &str = "notes";

/// Fresh tables behind a meter.
pub(super) struct Fixture {
    pub(super) meter: Meter,
    pub(super) client: Client,
    pub(super) log: Arc<Temporary>,
    pub(super) rows: Arc<DynamoRowStore>,
    pub(super) tallies: Arc<DynamoTallyStore>,
    read_table: Arc<DynamoReadTable>,
    generations: Arc<DynamoGenerationStore>,
    pub(super) skips: Arc<DynamoSkips>,
    pub(super) clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
}

impl Fixture {
    pub(super) async fn open() -> Self {
        let meter = Meter::default();
        let client = Client::from_conf(tables::config().interceptor(meter.clone()).build());
        Self {
            meter,
            log: Arc::new(tables::log_over(client.clone()).await),
            rows: Arc::new(tables::rows_over(client.clone()).await),
            tallies: Arc::new(tables::tallies_over(client.clone()).await),
            read_table: Arc::new(tables::read_table_over(client.clone()).await),
            generations: Arc::new(tables::generations_over(client.clone()).await),
            skips: Arc::new(tables::skips_over(client.clone()).await),
            client,
            clock: Arc::default(),
            random: Arc::new(SeededRandom::new(5)),
        }
    }

    /// A handler that loads the stream for each command.
    pub(super) fn cold<D: Decider>(&self) -> CommandHandler<D> {
        self.remembering(0)
    }

    /// A handler that caches states.
    pub(super) fn warm<D: Decider>(&self) -> CommandHandler<D> {
        self.remembering(10_000_000)
    }

    fn remembering<D: Decider>(&self, bytes: usize) -> CommandHandler<D> {
        let (log, clock, random) = self.ports();
        CommandHandler::with_cache(bytes, log, clock, random)
    }

    pub(super) fn joint<J: JointDecider>(&self) -> JointHandler<J> {
        let (log, clock, random) = self.ports();
        JointHandler::new(log, clock, random)
    }

    pub(super) fn projector(&self, model: impl ReadModel + 'static) -> Projector {
        Projector::new(Arc::new(model), self.projector_ports())
    }

    /// A projector of all generations, with or without a second one under construction.
    pub(super) async fn generational<P: Projection>(&self, is_building: bool) -> Projector {
        let first = Generations::first(1);
        let begun = first.begun(1).expect("none is built");
        let abandoned = begun.abandoned().expect("one is built");
        let records = if is_building { vec![first, begun] } else { vec![first, begun, abandoned] };
        for record in records {
            self.change(&record).await;
        }
        let models = Catalog::new().rows::<P>(NOTES).models(NOTES, self.read_table.clone());
        let models = models.expect("it exists");
        Projector::of_generations(models, self.generations.clone(), self.projector_ports())
    }

    /// Replaces the record of the generations that this one was made from.
    pub(super) async fn change(&self, new: &Generations) {
        let changed = generations::change(&*self.generations, &*self.clock, NOTES, new).await;
        assert_eq!(changed.expect("it can be written"), Written::Done);
    }

    /// Marks all copies of the record, as a change does that dies afterwards.
    pub(super) async fn mark_copies(&self) {
        let mark = RecordCopy::Marked(Mark { number: 4, at: self.clock.now() });
        for copy in CopyIndex::all() {
            let written = self.generations.write_copy(NOTES, copy, &mark).await;
            assert_eq!(written.expect("it can be written"), Written::Done);
        }
    }

    /// A reader of the live generation.
    pub(super) fn live<P: Projection>(&self) -> LiveRows {
        let generations = RecordReader::new(self.generations.clone(), self.random.clone());
        LiveRows::new::<P>(NOTES, self.read_table.clone(), generations)
    }

    fn projector_ports(&self) -> ProjectorPorts {
        let (log, clock, random) = self.ports();
        ProjectorPorts { log, skips: self.skips.clone(), clock, random }
    }

    /// The ports of a service.
    pub(super) fn command_ports(&self) -> CommandPorts {
        let (log, clock, random) = self.ports();
        CommandPorts::new(log, clock, random)
    }

    fn ports(&self) -> (Arc<dyn EventStore>, Arc<dyn Clock>, Arc<dyn Random>) {
        (self.log.clone(), self.clock.clone(), self.random.clone())
    }

    /// The cost of an accepted command.
    pub(super) async fn accepted<D: Decider>(
        &self,
        handler: &CommandHandler<D>,
        command: &CommandRequest<D::Command>,
    ) -> Cost {
        let (cost, outcome) = self.meter.of(handler.handle(command)).await;
        outcome.expect("the command is accepted");
        cost
    }

    /// The cost of a command that is not accepted, and the reason.
    pub(super) async fn refused<D: Decider>(
        &self,
        handler: &CommandHandler<D>,
        command: &CommandRequest<D::Command>,
    ) -> (Cost, CommandError<D::Rejection>) {
        let (cost, outcome) = self.meter.of(handler.handle(command)).await;
        (cost, outcome.map(|_| ()).expect_err("the command is not accepted"))
    }

    /// Deliveries of the stream's events after this version.
    pub(super) async fn deliveries(&self, stream: &StreamId, after: u64) -> Vec<Delivery> {
        let page = self.log.read(stream, Version::new(after)).await.expect("the log can be read");
        let events = page.commits.iter().flat_map(|commit| commit.envelopes());
        let delivery = |envelope| Delivery {
            receipt: Receipt("message".to_owned()),
            content: Ok(Content::Event(Box::new(envelope))),
            replay: None,
        };
        events.map(delivery).collect()
    }
}

/// Handles a command that is accepted.
pub(super) async fn handled<D: Decider>(
    handler: &CommandHandler<D>,
    command: &CommandRequest<D::Command>,
) -> Answer {
    handler.handle(command).await.expect("the command is accepted")
}
